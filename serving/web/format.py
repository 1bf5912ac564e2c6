"""Numbers, dates and plural forms as a reader of Russian or English writes them, and names that cannot break a page."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

Language = Literal["ru", "en"]
LANGUAGES: tuple[Language, ...] = ("ru", "en")

NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
MARKS_LIMIT = 3  # combining marks on one letter: Vietnamese needs two, a tower of them covers the lines above
NAME_LIMIT = 60  # letters of a name on the page; the tables hold it whole

_MONTHS = {
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split(),
    "en": "January February March April May June July August September October November December".split(),
}


@dataclass(frozen=True)
class Format:
    """How one language writes what the page shows."""

    lang: Language

    def number(self, value: float, digits: int = 0) -> str:
        """
        >>> Format("ru").number(12345.67, 1), Format("en").number(12345.67, 1), Format("ru").number(-1234)
        ('12\\xa0345,7', '12,345.7', '−1\\xa0234')
        """
        written = f"{abs(value):,.{digits}f}"
        if self.lang == "ru":
            written = written.replace(",", NO_BREAK).replace(".", ",")
        return f"{MINUS}{written}" if value < 0 and any(digit in written for digit in "123456789") else written

    def percent(self, rate: float | None) -> str:
        """Whole percents, a tenth below ten: the second digit is what people compare.

        >>> russian, english = Format("ru"), Format("en")
        >>> russian.percent(0.0714), english.percent(0.432), english.percent(0), russian.percent(None)
        ('7,1\xa0%', '43%', '0%', '—')
        """
        return "—" if rate is None else f"{self.number(rate * 100, _digits(rate))}{self._percent_sign}"

    def percents(self, bounds: tuple[float, float]) -> str:
        """
        >>> Format("ru").percents((0.134, 0.243)), Format("en").percents((0.0, 0.051))
        ('13–24\\xa0%', '0–5.1%')
        """
        low, high = (self.number(bound * 100, _digits(bound)) for bound in bounds)
        return f"{low}–{high}{self._percent_sign}"

    def points(self, difference: float, *, unit: bool = True) -> str:
        """A difference of two shares, in percentage points and with its sign.

        >>> Format("ru").points(0.111), Format("en").points(-0.024), Format("en").points(0.00001, unit=False)
        ('+11,1\\xa0п.\\xa0п.', '−2.4\\xa0pp', '0.0')
        """
        points = round(difference * 100, 1)
        written = f"{'+' if points > 0 else ''}{self.number(points, 1)}"
        return f"{written}{NO_BREAK}{'п.' + NO_BREAK + 'п.' if self.lang == 'ru' else 'pp'}" if unit else written

    def signed(self, value: float, digits: int = 0) -> str:
        return f"{'+' if round(value, digits) > 0 else ''}{self.number(value, digits)}"

    def plural(self, count: float, forms: Sequence[str]) -> str:
        """The form of a word beside a number: one, few and many in Russian, one and other in English.

        >>> [Format("ru").plural(count, ("лид", "лида", "лидов")) for count in (1, 3, 11, 21, 2.5)]
        ['лид', 'лида', 'лидов', 'лид', 'лида']
        >>> [Format("en").plural(count, ("lead", "leads")) for count in (0, 1, 2, 1.5)]
        ['leads', 'lead', 'leads', 'leads']
        """
        if self.lang == "en":
            return forms[0] if count == 1 else forms[1]
        if count != int(count):
            return forms[1]
        tens, ones = int(count) % 100, int(count) % 10
        if ones == 1 and tens != 11:
            return forms[0]
        return forms[1] if ones in (2, 3, 4) and tens not in (12, 13, 14) else forms[2]

    def count(self, count: float, forms: Sequence[str], digits: int = 0) -> str:
        """
        >>> Format("ru").count(21, ("лид", "лида", "лидов")), Format("en").count(1200, ("lead", "leads"))
        ('21\\xa0лид', '1,200\\xa0leads')
        """
        said = round(count, digits)
        return f"{self.number(said, digits)}{NO_BREAK}{self.plural(said, forms)}"

    def day(self, day: date, *, year: bool = True) -> str:
        """
        >>> Format("ru").day(date(2026, 11, 9)), Format("en").day(date(2026, 11, 9), year=False)
        ('9\\xa0ноября 2026', '9\\xa0November')
        """
        written = f"{day.day}{NO_BREAK}{_MONTHS[self.lang][day.month - 1]}"
        return f"{written} {day.year}" if year else written

    def days(self, first: date, last: date) -> str:
        """From one day to another, saying month and year once where they are the same.

        >>> Format("ru").days(date(2026, 11, 9), date(2026, 11, 15))
        '9–15\\xa0ноября 2026'
        >>> Format("en").days(date(2026, 12, 28), date(2027, 1, 3))
        '28\\xa0December 2026 – 3\\xa0January 2027\'
        """
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{self.day(last)}"
        return f"{self.day(first, year=first.year != last.year)} – {self.day(last)}"

    def moment(self, moment: datetime, zone: ZoneInfo) -> str:
        """
        >>> Format("ru").moment(datetime.fromisoformat("2026-11-16T06:00Z"), ZoneInfo("Europe/Moscow"))
        '16\\xa0ноября 2026, 09:00'
        """
        there = moment.astimezone(zone)
        return f"{self.day(there.date())}, {there:%H:%M}"

    @property
    def _percent_sign(self) -> str:
        return f"{NO_BREAK}%" if self.lang == "ru" else "%"


def _digits(rate: float) -> int:
    """A zero and a hundred have no tenths; below ten percent a tenth is said."""
    return 1 if 0 < round(rate, 3) < 0.0995 else 0


def visible(text: str, limit: int = NAME_LIMIT) -> str:
    """Text of a stranger as it may stand on a page: nothing invisible, no turned direction, no tower of marks, cut.

    Escaping is the template's work.

    >>> visible("Иван\\u202egnp.exe"), len(visible("q" + "\\u0301" * 10_000)), visible("слово" * 20, 12)
    ('Иванgnp.exe', 4, 'словословос…')
    """
    letters: list[str] = []
    marks = 0
    for letter in unicodedata.normalize("NFC", text[: limit * 50]):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks > MARKS_LIMIT or kind in ("Cf", "Cs", "Co", "Cn") or (kind == "Cc" and letter not in "\n\t"):
            continue
        letters.append(" " if kind in ("Zl", "Zp") or letter in "\n\t" else letter)
    shown = "".join(letters)
    return shown if len(shown) <= limit else f"{shown[: limit - 1].rstrip()}…"
