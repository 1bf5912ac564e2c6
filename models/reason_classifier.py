"""A loss note → its reason with a probability, a second reason, the words that speak for it; or "not sure"."""

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import numpy as np

from features.notes import CleanNote, clean_note
from models.note_vectors import Block, NoteVectors, Vocabulary, Weights
from models.plain_files import read_array, read_settings, read_words, write_array, write_json
from models.reason_rules import RuleTag, first_to_speak
from models.taxonomy import UNCLEAR

BATCH = 2_000  # notes scored by one sparse product: some 50 MB
RULE_PROBABILITY = 0.99  # the sure rules contradict none of 18,770 starter notes; nobody is right always
EVIDENCE_WORDS = 3  # a reader wants to see at a glance why
EVIDENCE_SHARE = 0.15  # of all that speaks for the reason; a word below that explains nothing
COEFFICIENT_GRID = 2.0**-20  # products with WEIGHT_GRID sum exactly up to 2**19; moves a score by 1e-6

_FIRST_SIGNS, _LAST_SIGNS = re.compile(r"^\W+"), re.compile(r"(?<=\w)\W+$")


class ReasonProbability(NamedTuple):
    """One of the likeliest reasons."""

    reason: str
    probability: float


@dataclass(frozen=True, slots=True)
class ReasonTag:
    """What was read in one note. `evidence` are spans (start, end) in the note as it came, strongest words only."""

    reason: str
    probability: float
    sure: bool  # False: show `top` to a person; a note without any reason is a sure `unclear`, not an unsure tag
    secondary: str | None
    top: tuple[ReasonProbability, ...]  # three, or as many as there are reasons
    evidence: tuple[tuple[int, int], ...]
    because: str  # "model", or the name of the rule that decided


@dataclass(frozen=True, slots=True)
class ReasonSettings:
    """The numbers of a fitted classifier, with how each came about in training/fit_reasons.py."""

    reasons: tuple[str, ...]
    taxonomy_version: int
    sharpness: float  # scores are multiplied by it before the softmax: the inverse temperature
    sure_from: float  # probability; above 1 nothing is sure
    secondary_from: float  # probability of the second reason


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Weight of each term for each reason (terms x reasons), by block, and the bias of each reason."""

    words: Weights
    grams: Weights
    bias: Weights

    def on_grid(self) -> "Coefficients":
        """Centred, which no probability notices, and rounded so that sums are exact (see note_vectors.py)."""
        return Coefficients(_on_grid(self.words), _on_grid(self.grams), self.bias - self.bias.mean())


class ReasonClassifier:
    """Linear over lemma words and letter n-grams, with sure rules before it. Made by training, or opened from files."""

    kind: ClassVar[str] = "reasons"

    def __init__(self, settings: ReasonSettings, vocabulary: Vocabulary, coefficients: Coefficients) -> None:
        self.settings = settings
        self._vectors = NoteVectors(vocabulary)
        self._coefficients = coefficients

    @cached_property
    def version(self) -> str:
        """Made of the contents: the same coefficients and settings have the same version."""
        digest = hashlib.sha256(repr(self.settings).encode())
        for array in (self._coefficients.words, self._coefficients.grams, self._coefficients.bias):
            digest.update(array.tobytes())
        return f"{self.kind}-{digest.hexdigest()[:12]}"

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.settings.reasons

    def read(self, text: str) -> ReasonTag:
        """The tag of one note, whatever stands in it."""
        return self._tag(text, clean_note(text), None)

    def read_many(self, texts: Sequence[str]) -> list[ReasonTag]:
        """The tags that `read` gives one by one, to the last bit, sooner."""
        return [tag for start in range(0, len(texts), BATCH) for tag in self._read_batch(texts[start : start + BATCH])]

    def _read_batch(self, texts: Sequence[str]) -> Iterator[ReasonTag]:
        notes = [clean_note(text) for text in texts]
        scores = self._score_many(notes)
        return (self._tag(*each) for each in zip(texts, notes, scores, strict=True))

    def probabilities(self, texts: Sequence[str]) -> Weights:
        """Notes x reasons by the linear model alone, without the rules: for measuring and for the label queue."""
        scores = self._score_many([clean_note(text) for text in texts])
        return np.array([self._softmax(row) for row in scores]).reshape(len(texts), len(self.reasons))

    def _score_many(self, notes: Sequence[CleanNote]) -> Weights:
        words, grams = self._vectors.many([[word.text for word in note.words] for note in notes])
        parts = []
        for weights, coefficients in ((words, self._coefficients.words), (grams, self._coefficients.grams)):
            norms = np.sqrt(weights.power(2).sum(axis=1))
            parts.append((weights @ coefficients) / np.where(norms > 0, norms, 1)[:, None])
        return np.asarray(parts[0] + parts[1] + self._coefficients.bias)

    def _tag(self, text: str, note: CleanNote, scores: Weights | None) -> ReasonTag:
        read = _ReadNote(self._vectors, self._coefficients, note)
        likely = self._ranked(read.scores() if scores is None else scores)
        rule = first_to_speak(note.text)
        if rule and rule.reason in self.reasons:
            return _tag_by_rule(rule, likely, _spans(text, [(0, len(text))]))
        reason, probability = likely[0]
        return ReasonTag(
            reason,
            probability,
            sure=probability >= self.settings.sure_from and read.knows_a_word,
            secondary=self._secondary(likely),
            top=tuple(likely[:3]),
            evidence=_evidence(text, note, read.contributions(self.reasons.index(reason))),
            because="model",
        )

    def _ranked(self, scores: Weights) -> list[ReasonProbability]:
        ranked = map(ReasonProbability, self.reasons, self._softmax(scores))
        return sorted(ranked, key=lambda each: -each.probability)

    def _softmax(self, scores: Weights) -> list[float]:
        """One note at a time in plain Python: vectorised exp may differ in its last bit with the place in an array."""
        powers = [math.exp(each) for each in (self.settings.sharpness * (scores - scores.max())).tolist()]
        total = math.fsum(powers)
        return [power / total for power in powers]

    def _secondary(self, likely: Sequence[ReasonProbability]) -> str | None:
        first, second = likely[:2]
        if UNCLEAR in (first.reason, second.reason) or second.probability < self.settings.secondary_from:
            return None
        return second.reason

    def save(self, folder: Path) -> None:
        """Writes plain files only; the same classifier always writes the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        vocabulary, coefficients = self._vectors.vocabulary, self._coefficients
        write_json(folder / "reasons.json", {name: getattr(self.settings, name) for name in self.settings.__slots__})
        write_json(folder / "lemmas.json", vocabulary.lemmas)
        write_json(folder / "grams.json", vocabulary.grams)
        write_array(folder / "pairs.npy", vocabulary.pairs)
        write_array(folder / "word_idf.npy", vocabulary.word_idf)
        write_array(folder / "gram_idf.npy", vocabulary.gram_idf)
        write_array(folder / "word_weights.npy", coefficients.words.astype(np.float32))
        write_array(folder / "gram_weights.npy", coefficients.grams.astype(np.float32))
        write_array(folder / "bias.npy", coefficients.bias)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The classifier that was saved there; BrokenModel if a file is missing, foreign or does not fit the others."""
        settings = read_settings(folder / "reasons.json", ReasonSettings)
        lemmas, grams = read_words(folder / "lemmas.json"), read_words(folder / "grams.json")
        pairs = read_array(folder / "pairs.npy", np.int64, (None,))
        word_terms, reasons = len(lemmas) + len(pairs), len(settings.reasons)
        vocabulary = Vocabulary(
            lemmas=lemmas,
            pairs=pairs,
            grams=grams,
            word_idf=read_array(folder / "word_idf.npy", np.float64, (word_terms,)),
            gram_idf=read_array(folder / "gram_idf.npy", np.float64, (len(grams),)),
        )
        coefficients = Coefficients(
            words=read_array(folder / "word_weights.npy", np.float32, (word_terms, reasons)).astype(np.float64),
            grams=read_array(folder / "gram_weights.npy", np.float32, (len(grams), reasons)).astype(np.float64),
            bias=read_array(folder / "bias.npy", np.float64, (reasons,)),
        )
        return cls(settings, vocabulary, coefficients)


class _ReadNote:
    """One note seen by the model: scores, and what each word adds to a reason."""

    def __init__(self, vectors: NoteVectors, coefficients: Coefficients, note: CleanNote) -> None:
        self._coefficients = coefficients
        self._vectors = vectors
        terms = vectors.terms_of(word.text for word in note.words)
        self._terms = [terms[word.text] for word in note.words]

    @property
    def knows_a_word(self) -> bool:
        """False where no term of the note was met in training: then the scores are nothing but the bias."""
        return any(len(terms.grams) for terms in self._terms)

    @cached_property
    def _blocks(self) -> tuple[tuple[Block, Weights], ...]:
        words, grams = self._vectors.one(self._terms)
        return (words, self._coefficients.words), (grams, self._coefficients.grams)

    def scores(self) -> Weights:
        words, grams = (block.weights @ coefficients[block.ids] / block.norm for block, coefficients in self._blocks)
        return np.asarray(words + grams + self._coefficients.bias)

    def contributions(self, reason: int) -> Weights:
        """What each word adds to the score of a reason; they add up to the score without its bias."""
        added = np.zeros(len(self._terms))
        for block, coefficients in self._blocks:
            weights = block.weights * coefficients[block.ids, reason] / block.norm / block.counts
            added += np.bincount(block.places, weights[block.of_term], minlength=len(added))
        return added


def _evidence(text: str, note: CleanNote, added: Weights) -> tuple[tuple[int, int], ...]:
    """Spans of the strongest words; neighbours are joined into one span."""
    for_it = np.maximum(added, 0)
    strongest = np.argsort(-for_it, kind="stable")[:EVIDENCE_WORDS]
    chosen = sorted(int(place) for place in strongest if for_it[place] > EVIDENCE_SHARE * for_it.sum())
    spans: list[tuple[int, int]] = []
    for place in chosen:
        start, end, _ = note.words[place]
        if spans and place - 1 in chosen:
            start = spans.pop()[0]
        spans.append((start, end))
    return _spans(text, spans)


def _spans(text: str, spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Without the blanks and signs at their edges; a span of nothing else is left out."""
    shorn = []
    for start, end in spans:
        inner = text[start:end]
        begin = start + len(inner) - len(_FIRST_SIGNS.sub("", inner))
        stop = start + len(_LAST_SIGNS.sub("", inner))
        shorn.append((begin, stop))
    return tuple((start, end) for start, end in shorn if start < end)


def _tag_by_rule(
    rule: RuleTag, likely: Sequence[ReasonProbability], evidence: tuple[tuple[int, int], ...]
) -> ReasonTag:
    """The rule's reason on top; the others share what is left as the model would have it."""
    others = [each for each in likely if each.reason != rule.reason]
    left = (1 - RULE_PROBABILITY) / (math.fsum(each.probability for each in others) or 1)
    first = ReasonProbability(rule.reason, RULE_PROBABILITY)
    top = (first, *(ReasonProbability(each.reason, each.probability * left) for each in others[:2]))
    return ReasonTag(*first, sure=True, secondary=None, top=top, evidence=evidence, because=rule.because)


def _on_grid(weights: Weights) -> Weights:
    """Centred over the reasons and on the grid, as float32 holds them."""
    centred = weights - weights.mean(axis=1, keepdims=True)
    return np.asarray((np.rint(centred / COEFFICIENT_GRID) * COEFFICIENT_GRID).astype(np.float32).astype(np.float64))
