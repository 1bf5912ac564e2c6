"""Note text as typed → clean words for the model, and the same text with personal data masked for the store."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from features.personal_data import Personal, find_personal
from features.records import NOTE_LIMIT

WORD_LIMIT = 64  # letters; longer runs are base64, addresses or lost blanks: read in pieces, so that work stays bounded
WORD_CACHE = 100_000  # distinct words of at most WORD_LIMIT letters: some 20 MB, and a year of notes holds fewer

_SEPARATOR = re.compile(r"\s|&nbsp;|</?[a-z!][^<>]{0,200}>", re.IGNORECASE)  # blanks, and the tags of pasted HTML
_LETTERS = re.compile(r"[^\W\d_]+")
_LOOKALIKES = "ABCEHKMOPTXYaceopxykmt", "АВСЕНКМОРТХУасеорхукмт"
_TO_CYRILLIC = str.maketrans(*_LOOKALIKES)
_TO_LATIN = str.maketrans(*reversed(_LOOKALIKES))
_ZERO_FOR_O = re.compile(r"(?<=[а-я])0(?=[а-я])")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)


class Word(NamedTuple):
    """A clean word (no blank in it) and where it stands in the note as typed."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class CleanNote:
    """What the model reads of a note."""

    words: tuple[Word, ...]
    was_cut: bool  # the note was longer than NOTE_LIMIT; what stands behind was not read

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def clean_note(text: str) -> CleanNote:
    """Lower case, ё as е, no invisible letters, no HTML tags, look-alike letters put right, personal data masked.

    >>> clean_note("Очень  ДОРOГО,\\u200b ещё  и 8 912 345-67-89").text  # the second O is Latin
    'очень дорого, еще и <phone>'
    """
    visible, places = _visible(text[:NOTE_LIMIT])
    words = tuple(_words(visible))
    if places is not None:
        words = tuple(Word(places[word.start], places[word.end - 1] + 1, word.text) for word in words)
    return CleanNote(words, was_cut=len(text) > NOTE_LIMIT)


def mask_personal(text: str) -> str:
    """The note as it may be stored: personal data replaced by its kind, invisible letters out, the rest as typed.

    >>> mask_personal("Иван, ivan@mail.ru, +7 (912) 345-67-89, просит скидку до 250 000 руб")
    'Иван, <email>, <phone>, просит скидку до 250 000 руб'
    """
    visible, _ = _visible(text[:NOTE_LIMIT])
    for span in reversed(find_personal(visible)):
        visible = f"{visible[: span.start]}<{span.kind}>{visible[span.end :]}"
    return visible


def detect_lang(text: str) -> Literal["ru", "en"]:
    """Russian if at least a third of the letters are Cyrillic: product names and addresses are Latin in any language.

    >>> detect_lang("ушли на HubSpot"), detect_lang("went with Битрикс instead"), detect_lang("—")
    ('ru', 'en', 'ru')
    """
    head = text[:NOTE_LIMIT]
    cyrillic, latin = len(_CYRILLIC.findall(head)), len(_LATIN.findall(head))
    return "ru" if 2 * cyrillic >= latin else "en"


def _visible(text: str) -> tuple[str, list[int] | None]:
    """NFC without control, format and broken letters, and where each letter stood (None: where it stands).

    >>> _visible("и\\u0306\\u200bо")
    ('йо', [0, 3])
    """
    if text.isprintable() and unicodedata.is_normalized("NFC", text):
        return text, None
    letters: list[str] = []
    places: list[int] = []
    for start, group in _letter_groups(text):
        for letter in unicodedata.normalize("NFC", group):
            letters.append(letter)
            places.append(start)
    return "".join(letters), places


def _letter_groups(text: str) -> Iterator[tuple[int, str]]:
    """Each visible letter with the accents that follow it, and its place; line breaks and tabs come out as blanks."""
    start, group = 0, ""
    for place, letter in enumerate(text):
        if letter.isspace():
            letter = " "
        elif unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn"):
            continue
        if group and unicodedata.combining(letter):
            group += letter
            continue
        if group:
            yield start, group
        start, group = place, letter
    if group:
        yield start, group


def _words(visible: str) -> Iterator[Word]:
    read_up_to = 0
    for start, end, kind in [*find_personal(visible), Personal(len(visible), len(visible), "")]:
        yield from _words_between(visible, read_up_to, start)
        if kind:
            yield Word(start, end, f"<{kind}>")
        read_up_to = end


def _words_between(visible: str, start: int, end: int) -> Iterator[Word]:
    for separator in _SEPARATOR.finditer(visible, start, end):
        yield from _pieces(visible, start, separator.start())
        start = separator.end()
    yield from _pieces(visible, start, end)


def _pieces(visible: str, start: int, end: int) -> Iterator[Word]:
    for piece_start in range(start, end, WORD_LIMIT):
        piece_end = min(piece_start + WORD_LIMIT, end)
        for text in _clean_word(visible[piece_start:piece_end]):
            yield Word(piece_start, piece_end, text)


@lru_cache(maxsize=WORD_CACHE)
def _clean_word(word: str) -> tuple[str, ...]:
    """The word as the model knows it; some signs fall apart into several words or into none.

    >>> _clean_word("Ещё"), _clean_word("дорoгo"), _clean_word("СRM-системa"), _clean_word("д0рого")
    (('еще',), ('дорого',), ('crm-система',), ('дорого',))
    """
    one_script = _LETTERS.sub(lambda letters: _in_one_script(letters[0]), unicodedata.normalize("NFKC", word))
    return tuple(_ZERO_FOR_O.sub("о", one_script.lower().replace("ё", "е")).split())


def _in_one_script(letters: str) -> str:
    if not (_CYRILLIC.search(letters) and _LATIN.search(letters)):
        return letters
    cyrillic, latin = letters.translate(_TO_CYRILLIC), letters.translate(_TO_LATIN)
    if not _LATIN.search(cyrillic):
        return cyrillic
    return letters if _CYRILLIC.search(latin) else latin
