"""How CRMs, Excel and people write exports: their habits in all pairs, and one lead as each of them writes it."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import combinations, product
from pathlib import Path
from zoneinfo import ZoneInfo

from features.mapping import Mapping, mapping_of

ROWS = 12
MAY_BE_TWO_DAYS, MAY_BE_TWO_NUMBERS, TWO_SHEETS = "may be two days", "may be two numbers", "cells in several sheets"
ZONE = ZoneInfo("Asia/Yekaterinburg")

COMMA_IS_DECIMAL = ["1250000,5", "1 250 000,50 руб.", "1nbsp250nbsp000,50", "1.250.000,50"]

TEXT_HABITS = {
    "encoding": ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1251", "koi8-r", "cp866"],
    "delimiter": [",", ";", "\t", "|"],
    "line_end": ["\n", "\r\n"],
    "numbers": [
        "1250000.5",
        "1250000,5",
        "1 250 000,50 руб.",
        "1nbsp250nbsp000,50",
        "$1,250,000.50",
        "1.250.000,50",
        "1,250",
    ],
    "dates": [
        "iso",
        "iso+05",
        "dd.mm.yyyy",
        "dd.mm.yyyy hh:mm",
        "dd.mm.yy",
        "dd/mm/yyyy",
        "mm/dd/yyyy",
        "05/04/2026",
        "named",
    ],
    "quoting": ["where needed", "all"],
    "cells": ["short", "newlines", "quotes and delimiters"],
    "headers": ["russian", "english", "blank last column"],
    "container": ["csv", "gz", "misnamed"],
    "defect": [
        *("none", "short row", "long row", "header again", "blank lines", "empty rows"),
        *("repeated column", "open quote", "NUL", "bad date", "bad amount"),
    ],
}
WORKBOOK_HABITS = {
    "container": ["xlsx", "parquet", "misnamed xlsx"],
    "numbers": ["number", "1 250 000,50 руб.", "$1,250,000.50", "1,250"],
    "dates": ["moment", "day number", "dd.mm.yyyy hh:mm", "mm/dd/yyyy", "05/04/2026", "iso+05"],
    "headers": ["russian", "english"],
    "cells": ["short", "newlines", "quotes and delimiters"],
    "calendar": ["1900", "1904"],
    "sheets": ["one", "hidden beside", "two"],
    "defect": [
        *("none", "empty rows", "repeated column", "bad date", "bad amount"),
        *("merged header", "merged cells", "formula", "header again"),
    ],
}
FOR_TEXT_ONLY = {"encoding": "utf-8", "delimiter": ",", "line_end": "\n", "quoting": "where needed"}
FOR_BOOKS_ONLY = {"calendar": "1900", "sheets": "one"}

HEADERS = {
    "russian": ["ID", "Дата создания", "Источник", "Комментарий", "Статус", "Сумма", "Своё поле"],
    "english": ["Record ID", "Create Date", "Source", "Message", "Deal Stage", "Amount", "Own field"],
}
WORDS = {
    "short": ["Сайт", "Звонок", "Яндекс Директ", "выставка в Казани", "Google Ads", "e-mail", "0012", "Уфа", "№ 7"],
    "newlines": ["первая строка\nвторая", "перезвонить\n\nпосле обеда", "один\nдва\nтри", "Сайт"],
    "quotes and delimiters": [
        'ООО "Ромашка"',
        "цена, срок; скидка | опт",
        '"',
        "a\tb",
        "'7",
        'он сказал: "дорого", и ушёл',
    ],
}


@dataclass(frozen=True)
class Habits:
    """How one file is written."""

    container: str
    numbers: str
    dates: str
    headers: str
    cells: str
    defect: str
    encoding: str
    delimiter: str
    line_end: str
    quoting: str
    calendar: str
    sheets: str
    seed: int

    @property
    def is_text(self) -> bool:
        return self.container in ("csv", "gz", "misnamed")


@dataclass(frozen=True)
class Truth:
    """One lead as it is, however it is written."""

    lead_id: str
    created_at: datetime
    source: str
    comment: str
    won: bool
    amount: Decimal
    own: str


@dataclass(frozen=True)
class GeneratedFile:
    """A file's habits and what must come out of it: leads, rejected rows by number, or a refusal."""

    habits: Habits
    path: Path
    leads: list[Truth]
    rejected: dict[int, str]  # row → word of the reason
    refused: str | None  # word of the reason
    refused_row: int | None
    encoding_to_say: str | None = None  # refused only until the mapping says it; then `refused` holds

    def mapping(self, **more: object) -> Mapping:
        names = HEADERS["english" if self.habits.headers == "english" else "russian"]
        lead_id, created_at, source, comment, status, amount, _ = names
        content: dict[str, object] = {
            "name": "generated",
            "timezone": str(ZONE),
            "columns": {"lead_id": lead_id, "created_at": created_at, "source": source, "comment": comment},
            "outcome": {"column": status, "won": ["продано"], "lost": ["отказ"], "amount": amount},
        }
        return mapping_of(content | more, "generated")


def habits_of_all_files(rounds: int = 4) -> list[Habits]:
    """All pairs of habits, several times with other cells and other partners."""
    found = []
    for seed in range(rounds):
        found += [Habits(**FOR_BOOKS_ONLY, **each, seed=seed) for each in all_pairs(TEXT_HABITS, seed)]
        found += [Habits(**FOR_TEXT_ONLY, **each, seed=seed) for each in all_pairs(WORKBOOK_HABITS, seed)]
    return found


def all_pairs(habits: dict[str, list[str]], seed: int) -> list[dict[str, str]]:
    """Combinations in which every two values of two habits meet: greedily, the candidate with most new meetings."""
    rng = random.Random(seed)
    names = list(habits)
    left = {
        pair
        for a, b in combinations(names, 2)
        for pair in product([(a, v) for v in habits[a]], [(b, v) for v in habits[b]])
    }
    chosen = []
    while left:
        first = sorted(left)[rng.randrange(len(left))]
        candidates = [
            {**{name: rng.choice(values) for name, values in habits.items()}, **dict(first)} for _ in range(30)
        ]
        best = max(candidates, key=lambda each: len(_meetings(each) & left))
        left -= _meetings(best)
        chosen.append(best)
    return chosen


def _meetings(chosen: dict[str, str]) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    return set(combinations(chosen.items(), 2))


def draw_lead(habits: Habits, rng: random.Random, number: int) -> Truth:
    words = [word for word in WORDS[habits.cells] if habits.encoding != "koi8-r" or "№" not in word]
    return Truth(
        lead_id=f"L-{number:03}",
        created_at=_moment(habits.dates, rng, number),
        source=rng.choice(WORDS["short"][:6]),
        comment=rng.choice(words),
        won=rng.random() < 0.5,
        amount=Decimal(rng.randint(1, 9)) * 1_000 + 250
        if habits.numbers == "1,250"
        else Decimal(rng.randint(150, 10**9)) / 100,
        own=rng.choice(words),
    )


def _moment(style: str, rng: random.Random, number: int) -> datetime:
    day = rng.randint(1, 12) if style == "05/04/2026" else (13 + number if number < 5 else rng.randint(1, 28))
    has_clock = style in ("iso", "iso+05", "dd.mm.yyyy hh:mm", "moment", "day number")
    hour, minute = (rng.randint(0, 23), rng.randint(0, 59)) if has_clock else (0, 0)
    return datetime(2026, rng.randint(1, 12), day, hour, minute, tzinfo=ZONE)


def written_moment(style: str, at: datetime) -> str:
    match style:
        case "iso":
            return at.strftime("%Y-%m-%d %H:%M:%S")
        case "iso+05":
            return at.astimezone(timezone(timedelta(hours=3))).isoformat()
        case "dd.mm.yyyy":
            return at.strftime("%d.%m.%Y")
        case "dd.mm.yyyy hh:mm":
            return at.strftime("%d.%m.%Y %H:%M")
        case "dd.mm.yy":
            return at.strftime("%d.%m.%y")
        case "dd/mm/yyyy":
            return at.strftime("%d/%m/%Y")
        case "mm/dd/yyyy" | "05/04/2026":
            return at.strftime("%m/%d/%Y")
    months = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split()
    return f"{at.day} {months[at.month - 1]} {at.year} г."


def written_amount(style: str, amount: Decimal) -> str:
    grouped = f"{amount:,.2f}"
    match style:
        case "1250000.5":
            return f"{amount:.2f}"
        case "1250000,5":
            return f"{amount:.2f}".replace(".", ",")
        case "1 250 000,50 руб.":
            return grouped.replace(",", " ").replace(".", ",") + " руб."
        case "1nbsp250nbsp000,50":
            return grouped.replace(",", "\u00a0").replace(".", ",")
        case "$1,250,000.50":
            return "$" + grouped
        case "1.250.000,50":
            return grouped.replace(",", " ").replace(".", ",").replace(" ", ".")
    return f"{amount:,.0f}"


def why_open(habits: Habits) -> str | None:
    """Files that leave open what they say, until the mapping says it."""
    if habits.dates == "05/04/2026":
        return MAY_BE_TWO_DAYS
    return MAY_BE_TWO_NUMBERS if habits.numbers == "1,250" else None
