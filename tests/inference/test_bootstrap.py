"""The wild cluster bootstrap against regressions with dummies, draw by draw."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from dense_fits import absorbed, dummies, effect, least_squares, random_panel

from econ.design.absorb import Absorber
from econ.errors import ModelError, OptionError
from econ.inference import partial
from econ.inference import wild as wild_module
from econ.inference.bootstrap import WildTest, wild_cluster_bootstrap
from econ.inference.covariance import Layout, Vcov, cluster, covariance, hetero
from econ.inference.partial import Clusters, by_clusters, by_levels
from econ.inference.wild import Wild, weighted_sums, wild
from econ.linear.fit import FloatArray, LinearFit

Y, X, COLUMNS = random_panel(seed=11)
WEIGHTS = np.random.default_rng(6).uniform(0.5, 2.0, Y.size)
ONE, BOTH = [[1.0, 0.0]], [[1.0, 0.0], [1.0, -1.0]]


def fitted(absorb: Sequence[str], weights: FloatArray | None = None, y: FloatArray = Y) -> tuple[LinearFit, Layout]:
    effects = [effect(name, COLUMNS[name]) for name in absorb]
    if effects:
        return absorbed(y, X, effects, weights, columns=COLUMNS)
    return least_squares(y, X, weights), Layout(COLUMNS)


def bootstrapped(
    absorb: Sequence[str],
    groups: str,
    method: Wild,
    R: list[list[float]] = ONE,
    r: Sequence[float] = (0.8,),
    weights: FloatArray | None = None,
    level: float = 0.95,
) -> WildTest:
    fit, layout = fitted(absorb, weights)
    return wild_cluster_bootstrap(fit, layout, cluster(groups), np.array(R), np.array(r), method, level)


def by_regression(
    absorb: Sequence[str],
    groups: str,
    method: Wild,
    R: list[list[float]],
    r: Sequence[float],
    weights: FloatArray | None,
    n_draws: int,
) -> FloatArray:
    """The statistics of the first draws, each from a regression of its outcome with all effects as dummies."""
    effects = [effect(name, COLUMNS[name]) for name in absorb]
    D = dummies(effects) if effects else np.empty((len(Y), 0))
    Z, g = np.hstack((X, D)), np.unique(COLUMNS[groups], return_inverse=True)[1]
    RZ = np.hstack((np.array(R), np.zeros((len(R), D.shape[1]))))
    fit, (short, layout) = least_squares(Y, Z, weights), fitted(absorb, weights)
    factor = covariance(cluster(groups), short, layout).factor
    coef, null = fit.coef, RZ @ fit.coef
    if method.kind == "restricted":
        null = np.array(r)
        coef = coef - fit.bread @ RZ.T @ np.linalg.solve(RZ @ fit.bread @ RZ.T, RZ @ coef - null)
    eye = np.eye(g.max() + 1)
    draws = np.concatenate([V for V, _ in weighted_sums(method, eye, eye)])[:n_draws]
    statistics = []
    for v in draws:
        star = least_squares(Z @ coef + v[g] * (Y - Z @ coef), Z, weights)
        scores = eye[g].T @ (Z * star.weighted_residuals[:, None])
        V = RZ @ star.bread @ scores.T @ scores @ star.bread @ RZ.T * factor
        gap = RZ @ star.coef - null
        statistics.append(gap[0] / np.sqrt(V[0, 0]) if len(R) == 1 else gap @ np.linalg.solve(V, gap) / len(R))
    return np.array(statistics)


@pytest.mark.parametrize("kind", ["restricted", "unrestricted"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("groups", ["unit", "time"])
@pytest.mark.parametrize("absorb", [(), ("unit",), ("time",), ("unit", "time"), ("region", "time")], ids=str)
def test_equals_a_regression_with_dummies_in_every_draw(
    absorb: tuple[str, ...], groups: str, weights: FloatArray | None, kind: str
) -> None:
    for R, r in ((ONE, [0.8]), (BOTH, [0.8, 0.1])):
        method = wild(99, kind, "webb")  # type: ignore[arg-type]
        found = bootstrapped(absorb, groups, method, R, r, weights).distribution[:25]
        np.testing.assert_allclose(found, by_regression(absorb, groups, method, R, r, weights, 25), rtol=1e-8)


@pytest.mark.parametrize("name", ["rademacher", "mammen"])
def test_equals_a_regression_with_dummies_under_other_weights(name: str) -> None:
    method = wild(99, weights=name)  # type: ignore[arg-type]
    found = bootstrapped(("unit", "time"), "unit", method).distribution[:40]
    np.testing.assert_allclose(found, by_regression(("unit", "time"), "unit", method, ONE, [0.8], None, 40), rtol=1e-8)


def test_equals_a_regression_with_dummies_when_draws_share_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MANY_CLUSTERS": 9, "SHARING": 4, "SEGMENTS": 3}.items():
        monkeypatch.setattr(wild_module, name, value)
    method = wild(99)
    found = bootstrapped(("unit", "time"), "unit", method).distribution[:40]
    np.testing.assert_allclose(found, by_regression(("unit", "time"), "unit", method, ONE, [0.8], None, 40), rtol=1e-8)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(
    "absorb", [("unit", "time"), ("region", "time"), ("unit", "trend", "time"), ("time",)], ids=str
)
def test_by_levels_and_by_clusters_are_the_projection(absorb: tuple[str, ...], weights: FloatArray | None) -> None:
    """``x_h'W [P_D (v c)]_h`` with P_D formed outright; three columns, the first two directions."""
    trend = effect("trend", COLUMNS["unit"], np.cos(COLUMNS["time"].astype(float)))
    effects = [trend if name == "trend" else effect(name, COLUMNS[name]) for name in absorb]
    W = np.ones(len(Y)) if weights is None else weights
    columns = Absorber(effects, weights, tol=1e-13).residualize(np.column_stack((X, Y)))
    D, g = dummies(effects), COLUMNS["unit"]
    P = D @ np.linalg.solve(D.T @ (D * W[:, None]), D.T * W)
    v = np.random.default_rng(3).normal(size=9)
    expected = np.array(
        [[x * W @ ((g == h) * (P @ (v[g] * c))) for h in range(9)] for x in columns.T[:2] for c in columns.T]
    )
    for way in (by_levels, by_clusters):
        left, right = way(Layout(effects=tuple(effects)), weights, Clusters(g, 9), columns, 2)
        found = np.einsum("jhl,cgl,g->jch", left, right, v).reshape(6, 9)
        np.testing.assert_allclose(found, expected, atol=1e-9)


# ---- null values


def test_the_distribution_at_another_null_needs_no_new_draws() -> None:
    """The interval's ends are where the p-values of tests run anew pass 5 per cent."""
    found = bootstrapped(("unit", "time"), "unit", wild(999))
    assert found.ci_low is not None
    assert found.ci_high is not None
    for end, outwards in ((found.ci_low, -1e-6), (found.ci_high, 1e-6)):
        inside = bootstrapped(("unit", "time"), "unit", wild(999), r=[end - outwards]).p_value
        outside = bootstrapped(("unit", "time"), "unit", wild(999), r=[end + outwards]).p_value
        assert inside > 0.05 >= outside


def test_unrestricted_intervals_are_symmetric() -> None:
    found = bootstrapped(("unit", "time"), "unit", wild(999, "unrestricted"))
    estimate = fitted(("unit", "time"))[0].coef[0]
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_high - estimate == pytest.approx(estimate - found.ci_low, rel=1e-6)


def test_the_interval_does_not_depend_on_the_null() -> None:
    first, second = (bootstrapped(("unit",), "unit", wild(999), r=[null]) for null in (0.0, 1.3))
    assert (first.ci_low, first.ci_high) == pytest.approx((second.ci_low, second.ci_high), rel=1e-7)
    assert first.p_value != second.p_value


def test_a_higher_level_gives_a_wider_interval() -> None:
    narrow, wide = (bootstrapped(("unit",), "unit", wild(999), level=level) for level in (0.8, 0.95))
    assert wide.ci_low is not None
    assert wide.ci_high is not None
    assert narrow.ci_low is not None
    assert narrow.ci_high is not None
    assert wide.ci_low < narrow.ci_low < narrow.ci_high < wide.ci_high


def one_treated_cluster(method: Wild, n_clusters: int = 10) -> WildTest:
    """The effect is zero; cluster means, one of them treated, have a standard deviation of about 1."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(n_clusters), 12)
    D = np.column_stack((np.ones(len(groups)), (groups == 0).astype(float)))
    y = rng.normal(size=n_clusters)[groups] + rng.normal(size=len(groups))
    fit, layout = least_squares(y, D), Layout({"g": groups})
    return wild_cluster_bootstrap(fit, layout, cluster("g"), np.array([[0.0, 1.0]]), np.array([0.0]), method)


@pytest.mark.parametrize(("kind", "shortest", "longest"), [("restricted", 8.0, 40.0), ("unrestricted", 0.0, 2.0)])
def test_with_one_treated_cluster_neither_kind_is_to_be_trusted(kind: str, shortest: float, longest: float) -> None:
    """MacKinnon and Webb (2017). An honest interval is about 5 long."""
    found = one_treated_cluster(wild(9999, kind))  # type: ignore[arg-type]
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert shortest < found.ci_high - found.ci_low < longest


def test_an_interval_that_no_value_bounds_is_infinite() -> None:
    """Four clusters have 16 sign vectors and no p-value below 1/8."""
    found = one_treated_cluster(wild(999), 4)
    assert (found.ci_low, found.ci_high) == (-np.inf, np.inf)
    assert found.p_value >= 2 / 16


# ---- ties and enumeration


def test_an_enumeration_holds_the_sample_and_its_mirror_image() -> None:
    found = bootstrapped(("unit", "time"), "unit", wild(9999))
    assert found.enumerated
    assert len(found.distribution) == 2**9
    assert found.distribution[0] == pytest.approx(found.statistic, rel=1e-9)
    assert found.distribution[-1] == pytest.approx(-found.statistic, rel=1e-9)
    assert found.n_ties == 2


def test_ties_are_counted() -> None:
    found = bootstrapped((), "unit", wild(9999), r=[-40.0])
    assert found.p_value == 2 / 2**9
    assert found.p_value_equal_tailed == 2 / 2**9


def test_an_enumeration_does_not_depend_on_the_seed_or_the_order_of_clusters() -> None:
    first = bootstrapped(("unit", "time"), "unit", wild(9999))
    fit, layout = fitted(("unit", "time"))
    relabelled = replace(layout, columns={"unit": (COLUMNS["unit"] * 5 + 3) % 9})
    second = wild_cluster_bootstrap(
        fit, relabelled, cluster("unit"), np.array(ONE), np.array([0.8]), wild(9999, seed=9)
    )
    assert (first.p_value, first.p_value_equal_tailed) == (second.p_value, second.p_value_equal_tailed)
    assert (first.ci_low, first.ci_high) == pytest.approx((second.ci_low, second.ci_high), rel=1e-7)


def test_weights_of_mammen_repeat_the_sample_when_all_are_equal() -> None:
    """t* is t whenever all clusters get the same weight, (0.7236^7 + 0.2764^7) of the draws."""
    found = bootstrapped(("unit",), "time", wild(9999, weights="mammen"))
    p = (np.sqrt(5) + 1) / (2 * np.sqrt(5))
    assert found.n_ties / 9999 == pytest.approx(p**7 + (1 - p) ** 7, abs=0.01)


# ---- what it says and refuses


def test_the_statistic_is_the_regression_s_own() -> None:
    fit, layout = fitted(("unit", "time"), WEIGHTS)
    found = bootstrapped(("unit", "time"), "unit", wild(99), r=[0.0], weights=WEIGHTS)
    assert found.statistic == pytest.approx(fit.coef[0] / covariance(cluster("unit"), fit, layout).std_error[0])


def test_the_scale_of_the_data_does_not_matter() -> None:
    fit, layout = fitted(("unit", "time"))
    scaled = LinearFit(fit.coef * 1e4, fit.bread * 1e6, fit.X * 1e-3, fit.residuals * 10)
    args = cluster("unit"), np.array(ONE), np.array([0.0])
    first, second = (wild_cluster_bootstrap(f, layout, *args, wild(999)) for f in (fit, scaled))
    np.testing.assert_allclose(first.distribution, second.distribution, rtol=1e-9)
    assert first.ci_low is not None
    assert second.ci_low == pytest.approx(first.ci_low * 1e4, rel=1e-6)


@pytest.mark.parametrize("spec", [hetero(), cluster("unit", "time"), cluster("unit", kind="CR2")], ids=str)
def test_refuses_other_covariances(spec: Vcov) -> None:
    fit, layout = fitted(("unit",))
    with pytest.raises(OptionError, match="cluster by one column with kind='CR1'"):
        wild_cluster_bootstrap(fit, layout, spec, np.array(ONE), np.array([0.0]), wild(99))


def test_refuses_restrictions_that_repeat_each_other() -> None:
    with pytest.raises(ModelError, match="singular covariance"):
        bootstrapped(("unit",), "unit", wild(99), [[1.0, 0.0], [2.0, 0.0]], [0.0, 0.0])


def test_refuses_too_many_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial, "MAX_CELLS", 20)
    with pytest.raises(ModelError, match="Cluster by a column that nests those effects"):
        bootstrapped(("unit", "time"), "unit", wild(99))
