"""How well the numbers of a family tell two piles of pictures apart: a cross-validated AUC."""

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def separability(some, others, seed=0):
    """The AUC of a logistic regression that has not seen the picture it scores; `some` and `others` are rows."""
    rows = [*some, *others]
    names = list(rows[0])
    assert all(list(row) == names for row in rows), "every picture has the same numbers"
    values = np.array([[row[name] for name in names] for row in rows])
    positive = np.repeat([False, True], [len(some), len(others)])
    model = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression(C=0.1))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    scores = cross_val_predict(model, values, positive, cv=folds, method="decision_function")
    return roc_auc_score(positive, scores)


def halves(count, seed=0):
    """The numbers below `count` in two halves, drawn by chance."""
    order = np.random.default_rng(seed).permutation(count)
    return order[: count // 2], order[count // 2 :]
