"""Columns written after the outcome are named with figures; strong honest ones and few leads are left alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from features.leaks import suspected_leaks
from features.mapping import load_mapping
from features.tables import Row, open_table

RNG = np.random.default_rng(7)
N = 4_000
WON = RNG.random(N) < 0.3


def mostly(right: float) -> list[str]:
    """A yes/no that agrees with the outcome in this share of leads."""
    agrees = RNG.random(N) < right
    return ["да" if won == agree else "нет" for won, agree in zip(WON, agrees, strict=True)]


LEAKS: list[tuple[str, Sequence[object], str]] = [  # column, cells, what is said
    ("Договор", mostly(0.97), "alone it tells won from lost in 9"),
    ("Сумма счёта", [5_000 + i if won else None for i, won in enumerate(WON)], "alone it tells won from lost"),
    (
        "Комментарий",
        [f"текст {i}" if RNG.random() < (0.8 if won else 0.3) else "-" for i, won in enumerate(WON)],
        " won and 30% of ",
    ),
    (
        "Промокод",
        ["VIP" if won and RNG.random() < 0.1 else "нет кода" for won in WON],
        "leads with 'VIP' were won",
    ),
    ("Последний звонок", mostly(0.6), "its name sounds like something written while the lead is worked"),
]

HONEST: list[tuple[str, Sequence[object]]] = [
    ("Источник", mostly(0.72)),  # strong, and known at once
    ("Время на сайте", [str(round(RNG.gamma(2, 300 if won else 150))) for won in WON]),
    ("Город", [f"город {RNG.integers(300)}" for _ in WON]),
    ("ID", [str(i) for i in range(N)]),
    ("Пусто", [None] * N),
    ("Форма", ["одна"] * N),
    ("Последняя буква", [str(RNG.integers(5)) for _ in WON]),  # the name alone is not enough
    ("Отдел", [f"{RNG.integers(9)}" if RNG.random() < (0.75 if won else 0.65) else "" for won in WON]),
]


@pytest.mark.parametrize(("column", "cells", "said"), LEAKS, ids=[each[0] for each in LEAKS])
def test_a_leak_is_named_with_its_figures(column: str, cells: Sequence[object], said: str) -> None:
    (leak,) = suspected_leaks({column: cells}, list(WON))
    assert leak.column == column
    assert said in leak.why


def test_honest_columns_are_left_alone() -> None:
    assert suspected_leaks(dict(HONEST), list(WON)) == []


def test_a_few_leads_prove_nothing() -> None:
    """Forty leads of which a column knows all: chance does that among sixty columns."""
    won = [i % 4 == 0 for i in range(40)]
    assert suspected_leaks({"Договор": ["да" if each else "нет" for each in won]}, won) == []


def test_chance_names_hardly_any_of_a_thousand_columns() -> None:
    won = list(RNG.random(300) < 0.3)
    columns = {f"last {i}": [str(RNG.integers(3)) for _ in won] for i in range(1_000)}
    assert len(suspected_leaks(columns, won)) <= 5


# Beside the project, not in it: the public sets are not ours to ship.
XEDUCATION = Path(__file__).parents[2].parent / "shared" / "data" / "xeducation_leads.csv.gz"


@pytest.mark.skipif(not XEDUCATION.is_file(), reason="the public sets are not shipped with the product")
def test_the_known_leaks_of_a_public_set_are_named() -> None:
    """All nine of X Education, and of the 25 others only the two that its notes call suspicious."""
    mapping, table = load_mapping("xeducation"), open_table(XEDUCATION)
    rows = [row.cells for row in table.rows() if isinstance(row, Row)]
    won = [row[table.columns.index("Converted")] == "1" for row in rows]
    cells = {name: [None if row[i] == "Select" else row[i] for row in rows] for i, name in enumerate(table.columns)}
    cells = {name: column for name, column in cells.items() if name not in {"Converted", *mapping.identifiers}}
    named = {leak.column for leak in suspected_leaks(cells, won)}
    assert named == {
        *mapping.known_after,
        "What is your current occupation",
        "What matters most to you in choosing a course",
    }
