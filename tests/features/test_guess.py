"""A guessed mapping loads, reads the file that it was guessed from, and says where it is unsure."""

from pathlib import Path

import pytest
import yaml

from features.exports import Rejected, read_export
from features.guess import guess_mapping
from features.mapping import Mapping, load_mapping
from features.records import EventKind, Lead, LeadEvent, LossNote, Spend


def guessed(folder: Path, text: str, encoding: str = "utf-8") -> tuple[str, Mapping, list[object]]:
    """The guess, the mapping it makes, and what the file gives under it."""
    export, mapping = folder / "Выгрузка leads 2026.csv", folder / "guess.yaml"
    export.write_bytes(text.encode(encoding))
    mapping.write_text(guess_mapping(export), encoding="utf-8")
    loaded = load_mapping(mapping)
    return mapping.read_text(encoding="utf-8"), loaded, list(read_export(export, loaded).records())


AMO = (
    "ID;Название сделки;Основной контакт;Рабочий телефон;Рабочий email;Ответственный;Этап сделки;Бюджет, руб;"
    "Дата создания сделки;Дата редактирования;Дата закрытия;Теги;Причина отказа;Примечание;"
    "utm_source;Город;Дата встречи\n"
    "101;Сделка 1;Иван Петров;+79161234567;ivan@ya.ru;Анна;Успешно реализовано;150 000,50;"
    "01.02.2026 10:00;03.02.2026 10:00;05.02.2026;vip;;;yandex;Казань;03.02.2026\n"
    "102;Сделка 2;Пётр Иванов;+79161234568;petr@ya.ru;Анна;Закрыто и не реализовано;1000;"
    "02.02.2026 10:00;03.02.2026 10:00;06.02.2026;;Дорого;ушли к соседу;yandex;Москва;\n"
    "103;Сделка 3;Олег;+79161234569;;Олег;Первичный контакт;;03.02.2026 10:00;03.02.2026 10:00;;;;;google;Уфа;\n"
)


def test_a_russian_crm(tmp_path: Path) -> None:
    text, mapping, records = guessed(tmp_path, AMO, "cp1251")
    assert mapping.timezone == "Europe/Moscow"
    assert mapping.columns["created_at"] == "Дата создания сделки"
    assert {"Теги", "Дата редактирования"} <= set(mapping.known_after)
    kinds = [record.kind for record in records if isinstance(record, LeadEvent)]
    assert kinds == [EventKind.MEETING, EventKind.WON, EventKind.LOST]
    (note,) = [record for record in records if isinstance(record, LossNote)]
    assert (note.text, note.crm_reason) == ("ушли к соседу", "Дорого")
    leads = [record for record in records if isinstance(record, Lead)]
    assert [lead.phone for lead in leads] == ["+79161234567", "+79161234568", "+79161234569"]
    assert [lead.custom for lead in leads] == [{}, {}, {}]  # nothing about the person or the end slips into features
    assert "# ?" in text


ENGLISH = (
    "Record ID,First Name,Last Name,Email,Phone Number,Lead Source,Create Date,Deal Stage,Amount,Close Date,"
    "Number of Employees,Last Activity Date,Campaign Name\n"
    '1,Ann,Lee,ann@x.com,+1 202 555 0101,Webinar,02/13/2026,Closed Won,"$5,000.00",03/01/2026,50,03/01/2026,Spring\n'
    '2,Bob,Ray,bob@x.com,+1 202 555 0102,Ads,02/14/2026,Closed Lost,"$1,250.50",03/02/2026,10,03/02/2026,Spring\n'
    "3,Cy,Fox,cy@x.com,+1 202 555 0103,Ads,02/15/2026,Qualified To Buy,,,70,,Summer\n"
)


def test_an_english_crm(tmp_path: Path) -> None:
    _, mapping, records = guessed(tmp_path, ENGLISH)
    assert mapping.columns["source"] == "Lead Source"
    assert mapping.columns["company_size"] == "Number of Employees"
    assert mapping.outcome is not None
    assert mapping.outcome.won == ("Closed Won",)
    assert mapping.known_after == ("Last Activity Date",)
    assert "Last Name" in mapping.ignore
    assert not any(isinstance(record, Rejected) for record in records)


def test_a_table_with_a_yes_or_no_and_no_date(tmp_path: Path) -> None:
    text, mapping, records = guessed(tmp_path, "источник,купил,возраст\nсайт,да,30\nзвонок,нет,41\nсайт,нет,25\n")
    assert mapping.columns == {"lead_id": "#row", "source": "источник"}
    assert mapping.order_by == "#row"
    assert [type(record).__name__ for record in records] == ["Lead", "LeadEvent"] * 3
    assert "no column names the lead" in text


def test_a_table_of_spend(tmp_path: Path) -> None:
    _, mapping, records = guessed(
        tmp_path, "Дата;Источник;Кампания;Расход;Клики\n01.02.2026;Директ;Весна;1 250,50;40\n"
    )
    assert mapping.table == "spend"
    assert isinstance(records[0], Spend)


def test_doubts_about_dates_and_sums_are_said(tmp_path: Path) -> None:
    text, mapping, _ = guessed(
        tmp_path, 'ID,Created,Status,Amount\n1,01/02/2026,Won,"1,250"\n2,03/04/2026,Lost,"3,500"\n'
    )
    assert (mapping.dates, mapping.decimal) == ("mdy", ".")
    assert text.count("no cell shows") == 2


def test_leaks_are_comments_when_an_outcome_is_found(tmp_path: Path) -> None:
    rows = "".join(f"{i},сайт,{'да' if i % 3 else 'нет'},{'есть' if i % 3 else ''}\n" for i in range(300))
    text, mapping, _ = guessed(tmp_path, "id,источник,купил,счёт\n" + rows)
    assert "# Known only after the outcome? Then add to known_after:" in text
    assert "#   счёт: " in text
    assert mapping.known_after == ()


HEADERS = [
    'ID,yes,no,null,2026,: colon,#hash,\'quote,"""double"""',
    "phone,email,created_at,manager,source\n+79161234567,a@b.ru,2026-01-01,Анна,сайт",
    "#row,-,{a},[b],*c,&d,!e,%f,@g",
]


@pytest.mark.parametrize("header", HEADERS)
def test_any_header_makes_a_mapping_that_loads(tmp_path: Path, header: str) -> None:
    rows = "" if "\n" in header else "\n" + ",".join("1" for _ in header.split(",")) + "\n"
    text, _, records = guessed(tmp_path, header + rows)
    assert isinstance(yaml.safe_load(text), dict)
    assert len([record for record in records if isinstance(record, Lead)]) == 1
