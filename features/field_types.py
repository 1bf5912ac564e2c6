"""What a lead's field holds: number, category, yes/no, date, free text or identifier. Found from values, remembered."""

from collections import Counter
from collections.abc import Callable, Sequence
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
MANY_SPELLINGS = 20  # "Да", "да " and "yes" are three; a field with more is no yes/no
LONG_TEXT = 30  # letters, for most values: categories seen in CRMs are shorter
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
    counted = Counter(values)  # each value is read once, however often it came
    for rule in (_as_yes_no, _as_number, _as_date, _as_identifier, _as_text):
        if counted and (found := rule(counted)):
            return found
    return FieldType("category")


Counted = Counter[FieldValue]


def _share(counted: Counted, fits: Callable[[FieldValue], bool]) -> float:
    return sum(count for value, count in counted.items() if fits(value)) / counted.total()


def _as_yes_no(counted: Counted) -> FieldType | None:
    if len(counted) > MANY_SPELLINGS or len({category(value) for value in counted}) > FEW_NUMBERS:
        return None
    return FieldType("yes_no") if all(yes_no(value) is not None for value in counted) else None


def _as_number(counted: Counted) -> FieldType | None:
    # "93.994" may be ninety-four or ninety-four thousand; the order of values is the same, which is all that trees read
    decimal = learn_decimal([str(value) for value in counted]) or "."
    numbers = {value: number(value, decimal) for value in counted}
    if _share(counted, lambda value: numbers[value] is not None) < MOSTLY:
        return None
    whole = all(n is not None and float(n).is_integer() for n in numbers.values())
    return FieldType("identifier") if whole and _names_the_row(counted) else FieldType("number", decimal=decimal)


def _as_date(counted: Counted) -> FieldType | None:
    order = learn_date_order([str(value) for value in counted])
    if order is None or _share(counted, lambda value: _moment(value, order) is not None) < MOSTLY:
        return None
    return FieldType("date", date_order=order)


def _as_identifier(counted: Counted) -> FieldType | None:
    one_word = _share(counted, lambda value: len(str(value).split()) == 1) >= MOSTLY
    return FieldType("identifier") if one_word and _names_the_row(counted) else None


def _as_text(counted: Counted) -> FieldType | None:
    long = _share(counted, lambda value: len(str(value)) >= LONG_TEXT) > 0.5
    return FieldType("text") if long and _distinct(counted) >= 0.5 else None  # half distinct: nobody picks from a list


def _names_the_row(counted: Counted) -> bool:
    return counted.total() >= UNIQUE_FROM and _distinct(counted) >= UNIQUE


def _distinct(counted: Counted) -> float:
    return len(counted) / counted.total()


def _moment(value: FieldValue, order: Literal["dmy", "mdy", "ymd"] | None) -> datetime | None:
    return None if order is None or isinstance(value, bool) else moment(str(value), order, _ZONE)
