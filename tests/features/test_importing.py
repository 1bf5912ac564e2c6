"""An import accounts for every row, keeps what it could not read, and does nothing the second time."""

from pathlib import Path

import pytest

from features.importing import ImportReport, import_export
from features.mapping import Mapping, MissingColumns, mapping_of
from features.records import EventKind
from features.store import Saved, Store

ROWS = """ID;Создан;Источник;Бюджет;Телефон;Итог
1;01.02.2026 10:00;вебинар;1 250,50;8 916 123-45-67;успех
2;32.01.2026 10:00;реклама;300;;отказ
3;02.02.2026 11:30;реклама;не число;;отказ
;03.02.2026 11:30;реклама;1;;
5;04.02.2026 09:00;вебинар;2,5;12;
"""


def our_mapping(**more: object) -> Mapping:
    columns = {"lead_id": "ID", "created_at": "Создан", "source": "Источник", "phone": "Телефон"}
    outcome = {"column": "Итог", "won": ["успех"], "lost": ["отказ"]}
    return mapping_of(
        {"name": "our", "table": "leads", "timezone": "Europe/Moscow", "columns": columns, "outcome": outcome, **more},
        "our",
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "leads.csv"
    path.write_text(ROWS, encoding="cp1251")
    return path


def imported(file: Path, store: Store, mapping: Mapping | None = None) -> ImportReport:
    return import_export(
        file, mapping or our_mapping(), store, rejected_to=file.parent / "rejected", say=lambda _: None
    )


def test_every_row_is_stored_or_rejected_with_a_reason(file: Path, store: Store) -> None:
    report = imported(file, store)
    assert (report.rows, report.saved["Lead"].new, report.rejected_rows) == (5, 3, 2)
    assert report.saved["LeadEvent"].new == 2
    assert any("32.01.2026" in why for why in report.rejected)
    assert report.rejected_file is not None
    kept = Path(report.rejected_file).read_text(encoding="utf-8-sig")
    assert "32.01.2026" in kept
    assert kept.count("\n") == 3


def test_the_second_time_changes_nothing(file: Path, store: Store) -> None:
    imported(file, store)
    again = imported(file, store)
    assert again.saved == {"Lead": Saved(same=3), "LeadEvent": Saved(same=2)}


def test_a_changed_export_changes_what_changed(file: Path, store: Store) -> None:
    imported(file, store)
    file.write_text(ROWS.replace("1 250,50", "999"), encoding="cp1251")
    assert imported(file, store).saved["Lead"] == Saved(changed=1, same=2)


def test_outcomes_have_no_invented_moment(file: Path, store: Store) -> None:
    imported(file, store)
    won, lost = store.events_of("1")[0], store.events_of("3")[0]
    assert (won.kind, won.at, lost.kind, lost.at) == (EventKind.WON, None, EventKind.LOST, None)


def test_types_are_found_and_remembered(file: Path, store: Store) -> None:
    report = imported(file, store, our_mapping(decimal=","))
    assert report.types["source"].kind == "category"
    assert store.field_types() == report.types


def test_a_mapping_that_does_not_fit_stores_nothing(file: Path, store: Store) -> None:
    wrong = our_mapping(columns={"lead_id": "ID", "created_at": "Дата", "source": "Источник"})
    with pytest.raises(MissingColumns, match="Дата"):
        imported(file, store, wrong)
    assert list(store.leads_with_events()) == []


def test_nonsense_in_every_row_does_not_fill_the_memory(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "leads.csv"
    bad = "".join(f"{n};{n}.99.2026 10:00;а;;;\n" for n in range(10, 3_000))
    path.write_text(ROWS + bad, encoding="cp1251")
    report = imported(path, store)
    assert len(report.rejected) <= 1_001
    assert report.rejected_rows == 2_992
