"""Phones, e-mails, links, cards, passports and other long numbers: where they stand in a text, to be masked.

Every pattern is linear in the length of the text: bounded or possessive repeats, none inside another.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

PHONE, EMAIL, LINK, NICK = "phone", "email", "link", "nick"
CARD, PASSPORT, NUMBER = "card", "passport", "number"
MASKS = (PHONE, EMAIL, LINK, NICK, CARD, PASSPORT, NUMBER)


_BLOT = "¤"


class Personal(NamedTuple):
    """One piece of personal data: text[start:end], and what it is."""

    start: int
    end: int
    kind: str


_MASK = re.compile(rf"<({'|'.join(MASKS)})>", re.I)
# Nothing personal without one of these: nine notes of ten leave here.
_WORTH_A_LOOK = re.compile(
    r"<\w{1,8}>|@|://|\bwww\.|\b\w{1,20}\.me/|vk\.com|собака|\(at\)|\[at\]|\d(?:[^\w\n]{0,4}\d){4}", re.I
)

_LINK = re.compile(r"(?:https?://|\bwww\.|\b(?:t|wa|m)\.me/|\bvk\.com/)[^\s<>\"»)]++", re.I)
_DOMAIN = r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}\.[^\W\d_]{2,24}"
_EMAIL = re.compile(
    rf"(?<![\w.+%-])[\w.+%-]++(?:@|\s?(?:@|\(at\)|\[at\]|\(собака\))\s?|\s(?:собака|at)\s(?=\w{{1,63}}\.\w)){_DOMAIN}\b",
    re.I,
)
_NICK = re.compile(r"(?<![\w.@])@[a-z]\w{3,31}\b", re.I)

# What looks like a personal number and is none: sums, dates, times. They are what a reason and its facts stand on.
_GROUPED = r"\d{1,3}(?:[ \u00a0\u202f']\d{3}){1,4}(?:[.,]\d{1,2})?"
_THOUSANDS = rf"(?<![\d+(])(?<!\d[ -]){_GROUPED}"
_UNIT = (
    r"(?:руб|р\b|₽|т\.?\s?р\b|тыс|тр\b|млн|млрд|к\b|тенге|тг\b|сум|грн|долл|евро"
    r"|k\b|m\b|usd|eur|kzt|\$|€|£|₸|dollars?|euros?|roubles?|rubles?)"
)
_HARMLESS = re.compile(
    rf"(?<!\d)\d{{1,12}}(?:[.,]\d{{1,2}})?\s?{_UNIT}"  # 2500000 руб
    r"|[$€£₽₸]\s?\d{1,3}(?:[ ,.\u00a0]?\d{3})*+(?:[.,]\d{1,2})?(?!\d)"  # $1,250,000
    r"|(?<!\d)\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d(?:\s\d{1,2}:\d\d)?(?!\d)"  # 12.03.2025 15:30
    r"|(?<!\d)(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}(?:[t\s]\d{1,2}:\d\d)?(?!\d)"  # 2025-03-12
    r"|(?<!\d)(?:19|20)\d\d\s?[-–—/]\s?(?:19|20)\d\d(?![\d-])"  # 2024-2025
    r"|(?<!\d)\d{1,2}:\d\d(?::\d\d)?(?:\s?[-–—]\s?\d{1,2}:\d\d)?(?!\d)"  # 10:30-12:00
    r"|(?<![\d-])(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])(?:\.\d\d)?"
    r"(?:\s?[-–—]\s?(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])(?:\.\d\d)?)?(?![\d.-]|\s\d)"  # до 15.12, 01.02-10.02
    rf"|{_THOUSANDS}(?:\s?[-–—]\s?{_GROUPED})?(?![-.)(]{{0,2}}\d|[ \u00a0]\(?\d|\)\s\d)",  # 1 500 000
    re.I,
)
_MOBILE = re.compile(r"(?<!\d)[78]9\d{9}(?!\d)")  # a phone even where "р" follows

_CARD = re.compile(r"(?<![\d+])\d(?:[ -]?\d){12,18}(?![\d])")
_FOUR_BY_FOUR = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}")
_PASSPORT = re.compile(
    r"(?<![\d+])\d{2}\s?\d{2}(?:\s{1,2}|\s?(?:№|no?\.?|номер|#|-)\s?)\d{6}(?!\d)"  # 4510 123456, 45 10 № 123456
    r"|паспорт[^\d\n]{0,20}(\d{2}\s?\d{6,8})(?!\d)|passport[^\d\n]{0,20}?([a-z]{0,2}\d{6,9})(?!\d)"
    r"|(?<!\d)\d{3}-\d{3}-\d{3}[ -]\d{2}(?!\d)",  # the insurance number, СНИЛС
    re.I,
)
_SEPARATED = r"(?:[\s.()/\u2010-\u2015-]{0,3}\d)"
_PHONE = re.compile(rf"(?<![\w+])(?:\+\s?)?\(?\d{_SEPARATED}{{9,14}}(?!\d)")  # ten to fifteen digits
_CITY_PHONE = re.compile(r"(?<![\w.,-])(?:\(\d{3,5}\)\s?)?\d{2,3}[- ]\d{2}[- ]\d{2}(?![\w-]|[.,]\d|[ ]\d)")  # 123-45-67
_AFTER_A_WORD = re.compile(
    r"\b(?:тел|телефон\w{0,3}|моб|мобильн\w{1,3}|сот|сотов\w{1,3}|whats?\s?app|ват?сап|вотсап|viber|tel|phone|mobile|cell|ring|call)"
    rf"\b[.:\s№-]{{0,4}}(\+?\(?\d{_SEPARATED}{{4,14}})(?!\d)",
    re.I,
)
_EXTENSION = re.compile(r"[\s,(]{0,3}(?:доб|вн|ext|x)\.?\s?\d{1,6}\b\)?", re.I)
_LONG_NUMBER = re.compile(r"(?<![\d.,])\d{7,}(?![.,]?\d)")


def find_personal(text: str) -> list[Personal]:
    """Personal data in a text, in order, not overlapping.

    >>> find_personal("перезвонить на 8 912 345-67-89, бюджет 250 000 руб")
    [Personal(start=15, end=30, kind='phone')]
    """
    if not _WORTH_A_LOOK.search(text):
        return []
    found: list[Personal] = []
    rest = text
    for kind_spans in (_masks, _addresses, _harmless, _cards, _passports, _phones, _numbers):
        spans = list(kind_spans(rest))
        found += spans
        rest = _blot(rest, spans)
    return sorted(span for span in found if span.kind in MASKS)


def _blot(text: str, spans: list[Personal]) -> str:
    """The text with what is already explained made unreadable to later patterns; places stay the same."""
    letters = list(text)
    for start, end, _ in spans:
        letters[start:end] = _BLOT * (end - start)
    return "".join(letters)


def _masks(text: str) -> Iterator[Personal]:
    """What was masked before stays masked, and reads the same."""
    for found in _MASK.finditer(text):
        yield Personal(*found.span(), found[1].lower())


def _addresses(text: str) -> Iterator[Personal]:
    taken = 0
    spans = [
        Personal(*m.span(), kind)
        for kind, p in ((LINK, _LINK), (EMAIL, _EMAIL), (NICK, _NICK))
        for m in p.finditer(text)
    ]
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= taken:
            yield span
            taken = span.end


def _harmless(text: str) -> Iterator[Personal]:
    for found in _HARMLESS.finditer(text):
        if not _MOBILE.match(found[0]):
            yield Personal(*found.span(), "harmless")


def _cards(text: str) -> Iterator[Personal]:
    for found in _CARD.finditer(text):
        if _is_card(found[0]) or _FOUR_BY_FOUR.fullmatch(found[0]):
            yield Personal(*found.span(), CARD)


def _passports(text: str) -> Iterator[Personal]:
    for found in _PASSPORT.finditer(text):
        yield Personal(*found.span(found.lastindex or 0), PASSPORT)


def _is_card(number: str) -> bool:
    """Do the digits pass Luhn's check, as every bank card does?

    >>> _is_card("4276 3800 1234 5679"), _is_card("4276 3800 1234 5670")
    (True, False)
    """
    digits = [int(letter) for letter in number if letter.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(digits) >= 13 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _phones(text: str) -> Iterator[Personal]:
    spans = [match.span() for match in _PHONE.finditer(text)]
    spans += [match.span() for match in _CITY_PHONE.finditer(text)]
    spans += [match.span(1) for match in _AFTER_A_WORD.finditer(text)]
    spans += _phones_of_the_world(text)
    taken = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= taken:
            extension = _EXTENSION.match(text, end)
            taken = extension.end() if extension else end
            yield Personal(start, taken, PHONE)


def _phones_of_the_world(text: str) -> list[tuple[int, int]]:
    from phonenumbers import Leniency, PhoneNumberMatcher  # its tables load in 0.1 s: not before a number is met

    return [(m.start, m.end) for m in PhoneNumberMatcher(text, "RU", leniency=Leniency.VALID, max_tries=100)]


def _numbers(text: str) -> Iterator[Personal]:
    for found in _LONG_NUMBER.finditer(text):
        yield Personal(*found.span(), NUMBER)
