"""Columns that look as if they were written after the outcome: a warning in figures, the person decides."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.cells import learn_decimal, number
from features.mapping import USUAL_MISSING

ALMOST_DECIDES = 0.85  # AUC of one column; the best honest one that we met (time spent on a site) has 0.76
FILLED_FOR_ONE = 0.2  # difference of fill rates; honest columns that we met stay under 0.16
TELLS_SOMETHING = 0.52  # AUC from which a column with a suspicious name is worth a look
SURE = 3.0  # standard errors: with 60 columns, a false warning in one export of twelve
FEWEST = 30  # leads of each outcome; below it no figure means anything
NEVER_OTHERWISE = 10  # a value whose leads were all won is suspicious when exceptions are this many times too rare
BINS = 20  # for numbers with more distinct values
FOLDS = 5
SMOOTHING = 10.0  # leads at the common rate lent to each value, so that rare values promise nothing

# Headers of columns that CRMs write or rewrite while a lead is worked; each met in an export.
WRITTEN_LATER = re.compile(
    r"\blast\b|modified|closed|\bscore\b|\bindex\b|quality|\btags?\b|duration|\bstatus\b|\bstage\b|\bresult\b|reason"
    r"|послед|измен|закры|скоринг|оценк|индекс|качеств|\bтеги?\b|длительн|продолжит|статус|стади|\bэтап|результат|причин",
    re.IGNORECASE,
)

Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Leak:
    """A suspected column and the counted reason."""

    column: str
    why: str


def suspected_leaks(columns: Mapping[str, Sequence[object]], won: Sequence[bool]) -> list[Leak]:
    """Columns that a person should look at before they become features, in the order given.

    Cells are as in the file; None and the usual words for "no value" are missing. Says nothing with few leads.
    """
    outcome = np.asarray(won, dtype=bool)
    if min(outcome.sum(), (~outcome).sum()) < FEWEST:
        return []
    return [Leak(name, why) for name, cells in columns.items() if (why := _why(_Column.of(name, cells), outcome))]


@dataclass(frozen=True)
class _Column:
    name: str
    codes: Codes  # each lead's value as a number; code 0 is missing
    words: list[str]  # what a code stands for

    @classmethod
    def of(cls, name: str, cells: Sequence[object]) -> "_Column":
        texts = ["" if cell is None else str(cell).strip() for cell in cells]
        texts = ["" if text.casefold() in USUAL_MISSING else text for text in texts]
        values = sorted(set(texts) - {""})
        if len(values) > BINS and (binned := _bins(name, texts, values)):
            return binned
        code = {"": 0} | {value: place for place, value in enumerate(values, start=1)}
        return cls(name, np.array([code[text] for text in texts], dtype=np.intp), ["", *values])

    @property
    def filled(self) -> Flags:
        return self.codes > 0


def _bins(name: str, texts: list[str], values: list[str]) -> _Column | None:
    """Numbers in parts: the most frequent one (often zero) by itself, the rest cut evenly; None for words."""
    mark = learn_decimal(values)
    read = {value: number(value, mark) for value in values}
    if any(value is None for value in read.values()):
        return None
    numbers = np.array([read.get(text, math.nan) for text in texts], dtype=float)
    filled = ~np.isnan(numbers)
    distinct, times = np.unique(numbers[filled], return_counts=True)
    most_frequent = distinct[times.argmax()]
    rest = numbers[filled & (numbers != most_frequent)]
    edges = np.unique([most_frequent, *np.quantile(rest, np.linspace(0, 1, BINS + 1)[:-1])])
    codes = np.where(filled, np.searchsorted(edges, np.where(filled, numbers, 0.0), side="right") + 1, 0)
    low = ["", f"below {edges[0]:g}", *(f"from {edge:g}" for edge in edges)]
    return _Column(name, codes.astype(np.intp), low)


def _why(column: _Column, won: Flags) -> str | None:
    for rule in RULES:
        if why := rule(column, won):
            return why
    return None


def almost_decides(column: _Column, won: Flags) -> str | None:
    auc = _auc_alone(column.codes, won)
    if auc - SURE * _auc_error(auc, won) < ALMOST_DECIDES:
        return None
    return f"alone it tells won from lost in {auc:.0%} of pairs, counted on {len(won):,} leads"


def filled_for_one(column: _Column, won: Flags) -> str | None:
    among_won, among_lost = column.filled[won], column.filled[~won]
    gap = float(among_won.mean() - among_lost.mean())
    error = math.sqrt(sum(float(each.var()) / len(each) for each in (among_won, among_lost)))
    if abs(gap) - SURE * error < FILLED_FOR_ONE:
        return None
    return (
        f"filled for {among_won.mean():.0%} of {len(among_won):,} won and {among_lost.mean():.0%} of "
        f"{len(among_lost):,} lost leads"
    )


def one_value_always_wins(column: _Column, won: Flags) -> str | None:
    """A value that never failed, though by the common rate many of its leads should have."""
    times, wins = np.bincount(column.codes), np.bincount(column.codes, weights=won)
    for code in np.argsort(-times):
        exceptions_at_most = 3 / times[code] if times[code] else 1.0  # the rule of three: 95 % sure
        if code and wins[code] == times[code] and exceptions_at_most * NEVER_OTHERWISE < 1 - won.mean():
            return f"all {times[code]:,} leads with {column.words[code]!r} were won, of all leads {won.mean():.0%}"
    return None


def named_like_one(column: _Column, won: Flags) -> str | None:
    if not WRITTEN_LATER.search(column.name):
        return None
    auc = _auc_alone(column.codes, won)
    if auc - SURE * _auc_error(auc, won) < TELLS_SOMETHING:
        return None
    return (
        f"its name sounds like something written while the lead is worked, and alone it sorts {auc:.0%} of pairs right"
    )


Rule = Callable[[_Column, Flags], str | None]
RULES: list[Rule] = [almost_decides, filled_for_one, one_value_always_wins, named_like_one]


def _auc_alone(codes: Codes, won: Flags) -> float:
    """AUC of the column's own rates, each lead judged by rates counted on the other folds."""
    fold = np.random.default_rng(0).permutation(len(won)) % FOLDS
    expected = np.empty(len(won))
    for each in range(FOLDS):
        others = fold != each
        times = np.bincount(codes[others], minlength=codes.max() + 1)
        wins = np.bincount(codes[others], weights=won[others], minlength=codes.max() + 1)
        rates = (wins + SMOOTHING * won[others].mean()) / (times + SMOOTHING)
        expected[~others] = rates[codes[~others]]
    return _auc(expected, won)


def _auc(scores: npt.NDArray[np.float64], won: Flags) -> float:
    _, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]
    n_won, n_lost = won.sum(), (~won).sum()
    return float((ranks[won].sum() - n_won * (n_won + 1) / 2) / (n_won * n_lost))


def _auc_error(auc: float, won: Flags) -> float:
    """Standard error after Hanley and McNeil 1982."""
    n_won, n_lost = int(won.sum()), int((~won).sum())
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (n_won - 1) * (q1 - auc**2) + (n_lost - 1) * (q2 - auc**2)
    return math.sqrt(max(spread, 0.0) / (n_won * n_lost))
