"""In which letters a text file is written: found by a fixed ladder, and refused where it would come out as garbage."""

import codecs
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, pairwise

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LAST_RESORT = "cp1251"  # what Excel and 1C write on a Russian Windows
# Read only when the mapping names them: too like cp1251 for a silent guess.
RIVALS = {
    "koi8-r": "koi8-r",
    "cp866": "cp866",
    "iso8859-5": "iso8859-5",
    "mac-cyrillic": "mac-cyrillic",
    "cp1252": "cp1252 (Western European)",
    "utf-8": "utf-8",
}
LETTERS_LOOKED_AT = 200_000  # bytes of words with non-ASCII letters: plenty for a verdict, nothing for memory
MARGIN = 2.0  # nats by which a rival must win: a lone "№" or "é" decides nothing

# Per cent of a Russian text; the tail is rounded up so that a rare letter does not decide alone.
_SHARES = {
    "о": 11, "е": 8.5, "а": 8, "и": 7.4, "н": 6.7, "т": 6.3, "с": 5.5, "р": 4.7, "в": 4.5, "л": 4.4, "к": 3.5,
    "м": 3.2, "д": 3, "п": 2.8, "у": 2.6, "я": 2, "ы": 1.9, "ь": 1.7, "г": 1.7, "з": 1.6, "б": 1.6, "ч": 1.4,
    "й": 1.2, "х": 1, "ж": 0.9, "ш": 0.7, "ю": 0.6, "ц": 0.5, "щ": 0.4, "э": 0.3, "ф": 0.3, "ъ": 0.1, "ё": 0.2,
}  # fmt: skip
_RUSSIAN = {letter: math.log(share / 100) for letter, share in _SHARES.items()}
_NEIGHBOURS = {letter: math.log(0.005) for letter in "іїєґўәғқңөұүһ"}  # Ukrainian, Belarusian, Kazakh
_SIGNS = {sign: math.log(0.01) for sign in "№«»„“”‘’—–…•·°±€₽©®™×§\u00a0\u00ad"}
_WESTERN = {letter: math.log(0.02) for letter in "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšž"}
_LIKELY = _RUSSIAN | _NEIGHBOURS | _SIGNS | _WESTERN
_STRANGE = math.log(0.0005)  # box drawings, ¤, Њ, the replacement sign: once in two thousand letters
_BROKEN_WORD = -4.0  # nats: a capital after a small letter, or Cyrillic and Latin in one word
_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")


class UnreadableText(ValueError):
    """Bytes that the encoding cannot be; `row` is the line."""

    def __init__(self, reason: str, row: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.row = reason, row


def find_encoding(chunks: Iterable[bytes], said: str | None) -> str:
    """The encoding of a whole file: what the mapping says, else byte-order mark, else strict utf-8, else cp1251."""
    stream = iter(chunks)
    first = next(stream, b"")
    encoding = _chosen(first, said)
    strict, words = _Strict(encoding), _Words()
    for chunk in chain([first], stream):
        strict.feed(chunk)
        if strict.broken:
            words.feed(chunk)
    strict.feed(b"", final=True)
    if not strict.broken:
        return encoding
    if said is None and encoding == "utf-8":
        return _last_resort(words.text, strict)
    raise UnreadableText(f"{strict.broken}; the file is damaged, or its encoding is another", strict.line)


def _chosen(first: bytes, said: str | None) -> str:
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if first.startswith(mark)), None)
    if said is None:
        return marked or "utf-8"
    try:
        name = codecs.lookup(said).name
    except LookupError:
        raise UnreadableText(f"the mapping says encoding {said!r}, which does not exist; try utf-8 or cp1251") from None
    return marked if marked and name.startswith("utf") else name


@dataclass
class _Strict:
    """Decodes as it goes and remembers the first byte that does not fit, with its line."""

    encoding: str
    broken: str | None = None
    line: int = 1

    def __post_init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self.encoding)("strict")

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        if self.broken:
            return
        try:
            self.line += self._decoder.decode(chunk, final).count("\n")
        except UnicodeDecodeError as error:
            good = error.object[: error.start].decode(self.encoding, "ignore")
            self.line += good.count("\n")
            self.broken = f"byte 0x{error.object[error.start]:02x} does not fit {self.encoding}"
        except UnicodeError as error:
            self.broken = f"not {self.encoding}: {error}"


@dataclass
class _Words:
    """Words with letters outside ASCII, from the place where utf-8 ended."""

    text: bytes = b""

    def feed(self, chunk: bytes) -> None:
        if len(self.text) < LETTERS_LOOKED_AT:
            self.text += b" ".join([b"", *_WORD.findall(chunk)])[:LETTERS_LOOKED_AT]


def _last_resort(words: bytes, strict: _Strict) -> str:
    """cp1251, if the text is more like Russian (or its neighbours) in it than in any rival."""
    ours = likelihood(words, LAST_RESORT)
    rival = max(RIVALS, key=lambda name: likelihood(words, name))
    if likelihood(words, rival) < ours + MARGIN:
        return LAST_RESORT
    if rival == "utf-8":
        raise UnreadableText(f"utf-8, but {strict.broken}; the file is damaged, export it again", strict.line)
    raise UnreadableText(f"looks like {RIVALS[rival]}; say `encoding: {rival}` in the mapping", strict.line)


def likelihood(words: bytes, encoding: str) -> float:
    """How well these bytes read as words in an encoding, in nats; greater is likelier.

    >>> phrase = "Новая заявка".encode("koi8-r")
    >>> likelihood(phrase, "koi8-r") > likelihood(phrase, "cp1251")
    True
    """
    text = words.decode(encoding, "replace")
    letters = sum(_LIKELY.get(letter.lower(), _STRANGE) for letter in text if letter > "\x7f")
    # In utf-8 two bytes make one letter: the same evidence per byte, so that encodings compare.
    bytes_per_letter = sum(byte > 0x7F for byte in words) / max(1, sum(letter > "\x7f" for letter in text))
    return letters * bytes_per_letter + _BROKEN_WORD * _broken_words(text)


def _broken_words(text: str) -> int:
    return sum(_breaks(a, b) for a, b in pairwise(text) if (a > "\x7f" or b > "\x7f") and a.isalpha() and b.isalpha())


def _breaks(a: str, b: str) -> bool:
    return (a.islower() and b.isupper()) or _is_cyrillic(a) != _is_cyrillic(b)


def _is_cyrillic(letter: str) -> bool:
    return "\u0400" <= letter <= "\u04ff"
