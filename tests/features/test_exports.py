"""An export comes out cell by cell as it was written, or is refused with the row and the reason."""

import gzip
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from features.exports import Export, Rejected, read_export
from features.mapping import MappingError, MissingColumns, load_mapping, mapping_of
from features.records import EventKind, Lead, LeadEvent, LossNote, Spend, Stage
from features.tables import RefusedFile
from tests.features.file_generator import write_file
from tests.features.file_habits import (
    COMMA_IS_DECIMAL,
    MAY_BE_TWO_DAYS,
    MAY_BE_TWO_NUMBERS,
    TEXT_HABITS,
    WORKBOOK_HABITS,
    GeneratedFile,
    Truth,
    all_pairs,
    habits_of_all_files,
)

WriteCsv = Callable[[str], Path]


def read_back(export: Export, own_field: str) -> tuple[list[Truth], dict[int, str]]:
    """What came out, in the words of the truth: leads, and reasons of rejected rows."""
    leads: list[Truth] = []
    rejected = {}
    lead: Lead | None = None
    for record in export.records():
        if isinstance(record, Rejected):
            rejected[record.row] = record.reason
        elif isinstance(record, Lead):
            lead = record
        else:
            assert isinstance(record, LeadEvent)
            assert lead is not None
            assert lead.lead_id == record.lead_id
            assert lead.created_at is not None
            leads.append(
                Truth(
                    lead.lead_id, lead.created_at, str(lead.source), str(lead.comment), record.kind is EventKind.WON,
                    record.amount or Decimal(0), str(lead.custom.get(own_field)),
                )
            )  # fmt: skip
    return leads, rejected


def as_read(lead: Truth) -> Truth:
    """Only a won lead has an amount, and moments are in UTC."""
    return Truth(
        lead.lead_id, lead.created_at.astimezone(UTC), lead.source, lead.comment, lead.won,
        lead.amount if lead.won else Decimal(0), lead.own,
    )  # fmt: skip


def check(file: GeneratedFile, **said: object) -> None:
    own_field = "Own field" if file.habits.headers == "english" else "Своё поле"
    leads, rejected = read_back(read_export(file.path, file.mapping(**said)), own_field)
    assert leads == [as_read(lead) for lead in file.leads], file.habits
    assert rejected.keys() == file.rejected.keys(), (file.habits, rejected)
    assert all(file.rejected[row] in reason for row, reason in rejected.items()), (file.habits, rejected)


def refusal(file: GeneratedFile, **said: object) -> RefusedFile:
    with pytest.raises(RefusedFile) as caught:
        check(file, **said)
    assert file.path.name in str(caught.value), file.habits
    return caught.value


def check_or_refusal(file: GeneratedFile, seen: Counter[str]) -> None:
    said: dict[str, object] = {}
    if file.encoding_to_say:
        assert f"say `encoding: {file.encoding_to_say}`" in refusal(file).reason, file.habits
        said["encoding"] = file.encoding_to_say
        seen["encoding said"] += 1
    if file.refused is None:
        check(file, **said)
        seen["exact"] += 1
        return
    error = refusal(file, **said)
    assert file.refused in error.reason, (file.habits, str(error))
    assert file.refused_row in (None, error.row), (file.habits, str(error))
    seen[file.refused] += 1
    if file.refused in (MAY_BE_TWO_DAYS, MAY_BE_TWO_NUMBERS):
        said["dates"] = {"05/04/2026": "mdy", "mm/dd/yyyy": "mdy", "dd/mm/yyyy": "dmy"}.get(file.habits.dates)
        said["decimal"] = "," if file.habits.numbers in COMMA_IS_DECIMAL else "."
        check(file, **said)
        seen["exact once said"] += 1


def test_every_generated_file_is_exact_or_refused(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for number, habits in enumerate(habits_of_all_files()):
        (tmp_path / str(number)).mkdir()
        check_or_refusal(write_file(habits, tmp_path / str(number)), seen)
    assert number >= 300
    assert seen["exact"] + seen["exact once said"] >= 300, seen
    assert min(seen.values()) >= 5, seen


@pytest.mark.parametrize("habits", [TEXT_HABITS, WORKBOOK_HABITS], ids=["text", "workbooks"])
def test_every_two_habits_meet(habits: dict[str, list[str]]) -> None:
    chosen = all_pairs(habits, seed=0)
    for a, first in habits.items():
        for b, second in habits.items():
            if a < b:
                assert {(each[a], each[b]) for each in chosen} == {(x, y) for x in first for y in second}
    assert len(habits_of_all_files()) >= 300


@pytest.fixture
def leads_csv(tmp_path: Path) -> WriteCsv:
    def write(text: str) -> Path:
        path = tmp_path / "leads.csv"
        path.write_bytes(text.encode())
        return path

    return write


def rows_of(path: Path, mapping: dict[str, object]) -> list[object]:
    return list(read_export(path, mapping_of({"name": "ours", **mapping}, "ours")).records())


def test_a_lost_lead_brings_its_note_and_its_meeting(leads_csv: WriteCsv) -> None:
    path = leads_csv(
        "ID;Создан;Этап;Причина;Примечание;Встреча\n"
        "1;01.02.2026 10:00;Отказ;Цена;дорого, взяли у конкурента;03.02.2026\n"
        "2;02.02.2026 11:00;Продано;;спасибо;\n"
        "3;03.02.2026 12:00;В работе;;думают;\n"
    )
    records = rows_of(
        path,
        {
            "timezone": "Europe/Moscow",
            "columns": {"lead_id": "ID", "created_at": "Создан"},
            "outcome": {"column": "Этап", "won": ["Продано"], "lost": ["Отказ"]},
            "notes": {"text": "Примечание", "crm_reason": "Причина"},
            "events": [{"kind": "stage", "stage": "meeting", "at": "Встреча"}],
        },
    )
    assert records == [
        Lead(lead_id="1", created_at=datetime(2026, 2, 1, 7, tzinfo=UTC)),
        LeadEvent(lead_id="1", kind=EventKind.STAGE, stage=Stage.MEETING, at=datetime(2026, 2, 2, 21, tzinfo=UTC)),
        LeadEvent(lead_id="1", kind=EventKind.LOST),  # the export does not say when
        LossNote(lead_id="1", text="дорого, взяли у конкурента", crm_reason="Цена"),
        Lead(lead_id="2", created_at=datetime(2026, 2, 2, 8, tzinfo=UTC)),
        LeadEvent(lead_id="2", kind=EventKind.WON),  # what is written about a won lead is no loss note
        Lead(lead_id="3", created_at=datetime(2026, 2, 3, 9, tzinfo=UTC)),  # not over yet
    ]


def test_calls_notes_and_spend_have_tables_of_their_own(leads_csv: WriteCsv) -> None:
    calls = leads_csv("Сделка,Когда,Итог\n7,2026-02-01T10:00:00+03:00,Дозвонились\n8,2026-02-01T10:05:00+03:00,Ушёл\n")
    said = {"constants": {"kind": "call"}, "values": {"detail": {"Дозвонились": "answered"}}}
    columns = {"lead_id": "Сделка", "at": "Когда", "detail": "Итог"}
    call, rejected = rows_of(calls, {"table": "events", "columns": columns, **said})
    assert call == LeadEvent(
        lead_id="7", kind=EventKind.CALL, detail="answered", at=datetime(2026, 2, 1, 7, tzinfo=UTC)
    )
    assert isinstance(rejected, Rejected)
    assert "a call's detail is its outcome" in rejected.reason

    notes = leads_csv("Сделка,Текст\n7,дорого\n8,\n,без сделки\n")
    *kept, lost = rows_of(notes, {"table": "notes", "columns": {"lead_id": "Сделка", "text": "Текст"}})
    assert kept == [LossNote(lead_id="7", text="дорого"), LossNote(lead_id="8", text="")]  # sales do leave it empty
    assert isinstance(lost, Rejected)
    assert (lost.row, lost.reason) == (4, "'Сделка': empty, and a row without lead_id cannot be kept")

    spend = leads_csv("Дата;Площадка;Расход;Клики\n31.01.2026;Директ;1 250,50;40\n")
    columns = {"day": "Дата", "source": "Площадка", "amount": "Расход", "clicks": "Клики"}
    (day,) = rows_of(spend, {"table": "spend", "columns": columns})
    assert day == Spend(day=date(2026, 1, 31), source="Директ", amount=Decimal("1250.5"), clicks=40)


def test_what_is_known_only_later_never_leaves_the_file(leads_csv: WriteCsv) -> None:
    path = leads_csv("ID,Источник,Теги,Номер,Мусор,Город\n1,Сайт,vip,77,x,Уфа\n")
    mapping = {"columns": {"lead_id": "ID", "source": "Источник"}, "known_after": ["Теги"]}
    mapping |= {"identifiers": ["Номер"], "ignore": ["Мусор"]}
    export = read_export(path, mapping_of({"name": "ours", **mapping}, "ours"))
    assert list(export.records()) == [Lead(lead_id="1", source="Сайт", custom={"Город": "Уфа"})]
    assert export.left_out == {
        "Теги": "known only after the outcome",
        "Номер": "names the row",
        "Мусор": "the mapping ignores it",
    }


def test_a_cell_with_no_value_is_no_value(leads_csv: WriteCsv) -> None:
    path = leads_csv("ID,Источник,Город,Тип\n1,Select, - ,n/a\n2,Сайт,Нет данных,НОВЫЙ\n")
    leads = rows_of(path, {"missing": ["Select"], "columns": {"lead_id": "ID", "source": "Источник"}})
    assert leads == [Lead(lead_id="1"), Lead(lead_id="2", source="Сайт", custom={"Тип": "НОВЫЙ"})]


def test_the_order_of_the_file_stands_in_for_dates(leads_csv: WriteCsv) -> None:
    path = leads_csv("Источник\nСайт\nЗвонок\n")
    leads = rows_of(path, {"columns": {"lead_id": "#row", "source": "Источник"}, "order_by": "#row"})
    assert leads == [Lead(lead_id="ours:2", order=2, source="Сайт"), Lead(lead_id="ours:3", order=3, source="Звонок")]


def test_a_date_of_another_order_is_rejected_not_turned_round(leads_csv: WriteCsv) -> None:
    """Five thousand rows say that the day comes first; one of a thousand that follow says otherwise."""
    rows = [f"{number},{number % 28 + 1:02}/03/2026" for number in range(6_000)]
    rows[5_900] = "5900,03/28/2026"
    path = leads_csv("ID,Создан\n" + "\n".join(rows) + "\n")
    records = rows_of(path, {"columns": {"lead_id": "ID", "created_at": "Создан"}})
    (rejected,) = [record for record in records if isinstance(record, Rejected)]
    assert (rejected.row, rejected.reason) == (5_902, "'Создан': '03/28/2026' is no moment when dates are read as dmy")
    assert len(records) == 6_000


def test_a_proof_far_down_the_file_counts(leads_csv: WriteCsv) -> None:
    """In a file sorted by date the first thousands of rows may all lie in the first twelve days."""
    rows = [f"{number},{min(number // 600 + 1, 13):02}/03/2026" for number in range(7_800)]
    path = leads_csv("ID,Создан\n" + "\n".join(rows) + "\n")
    export = read_export(
        path, mapping_of({"name": "ours", "columns": {"lead_id": "ID", "created_at": "Создан"}}, "ours")
    )
    assert export.date_order == {"Создан": "dmy"}


def test_one_file_with_both_orders_is_refused_with_both_rows(leads_csv: WriteCsv) -> None:
    path = leads_csv("ID,Создан\n1,31/01/2026\n2,01/31/2026\n")
    with pytest.raises(RefusedFile, match=r"day first in row 2 \(31/01/2026\), the month in row 3 \(01/31/2026\)"):
        rows_of(path, {"columns": {"lead_id": "ID", "created_at": "Создан"}})


def test_reasons_never_repeat_what_was_written_about_a_person(leads_csv: WriteCsv) -> None:
    path = leads_csv("ID,Создан\n1,Иван Петров просил звонить на +7 916 123-45-67\n2,+79161234567\n")
    for rejected in rows_of(path, {"columns": {"lead_id": "ID", "created_at": "Создан"}}):
        assert isinstance(rejected, Rejected)
        assert not {"Иван", "916"} & set(rejected.reason.replace("+7", " ").split())
        assert "9161234567" not in rejected.reason


def test_a_missing_column_is_named_with_the_nearest_one(leads_csv: WriteCsv) -> None:
    path = leads_csv("ID,Дата создания сделки\n1,01.02.2026\n")
    with pytest.raises(MissingColumns) as caught:
        rows_of(path, {"columns": {"lead_id": "ID", "created_at": "Дата создания"}})
    assert str(caught.value) == (
        "the export lacks ['Дата создания'], which mapping 'ours' reads as created_at; "
        "did you mean ['Дата создания сделки']? map another column or drop the line"
    )


def test_a_column_named_like_one_of_our_fields_must_be_decided(leads_csv: WriteCsv) -> None:
    path = leads_csv("ID,campaign\n1,5\n")
    with pytest.raises(MappingError, match="columns \\['campaign'\\] have names of known fields"):
        rows_of(path, {"columns": {"lead_id": "ID"}})
    renamed = rows_of(path, {"columns": {"lead_id": "ID"}, "rename": {"campaign": "calls made"}})
    assert renamed == [Lead(lead_id="1", custom={"calls made": "5"})]


PUBLIC = Path(__file__).parents[2].parent / "shared" / "data"  # beside the project, not in it
PUBLIC_SETS = [  # file, mapping, leads, won
    ("xeducation_leads.csv.gz", "xeducation", 9_240, 3_561),
    ("bank_additional_full.csv.gz", "bank", 41_188, 4_640),
    ("hillstrom_email.csv.gz", "hillstrom", 64_000, 9_394),
]


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public sets are not shipped with the product")
@pytest.mark.parametrize(("file", "name", "leads", "won"), PUBLIC_SETS)
def test_every_row_of_the_public_sets_is_accounted_for(file: str, name: str, leads: int, won: int) -> None:
    seen = Counter(
        record.kind.value if isinstance(record, LeadEvent) else type(record).__name__
        for record in read_export(PUBLIC / file, load_mapping(name)).records()
    )
    assert seen == {"Lead": leads, "won": won, "lost": leads - won}


def test_reading_again_gives_the_same(leads_csv: WriteCsv) -> None:
    path = leads_csv("ID,Источник\n1,Сайт\n2\n")
    export = read_export(path, mapping_of({"name": "ours", "columns": {"lead_id": "ID"}}, "ours"))
    assert list(export.records()) == list(export.records())
    packed = path.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert list(read_export(packed, export.mapping).records()) == list(export.records())
