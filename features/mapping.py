"""What a company's column names mean: a YAML file → a checked Mapping."""

import difflib
from collections.abc import Hashable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from features.records import EventKind, Lead, LeadEvent, LossNote, Record, Spend, Stage
from features.rows import header_name

FILE_ORDER = "#row"  # as order_by: the rows are in order of time; as lead_id: the row's number is the name

# What people and programs write into a cell that has no value; compared without case and blanks.
USUAL_MISSING = frozenset(
    {
        *("", "null", "<null>", "(null)", "nil", "nan", "none", "na", "n/a", "undefined", "-", "--", "—", "–", "?"),
        *("нет данных", "не указано", "не указан", "не указана", "не заполнено", "не задано", "не выбрано", "н/д"),
        *("пусто", "(пусто)", "#n/a", "#н/д", "#ref!", "#ссылка!", "#value!", "#знач!", "#div/0!", "#дел/0!"),
        *("01.01.0001", "01.01.0001 0:00:00", "01.01.0001 00:00:00"),  # 1C
        *("0000-00-00", "0000-00-00 00:00:00"),  # MySQL
    }
)

RECORD_OF: dict[str, type[Record]] = {"leads": Lead, "events": LeadEvent, "notes": LossNote, "spend": Spend}
NEEDED = {"leads": ["lead_id"], "events": ["lead_id", "kind"], "notes": ["lead_id", "text"], "spend": ["day", "amount"]}
ROW_NAMES = {"lead_id", "event_id", "note_id", "manager", "phone", "email", "contact_name"}  # never features as such


class MappingError(ValueError):
    """The mapping cannot be what its author meant; says where and what to write instead."""


class MissingColumns(ValueError):
    """The export lacks columns that the mapping reads."""

    def __init__(self, mapping: str, lacking: dict[str, str], present: Iterable[str]) -> None:
        present = list(present)
        read_as = ", ".join(f"{role}" for role in lacking.values())
        close = {name: difflib.get_close_matches(name, present, n=1) for name in lacking}
        meant = [match[0] for match in close.values() if match]
        hint = f"; did you mean {meant}?" if meant else f"; it has {_some(present)};"
        super().__init__(
            f"the export lacks {list(lacking)}, which mapping {mapping!r} reads as {read_as}{hint} "
            "map another column or drop the line"
        )
        self.lacking = lacking


def _some(names: list[str]) -> str:
    return str(names) if len(names) <= 12 else f"{names[:12]} and {len(names) - 12} more"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Moscow or UTC") from None
    return name


Column = Annotated[str, AfterValidator(header_name), Field(min_length=1)]
Answer = bool | int | float | str


class Part(BaseModel):
    """A part of a mapping; unknown keys are refused, a header that YAML takes for a number is its text."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Outcome(Part):
    """The column that tells how a lead ended; a cell in neither list means that it has not ended.

    Without lists the column is a yes or a no. `amount` is what a won lead brought.
    """

    column: Column
    won: tuple[Answer, ...] = ()
    lost: tuple[Answer, ...] = ()
    at: Column | None = None
    amount: Column | None = None


class NoteColumns(Part):
    """Columns of a leads table that hold the note of a lost lead."""

    text: Column
    written_at: Column | None = None
    stage: Column | None = None
    crm_reason: Column | None = None
    manager: Column | None = None


class EventColumn(Part):
    """A date column of a leads table: something happened then."""

    kind: EventKind
    at: Column
    stage: Stage | None = None
    detail: str | None = None


class Mapping(Part):
    """How to read one export; the keys are explained in README, «Bring your own export»."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    table: Literal["leads", "events", "notes", "spend"] = "leads"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    encoding: str | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    sheet: str | None = None
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: Literal[".", ","] | None = None
    missing: tuple[Answer, ...] = ()
    columns: dict[str, Column]
    constants: dict[str, str] = {}  # our field: the same value for every row, such as `kind: call` for a list of calls
    order_by: Column | None = None
    values: dict[str, dict[Answer, str]] = {}
    outcome: Outcome | None = None
    notes: NoteColumns | None = None
    events: tuple[EventColumn, ...] = ()
    known_after: tuple[Column, ...] = ()
    identifiers: tuple[Column, ...] = ()
    ignore: tuple[Column, ...] = ()
    custom: Literal["all"] | tuple[Column, ...] = "all"
    rename: dict[Column, str] = {}  # their column: the custom field's name, where the column's own is a known field's

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @model_validator(mode="after")
    def _makes_sense(self) -> "Mapping":
        for check in CHECKS:
            check(self)
        return self

    def told_later(self) -> dict[str, str]:
        """Columns that tell the outcome or what came after the lead, with their role: never a feature."""
        told = dict.fromkeys(self.known_after, "known_after")
        for event in self.events:
            told[event.at] = f"events ({event.kind})"
        for part, columns in (("outcome", self.outcome), ("notes", self.notes)):
            for role, column in columns or ():
                if isinstance(column, str) and role not in ROW_NAMES:
                    told[column] = part
        return told

    def roles(self) -> dict[str, str]:
        """Every column that the mapping names, with what it is read as; `custom: all` names none."""
        named = {column: field for field, column in self.columns.items()}
        if self.order_by:
            named.setdefault(self.order_by, "order_by")
        if self.notes and self.notes.manager:
            named.setdefault(self.notes.manager, "notes")
        for role, columns in (("identifiers", self.identifiers), ("ignore", self.ignore), ("rename", self.rename)):
            named |= {column: role for column in columns if column not in named}
        custom = () if self.custom == "all" else self.custom
        named = dict.fromkeys(custom, "custom") | self.told_later() | named
        return {column: role for column, role in named.items() if column != FILE_ORDER}


def known_fields_exist(mapping: Mapping) -> None:
    fields = set(RECORD_OF[mapping.table].model_fields) - {"custom", "order"}
    for place, names in (("columns", mapping.columns), ("constants", mapping.constants), ("values", mapping.values)):
        if strange := [name for name in names if name not in fields and not (place == "values" and name == "stage")]:
            close = difflib.get_close_matches(strange[0], fields, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else f"; it has {sorted(fields)}"
            raise ValueError(f"{place}: {strange[0]!r} is no field of table {mapping.table!r}{meant}")


def needed_fields_are_there(mapping: Mapping) -> None:
    lacking = [field for field in NEEDED[mapping.table] if field not in mapping.columns | mapping.constants]
    if lacking:
        raise ValueError(f"columns: table {mapping.table!r} needs {lacking}; say from which column each is read")


def only_leads_have_parts(mapping: Mapping) -> None:
    parts = ("order_by", "outcome", "notes", "events", "known_after", "rename")
    if mapping.table != "leads" and (named := [part for part in parts if getattr(mapping, part)]):
        raise ValueError(f"{named} belong to table 'leads', not to {mapping.table!r}; drop them")


def time_is_said_once(mapping: Mapping) -> None:
    if mapping.order_by and "created_at" in mapping.columns:
        raise ValueError("order_by stands in where there is no date; created_at is mapped, so drop order_by")
    rows = [field for field, column in mapping.columns.items() if column == FILE_ORDER and field != "lead_id"]
    if rows:
        raise ValueError(f"columns: {rows[0]!r} cannot be {FILE_ORDER!r}; only lead_id and order_by can")


def nothing_known_later_is_a_feature(mapping: Mapping) -> None:
    read = {column: field for field, column in mapping.columns.items() if field not in ROW_NAMES}
    read |= dict.fromkeys(() if mapping.custom == "all" else mapping.custom, "custom")
    read |= dict.fromkeys(mapping.rename, "custom")
    if mapping.order_by:
        read[mapping.order_by] = "order_by"
    for column, role in mapping.told_later().items():
        if column in read:
            raise ValueError(
                f"column {column!r} is {role}, so not known in time, and also read as {read[column]}; drop one"
            )
    if mapping.outcome and mapping.outcome.column in mapping.known_after:
        raise ValueError(f"outcome: column {mapping.outcome.column!r} is also in known_after; drop it there")


def ignored_is_not_read(mapping: Mapping) -> None:
    read = {*mapping.columns.values(), *mapping.told_later()} - set(mapping.known_after)
    if both := [column for column in mapping.ignore if column in read]:
        raise ValueError(f"ignore: column {both[0]!r} is also read; drop it from one place")


def won_is_not_lost(mapping: Mapping) -> None:
    if mapping.outcome and (both := {str(w) for w in mapping.outcome.won} & {str(v) for v in mapping.outcome.lost}):
        raise ValueError(f"outcome: {sorted(both)} cannot be both won and lost")


CHECKS = [
    known_fields_exist,
    needed_fields_are_there,
    only_leads_have_parts,
    time_is_said_once,
    nothing_known_later_is_a_feature,
    ignored_is_not_read,
    won_is_not_lost,
]


def load_mapping(source: str | Path) -> Mapping:
    """A mapping from a file, or one of ours by its name, such as "xeducation".

    Raises MappingError, which says the line or the key.
    """
    path = _find(source)
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_OnceLoader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"mapping {path.name} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise MappingError(f"mapping {path.name} is not YAML: {' '.join(str(error).split())}") from None
    return mapping_of(content, path.name)


def mapping_of(content: object, name: str) -> Mapping:
    """A mapping from parsed YAML."""
    if not isinstance(content, dict):
        raise MappingError(
            f"mapping {name} holds {type(content).__name__}, expected keys such as `name:` and `columns:`"
        )
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_problem(dict(each)) for each in error.errors(include_url=False))
        raise MappingError(f"mapping {name}: {problems}") from None


def shipped_mappings() -> list[str]:
    """Names of the mappings that come with Leadloop."""
    return sorted(Path(str(each)).stem for each in _shipped().iterdir() if str(each).endswith(".yaml"))


def _shipped() -> Path:
    return Path(str(files("features"))) / "mappings"


def _find(source: str | Path) -> Path:
    if isinstance(source, str) and source in shipped_mappings():
        return _shipped() / f"{source}.yaml"
    path = Path(source)
    if not path.is_file():
        raise MappingError(f"no mapping {str(source)!r}: no such file, and ours are {shipped_mappings()}")
    return path


def _problem(error: dict[str, Any]) -> str:
    place = ".".join(
        str(step) for step in error["loc"] if not str(step).startswith(("tuple", "constrained", "literal"))
    )
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(error["loc"][-1]), Mapping.model_fields, n=1)
        message = (
            f"no such key; did you mean {close[0]!r}?" if close else f"no such key; known: {list(Mapping.model_fields)}"
        )
    return f"{place}: {message}" if place else message


class _OnceLoader(yaml.SafeLoader):
    """Safe YAML in which a key written twice is an error: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
