"""Stacked difference-in-differences against the stacks built row by row."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import EconError, ModelError, OptionError, Panel
from tests.did.designs import staggered

WINDOW = (-2, 2)


def by_hand(panel: Panel, weights: str | None = None, control: str = "not_yet") -> tuple[np.ndarray, np.ndarray]:
    """Event-time coefficients and their standard errors from the stacked rows, clustered by unit."""
    first, last = WINDOW
    frame = panel.frame.dropna(subset="y")
    frame = frame.assign(w=1.0 if weights is None else frame[weights])
    stacks = []
    for a in (2004, 2006, 2008):
        limit = np.inf if control == "never" else a + last
        clean = frame["cohort"].isna() | (frame["cohort"] > limit)
        part = frame[frame["year"].between(a + first, a + last) & (clean | (frame["cohort"] == a))]
        stacks.append(part.assign(stack=a, e=part["year"] - a, treated=(part["cohort"] == a).astype(float)))
    rows = pd.concat(stacks)
    n = rows.groupby(["treated", "stack", "e"])["w"].sum()
    share = n / n.groupby(["treated", "e"]).transform("sum")
    q = (share.loc[1.0] / share.loc[0.0]).rename("q")
    rows = rows.join(q, on=["stack", "e"])
    w = (rows["w"] * np.where(rows["treated"] == 1, 1.0, rows["q"])).to_numpy()
    times = [e for e in range(first, last + 1) if e != -1]
    at = np.column_stack([(rows["e"] == e).astype(float) for e in times])
    D = rows["treated"].to_numpy()[:, None]
    X = np.hstack([np.ones_like(D), D, at, at * D])
    y = rows["y"].to_numpy()
    bread = np.linalg.inv(X.T @ (w[:, None] * X))
    coef = bread @ X.T @ (w * y)
    scores = pd.DataFrame(X * (w * (y - X @ coef))[:, None]).groupby(rows["unit"].to_numpy()).sum().to_numpy()
    G, (N, K) = len(scores), X.shape
    V = bread @ scores.T @ scores @ bread * G / (G - 1) * (N - 1) / (N - K)
    return coef[-len(times) :], np.sqrt(np.diag(V))[-len(times) :]


@pytest.mark.parametrize("control", ["not_yet", "never"])
@pytest.mark.parametrize("weights", [None, "n"])
@pytest.mark.parametrize("missing", [0, 25])
def test_equals_the_weighted_regression_on_the_stacked_rows(missing: int, weights: str | None, control: str) -> None:
    panel = staggered(1, missing=missing)
    found = econ.did.stacked(panel, "y", cohort="cohort", window=WINDOW, control=control, weights=weights)
    coef, std_error = by_hand(panel, weights, control)
    np.testing.assert_allclose(found.coef, coef, rtol=1e-9)
    np.testing.assert_allclose(found.std_error, std_error, rtol=1e-9)


def test_recovers_effects_without_noise() -> None:
    found = econ.did.stacked(staggered(effect=2.0, noise=0.0), "y", cohort="cohort", window=WINDOW)
    np.testing.assert_allclose(found.coef, [0.0, 2.0, 2.6, 3.2], atol=1e-12)
    assert found.aggregate("overall").coef[0] == pytest.approx(2.6, abs=1e-12)


def test_coefficients_are_loadings_times_class_means() -> None:
    found = econ.did.stacked(staggered(2, missing=25), "y", cohort="cohort", window=WINDOW)
    assert found.design is not None
    assert found.loadings is not None
    means = found.design.means
    np.testing.assert_allclose(np.einsum("kct,ct->k", found.loadings.values, means), found.coef, rtol=1e-10)
    assert found.weights().query("treated")["weight"].sum() == pytest.approx(1.0)


def test_a_weight_counts_a_unit_that_often() -> None:
    frame = staggered(3).frame
    copies = frame.loc[frame.index.repeat(frame["n"].astype(int))]
    copies = copies.assign(copy=copies.groupby(["unit", "year"]).cumcount())
    weighted = econ.did.stacked(Panel(frame, "unit", "year"), "y", cohort="cohort", window=WINDOW, weights="n")
    repeated = econ.did.stacked(Panel(copies, ["unit", "copy"], "year"), "y", cohort="cohort", window=WINDOW)
    np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-10)


def test_coarser_clusters_add_up_influences() -> None:
    panel = staggered(4)
    found = econ.did.stacked(panel, "y", cohort="cohort", window=WINDOW, vcov=econ.cluster("region", kind="CR0"))
    assert found.n_clusters == (10,)
    assert found.influence is not None
    assert found.design is not None
    codes, labels = found.design.clusters("region")
    sums = found.influence.by_cluster(codes, len(labels))
    np.testing.assert_allclose(found.vcov, sums.T @ sums, rtol=1e-10)


def test_rows_and_units_in_no_stack_are_not_in_the_sample() -> None:
    panel = staggered().where(lambda d: d["cohort"].isna() | (d["cohort"] < 2008))
    found = econ.did.stacked(panel, "y", cohort="cohort", window=(-1, 0))
    assert found.dropped["in no stack"] == 34 * 10 - found.n_obs
    used = panel.frame[found.sample]
    assert set(used["year"]) == {2003, 2004, 2005, 2006}
    assert not ((used["cohort"] == 2004) & (used["year"] >= 2005)).any()


def test_cohorts_without_a_whole_window_are_named() -> None:
    found = econ.did.stacked(staggered(), "y", cohort="cohort", window=(-4, 4))
    assert found.stats["stacks"] == 1
    assert "window is not wholly in the data: 2004, 2008." in found.notes[0]["en"]


def test_cohorts_without_clean_controls_are_named() -> None:
    panel = staggered().where(lambda d: d["cohort"].notna())
    found = econ.did.stacked(panel, "y", cohort="cohort", window=WINDOW)
    assert any("periods without clean controls: 2006, 2008." in note["en"] for note in found.notes)


def test_missing_base_outcomes_leave_the_cohort_out_and_name_it() -> None:
    panel = staggered().assign(y=lambda d: d["y"].mask((d["cohort"] == 2006) & (d["year"] == 2005)))
    found = econ.did.stacked(panel, "y", cohort="cohort", window=WINDOW)
    assert found.stats["stacks"] == 2
    assert any("2006" in note["en"] for note in found.notes)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: econ.did.stacked(p, "y", cohort="cohort", window=(0, 2)), OptionError, r"first <= -1 and last >= 0"),
        (lambda p: econ.did.stacked(p, "y", cohort="cohort", window=(-8, 8)), ModelError, "choose a shorter window"),
        (lambda p: econ.did.stacked(p, "y", cohort="cohort", window=WINDOW, control="nevr"), OptionError, "'never'"),
        (
            lambda p: econ.did.stacked(p, "y", cohort="cohort", window=WINDOW, vcov=econ.iid()),
            OptionError,
            "influence of each unit",
        ),
        (lambda p: econ.did.stacked(p, "y", cohort="d", window=WINDOW), EconError, "changes within"),
        (
            lambda p: econ.did.stacked(
                p.where(lambda d: d["cohort"].notna()), "y", cohort="cohort", window=WINDOW, control="never"
            ),
            ModelError,
            "control='not_yet'",
        ),
        (
            lambda p: econ.did.stacked(p.assign(one=1), "y", cohort="cohort", window=WINDOW, vcov=econ.cluster("one")),
            ModelError,
            "1 cluster",
        ),
    ],
)
def test_bad_input(call: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(staggered())  # type: ignore[operator]


@pytest.mark.parametrize(("outcome", "truth"), [("log(revenue)", 0.08), ("log(patents)", 0.15)])
def test_covers_the_truth_in_simulated_zones(outcome: str, truth: float) -> None:
    panel = econ.load("zones_simulated")
    row = econ.did.stacked(panel, outcome, cohort="demonstration_year", window=(-3, 3)).aggregate("overall").tidy()
    assert row["ci_low"].iloc[0] < truth < row["ci_high"].iloc[0]
