"""Folds of labelled notes in which nobody's manner of writing, and no near repeat, stands on both sides."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from training.labelled_notes import LabelledNote

FOLDS = 5
VOICES_NEEDED = 2 * FOLDS  # with fewer, a fold would be one or two people and say little of others
COMMON_TERM = 50  # notes; terms met more often do not make two notes near repeats, and would cost quadratic time
NEAR_REPEAT = 0.7  # cosine of rare lemmas and pairs: one word of some six changed

Groups = NDArray[np.int64]


def voices_are_known(notes: Sequence[LabelledNote]) -> bool:
    """Do we know who typed each note, and were they many?"""
    voices = {note.voice for note in notes}
    return None not in voices and len(voices) >= VOICES_NEEDED


def groups_of(notes: Sequence[LabelledNote], lemma_weights: sparse.csr_array) -> Groups:
    """By voice where the voices are known and many; otherwise near repeats together, everything else by itself."""
    if not voices_are_known(notes):
        return _near_repeats(lemma_weights)
    return np.unique([str(note.voice) for note in notes], return_inverse=True)[1]


def _near_repeats(weights: sparse.csr_array) -> Groups:
    met = np.bincount(weights.indices, minlength=weights.shape[1])
    rare = weights[:, np.flatnonzero(met <= COMMON_TERM)]
    norms = np.sqrt(rare.power(2).sum(axis=1))
    unit = sparse.diags_array(1 / np.where(norms > 0, norms, 1)) @ rare
    alike = (unit @ unit.T).tocoo()
    near = alike.data >= NEAR_REPEAT
    same = _same_terms(weights)
    rows, columns = np.concatenate([alike.row[near], same]), np.concatenate([alike.col[near], np.arange(len(same))])
    edges = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=alike.shape)
    return np.asarray(connected_components(edges, directed=False)[1], dtype=np.int64)


def _same_terms(weights: sparse.csr_array) -> Groups:
    """For each note, the first note with exactly its terms: order, endings, signs and figures do not count."""
    first: dict[bytes, int] = {}
    rows = zip(weights.indptr[:-1], weights.indptr[1:], strict=True)
    return np.array([first.setdefault(np.sort(weights.indices[a:b]).tobytes(), i) for i, (a, b) in enumerate(rows)])


def assign_folds(groups: Groups, *, seed: int) -> Groups:
    """The fold of each note: largest groups first, each into the fold with the fewest notes so far."""
    sizes = Counter(groups.tolist())
    shuffled = np.random.default_rng(seed).permutation(sorted(sizes)).tolist()
    filled, fold_of = [0] * FOLDS, {}
    for group in sorted(shuffled, key=lambda group: -sizes[group]):
        fold = filled.index(min(filled))
        fold_of[group] = fold
        filled[fold] += sizes[group]
    return np.array([fold_of[group] for group in groups.tolist()])
