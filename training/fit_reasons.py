"""Labelled notes → a fitted classifier of loss reasons, calibrated on notes of people whom it has not read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from features.notes import clean_note
from models.note_vectors import MIN_NOTES, NoteVectors, Weights, idf_of, learn_vocabulary, weigh
from models.reason_classifier import Coefficients, ReasonClassifier, ReasonSettings
from models.taxonomy import Taxonomy
from training.labelled_notes import BrokenNotes, LabelledNote, load_labelled, starter_notes
from training.note_folds import FOLDS, assign_folds, groups_of, voices_are_known
from training.reason_quality import ReasonQuality, measure_reasons

__all__ = ["BrokenNotes", "FittedReasons", "LabelledNote", "fit_reasons", "load_labelled", "starter_notes"]

FEW_LABELS = 50  # per reason, median; below it logistic regression is better, above it the SVM (reference text.md, 2)
LOGISTIC_C = 20.0  # same source
SVM_C = 0.5  # starter, by voice, 5 folds: 0.842 accuracy in 12 s; logistic regression 0.833 in 68 s
SURE_PRECISION = 0.95  # what "sure" promises
MARGIN = 1.645  # standard errors below what was measured: a 95% one-sided bound, by voice or group of repeats
FEWEST_SURE = 50  # notes; a bound on fewer is luck
NOTHING_IS_SURE = 1.01
SECONDARY_FROM = 0.25  # starter, by voice: from here the second is in 42 of 100 a reason that a person named as well


class NotEnoughNotes(ValueError):
    """Too few notes to learn and to check from."""


@dataclass(frozen=True)
class ReasonsReport:
    """What the fit measured on folds that it had not read: the linear model alone, without the sure rules."""

    notes: int
    groups: int
    folds_by: str  # "voice", or "near repeats"
    learner: str
    quality: ReasonQuality
    quality_by_lang: Mapping[str, ReasonQuality]
    notes_of_reason: Mapping[str, int]
    sharpness: float
    sure_from: float

    def figures(self) -> dict[str, float]:
        """The numbers that a run is compared by, flat."""
        quality = {name: value for name, value in vars(self.quality).items() if value is not None}
        return quality | {"sharpness": self.sharpness, "sure_from": self.sure_from, "groups": self.groups}


@dataclass(frozen=True)
class FittedReasons:
    classifier: ReasonClassifier
    report: ReasonsReport


def fit_reasons(notes: Sequence[LabelledNote], taxonomy: Taxonomy | None, *, seed: int = 0) -> FittedReasons:
    """Fits and calibrates. Reasons are whatever codes the notes hold; with a taxonomy each must be one of its codes.

    The same notes, order and seed give the same bytes when saved.
    """
    corpus = _Corpus.of(notes, taxonomy)
    groups = groups_of(notes, corpus.weights()[0])
    scores = _scores_of_unread(corpus, assign_folds(groups, seed=seed), seed)
    sharpness = _sharpness(scores, corpus.truth)
    probabilities = np.exp(log_softmax(sharpness * scores, axis=1))
    settings = ReasonSettings(
        reasons=corpus.reasons,
        taxonomy_version=taxonomy.version if taxonomy else 0,
        sharpness=sharpness,
        sure_from=_sure_from(probabilities, corpus.truth, groups),
        secondary_from=SECONDARY_FROM,
    )
    coefficients = _fit(*corpus.weights(), corpus.truth, len(corpus.reasons), seed).on_grid()
    classifier = ReasonClassifier(settings, corpus.vectors.vocabulary, coefficients)
    return FittedReasons(classifier, _report(notes, corpus, settings, probabilities, groups))


@dataclass(frozen=True)
class _Corpus:
    """Labelled notes as counts of terms."""

    reasons: tuple[str, ...]
    truth: NDArray[np.int64]
    vectors: NoteVectors
    counts: tuple[sparse.csr_array, sparse.csr_array]

    @classmethod
    def of(cls, notes: Sequence[LabelledNote], taxonomy: Taxonomy | None) -> "_Corpus":
        reasons = tuple(sorted({note.reason for note in notes}))
        if taxonomy:
            for reason in reasons:
                taxonomy.reason(reason)
        if len(reasons) < 2 or len(notes) < 4 * FOLDS:
            came = f"{len(notes)} notes of {len(reasons)} reasons came"
            raise NotEnoughNotes(
                f"{came}; at least {4 * FOLDS} notes and two reasons are needed: label more of the queue"
            )
        place = {reason: number for number, reason in enumerate(reasons)}
        words = [[word.text for word in clean_note(note.text).words] for note in notes]
        vectors = NoteVectors(learn_vocabulary(words))
        return cls(reasons, np.array([place[note.reason] for note in notes]), vectors, vectors.count(words))

    def weights(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        vocabulary = self.vectors.vocabulary
        return weigh(self.counts[0], vocabulary.word_idf), weigh(self.counts[1], vocabulary.gram_idf)


def _scores_of_unread(corpus: _Corpus, folds: NDArray[np.int64], seed: int) -> Weights:
    """Scores of each note by a model that has read no note of its fold, vocabulary and idf included."""
    scores = np.zeros((len(folds), len(corpus.reasons)))
    for fold in np.unique(folds):
        read, unread = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if len(np.unique(corpus.truth[read])) < 2:
            raise NotEnoughNotes("apart from near repeats there is one reason only; label notes of another one")
        blocks = [_seen_from(counts, read) for counts in corpus.counts]
        fitted = _fit(blocks[0][read], blocks[1][read], corpus.truth[read], len(corpus.reasons), seed)
        scores[unread] = _unit(blocks[0][unread]) @ fitted.words + _unit(blocks[1][unread]) @ fitted.grams + fitted.bias
    return scores


def _seen_from(counts: sparse.csr_array, read: NDArray[np.int64]) -> sparse.csr_array:
    """Weights of all notes in the vocabulary that the notes read would have given."""
    met = np.bincount(counts[read].indices, minlength=counts.shape[1])
    known = np.flatnonzero(met >= MIN_NOTES)
    return weigh(counts[:, known], idf_of(met[known], len(read)))


def _fit(
    words: sparse.csr_array, grams: sparse.csr_array, truth: NDArray[np.int64], reasons: int, seed: int
) -> Coefficients:
    """A linear model over both blocks. A reason that no note has gets the lowest of the biases: never likely."""
    table = sparse.hstack([_unit(words), _unit(grams)], format="csr", dtype=np.float32)
    table.indices, table.indptr = table.indices.astype(np.int32), table.indptr.astype(np.int32)  # scikit-learn's only
    present, counts = np.unique(truth, return_counts=True)
    fitted = _learner(counts, seed).fit(table, truth)
    weights, bias = fitted.coef_.T.astype(np.float64), fitted.intercept_.astype(np.float64)
    if len(present) == 2:  # one score for two reasons: the second's
        weights, bias = np.hstack([-weights, weights]), np.concatenate([-bias, bias])
    full_weights, full_bias = np.zeros((table.shape[1], reasons)), np.full(reasons, bias.min() - 1)
    full_weights[:, present], full_bias[present] = weights, bias
    split = words.shape[1]
    return Coefficients(full_weights[:split], full_weights[split:], full_bias)


def _learner(notes_of_reason: NDArray[np.int64], seed: int) -> LinearSVC | LogisticRegression:
    if np.median(notes_of_reason) < FEW_LABELS:
        return LogisticRegression(C=LOGISTIC_C, max_iter=1_000)
    return LinearSVC(C=SVM_C, random_state=seed, max_iter=5_000)


def _unit(weights: sparse.csr_array) -> sparse.csr_array:
    norms = np.sqrt(weights.power(2).sum(axis=1))
    return (sparse.diags_array(1 / np.where(norms > 0, norms, 1)) @ weights).tocsr()


def _sharpness(scores: Weights, truth: NDArray[np.int64]) -> float:
    """The factor on scores that makes probabilities most likely: temperature scaling, Guo and others, 2017."""

    def loss(log_factor: float) -> float:
        return -float(log_softmax(np.exp(log_factor) * scores, axis=1)[np.arange(len(truth)), truth].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x))


def _sure_from(probabilities: Weights, truth: NDArray[np.int64], groups: NDArray[np.int64]) -> float:
    """The lowest probability above which the lower bound of precision keeps what "sure" promises."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    right = (probabilities.argmax(axis=1) == truth)[order]
    top = probabilities.max(axis=1)[order]
    for answered in np.linspace(len(order), FEWEST_SURE, 400).astype(int):
        if answered <= len(order) and _lower_bound(right[:answered], groups[order[:answered]]) >= SURE_PRECISION:
            return float(top[answered - 1])
    return NOTHING_IS_SURE


def _lower_bound(right: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    """Precision less a margin. Notes of one voice fail together, so the spread is taken between groups."""
    precision = right.mean()
    _, group = np.unique(groups, return_inverse=True)
    misses = np.bincount(group, right - precision)
    between_groups = np.sqrt(np.sum(misses**2)) / len(right)
    alone = np.sqrt((precision * (1 - precision) + 1 / len(right)) / len(right))
    return float(precision - MARGIN * max(between_groups, alone))


def _report(
    notes: Sequence[LabelledNote],
    corpus: _Corpus,
    settings: ReasonSettings,
    probabilities: Weights,
    groups: NDArray[np.int64],
) -> ReasonsReport:
    labels, langs = [note.reason for note in notes], np.array([note.lang or "" for note in notes])
    sure = probabilities.max(axis=1) >= settings.sure_from

    def quality(chosen: NDArray[np.bool_]) -> ReasonQuality:
        some = [label for label, take in zip(labels, chosen, strict=True) if take]
        return measure_reasons(some, corpus.reasons, probabilities[chosen], sure[chosen])

    return ReasonsReport(
        notes=len(notes),
        groups=len(set(groups.tolist())),
        folds_by="voice" if voices_are_known(notes) else "near repeats",
        learner=type(_learner(np.bincount(corpus.truth), 0)).__name__,
        quality=quality(np.ones(len(notes), bool)),
        quality_by_lang={lang: quality(langs == lang) for lang in sorted(set(langs.tolist()) - {""})},
        notes_of_reason=dict(sorted(Counter(labels).items())),
        sharpness=settings.sharpness,
        sure_from=settings.sure_from,
    )
