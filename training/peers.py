"""The peers that every quality claim stands beside: prior, Odoo-style naive Bayes, logistic regression, trees."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.feature_schema import FeatureSchema
from features.lead_history import LeadHistory

Array = NDArray[np.float64]
SMOOTHING = 0.1  # what Odoo adds to every won and lost count


@dataclass(frozen=True)
class Split:
    """One fold: frames of the same columns (numbers, or text categories with None where missing), outcomes 0 or 1."""

    train: pd.DataFrame
    y: Array
    test: pd.DataFrame

    @property
    def categories(self) -> list[str]:
        return [str(name) for name in self.train if not pd.api.types.is_numeric_dtype(self.train[name])]

    @property
    def numbers(self) -> list[str]:
        return [str(name) for name in self.train if name not in self.categories]


def frame(schema: FeatureSchema, histories: Sequence[LeadHistory]) -> pd.DataFrame:
    """The columns of a schema before categories become codes: numbers with NaN, text with None."""
    values = [schema.values(history) for history in histories]
    kinds = {column.name: "float64" if column.kind == "number" else "object" for column in schema.columns}
    return pd.DataFrame(values, columns=schema.names, dtype="object").astype(kinds)


def prior(split: Split) -> Array:
    """The rate of the training leads, for everyone."""
    return np.full(len(split.test), split.y.mean())


def odoo(split: Split) -> Array:
    """Naive Bayes as in Odoo's predictive lead scoring: won and lost counts per value, 0.1 added to each.

    Each field is normalised by its own totals, unset values are left out, numbers take no part.
    Source: odoo/addons/crm, `crm_lead.py`, `_pls_get_naive_bayes_probabilities`.
    """
    won_rows, lost_rows = split.train[split.y == 1], split.train[split.y == 0]
    score = np.full(len(split.test), math.log((len(won_rows) + SMOOTHING) / (len(lost_rows) + SMOOTHING)))
    for name in split.categories:
        won, lost = Counter(won_rows[name].dropna()), Counter(lost_rows[name].dropna())
        values = set(won) | set(lost)
        totals = [sum(counts.values()) + SMOOTHING * len(values) for counts in (won, lost)]
        for value in values:
            odds = math.log((won[value] + SMOOTHING) / totals[0]) - math.log((lost[value] + SMOOTHING) / totals[1])
            score[(split.test[name] == value).to_numpy()] += odds
    return np.asarray(1 / (1 + np.exp(-score)))


def logistic(split: Split) -> Array:
    """Logistic regression, one-hot categories, scaled numbers with the median for a missing one, C = 1."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    columns = ColumnTransformer(
        [
            ("numbers", numbers, split.numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore", min_frequency=2), split.categories),
        ]
    )
    model = make_pipeline(columns, LogisticRegression(C=1.0, max_iter=1000))
    model.fit(_text_categories(split, split.train), split.y)
    return np.asarray(model.predict_proba(_text_categories(split, split.test))[:, 1])


def lightgbm_default(split: Split) -> Array:
    """LightGBM as it comes, with native categories."""
    import lightgbm

    kinds = {name: pd.CategoricalDtype(sorted(split.train[name].dropna().unique())) for name in split.categories}
    plain = {name: f"column_{place}" for place, name in enumerate(split.train)}  # it refuses signs in names
    model = lightgbm.LGBMClassifier(verbose=-1, n_jobs=2, random_state=0)
    model.fit(split.train.astype(kinds).rename(columns=plain), split.y)
    return np.asarray(model.predict_proba(split.test.astype(kinds).rename(columns=plain))[:, 1])


def catboost_default(split: Split) -> Array:
    """CatBoost as it comes, with its own ordered statistics of categories."""
    import catboost

    model = catboost.CatBoostClassifier(verbose=0, thread_count=2, random_seed=0, allow_writing_files=False)
    model.fit(_text_categories(split, split.train), split.y, cat_features=split.categories)
    return np.asarray(model.predict_proba(_text_categories(split, split.test))[:, 1])


def _text_categories(split: Split, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: frame[name].astype(object).fillna("—").astype(str) for name in split.categories})


PEERS: Mapping[str, Callable[[Split], Array]] = {
    "prior": prior,
    "odoo_naive_bayes": odoo,
    "logistic_regression": logistic,
    "lightgbm_default": lightgbm_default,
    "catboost_default": catboost_default,
}


def usable_peers() -> Sequence[str]:
    """The peers whose library is installed; CatBoost comes with the extra `bench`."""
    import importlib.util

    has_catboost = importlib.util.find_spec("catboost") is not None
    return [name for name in PEERS if name != "catboost_default" or has_catboost]
