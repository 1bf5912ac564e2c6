"""Clean words of notes → weights of lemma words 1-2 and letter n-grams 2-5, the same to the last bit for one and many.

Letter n-grams never cross a blank, so a note's counts are the sum over its words, and each word's n-grams and lemmas are
found once and kept. Weights are rounded to a grid on which float64 sums are exact: then neither the order of summation
nor the way (numpy for one note, one sparse product for many) can change an answer.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    """One note's terms of one block (lemma words, or n-grams): ids, each once, and weights."""

    ids: Ids
    weights: Weights


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
        lemma_terms, _ = self.lemma_terms(words)
        gram_terms = _joined([word.grams for word in words])
        return (
            _weighed(*np.unique(lemma_terms, return_counts=True), self.vocabulary.word_idf),
            _weighed(*np.unique(gram_terms, return_counts=True), self.vocabulary.gram_idf),
        )

    def lemma_terms(self, words: Sequence[WordTerms]) -> tuple[Ids, Ids]:
        """Ids of lemmas and pairs in a note, repeats kept, and which of its words each came from (a pair: its first)."""
        lemmas = _joined([word.lemmas for word in words])
        places = np.repeat(np.arange(len(words)), [len(word.lemmas) for word in words])
        return self._lemmas_and_pairs(lemmas, places)

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
        terms = self.terms_of(word for words in notes for word in words)
        return self._many_lemma_terms(notes, terms), self._many_grams(notes, terms)

    def _many_grams(self, notes: Sequence[Sequence[str]], terms: dict[str, WordTerms]) -> sparse.csr_array:
        place = {word: number for number, word in enumerate(terms)}
        in_note = _rows([np.array([place[word] for word in words], np.int64) for words in notes], len(terms))
        in_word = _rows([word.grams for word in terms.values()], len(self.vocabulary.grams))
        return _weigh_rows(in_note @ in_word, self.vocabulary.gram_idf)

    def _many_lemma_terms(self, notes: Sequence[Sequence[str]], terms: dict[str, WordTerms]) -> sparse.csr_array:
        gap = WordTerms(np.empty(0, np.int64), np.array([-1]))  # between two notes, so that no pair joins them
        words = [word for note in notes for word in (*(terms[text] for text in note), gap)]
        owner = np.repeat(np.arange(len(notes)), [len(note) + 1 for note in notes])
        lemmas = _joined([word.lemmas for word in words])
        ids, rows = self._lemmas_and_pairs(lemmas, np.repeat(owner, [len(word.lemmas) for word in words]))
        ones, shape = np.ones(len(ids)), (len(notes), len(self.vocabulary.word_idf))
        return _weigh_rows(
            sparse.csr_array(sparse.coo_array((ones, (rows, ids)), shape=shape)), self.vocabulary.word_idf
        )


def learn_vocabulary(notes: Sequence[Sequence[str]], *, min_notes: int = MIN_NOTES) -> Vocabulary:
    """Lemmas, pairs and n-grams that stand in at least `min_notes` of the notes, with their inverse frequencies."""
    words = list(dict.fromkeys(word for note in notes for word in note))
    lemmas_of = dict(zip(words, lemmas_of_words(words), strict=True))
    grams_of = {word: frozenset(grams_of_word(word)) for word in words}
    lemma_notes = [[lemma for word in note for lemma in lemmas_of[word]] for note in notes]
    lemmas = _frequent((set(note) for note in lemma_notes), min_notes)
    pairs = _frequent((set(zip(note, note[1:], strict=False)) for note in lemma_notes), min_notes)
    grams = _frequent((set().union(*(grams_of[word] for word in note)) for note in notes), min_notes)
    ids = {lemma: place for place, lemma in enumerate(lemmas)}
    keys = {ids[first] * len(ids) + ids[second]: count for (first, second), count in pairs.items()}
    ordered = sorted(keys)
    return Vocabulary(
        lemmas=tuple(lemmas),
        pairs=np.array(ordered, np.int64),
        grams=tuple(grams),
        word_idf=_idf([*lemmas.values(), *(keys[key] for key in ordered)], len(notes)),
        gram_idf=_idf(list(grams.values()), len(notes)),
    )


def _frequent(terms_of_notes: Iterable[set[Term]], min_notes: int) -> dict[Term, int]:
    """Terms met in enough notes with their number of notes, in alphabetical order."""
    counts = Counter(term for terms in terms_of_notes for term in terms)
    return {term: count for term, count in sorted(counts.items()) if count >= min_notes}


def _idf(counts: Sequence[int], notes: int) -> Weights:
    return np.asarray(1 + np.log((1 + notes) / (1 + np.array(counts, np.float64))))


def _joined(parts: Sequence[Ids]) -> Ids:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _on_grid(counts: npt.NDArray[np.integer], idf: Weights) -> Weights:
    weights = COUNT_WEIGHTS[np.minimum(counts, len(COUNT_WEIGHTS) - 1)] * idf
    return np.asarray(np.rint(weights / WEIGHT_GRID) * WEIGHT_GRID)


def _weighed(ids: Ids, counts: Ids, idf: Weights) -> Block:
    return Block(ids, _on_grid(counts, idf[ids]))


def _weigh_rows(counts: sparse.csr_array, idf: Weights) -> sparse.csr_array:
    counts.data = _on_grid(counts.data.astype(np.int64), idf[counts.indices])
    return counts


def _rows(rows: Sequence[Ids], columns: int) -> sparse.csr_array:
    """A table of ones with the given columns in each row; repeats add up when it is multiplied."""
    ends = np.cumsum([0, *(len(row) for row in rows)])
    indices = _joined(rows)
    return sparse.csr_array((np.ones(len(indices)), indices, ends), shape=(len(rows), columns))
