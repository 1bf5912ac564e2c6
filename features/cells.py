"""One cell as a person typed it → a number, a moment, yes or no; what can be read two ways is not read."""

import math
import re
from collections.abc import Iterable, Set
from typing import Literal

from features.moments import DateOrder, day, learn_date_order, moment
from features.rows import Cell

__all__ = ["DateOrder", "DecimalMark", "day", "learn_date_order", "learn_decimal", "moment", "number", "yes_no"]

DecimalMark = Literal[".", ","]

_BLANKS = " \u00a0\u202f\u2009\u2007\t\r\n"
_GROUP_SIGNS = f"[{_BLANKS}'’]"  # an apostrophe groups in Switzerland
_MINUS = str.maketrans({"−": "-", "–": "-", "‒": "-"})
_MONEY = r"(?:рублей|рубля|руб\.?|р\.?|₽|rub|usd|eur|kzt|тенге|\$|€|£|¥|₴|₸)"
_MONEY_BEFORE = re.compile(_MONEY, re.IGNORECASE)
_MONEY_AFTER = re.compile(_MONEY + "$", re.IGNORECASE)
_LONGEST_NUMBER = 60  # letters; longer text is not searched for a number


def _digits(mark: str, group: str) -> re.Pattern[str]:
    """Digits in groups of three under one sign, or ungrouped; then the decimal mark; then an exponent."""
    whole = rf"(?:\d+|\d{{1,3}}(?P<group>{_GROUP_SIGNS}|{group})\d{{3}}(?:(?P=group)\d{{3}})*)?"
    return re.compile(rf"(?=.*\d){whole}(?:{mark}\d*)?(?:[eE][+-]?\d{{1,3}})?")


_WRITTEN: dict[DecimalMark, re.Pattern[str]] = {".": _digits(r"\.", ","), ",": _digits(",", r"\.")}


def number(cell: Cell, decimal: DecimalMark | None = None) -> float | None:
    """The number that a person reads here; None where there is none, or where it could be two.

    Without `decimal` a cell must prove its own mark: "1,250" may be a thousand or one and a quarter. Per cent are
    hundredths, as a workbook keeps them; brackets are an accountant's minus.

    >>> number("1 250 000,50 ₽"), number("$5,000", "."), number("1,250"), number("(12,5)"), number("15 %")
    (1250000.5, 5000.0, None, -12.5, 0.15)
    """
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    if not isinstance(cell, str):
        return _finite(cell)
    sign, written, scale = _taken_apart(cell)
    marks = [decimal] if decimal else _possible_marks(written)
    values = {_value(written, mark) for mark in marks if _WRITTEN[mark].fullmatch(written)}
    if len(values) != 1 or (value := values.pop()) is None:
        return None
    return sign * value * scale if scale == 1 else round(sign * value * scale, 12)


def decimal_proof(cell: Cell) -> DecimalMark | Literal["unclear"] | None:
    """Which decimal mark this cell proves; None where it says nothing.

    >>> decimal_proof("12,5"), decimal_proof("1.250,50"), decimal_proof("1,250"), decimal_proof("1 250")
    (',', ',', 'unclear', None)
    """
    written = _taken_apart(cell)[1] if isinstance(cell, str) else ""
    marks = _possible_marks(written)
    if not marks or not ("." in written or "," in written):
        return None
    return marks[0] if len(marks) == 1 else "unclear"


def learn_decimal(cells: Iterable[Cell]) -> DecimalMark | None:
    """The decimal mark of a whole column, by evidence; None where cells contradict, or none is sure.

    >>> learn_decimal(["1,250", "12,5"]), learn_decimal(["1,250"]), learn_decimal(["12,5", "12.5"])
    (',', None, None)
    """
    return decimal_from({decimal_proof(cell) for cell in cells})


def decimal_from(proofs: Set[str | None]) -> DecimalMark | None:
    marks: list[DecimalMark] = [mark for mark in _WRITTEN if mark in proofs]
    return marks[0] if len(marks) == 1 else None


_YES = frozenset({"1", "да", "д", "yes", "y", "true", "t", "истина", "✓", "✔"})
_NO = frozenset({"0", "нет", "н", "no", "n", "false", "f", "ложь"})


def yes_no(cell: Cell) -> bool | None:
    """Yes, no, or None where it is neither.

    >>> yes_no(" Да "), yes_no(0), yes_no("может быть")
    (True, False, None)
    """
    word = str(cell).strip().casefold()
    return True if word in _YES else False if word in _NO else None


def _taken_apart(text: str) -> tuple[float, str, float]:
    """Sign, digits with their separators, scale; currency is put aside."""
    if len(text) > _LONGEST_NUMBER:
        return 1.0, "", 1.0
    text = text.translate(_MINUS).strip(_BLANKS + "'")  # Excel's mark of "this is text" is an apostrophe
    sign = 1.0
    if text.startswith("(") and text.endswith(")"):
        sign, text = -1.0, text[1:-1].strip(_BLANKS)
    scale = 0.01 if text.endswith("%") else 1.0
    text = _without_money(text.removesuffix("%"))
    if text.startswith(("-", "+")):
        sign, text = (-sign if text[0] == "-" else sign), _without_money(text[1:])
    return sign, text, scale


def _without_money(text: str) -> str:
    text = _MONEY_BEFORE.sub("", text.strip(_BLANKS), count=1) if _MONEY_BEFORE.match(text.strip(_BLANKS)) else text
    return _MONEY_AFTER.sub("", text.strip(_BLANKS), count=1).strip(_BLANKS)


def _possible_marks(written: str) -> list[DecimalMark]:
    """The marks under which this is a number; "0.125" groups nothing, so its mark is sure."""
    marks = [mark for mark, pattern in _WRITTEN.items() if pattern.fullmatch(written)]
    if re.match(r"0[.,]", written):
        marks = [mark for mark in marks if mark == written[1]]
    return marks


def _value(written: str, mark: DecimalMark) -> float | None:
    group = "," if mark == "." else "."
    return _finite(float(re.sub(_GROUP_SIGNS, "", written).replace(group, "").replace(",", ".")))


def _finite(value: float) -> float | None:
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number of 400 digits
        return None
