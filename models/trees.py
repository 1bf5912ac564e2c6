"""A LightGBM model read by LightGBM's C library alone: raw scores and exact contributions.

`import lightgbm` would pull pandas and scikit-learn into the server (3.9 s and 191 MB: reference/serving_speed.md),
so the library is called through ctypes. A truncated model text aborts the process, so nothing comes here before its
digest was checked (models/bundle.py).
"""

import ctypes
import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_RAW_SCORE, _CONTRIB = 1, 3  # C_API_PREDICT_RAW_SCORE, C_API_PREDICT_CONTRIB
_FLOAT64 = 1  # C_API_DTYPE_FLOAT64
# One thread: a lead's trees are walked faster than threads wake up; num_threads changes no result.
_PARAMETERS = b"num_threads=1"

Matrix = NDArray[np.float64]


class BrokenTrees(ValueError):
    """LightGBM refused the model text or the matrix."""


class Trees:
    """A boosted ensemble with one raw score (log odds) per row."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._library = _library()
        self._handle = ctypes.c_void_p()
        iterations = ctypes.c_int()
        _check(
            self._library.LGBM_BoosterLoadModelFromString(
                text.encode(), ctypes.byref(iterations), ctypes.byref(self._handle)
            )
        )
        features = ctypes.c_int()
        _check(self._library.LGBM_BoosterGetNumFeature(self._handle, ctypes.byref(features)))
        self.features: int = features.value
        self.trees: int = iterations.value

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.LGBM_BoosterFree(self._handle)

    def raw(self, matrix: Matrix) -> NDArray[np.float64]:
        """Log odds, shape (rows,); a row gives the same bits alone and among others."""
        return self._predict(matrix, _RAW_SCORE, 1)[:, 0]

    def contributions(self, matrix: Matrix) -> Matrix:
        """Exact Shapley values of the log odds, shape (rows, features + 1); the last column is the expected score.

        Source: Lundberg and others, "Consistent Individualized Feature Attribution for Tree Ensembles", 2018.
        """
        return self._predict(matrix, _CONTRIB, self.features + 1)

    def _predict(self, matrix: Matrix, kind: int, width: int) -> Matrix:
        rows = np.ascontiguousarray(matrix, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.features:
            raise BrokenTrees(f"a matrix of shape {rows.shape} came; the trees read {self.features} columns")
        answer = np.zeros((len(rows), width))
        written = ctypes.c_int64()
        if len(rows):
            _check(
                self._library.LGBM_BoosterPredictForMat(
                    self._handle,
                    rows.ctypes.data_as(ctypes.c_void_p),
                    ctypes.c_int(_FLOAT64),
                    ctypes.c_int32(rows.shape[0]),
                    ctypes.c_int32(rows.shape[1]),
                    ctypes.c_int(1),  # row major
                    ctypes.c_int(kind),
                    ctypes.c_int(0),  # from the first tree
                    ctypes.c_int(-1),  # to the last
                    ctypes.c_char_p(_PARAMETERS),
                    ctypes.byref(written),
                    answer.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
                )
            )
        return answer


def _check(code: int) -> None:
    if code != 0:
        raise BrokenTrees(_library().LGBM_GetLastError().decode(errors="replace"))


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    package = importlib.util.find_spec("lightgbm")
    if package is None or package.origin is None:
        raise ImportError("LightGBM is not installed; pip install lightgbm")
    folder = Path(package.origin).parent
    names = ("lib_lightgbm.so", "lib_lightgbm.dylib", "lib_lightgbm.dll")
    found = [path for name in names for path in (folder / "lib" / name, folder / "bin" / name) if path.exists()]
    if not found:
        raise ImportError(f"no LightGBM library under {folder}; install the wheel of lightgbm for this platform")
    library = ctypes.CDLL(str(found[0]))
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library
