"""Words of notes → weights of lemma words 1-2 and letter n-grams 2-5, the same to the last bit for one and many.

Letter n-grams never cross a blank, so a note's counts are the sum over its words, and each word's n-grams and lemmas
are found once and kept. Weights are rounded to a grid on which float64 sums are exact: then neither the order of
summation nor the way (numpy for one note, one sparse product for many) can change an answer.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse

from features.lemmas import lemmas_of_words

Ids = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]
Term = TypeVar("Term", str, tuple[str, str])

GRAM_SIZES = range(2, 6)  # letters; measured beside 1-4 and 3-6 in reference text.md
MIN_NOTES = 2  # a term met in one note only teaches nothing about another
WORD_CACHE = 100_000  # words kept with their terms, about 1 KB each; emptied when full
WEIGHT_GRID = 2.0**-14  # squares sum exactly up to 2**25: every note of 10,000 letters, whatever stands in it
COUNT_WEIGHTS = 1 + np.log(np.maximum(np.arange(100_001), 1))  # sublinear; a table, as log may differ between paths


def grams_of_word(word: str) -> list[str]:
    """Letter n-grams of one word between blanks, exactly as scikit-learn's `char_wb` makes them.

    >>> grams_of_word("да")
    [' д', 'да', 'а ', ' да', 'да ', ' да ']
    """
    padded = f" {word} "
    grams = []
    for size in GRAM_SIZES:
        grams += [padded[start : start + size] for start in range(max(len(padded) - size, 0) + 1)]
        if len(padded) <= size:
            break  # a short word is counted once
    return grams


class WordTerms(NamedTuple):
    """What one word holds: ids of its n-grams, and of its lemmas in order (-1: a lemma never met in training)."""

    grams: Ids
    lemmas: Ids


class Block(NamedTuple):
    """One note's terms of one block (lemma words, or n-grams)."""

    ids: Ids  # each term once
    counts: Ids
    weights: Weights
    of_term: Ids  # for each time that a term stands in the note: its place in `ids`
    places: Ids  # ... and the place of the word that holds it (a pair of lemmas: the word of its first)

    @property
    def norm(self) -> float:
        """Length of the weights; 1 where the note holds no known term, so that one may divide by it."""
        return math.sqrt(float(self.weights @ self.weights)) or 1.0


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terms that a model knows. A pair of lemmas is kept as first * len(lemmas) + second, sorted."""

    lemmas: tuple[str, ...]
    pairs: Ids
    grams: tuple[str, ...]
    word_idf: Weights  # of lemmas, then of pairs
    gram_idf: Weights


class NoteVectors:
    """Words of notes → weighted terms; remembers the terms of each word that it met."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._lemma_ids = {lemma: place for place, lemma in enumerate(vocabulary.lemmas)}
        self._gram_ids = {gram: place for place, gram in enumerate(vocabulary.grams)}
        self._terms: dict[str, WordTerms] = {}

    def terms_of(self, words: Iterable[str]) -> dict[str, WordTerms]:
        """The terms of each word; words not met before are looked at together."""
        known = {word: self._terms.get(word) for word in words}
        new = [word for word, terms in known.items() if terms is None]
        if new:
            fresh = dict(zip(new, map(self._look_at, new, lemmas_of_words(new)), strict=True))
            if len(self._terms) + len(fresh) > WORD_CACHE:
                self._terms = {}
            self._terms.update(fresh)
            known.update(fresh)
        return known  # type: ignore[return-value]  # no None is left

    def _look_at(self, word: str, lemmas: tuple[str, ...]) -> WordTerms:
        grams = [self._gram_ids[gram] for gram in grams_of_word(word) if gram in self._gram_ids]
        return WordTerms(np.array(grams, np.int64), np.array([self._lemma_ids.get(x, -1) for x in lemmas], np.int64))

    def one(self, words: Sequence[WordTerms]) -> tuple[Block, Block]:
        """Lemma words and n-grams of one note."""
        lemmas, grams = [word.lemmas for word in words], [word.grams for word in words]
        lemma_terms, lemma_places = self._lemmas_and_pairs(_joined(lemmas), _places(lemmas))
        return (
            _block(lemma_terms, lemma_places, self.vocabulary.word_idf),
            _block(_joined(grams), _places(grams), self.vocabulary.gram_idf),
        )

    def _lemmas_and_pairs(self, lemmas: Ids, places: Ids) -> tuple[Ids, Ids]:
        met = lemmas >= 0
        pairs, both = self.vocabulary.pairs, met[:-1] & met[1:]
        keys = (lemmas[:-1] * len(self.vocabulary.lemmas) + lemmas[1:])[both]
        at = np.searchsorted(pairs, keys)
        hit = np.zeros(len(keys), bool) if not len(pairs) else pairs[np.minimum(at, len(pairs) - 1)] == keys
        ids = np.concatenate([lemmas[met], len(self.vocabulary.lemmas) + at[hit]])
        return ids, np.concatenate([places[met], places[:-1][both][hit]])

    def many(self, notes: Sequence[Sequence[str]]) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Lemma words and n-grams of many notes, one row each, with the weights that `one` gives."""
        words, grams = self.count(notes)
        return weigh(words, self.vocabulary.word_idf), weigh(grams, self.vocabulary.gram_idf)

    def count(self, notes: Sequence[Sequence[str]]) -> tuple[sparse.csr_array, sparse.csr_array]:
        """How often each term stands in each note."""
        terms = self.terms_of(word for words in notes for word in words)
        return self._count_lemma_terms(notes, terms), self._count_grams(notes, terms)

    def _count_grams(self, notes: Sequence[Sequence[str]], terms: dict[str, WordTerms]) -> sparse.csr_array:
        place = {word: number for number, word in enumerate(terms)}
        in_note = _rows([np.array([place[word] for word in words], np.int64) for words in notes], len(terms))
        in_word = _rows([word.grams for word in terms.values()], len(self.vocabulary.grams))
        return in_note @ in_word

    def _count_lemma_terms(self, notes: Sequence[Sequence[str]], terms: dict[str, WordTerms]) -> sparse.csr_array:
        gap = np.array([-1])  # between two notes, so that no pair joins them
        parts = [[*(terms[word].lemmas for word in note), gap] for note in notes]
        lemmas, rows = _joined([part for note in parts for part in note]), _places([_joined(note) for note in parts])
        ids, rows = self._lemmas_and_pairs(lemmas, rows)
        shape = (len(notes), len(self.vocabulary.word_idf))
        return sparse.csr_array(sparse.coo_array((np.ones(len(ids)), (rows, ids)), shape=shape))


def weigh(counts: sparse.csr_array, idf: Weights) -> sparse.csr_array:
    """Counts of terms → their weights; the counts are left as they are."""
    weights = _on_grid(counts.data.astype(np.int64), idf[counts.indices])
    return sparse.csr_array((weights, counts.indices, counts.indptr), shape=counts.shape)


def learn_vocabulary(notes: Sequence[Sequence[str]], *, min_notes: int = MIN_NOTES) -> Vocabulary:
    """Lemmas, pairs and n-grams that stand in at least `min_notes` of the notes, with their inverse frequencies."""
    words = list(dict.fromkeys(word for note in notes for word in note))
    lemmas_of = dict(zip(words, lemmas_of_words(words), strict=True))
    grams_of = {word: frozenset(grams_of_word(word)) for word in words}
    lemma_notes = [[lemma for word in note for lemma in lemmas_of[word]] for note in notes]
    lemmas = _frequent((set(note) for note in lemma_notes), min_notes)
    pairs = _frequent((set(pairwise(note)) for note in lemma_notes), min_notes)
    grams = _frequent((set().union(*(grams_of[word] for word in note)) for note in notes), min_notes)
    ids = {lemma: place for place, lemma in enumerate(lemmas)}
    keys = {ids[first] * len(ids) + ids[second]: count for (first, second), count in pairs.items()}
    ordered = sorted(keys)
    return Vocabulary(
        lemmas=tuple(lemmas),
        pairs=np.array(ordered, np.int64),
        grams=tuple(grams),
        word_idf=idf_of([*lemmas.values(), *(keys[key] for key in ordered)], len(notes)),
        gram_idf=idf_of(list(grams.values()), len(notes)),
    )


def _frequent(terms_of_notes: Iterable[set[Term]], min_notes: int) -> dict[Term, int]:
    """Terms met in enough notes with their number of notes, in alphabetical order."""
    counts = Counter(term for terms in terms_of_notes for term in terms)
    return {term: count for term, count in sorted(counts.items()) if count >= min_notes}


def idf_of(counts: Sequence[int] | Ids, notes: int) -> Weights:
    """Inverse frequency of terms that stand in so many of the notes; rare terms weigh more."""
    return np.asarray(1 + np.log((1 + notes) / (1 + np.array(counts, np.float64))))


def _joined(parts: Sequence[Ids]) -> Ids:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _on_grid(counts: npt.NDArray[np.integer], idf: Weights) -> Weights:
    weights = COUNT_WEIGHTS[np.minimum(counts, len(COUNT_WEIGHTS) - 1)] * idf
    return np.asarray(np.rint(weights / WEIGHT_GRID) * WEIGHT_GRID)


def _places(parts: Sequence[Ids]) -> Ids:
    return np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _block(terms: Ids, places: Ids, idf: Weights) -> Block:
    ids, of_term, counts = np.unique(terms, return_inverse=True, return_counts=True)
    return Block(ids, counts, _on_grid(counts, idf[ids]), of_term, places)


def _rows(rows: Sequence[Ids], columns: int) -> sparse.csr_array:
    """A table of ones with the given columns in each row; repeats add up when it is multiplied."""
    ends = np.cumsum([0, *(len(row) for row in rows)])
    indices = _joined(rows)
    return sparse.csr_array((np.ones(len(indices)), indices, ends), shape=(len(rows), columns))
