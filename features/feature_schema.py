"""Which columns a model reads, learned from histories once, kept in its bundle, applied to every lead alike."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.field_types import FieldType, category, learn_field_type
from features.lead_features import FEATURES, Feature, FeatureKind
from features.lead_history import LeadHistory
from features.records import FieldValue

MISSING = math.nan
RARE = 0.0  # the code of values seen too seldom or never; they share one level
SEEN_ENOUGH = 10  # leads; below, a level's rate is mostly noise and the tree would remember the leads
MOST_LEVELS = 1_000  # a category with more is cut to its most frequent ones, which bounds memory and the bundle

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """One model input: a function of FEATURES, or a lead's field read by its type.

    `levels` lists the categories that have a code of their own (code = place + 1).
    """

    name: str
    kind: FeatureKind
    field: FieldType | None = None  # None: the function of FEATURES with this name
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A field that is no model input, and why."""

    field: str
    why: str


class FeatureSchema:
    """The ordered columns of a model; `row` and `matrix` give the same numbers to the last bit."""

    def __init__(self, columns: Sequence[Column], left_out: Sequence[LeftOut] = ()) -> None:
        self.columns = tuple(columns)
        self.left_out = tuple(left_out)
        self._values = [_value_of(column) for column in self.columns]
        self._readers = [_reader(column, value) for column, value in zip(self.columns, self._values, strict=True)]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def categorical(self) -> list[int]:
        return [place for place, column in enumerate(self.columns) if column.kind == "category"]

    def row(self, lead: LeadHistory) -> list[float]:
        """One lead's inputs, missing as NaN."""
        return [read(lead) for read in self._readers]

    def values(self, lead: LeadHistory) -> list[float | str | None]:
        """One lead's inputs before categories become codes: what a person reads in an explanation."""
        return [value(lead) for value in self._values]

    def matrix(self, leads: Iterable[LeadHistory]) -> Matrix:
        """Inputs of many leads, shape (leads, columns)."""
        rows = [self.row(lead) for lead in leads]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.columns))

    def to_json(self) -> dict[str, Any]:
        return {"columns": [asdict(c) for c in self.columns], "left_out": [asdict(f) for f in self.left_out]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "FeatureSchema":
        """The schema of a bundle; KeyError or TypeError where the JSON is not one."""
        columns = [
            Column(c["name"], c["kind"], FieldType(**c["field"]) if c["field"] else None, tuple(c["levels"]))
            for c in data["columns"]
        ]
        unknown = {c.name for c in columns if c.field is None} - {f.name for f in FEATURES}
        if unknown:
            raise KeyError(f"features {sorted(unknown)} are not known to this version of Leadloop; train again")
        return cls(columns, [LeftOut(**f) for f in data["left_out"]])


def learn_schema(leads: Sequence[LeadHistory], known_types: Mapping[str, FieldType] | None = None) -> FeatureSchema:
    """The columns that these histories support: every feature and every field that varies and does not name the row.

    `known_types` are remembered from imports and win over what these leads alone would say.
    """
    columns: list[Column] = []
    left_out: list[LeftOut] = []
    for function in FEATURES:
        found = _feature_column(function, leads)
        columns.append(found) if isinstance(found, Column) else left_out.append(found)
    for name, values in sorted(_values_by_field(leads).items()):
        field = (known_types or {}).get(name) or learn_field_type(values)
        found = _field_column(name, field, values, len(leads))
        columns.append(found) if isinstance(found, Column) else left_out.append(found)
    return FeatureSchema(columns, left_out)


def _values_by_field(leads: Sequence[LeadHistory]) -> dict[str, list[FieldValue]]:
    values: dict[str, list[FieldValue]] = {}
    for lead in leads:
        for name, value in lead.fields.items():
            values.setdefault(name, []).append(value)
    return values


def _feature_column(function: Feature, leads: Sequence[LeadHistory]) -> Column | LeftOut:
    values = [function(lead) for lead in leads]
    if len(set(values)) < 2:
        return LeftOut(function.name, "the same for every lead")
    if function.kind == "number":
        return Column(function.name, "number")
    return Column(function.name, "category", levels=_levels(str(v) for v in values if v is not None))


def _field_column(name: str, field: FieldType, values: Sequence[FieldValue], leads: int) -> Column | LeftOut:
    if field.kind == "identifier":
        return LeftOut(name, "names the lead (nearly every value is another)")
    if len(values) == leads and len({category(value) for value in values}) < 2:
        return LeftOut(name, "the same for every lead")
    column = f"field:{name}"
    if field.kind != "category":
        return Column(column, "number", field)
    return Column(column, "category", field, _levels(category(value) for value in values))


def _levels(values: Iterable[str]) -> tuple[str, ...]:
    counted = Counter(values)
    frequent = sorted(counted, key=lambda level: (-counted[level], level))[:MOST_LEVELS]
    return tuple(level for level in frequent if counted[level] >= SEEN_ENOUGH)


def _reader(column: Column, value: Callable[[LeadHistory], float | str | None]) -> Callable[[LeadHistory], float]:
    codes = {level: float(place + 1) for place, level in enumerate(column.levels)}

    def read_number(lead: LeadHistory) -> float:
        found = value(lead)
        return MISSING if found is None else float(found)

    def read_category(lead: LeadHistory) -> float:
        found = value(lead)
        return MISSING if found is None else codes.get(str(found), RARE)

    return read_number if column.kind == "number" else read_category


def _value_of(column: Column) -> Callable[[LeadHistory], float | str | None]:
    if column.field is None:
        return next(function.of for function in FEATURES if function.name == column.name)
    name, field = column.name.removeprefix("field:"), column.field
    read = _READ[field.kind]

    def value(lead: LeadHistory) -> float | str | None:
        raw = lead.fields.get(name)
        return None if raw is None else read(field, lead, raw)

    return value


def _days_to(field: FieldType, lead: LeadHistory, raw: FieldValue) -> float | None:
    """Days from a date field to the moment of the history: a date by itself would only tell when the lead came."""
    day = field.day(raw)
    return None if day is None or lead.as_of is None else lead.as_of.timestamp() / 86_400 - day


_READ: dict[str, Callable[[FieldType, LeadHistory, FieldValue], float | str | None]] = {
    "number": lambda field, _, raw: field.number(raw),
    "yes_no": lambda field, _, raw: field.yes(raw),
    "date": _days_to,
    "text": lambda _, __, raw: float(len(str(raw).split())),
    "category": lambda _, __, raw: category(raw),
}
