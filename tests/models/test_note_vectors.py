"""Weights of terms: those of scikit-learn, sooner, and the same for one note and many."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from features.lemmas import lemmas_of_words
from features.notes import clean_note
from models import note_vectors
from models.note_vectors import NoteVectors, grams_of_word, learn_vocabulary
from training.fit_reasons import starter_notes

WORDS = [[word.text for word in clean_note(note.text).words] for note in starter_notes()[::20]]
VECTORS = NoteVectors(learn_vocabulary(WORDS[::2]))


@given(st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=64))
@settings(max_examples=300, deadline=None)
def test_letters_of_a_word_are_cut_as_scikit_learn_cuts_them(word: str):
    analyze = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), lowercase=False).build_analyzer()
    assert grams_of_word(word) == analyze(word)


def test_weights_are_those_of_scikit_learn():
    plain_grams = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True, lowercase=False
    ).fit([" ".join(words) for words in WORDS[::2]])
    plain_words = TfidfVectorizer(analyzer=_lemmas_and_pairs, min_df=2, sublinear_tf=True).fit(WORDS[::2])
    words, grams = VECTORS.many(WORDS)
    assert list(plain_grams.get_feature_names_out()) == list(VECTORS.vocabulary.grams)
    assert len(plain_words.vocabulary_) == words.shape[1]
    plain = plain_grams.transform([" ".join(words) for words in WORDS])
    norms = np.sqrt(grams.power(2).sum(axis=1))
    assert abs(plain - grams.multiply(1 / norms[:, None])).max() < 1e-5
    assert plain_words.transform(WORDS).nnz == words.nnz


def _lemmas_and_pairs(words: list[str]) -> list[str]:
    lemmas = [lemma for lemmas in lemmas_of_words(words) for lemma in lemmas]
    return lemmas + [f"{one} {two}" for one, two in itertools.pairwise(lemmas)]


def test_one_note_and_many_have_the_same_weights_to_the_last_bit():
    tables = VECTORS.many(WORDS)
    for row, words in enumerate(WORDS):
        terms = VECTORS.terms_of(words)
        for table, block in zip(tables, VECTORS.one([terms[word] for word in words]), strict=True):
            dense = np.zeros(table.shape[1])
            dense[block.ids] = block.weights
            assert np.array_equal(dense, table[[row]].toarray()[0])


def test_every_weight_stands_on_the_grid_so_that_sums_are_exact_in_any_order():
    for table in VECTORS.many(WORDS):
        assert np.array_equal(np.rint(table.data / note_vectors.WEIGHT_GRID) * note_vectors.WEIGHT_GRID, table.data)
    weights = np.random.default_rng(0).permutation(VECTORS.many(WORDS)[1].data)
    assert float(weights @ weights) == float(sum(float(weight) ** 2 for weight in weights))


def test_the_memory_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(note_vectors, "WORD_CACHE", 50)
    vectors = NoteVectors(VECTORS.vocabulary)
    for number in range(0, 500, 10):
        terms = vectors.terms_of([f"слово{place}" for place in range(number, number + 10)])
        assert None not in terms.values()
        assert len(vectors._terms) <= 50
