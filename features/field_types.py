"""What a lead's field holds: number, category, yes/no, date, free text or identifier. Found from values, remembered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from features.cells import learn_decimal, number, yes_no
from features.moments import learn_date_order, moment
from features.records import FieldValue

Kind = Literal["number", "category", "yes_no", "date", "text", "identifier"]

MOSTLY = 0.98  # share of values that must read as a kind: one in fifty may be a typing error, more is another kind
UNIQUE = 0.95  # from this share of distinct values on, a field names the row instead of describing it
UNIQUE_FROM = 50  # with fewer values, all being different says nothing
LONG_TEXT = 30  # letters, median: categories seen in CRMs are shorter
FEW_NUMBERS = 2  # a number with at most two values (0 and 1) is a yes/no
REMEMBERED = 2**16  # readings of values: the same few words and numbers come again in every lead
_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True)
class FieldType:
    """The kind of a field, with the decimal mark or the order of a date's parts that its values use."""

    kind: Kind
    decimal: Literal[".", ","] | None = None
    date_order: Literal["dmy", "mdy", "ymd"] | None = None

    def number(self, value: FieldValue) -> float | None:
        """The value as a number; missing when it does not read as one."""
        return _number(value, self.decimal)

    def day(self, value: FieldValue) -> float | None:
        """The value as days since 1970-01-01 UTC; missing when it does not read as a date."""
        found = _moment(value, self.date_order)
        return None if found is None else found.astimezone(UTC).timestamp() / 86_400

    def yes(self, value: FieldValue) -> float | None:
        found = yes_no(value)
        return None if found is None else float(found)


@lru_cache(maxsize=REMEMBERED, typed=True)
def category(value: FieldValue) -> str:
    """The value as a category: case, outer blanks and the spelling of whole numbers do not matter.

    >>> category(" Вебинар "), category(5.0), category("5"), category(True)
    ('вебинар', '5', '5', 'true')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split()).casefold()


_number = lru_cache(maxsize=REMEMBERED, typed=True)(number)


def learn_field_type(values: Sequence[FieldValue]) -> FieldType:
    """The type of a field from the values that it took, missing ones left out.

    >>> learn_field_type(["1,5", "2,25", "10"]).kind, learn_field_type(["да", "нет", "да"]).kind
    ('number', 'yes_no')
    >>> learn_field_type(["вебинар", "реклама", "вебинар"]).kind
    'category'
    """
    if not values:
        return FieldType("category")
    for rule in (_as_yes_no, _as_number, _as_date, _as_identifier, _as_text):
        if found := rule(values):
            return found
    return FieldType("category")


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)


def _as_yes_no(values: Sequence[FieldValue]) -> FieldType | None:
    if len({category(value) for value in values}) > FEW_NUMBERS:
        return None
    return FieldType("yes_no") if all(yes_no(value) is not None for value in values) else None


def _as_number(values: Sequence[FieldValue]) -> FieldType | None:
    # "93.994" may be ninety-four or ninety-four thousand; the order of values is the same, which is all that trees read
    decimal = learn_decimal([str(value) for value in values]) or "."
    numbers = [number(value, decimal) for value in values]
    if _share([n is not None for n in numbers]) < MOSTLY:
        return None
    whole = [n for n in numbers if n is not None and float(n).is_integer()]
    if len(values) >= UNIQUE_FROM and len(whole) == len(values) and _unique(values) >= UNIQUE:
        return FieldType("identifier")
    return FieldType("number", decimal=decimal)


def _as_date(values: Sequence[FieldValue]) -> FieldType | None:
    order = learn_date_order([str(value) for value in values])
    if order is None or _share([_moment(value, order) is not None for value in values]) < MOSTLY:
        return None
    return FieldType("date", date_order=order)


def _as_identifier(values: Sequence[FieldValue]) -> FieldType | None:
    one_word = _share([len(str(value).split()) == 1 for value in values]) >= MOSTLY
    if len(values) >= UNIQUE_FROM and one_word and _unique(values) >= UNIQUE:
        return FieldType("identifier")
    return None


def _as_text(values: Sequence[FieldValue]) -> FieldType | None:
    lengths = sorted(len(str(value)) for value in values)
    long = lengths[len(lengths) // 2] >= LONG_TEXT
    return FieldType("text") if long and _unique(values) >= 0.5 else None  # half distinct: nobody picks from a list


def _unique(values: Sequence[FieldValue]) -> float:
    return len({category(value) for value in values}) / len(values)


def _moment(value: FieldValue, order: Literal["dmy", "mdy", "ymd"] | None) -> datetime | None:
    return None if order is None or isinstance(value, bool) else moment(str(value), order, _ZONE)
