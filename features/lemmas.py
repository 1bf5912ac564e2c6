"""Words → lemmas: spaCy cuts words into tokens, pymorphy3 finds the Russian lemma, Snowball the English stem.

Everything heavy loads when the first note arrives, so that importing this costs nothing.
"""

import re
import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

FORM_CACHE = 200_000  # word forms kept with their lemma, some 40 MB; parsing one anew costs as much as 200 look-ups

WORD_CACHE = 200_000  # words as typed, with their signs, kept with their lemmas: another 40 MB

_LEMMAS_OF: dict[str, tuple[str, ...]] = {}
_ONE_AT_A_TIME = threading.Lock()  # the API reads notes in several threads, and zones do not nest
_CYRILLIC = re.compile(r"[а-яё]")
_DIGITS = re.compile(r"\d+")
_A_WORD = re.compile(r"\w")


def lemmas_of_words(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The lemmas of each clean word (see notes.py): none for bare signs, several for words joined by a sign.

    >>> lemmas_of_words(["договорились", "calling", "цена/качество,", "—"])
    [('договориться',), ('call',), ('цена', 'качество'), ()]
    """
    known = {word: _LEMMAS_OF.get(word) for word in words}
    new = [word for word, lemmas in known.items() if lemmas is None]
    found: dict[str, tuple[str, ...]] = {
        word: (lemma(word),) for word in new if word.isalpha()
    }  # one word as it stands
    found |= _by_spacy([word for word in new if not word.isalpha()])
    if len(_LEMMAS_OF) + len(found) > WORD_CACHE:
        _LEMMAS_OF.clear()
    _LEMMAS_OF.update(found)
    return [found[word] if word in found else known[word] or () for word in words]


def _by_spacy(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What holds signs or figures may be several words, or none."""
    if not words:
        return {}
    nlp = _pipeline()
    with _ONE_AT_A_TIME, nlp.memory_zone():  # a zone: otherwise spaCy keeps every string that it ever met
        docs = zip(words, nlp.pipe(words), strict=True)
        return {word: tuple(token.lemma_ for token in doc if _A_WORD.search(token.text)) for word, doc in docs}


@lru_cache(maxsize=FORM_CACHE)
def lemma(form: str) -> str:
    """Russian lemma, English stem; figures are all alike: which sum or date it was is no reason.

    >>> lemma("дороже"), lemma("prices"), lemma("250")
    ('дорогой', 'price', '0')
    """
    if _CYRILLIC.search(form):
        return str(_russian().parse(form)[0].normal_form).replace("ё", "е")
    return str(_english().stemWord(_DIGITS.sub("0", form)))


@cache
def _pipeline() -> "Language":
    import spacy
    from spacy.language import Language

    if not Language.has_factory("note_lemmas"):
        Language.component("note_lemmas", func=_lemmatize)
    nlp = spacy.blank("ru")
    nlp.tokenizer.infix_finditer = re.compile(r"[^\w'’]+").finditer  # цена/качество, crm-система: two words each
    nlp.add_pipe("note_lemmas")
    return nlp


def _lemmatize(doc: "Doc") -> "Doc":
    for token in doc:
        token.lemma_ = lemma(token.text)
    return doc


@cache
def _russian() -> Any:
    from pymorphy3 import MorphAnalyzer

    return MorphAnalyzer(lang="ru")


@cache
def _english() -> Any:
    from Stemmer import Stemmer

    return Stemmer("english", 0)  # no cache of its own: ours holds the stems
