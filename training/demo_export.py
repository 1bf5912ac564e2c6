"""The demo company as its CRM would export it: four files with the usual mess, and the mappings that read them."""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from features.records import Lead, LeadEvent, LossNote
from training.demo_company import KNOWN_AFTER, DemoCompany
from training.demo_rules import MOSCOW

SEED = 1251  # of the mess: which cells are spoilt does not depend on the company's seed
SPOILT_SPACES, SPOILT_CASE, SAID_NOTHING, TWICE = 0.03, 0.02, 0.5, 0.003

LEAD_HEADERS = {
    "lead_id": "ID", "created_at": "Дата создания", "source": "Источник", "channel": "Канал",
    "utm_source": "utm_source",
    "utm_medium": "utm_medium", "utm_campaign": "utm_campaign", "utm_content": "utm_content", "utm_term": "utm_term",
    "campaign": "Кампания", "landing_page": "Посадочная страница", "offer": "Оффер", "product": "Продукт",
    "region": "Регион", "industry": "Отрасль", "company_size": "Размер компании", "budget": "Бюджет",
    "role": "Должность", "comment": "Комментарий", "contact_name": "Контактное лицо", "phone": "Телефон",
    "email": "E-mail", "manager": "Ответственный",
}  # fmt: skip
CATEGORIES = ("source", "channel", "product", "industry", "role", "offer")  # typed by people here and there
KINDS = {
    "touch": "Касание", "stage": "Смена стадии", "call": "Звонок", "message": "Сообщение", "meeting": "Встреча",
    "proposal": "КП отправлено", "won": "Сделка выиграна", "lost": "Сделка проиграна", "reopened": "Открыта снова",
}  # fmt: skip
STAGES = {
    "lead": "Лид", "qualified": "Квалифицирован", "meeting": "Встреча", "proposal": "КП", "won": "Договор",
    "repeat": "Повторная продажа",
}  # fmt: skip
DETAILS = {
    "answered": "Ответил", "no_answer": "Нет ответа", "busy": "Занято", "voicemail": "Автоответчик",
    "call_back": "Просил перезвонить", "invalid": "Номер не существует", "in": "Входящее", "out": "Исходящее",
    "letter": "Открыл письмо", "page": "Посетил сайт", "pricing_page": "Смотрел цены", "webinar": "Был на вебинаре",
    "material": "Скачал материал",
}  # fmt: skip
# What cp1251 lacks, as people write it; anything else of that kind (emoji) becomes a question mark.
INSTEAD = str.maketrans({"₽": "руб.", "£": "GBP ", "→": "->", "−": "-", "\u202f": " ", "≈": "~", "≥": ">=", "≤": "<="})

LEADS_FILE, EVENTS_FILE, NOTES_FILE = "demo_leads.csv", "demo_events.tsv.gz", "demo_notes.csv"
SPEND_FILE = "demo_spend.xlsx"


def export_company(company: DemoCompany, folder: Path) -> list[tuple[Path, str]]:
    """Writes the files; each with the name of its mapping, in the order in which they are imported.

    The same company gives the same bytes. Raises ImportError where openpyxl is missing: install `leadloop[excel]`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    after = company.truth[list(KNOWN_AFTER)].to_numpy(dtype=object).tolist()
    leads = _mess(_lead_rows(company.leads, after), rng)
    (folder / LEADS_FILE).write_bytes(_table(leads, ";").encode("cp1251"))
    (folder / EVENTS_FILE).write_bytes(_gzipped(_table(_event_rows(company.events), "\t").encode("utf-8-sig")))
    (folder / NOTES_FILE).write_bytes(_table(_note_rows(company.notes), ";").encode("cp1251"))
    (folder / SPEND_FILE).write_bytes(_workbook(company))
    return [(folder / name, name.partition(".")[0]) for name in (LEADS_FILE, EVENTS_FILE, NOTES_FILE, SPEND_FILE)]


def cp1251(text: str) -> str:
    """The text with what the code page holds.

    >>> cp1251("Цена 5 000 ₽ 🙂")
    'Цена 5 000 руб. ?'
    """
    return text.translate(INSTEAD).encode("cp1251", errors="replace").decode("cp1251")


def moscow(moment: datetime | None, pattern: str) -> str:
    return "" if moment is None else moment.astimezone(MOSCOW).strftime(pattern)


def _lead_rows(leads: list[Lead], after: list[list[Any]]) -> Iterator[list[str]]:
    names = list(LEAD_HEADERS)
    custom = list(dict.fromkeys(name for lead in leads for name in lead.custom))
    yield [*LEAD_HEADERS.values(), *custom, *KNOWN_AFTER]
    for lead, known_after in zip(leads, after, strict=True):
        row = [_lead_cell(lead, name) for name in names]
        yield [*row, *(_custom_cell(lead.custom.get(name)) for name in custom), *(cell or "" for cell in known_after)]


def _lead_cell(lead: Lead, name: str) -> str:
    value = getattr(lead, name)
    return moscow(value, "%d.%m.%Y %H:%M") if name == "created_at" else "" if value is None else cp1251(str(value))


def _custom_cell(value: object) -> str:
    """Yes and no in Russian, numbers with a decimal comma, dates as people write them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, int | float):
        return f"{value:.1f}".replace(".", ",")
    text = str(value)
    if len(text) == 10 and text[4] == text[7] == "-":
        return date.fromisoformat(text).strftime("%d.%m.%Y")
    return cp1251(text)


def _mess(rows: Iterable[list[str]], rng: np.random.Generator) -> list[list[str]]:
    """Stray blanks, capital letters, «не указано» in empty answers, and a few rows twice."""
    header, *table = rows
    categories = [header.index(LEAD_HEADERS[name]) for name in CATEGORIES]
    says_nothing = header.index("Текущее решение")
    last_blank = header.index(LEAD_HEADERS["role"]) + 1
    luck = rng.random((len(table), 3)).tolist()
    places = rng.integers(0, 1 << 30, (len(table), 2)).tolist()
    for row, (blank, case, silent), (where, which) in zip(table, luck, places, strict=True):
        if silent < SAID_NOTHING and not row[says_nothing]:
            row[says_nothing] = "не указано"
        if case < SPOILT_CASE:
            _change(row, categories[which % len(categories)], str.upper if which % 2 else str.lower)
        if blank < SPOILT_SPACES:
            _change(row, 2 + where % (last_blank - 2), lambda cell: f" {cell}  " if cell else cell)
    twice = np.flatnonzero(rng.random(len(table)) < TWICE).tolist()
    return [header, *table, *(table[number] for number in twice)]


def _change(row: list[str], place: int, change: Callable[[str], str]) -> None:
    row[place] = change(row[place])


def _event_rows(events: list[LeadEvent]) -> Iterator[list[str]]:
    yield ["ID события", "ID лида", "Тип", "Дата и время", "Стадия", "Результат", "Сумма", "Ответственный"]
    for event in events:
        stage, detail, money = event.stage, event.detail, event.amount
        yield [
            event.event_id or "", event.lead_id, KINDS[event.kind], moscow(event.at, "%d.%m.%Y %H:%M:%S"),
            STAGES[stage] if stage else "", DETAILS[detail] if detail else "",
            f"{money:,.2f}".replace(",", "\u00a0").replace(".", ",") if money is not None else "", event.manager or "",
        ]  # fmt: skip


def _note_rows(notes: list[LossNote]) -> Iterator[list[str]]:
    yield ["Номер", "ID лида", "Дата отказа", "Стадия", "Причина (список)", "Комментарий менеджера", "Ответственный"]
    for note in notes:
        yield [
            note.note_id or "", note.lead_id, moscow(note.written_at, "%d.%m.%Y %H:%M:%S"),
            STAGES[note.stage] if note.stage else "", note.crm_reason or "", cp1251(note.text), note.manager or "",
        ]  # fmt: skip


def _table(rows: Iterable[list[str]], delimiter: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=6, mtime=0)  # no time inside: the same bytes tomorrow


def _workbook(company: DemoCompany) -> bytes:
    """Spend as a workbook: real dates and numbers, a title sheet before the table as accountants like it."""
    import openpyxl  # of the extra `excel`

    book = openpyxl.Workbook(write_only=True)
    book.properties.created = book.properties.modified = company.ends.astimezone(UTC).replace(tzinfo=None)
    title = book.create_sheet("Титул")
    title.append(["Расходы на рекламу, с НДС", "руб."])
    sheet = book.create_sheet("Расходы")
    sheet.append(["День", "Источник", "Расход, руб.", "Визиты", "Клики"])
    for row in company.spend:
        sheet.append([row.day, row.source, float(row.amount), row.visits, row.clicks])
    packed = io.BytesIO()
    book.save(packed)
    return _without_clock(packed.getvalue(), company.ends)


def _without_clock(workbook: bytes, ends: datetime) -> bytes:
    """The same workbook with the snapshot's time on every part, instead of the time of writing."""
    frozen = io.BytesIO()
    moment = ends.astimezone(UTC)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%SZ}".encode()
    with zipfile.ZipFile(io.BytesIO(workbook)) as parts, zipfile.ZipFile(frozen, "w", zipfile.ZIP_DEFLATED) as out:
        for name in sorted(parts.namelist()):
            content = parts.read(name)
            if name == "docProps/core.xml":
                before, tag, rest = content.partition(b'<dcterms:modified xsi:type="dcterms:W3CDTF">')
                content = before + tag + (stamp + rest[rest.index(b"<") :] if tag else b"")
            out.writestr(zipfile.ZipInfo(name, date_time=moment.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return frozen.getvalue()
