"""How well reasons are read from notes, beside plainer ways: python benchmarks/reasons.py --train starter --test FILE.

Files are CSV or JSON Lines (also gzipped) with `text` and `reason` or `label`. A file with a `partition` column is
enough by itself: its train part is learned from, its test part measured. `starter` is our own corpus (synthetic).
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline, make_union

from features.notes import detect_lang
from models.reason_rules import read_by_rules
from models.taxonomy import UNCLEAR
from training.fit_reasons import SURE_PRECISION, LabelledNote, fit_reasons, load_labelled, starter_notes
from training.metrics import Array
from training.reason_quality import ReasonQuality, measure_reasons

Notes = Sequence[LabelledNote]


@dataclass(frozen=True)
class Read:
    """What one way of reading said of the test notes."""

    reasons: Sequence[str]
    probabilities: Array
    sure: NDArray[np.bool_]
    about: Mapping[str, Any]


def ours(train: Notes, test: Notes) -> Read:
    """As a user would train it, rules and abstention included."""
    fitted = fit_reasons(train, None)
    tags = fitted.classifier.read_many([note.text for note in test])
    reasons = fitted.classifier.reasons
    table = np.zeros((len(tags), len(reasons)))
    for row, tag in enumerate(tags):
        for reason, probability in tag.top:
            table[row, reasons.index(reason)] = probability
    return Read(reasons, table, np.array([tag.sure for tag in tags]), fitted.report.figures())


def prior(train: Notes, test: Notes) -> Read:
    """The most frequent reason, always."""
    reasons, counts = np.unique([note.reason for note in train], return_counts=True)
    table = np.tile(counts / counts.sum(), (len(test), 1))
    return Read(reasons.tolist(), table, np.zeros(len(test), bool), {})


def rules(_train: Notes, test: Notes) -> Read:
    """The rules alone; they know the shipped taxonomy only. Sure is what no last resort decided."""
    tags = [read_by_rules(note.text) for note in test]
    reasons = sorted({UNCLEAR, *(tag.reason for tag in tags)})
    table = np.array([[float(tag.reason == reason) for reason in reasons] for tag in tags])
    return Read(reasons, table, np.array([tag.because != "no_reason_found" for tag in tags]), {})


def words_lr(train: Notes, test: Notes) -> Read:
    """Plain scikit-learn: TF-IDF of words, logistic regression."""
    return _sklearn(make_pipeline(_words((1, 1)), LogisticRegression(C=20, max_iter=1_000)), train, test)


def complement_nb(train: Notes, test: Notes) -> Read:
    """Plain scikit-learn: TF-IDF of words 1-2 and letters 2-5, complement naive Bayes."""
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return _sklearn(make_pipeline(make_union(_words((1, 2)), letters), ComplementNB(alpha=0.3)), train, test)


WAYS: Sequence[Callable[[Notes, Notes], Read]] = (ours, prior, rules, words_lr, complement_nb)


def _words(sizes: tuple[int, int]) -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=sizes, sublinear_tf=True, token_pattern=r"\b\w+\b")


def _sklearn(model: BaseEstimator, train: Notes, test: Notes) -> Read:
    texts, labels = [note.text for note in train], np.array([note.reason for note in train])
    reasons, numbers = np.unique(labels, return_inverse=True)
    often = np.bincount(numbers)[numbers] >= 3  # the folds that choose the threshold need three notes of a reason
    some = [text for text, take in zip(texts, often, strict=True) if take]
    unread = cross_val_predict(model, some, labels[often], cv=StratifiedKFold(3), method="predict_proba")
    known = np.unique(labels[often])
    least = _sure_from(unread.max(axis=1), known[unread.argmax(axis=1)] == labels[often])
    table = model.fit(texts, labels).predict_proba([note.text for note in test])
    return Read(reasons.tolist(), table, table.max(axis=1) >= least, {"sure_from": least})


def _sure_from(top: Array, right: NDArray[np.bool_]) -> float:
    order = np.argsort(-top)
    precise = np.flatnonzero(np.cumsum(right[order]) >= SURE_PRECISION * np.arange(1, len(top) + 1))
    return float(top[order[precise[-1]]]) if len(precise) else 1.01


def load_parts(train: str, test: Path | None) -> tuple[Notes, Notes]:
    """Notes to learn from and to measure on."""
    known: Notes = starter_notes() if train == "starter" else load_labelled(Path(train))
    if test is not None:
        partitioned = any(note.partition == "train" for note in known)
        return [note for note in known if not partitioned or note.partition == "train"], load_labelled(test)
    parts = {part: [note for note in known if note.partition == part] for part in ("train", "test")}
    if not all(parts.values()):
        raise SystemExit(f"{train} has no column partition with train and test rows; name a file with --test")
    return parts["train"], parts["test"]


def measure(way: Callable[[Notes, Notes], Read], train: Notes, test: Notes) -> dict[str, Any]:
    """Quality of one way on all test notes and by language, and the seconds that it took."""
    begun = time.perf_counter()
    read = way(train, test)
    seconds = time.perf_counter() - begun
    langs = np.array([note.lang or detect_lang(note.text) for note in test])

    def quality(chosen: NDArray[np.bool_]) -> ReasonQuality:
        labels = [note.reason for note, take in zip(test, chosen, strict=True) if take]
        return measure_reasons(labels, read.reasons, read.probabilities[chosen], read.sure[chosen])

    by_lang = {lang: asdict(quality(langs == lang)) for lang in np.unique(langs).tolist()}
    all_notes = asdict(quality(np.ones(len(test), bool)))
    return {"way": way.__name__, **all_notes, "seconds": seconds, "by_lang": by_lang, "about": dict(read.about)}


HEADER = (
    f"{'':14} {'notes':>6} {'accuracy':>8} {'top 3':>6} {'macro F1':>8} {'ECE':>6} {'sure':>6} {'right':>6} {'s':>6}"
)


def line(name: str, row: Mapping[str, Any], seconds: float | None = None) -> str:
    """One row of the printed table; `sure` is the share answered, `right` the precision there."""
    shares = (row["accuracy"], row["top_three"], row["macro_f1"], row["ece"], row["coverage"], row["precision"])
    widths = (8, 6, 8, 6, 6, 6)
    cells = " ".join(f"{'-' if x is None else f'{x:.3f}':>{width}}" for x, width in zip(shares, widths, strict=True))
    return f"{name:14} {row['notes']:>6} {cells} {'' if seconds is None else f'{seconds:6.1f}'}".rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, help="a file of labelled notes, or: starter")
    parser.add_argument("--test", type=Path, help="a file of labelled notes; not needed with a partition column")
    parser.add_argument("--json", type=Path, help="where to write every figure")
    parser.add_argument("--only-ours", action="store_true", help="skip the peers")
    asked = parser.parse_args()
    train, test = load_parts(asked.train, asked.test)
    print(f"learned from {len(train)} notes of {len({note.reason for note in train})} reasons\n{HEADER}")
    rows = []
    for way in WAYS[:1] if asked.only_ours else WAYS:
        rows.append(row := measure(way, train, test))
        print(line(row["way"], row, row["seconds"]))
        for lang, part in row["by_lang"].items() if len(row["by_lang"]) > 1 else ():
            print(line(f"  {lang}", part), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps({"train": len(train), "rows": rows}, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main()
