"""Convergence clubs against a slow search, and what never happens."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import ModelError, OptionError, Panel
from econ.convergence.clubs import Moments, clubs, find_clubs, merge_clubs
from econ.convergence.logt import Design, log_t, variation
from tests.convergence import slow_clubs


def transition(seed: int, n_units: int = 14, n_periods: int = 21, noise: float = 0.01) -> np.ndarray:
    """(T, N) logs: three limits, transitions towards them of differing speed, and noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(1, n_periods + 1)[:, None]
    limit = rng.choice([0.0, 0.4, 0.8], n_units) + rng.normal(0, 0.05, n_units)
    speed = rng.uniform(-0.2, 0.8, n_units)
    start = rng.normal(0, 0.4, n_units)
    return 8 + 0.04 * t + limit + start / (t**speed * np.log(t + 1)) + noise * rng.normal(size=(n_periods, n_units))


def make(x: np.ndarray) -> Panel:
    frame = pd.DataFrame(x.T, columns=range(2001, 2001 + len(x)))
    return Panel.from_wide(frame.assign(region=[f"r{i:02d}" for i in range(x.shape[1])]), unit="region", name="x")


def sets(groups: "list[list[int]] | list[np.ndarray]") -> list[set[int]]:
    return [{int(i) for i in group} for group in groups]


def joined(found: list[list[int]], merged: list[list[int]]) -> list[set[int]]:
    return [{i for k in parts for i in found[k]} for parts in merged]


# ---- the search


@pytest.mark.parametrize("c_star", [0.0, -6.0, 0.7])
def test_the_search_is_the_slow_search(c_star: float) -> None:
    raised = split = divergent = 0
    for seed in range(40):
        x = transition(seed, n_units=4 + seed % 17, n_periods=15 + seed % 12, noise=[0.003, 0.02, 0.06][seed % 3])
        first = round(len(x) / 3)
        design = Design.over(len(x), first)
        found, left = find_clubs(design.used(x), design, c_star)
        expected, expected_left, n_raised = slow_clubs.clubs(x, first, c_star)
        assert sets(found) == sets(expected), seed
        assert set(left.tolist()) == set(expected_left), seed
        raised, split, divergent = raised + (n_raised > 0), split + (len(found) > 2), divergent + bool(len(left))
    assert split > 5  # the data have something to find
    assert divergent
    assert raised or c_star >= 0  # a low criterion lets in too many at first


def test_the_merging_is_the_slow_merging() -> None:
    merged = differ = 0
    for seed in range(60):
        x = transition(seed, n_units=24, noise=0.03)
        design = Design.over(len(x), 7)
        values = design.used(x)
        found, _ = find_clubs(values, design, 0)
        if len(found) < 2:
            continue
        plain = [group.tolist() for group in found]
        in_turn = merge_clubs(values, design, found, "phillips_sul")
        pairs = merge_clubs(values, design, found, "von_lyncker")
        assert joined(plain, in_turn) == sets(slow_clubs.merge_in_turn(x, 7, plain))
        assert joined(plain, pairs) == sets(slow_clubs.merge_pairs(x, 7, plain))
        merged += len(in_turn) < len(found)
        differ += in_turn != pairs
    assert merged > 5
    assert differ


def test_moments_join_as_if_their_units_were_seen_together() -> None:
    x = transition(1)
    whole = variation(x)
    split = Moments.of_group(x[:, :5]).join(Moments.of_group(x[:, 5:])).variation[:, 0]
    grown = Moments.of_group(x[:, :2]).growing(x[:, 2:]).variation
    np.testing.assert_allclose(split, whole, rtol=1e-10)
    np.testing.assert_allclose(grown[:, -1], whole, rtol=1e-10)
    np.testing.assert_allclose(grown[:, 3], variation(x[:, :6]), rtol=1e-10)


def test_moments_lose_no_digits_far_from_zero() -> None:
    x = transition(2, n_units=200) + 1e5
    grown = Moments.of_group(x[:, :2]).growing(x[:, 2:]).variation[:, -1]
    np.testing.assert_allclose(grown, variation(x), rtol=1e-7)


def test_the_core_has_the_largest_t_not_the_largest_in_absolute_value() -> None:
    """Pair and triple have negative t, the triple nearer to zero: the largest |t| would be the pair's."""
    for seed in range(400):
        x = transition(seed, n_units=5)
        first = 7
        order = np.argsort(-x[-1])
        pair, three = (slow_clubs.log_t(x[:, order[:k]], first)[1] for k in (2, 3))
        rest = [slow_clubs.log_t(x[:, order[:k]], first)[1] for k in (4, 5)]
        if -1.65 < pair < three < 0 and max(rest) < -1.65:
            break
    else:
        pytest.fail("no such data")
    design = Design.over(len(x), first)
    found, _ = find_clubs(design.used(x), design, 50.0)  # nobody passes the sieve
    assert set(found[0].tolist()) == set(order[:3].tolist())


def test_a_pair_that_coincides_starts_no_core_group() -> None:
    x = transition(3, n_units=8)
    top = np.argsort(-x[-1])[:2]
    x[:, top[1]] = x[:, top[0]] - 1e-3 * np.arange(len(x))[::-1]  # equal in the last period
    design = Design.over(len(x), 7)
    found, left = find_clubs(design.used(x), design, 0)
    assert sorted(int(i) for group in [*found, left] for i in group) == list(range(8))


# ---- the result


def test_result() -> None:
    x = transition(5, n_units=20)
    result = clubs(make(x), "x", hp_lambda=None, log=False)
    assert list(result.members.columns) == ["unit", "club"]
    assert list(result.tests.columns) == ["club", "n", "estimate", "std_error", "statistic", "merged_from"]
    assert list(result.paths.columns) == ["unit", "period", "h", "club"]
    assert sorted(result.members["unit"]) == [f"r{i:02d}" for i in range(20)]
    counts = result.members["club"].value_counts()
    assert result.tests.set_index("club")["n"].to_dict() == counts.to_dict()
    h = result.paths.pivot(index="period", columns="unit", values="h")
    np.testing.assert_allclose(h, x / x.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(result.paths.groupby("period")["h"].mean(), 1)
    club_of = result.members.set_index("unit")["club"]
    assert (result.paths["club"].fillna(0) == result.paths["unit"].map(club_of).fillna(0)).all()


def test_each_test_is_log_t_of_its_members() -> None:
    x = transition(6, n_units=20)
    panel = make(x)
    result = clubs(panel, "x", hp_lambda=None, log=False)
    for row in result.tests.itertuples():
        members = set(result.members.loc[result.members["club"] == row.club, "unit"])
        inside = log_t(panel.where(lambda d, m=members: d["region"].isin(m)), "x", hp_lambda=None, log=False)
        assert (row.estimate, row.std_error) == pytest.approx((inside.coef[0], inside.std_error[0]), rel=1e-8)


@pytest.mark.parametrize("merge", ["phillips_sul", "von_lyncker", None])
def test_no_club_fails_the_test_and_nobody_is_lost(merge: "str | None") -> None:
    for seed in range(25):
        x = transition(seed, n_units=25, noise=[0.003, 0.03, 0.1][seed % 3])
        result = clubs(make(x), "x", hp_lambda=None, log=False, merge=merge)  # type: ignore[arg-type]
        assert (result.tests["statistic"] > -1.65).all()
        assert (result.tests["n"] > 1).all()
        assert result.tests["n"].sum() + result.members["club"].isna().sum() == 25


def test_merging_says_what_it_merged() -> None:
    for seed in range(60):
        panel = make(transition(seed, n_units=24, noise=0.03))
        before = clubs(panel, "x", hp_lambda=None, log=False, merge=None).tests
        after = clubs(panel, "x", hp_lambda=None, log=False).tests
        if len(after) < len(before):
            break
    assert before["merged_from"].tolist() == [str(k) for k in before["club"]]
    assert any(" + " in words for words in after["merged_from"])
    for row in after.itertuples():
        parts = [int(k) for k in str(row.merged_from).split(" + ")]
        assert row.n == before.set_index("club").loc[parts, "n"].sum()


def test_one_club_where_all_converge_and_none_where_nobody_does() -> None:
    t = np.arange(1, 31)[:, None]
    together = 9 + np.linspace(-1, 1, 9) / (t * np.log(t + 1))
    result = clubs(make(together), "x", hp_lambda=None, log=False)
    assert result.tests["n"].tolist() == [9]
    apart = 20 + np.linspace(-1, 1, 6) * t**0.5 + 0.01 * np.random.default_rng(0).normal(size=(30, 6))
    result = clubs(make(apart), "x", hp_lambda=None, log=False)
    assert result.tests.empty
    assert result.members["club"].isna().all()
    assert "r05" in result.notes[-1]["en"]
    assert "r05" in result.notes[-1]["zh"]


def test_row_order_and_names_do_not_matter() -> None:
    panel = make(transition(7, n_units=16))
    first = clubs(panel, "x", hp_lambda=None, log=False)
    shuffled = Panel(panel.frame.sample(frac=1, random_state=2), "region", "year")
    pd.testing.assert_frame_equal(first.members, clubs(shuffled, "x", hp_lambda=None, log=False).members)
    renamed = panel.assign(region=lambda d: "z" + (99 - d["region"].str[1:].astype(int)).astype(str))
    again = clubs(renamed, "x", hp_lambda=None, log=False)
    assert again.members["club"].tolist() == first.members["club"].tolist()


def test_a_club_as_a_column_joins_the_panel() -> None:
    panel = make(transition(8, n_units=16))
    members = clubs(panel, "x", hp_lambda=None, log=False).members.rename(columns={"unit": "region"})
    assert panel.join(members).attribute("club").notna().any()


def test_incomplete_units_are_named() -> None:
    panel = make(transition(9)).where(lambda d: ~((d["region"] == "r04") & (d["year"] == 2010)))
    result = clubs(panel, "x", hp_lambda=None, log=False)
    assert "r04" not in set(result.members["unit"])
    assert any("r04" in text["en"] for text in result.notes)


def test_bad_options() -> None:
    panel = make(transition(1))
    with pytest.raises(OptionError, match="merge='ps'"):
        clubs(panel, "x", merge="ps")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="c_star="):
        clubs(panel, "x", c_star=float("nan"))
    with pytest.raises(ModelError, match="at least 8"):
        clubs(panel.where(lambda d: d["year"] < 2006), "x")


def test_shipped_data() -> None:
    result = clubs(econ.load("provinces"), "gdp_per_capita")
    assert result.members["unit"].nunique() == 31
    assert result.spec["hp_lambda"] == 400
