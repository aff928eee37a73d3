"""TOPSIS by hand."""

import numpy as np
import pandas as pd

from econ import Panel
from econ.disparity.topsis import topsis


def test_topsis_by_hand() -> None:
    frame = pd.DataFrame({"region": list("xyz"), "a": [3.0, 4, 0], "b": [1.0, 2, 2]})
    given_weights = {"a": 3.0, "b": 1.0}
    scores = topsis(Panel(frame, "region"), {"a": "positive", "b": "negative"}, weights=given_weights).scores
    v = np.array([[0.6, 1 / 3], [0.8, 2 / 3], [0.0, 2 / 3]]) * [0.75, 0.25]
    best, worst = np.array([v[1, 0], v[0, 1]]), np.array([v[2, 0], v[1, 1]])
    up, down = np.linalg.norm(v - best, axis=1), np.linalg.norm(v - worst, axis=1)
    np.testing.assert_allclose(scores["score"], down / (up + down))
    np.testing.assert_allclose(scores[["distance_best", "distance_worst"]], np.column_stack([up, down]))
    assert scores["rank"].tolist() == [2, 1, 3]
