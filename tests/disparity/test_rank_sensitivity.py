"""Ranks under other weights, and their intervals draw by draw."""

import numpy as np
import pandas as pd
import pytest

from econ import OptionError
from econ.disparity.rank_sensitivity import rank_sensitivity
from tests.disparity.test_composite import COLUMNS, made


def test_rank_sensitivity_holds_the_base_and_ranks_dominance() -> None:
    panel = made().assign(**{name: lambda d, n=name: d[n].where(d["region"] != "r3", 100.0) for name in COLUMNS})
    result = rank_sensitivity(panel, COLUMNS, draws=200, seed=3)
    best = result.ranks[result.ranks["region"] == "r3"]
    numbers = ["rank", "rank_low", "rank_high", "entropy", "critic", "pca", "equal", "topsis"]
    assert (best[numbers] == 1).all(axis=None)
    assert (result.ranks["rank_low"] <= result.ranks["rank_high"]).all()
    pd.testing.assert_series_equal(result.ranks["rank"], result.ranks["entropy"], check_names=False)
    again = rank_sensitivity(panel, COLUMNS, draws=200, seed=3)
    pd.testing.assert_frame_equal(result.ranks, again.ranks)
    assert len(result.agreement) == 10
    entropy, equal = (result.ranks[name].to_numpy().reshape(2, 8) for name in ("entropy", "equal"))
    by_hand = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(entropy, equal, strict=True)])
    row = result.agreement.query("rule_a == 'entropy' and rule_b == 'equal'")
    assert row["spearman"].item() == pytest.approx(by_hand)


def test_rank_interval_draw_by_draw() -> None:
    panel = made(seed=4)
    result = rank_sensitivity(panel, COLUMNS, weights="equal", spread=0.5, draws=99, seed=2, level=0.9)
    x = panel.frame[COLUMNS].to_numpy()
    z = (x - x.min(0)) / (x.max(0) - x.min(0))
    late = panel.frame["year"].to_numpy() == 2011
    drawn = []
    for factors in np.random.default_rng(2).uniform(0.5, 1.5, (99, 3)):
        scores = z[late] @ (factors / factors.sum())
        drawn.append([1 + sum(scores > score) for score in scores])
    ordered = np.sort(drawn, axis=0)
    ranks = result.ranks[result.ranks["period"] == 2011]
    assert ranks["rank_low"].tolist() == ordered[4].tolist()  # the smallest rank that holds 5 % of 99 draws below it
    assert ranks["rank_high"].tolist() == ordered[94].tolist()


def test_bad_input() -> None:
    with pytest.raises(OptionError, match=r"spread=1.0 is not allowed; give a share between 0 and 1"):
        rank_sensitivity(made(), COLUMNS, spread=1.0, draws=99)
    with pytest.raises(OptionError, match="draws=0 is not allowed; give a whole number, 1 or more"):
        rank_sensitivity(made(), COLUMNS, draws=0)
