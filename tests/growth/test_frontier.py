"""Stochastic frontiers: Frontier 4.1's example, likelihoods by integration, other parametrisations, refusals.

``front41.csv`` is the example data of Coelli (1996), A Guide to FRONTIER Version 4.1 (output, capital, labour of 60
firms); the numbers named after it are those of its output file EG1.OUT.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, special, stats
from statsmodels.tools.numdiff import approx_fprime, approx_hess

import econ
from econ import FormulaError, ModelError, OptionError, Panel
from econ.growth import FrontierEstimate, frontier
from econ.growth.frontier_likelihood import FrontierData, _evaluate

COBB_DOUGLAS = "log(output) ~ log(capital) + log(labour)"
TRUNCATED = {"inefficiency": "truncated_normal"}
MODELS = {
    "half-normal": {},
    "truncated": TRUNCATED,
    "covariates": TRUNCATED | {"covariates": ["w"]},
    "constant": {"path": "constant"},
    "constant, truncated": {"path": "constant"} | TRUNCATED,
    "decay": {"path": "decay"},
    "decay, truncated": {"path": "decay"} | TRUNCATED,
}


def front41() -> Panel:
    return Panel(pd.read_csv(Path(__file__).parent / "front41.csv"), unit="firm")


def simulated(model: str, N: int = 60, T: int = 5, seed: int = 0) -> pd.DataFrame:
    """Frontier 1 + 0.6 x, noise 0.2, inefficiency of scale 0.5 before truncation, unbalanced."""
    rng = np.random.default_rng(seed)
    asked = MODELS[model]
    path, truncated = asked.get("path", "independent"), "inefficiency" in asked
    d = pd.DataFrame([(f"u{i:02d}", 2010 + t) for i in range(N) for t in range(T)], columns=["unit", "year"])
    d["x"], d["w"] = rng.normal(size=(2, len(d)))
    mean = 0.4 * truncated + (0.3 * d["w"].to_numpy() if "covariates" in asked else np.zeros(len(d)))
    if path != "independent":
        mean = np.full(N, 0.4 * truncated)
    q = stats.norm.cdf(-mean / 0.5)
    u = mean + 0.5 * stats.norm.ppf(q + (1 - q) * rng.uniform(size=len(mean)))
    if path != "independent":
        u = np.repeat(u, T)
    share = np.exp(0.1 * (2010 + T - 1 - d["year"])) if path == "decay" else 1.0
    d["y"] = 1 + 0.6 * d["x"] + 0.2 * rng.normal(size=len(d)) - share * u
    return d.drop(index=[3, 11, 12])


def estimated(d: pd.DataFrame, model: str, vcov: object = None, kind: str = "production") -> FrontierEstimate:
    return frontier(Panel(d, "unit", "year"), "y ~ x", kind=kind, vcov=vcov, **MODELS[model])  # type: ignore[arg-type]


def parameters(found: FrontierEstimate) -> dict[str, float]:
    return dict(found.params)


def groups(d: pd.DataFrame, model: str) -> list[pd.DataFrame]:
    if "path" in MODELS[model]:
        return [own for _, own in d.groupby("unit")]
    return [d.iloc[[k]] for k in range(len(d))]


class Group:
    """A group's outcomes and u: integrals over u of their joint density."""

    def __init__(self, own: pd.DataFrame, p: dict[str, float], last: int) -> None:
        self.s_u, self.s_v = np.sqrt(p["gamma"] * p["sigma2"]), np.sqrt((1 - p["gamma"]) * p["sigma2"])
        self.m = p.get("inefficiency(Intercept)", 0.0) + p.get("inefficiency(w)", 0.0) * own["w"].iloc[0]
        self.h = np.exp(-p.get("decay", 0.0) * (own["year"] - last)).to_numpy()
        self.e = (own["y"] - p["Intercept"] - p["x"] * own["x"]).to_numpy()
        self.end = max(self.m, 0) + 10 * self.s_u

    def density(self, u: float) -> float:
        noise = np.prod(stats.norm.pdf(self.e + self.h * u, scale=self.s_v))
        return float(noise * stats.norm.pdf(u, self.m, self.s_u) / stats.norm.sf(-self.m / self.s_u))

    def integral(self, weight: Callable[[float], float], end: float | None = None) -> float:
        end = self.end if end is None else end
        points = [end / 20, end / 5]
        return float(integrate.quad(lambda u: weight(u) * self.density(u), 0, end, limit=200, points=points)[0])

    def mean(self, weight: Callable[[float], float]) -> float:
        return self.integral(weight) / self.integral(lambda _: 1.0)

    def share_below(self, end: float) -> float:
        return self.integral(lambda _: 1.0, end) / self.integral(lambda _: 1.0)


@pytest.mark.parametrize("model", MODELS)
def test_likelihood_and_efficiencies_are_those_of_the_integral(model: str) -> None:
    d = simulated(model)
    found = estimated(d, model)
    p, last = parameters(found), int(d["year"].max())
    scores = found.scores.set_index(["unit", "period"])
    drawn = [Group(own, p, last) for own in groups(d, model)]
    total = sum(np.log(group.integral(lambda _: 1.0)) for group in drawn)
    assert found.stats["loglik"] == pytest.approx(total, abs=1e-5)
    for own, group in list(zip(groups(d, model), drawn, strict=True))[::29]:
        said, h = scores.loc[(own["unit"].iloc[0], own["year"].iloc[0])], float(group.h[0])
        assert said["efficiency"] == pytest.approx(group.mean(lambda u, h=h: np.exp(-h * u)), rel=1e-6)
        assert said["inefficiency"] == pytest.approx(group.mean(lambda u, h=h: h * u), rel=1e-6)
        shares = [group.share_below(-np.log(said[name]) / h) for name in ("ci_low", "ci_high")]
        assert shares == pytest.approx([0.975, 0.025], abs=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("model", MODELS)
def test_scores_are_the_derivatives(model: str, sign: int) -> None:
    d = simulated(model)
    path, M = MODELS[model].get("path", "independent"), ("inefficiency" in MODELS[model]) + (model == "covariates")
    group = np.arange(len(d)) if path == "independent" else pd.factorize(d["unit"])[0]
    first = np.unique(group, return_index=True)[1]
    Z = np.column_stack([np.ones(len(d)), d["w"]])[first][:, :M]
    age = (d["year"].max() - d["year"]).to_numpy(float) if path == "decay" else None
    X = np.column_stack([np.ones(len(d)), d["x"]])
    rng = np.random.default_rng(1)
    data = FrontierData(d["y"].to_numpy(), X, Z, group, age, sign)
    theta = np.concatenate([[1, 0.6], 0.3 * np.ones(M), [-1.2, 1.0], [0.1] * (path == "decay")])
    theta = theta + 0.2 * rng.normal(size=len(theta))
    numeric = approx_fprime(theta, lambda at: _evaluate(data, at).loglik, centered=True)
    np.testing.assert_allclose(_evaluate(data, theta).scores.sum(axis=0), numeric, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_true_values_are_found(model: str) -> None:
    found = estimated(simulated(model, N=600, seed=4), model, econ.iid())
    true = {"Intercept": 1, "x": 0.6, "sigma2": 0.29, "gamma": 0.25 / 0.29, "decay": 0.1, "inefficiency(w)": 0.3}
    for term, value, error in zip(found.terms, found.coef, found.std_error, strict=True):
        assert abs(value - true.get(term, 0.4)) < 3.5 * error


def half_normal(theta: np.ndarray, y: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Rows' log density in the form of Aigner, Lovell and Schmidt; theta: slopes, sigma2, gamma."""
    *b, s2, share = theta
    e, s, ratio = y - X @ np.array(b), np.sqrt(s2), np.sqrt(share / (1 - share))
    return np.asarray(np.log(2 / s) + stats.norm.logpdf(e / s) + special.log_ndtr(-e * ratio / s))


def test_covariances_of_the_half_normal() -> None:
    d = simulated("half-normal")
    y, X = d["y"].to_numpy(), np.column_stack([np.ones(len(d)), d["x"]])
    iid = estimated(d, "half-normal", econ.iid())
    best = optimize.minimize(lambda at: -half_normal(at, y, X).sum(), iid.coef, method="Nelder-Mead", tol=1e-12)
    np.testing.assert_allclose(iid.coef, best.x, atol=1e-5)
    H = approx_hess(iid.coef, lambda at: -half_normal(at, y, X).sum())
    n, K = len(y), len(iid.coef)
    np.testing.assert_allclose(iid.vcov, np.linalg.inv(H) * (n - 1) / (n - K), rtol=1e-3)
    S = approx_fprime(iid.coef, lambda at: half_normal(at, y, X), centered=True)
    clustered = estimated(d, "half-normal")
    by_unit = pd.DataFrame(S).groupby(d["unit"].to_numpy()).sum().to_numpy()
    G = len(by_unit)
    V = np.linalg.inv(H) @ by_unit.T @ by_unit @ np.linalg.inv(H) * G / (G - 1) * (n - 1) / (n - K)
    np.testing.assert_allclose(clustered.vcov, V, rtol=5e-3)
    assert clustered.n_clusters == (G,)


def test_clusters_by_unit_where_units_draw_once() -> None:
    """Each unit's score is the derivative of the log of its integral."""
    d = simulated("constant", N=25, T=4)
    found = estimated(d, "constant")
    iid = estimated(d, "constant", econ.iid())
    n, K = found.n_obs, len(found.coef)
    last = int(d["year"].max())

    def by_unit(theta: np.ndarray) -> np.ndarray:
        p = dict(zip(found.terms, theta, strict=True))
        drawn = [Group(own, p, last) for own in groups(d, "constant")]
        return np.log([group.integral(lambda _: 1.0) for group in drawn])

    S = approx_fprime(found.coef, by_unit, epsilon=1e-4, centered=True)
    bread = iid.vcov / ((n - 1) / (n - K))
    V = bread @ S.T @ S @ bread * 25 / 24 * (n - 1) / (n - K)
    np.testing.assert_allclose(found.vcov, V, rtol=1e-3, atol=1e-8)


def test_frontier_41_example() -> None:
    found = frontier(front41(), COBB_DOUGLAS, vcov=econ.iid())
    # FRONTIER stops when a step is below 1e-5: its likelihood, -17.027229, is a little lower
    np.testing.assert_allclose(found.coef, [0.56161963, 0.28110205, 0.53647981, 0.21700046, 0.79720730], atol=1e-5)
    assert found.stats["loglik"] == pytest.approx(-17.027229, abs=5e-6)
    assert found.stats["loglik"] >= -17.027229
    test = found.test("no_inefficiency")
    assert test.statistic == pytest.approx(2.8392402, abs=2e-5)
    assert test.p_value == pytest.approx(stats.chi2.sf(2.8392402, 1) / 2, abs=1e-5)
    efficiency = found.scores["efficiency"]
    said = [0.65068880, 0.82889151, 0.72642592, 0.74785113, 0.69133584]
    np.testing.assert_allclose(efficiency[:5], said, atol=2e-6)
    assert efficiency.iloc[34] == pytest.approx(0.35126244, abs=2e-6)
    assert found.stats["mean_efficiency"] == pytest.approx(0.74056772, abs=1e-6)


def test_frontier_41_data_with_a_truncated_normal() -> None:
    """R's spfrontier 0.2 demonstrates 0.46453, 0.28327, 0.54098, sigma_v 0.22762, sigma_u 0.91568, mu -2.84150."""
    found = frontier(front41(), COBB_DOUGLAS, inefficiency="truncated_normal", vcov=econ.iid())
    np.testing.assert_allclose(found.coef[:4], [0.46453, 0.28327, 0.54098, -2.84150], atol=6e-5)
    assert (found.stats["sigma_v"], found.stats["sigma_u"]) == pytest.approx((0.22762, 0.91568), abs=1.5e-5)


def test_a_cost_frontier_is_a_production_frontier_upside_down() -> None:
    d = simulated("decay")
    up = estimated(d, "decay")
    down = estimated(d.assign(y=-d["y"]), "decay", kind="cost")
    np.testing.assert_allclose(down.coef[:2], -up.coef[:2], rtol=1e-6)
    np.testing.assert_allclose(down.coef[2:], up.coef[2:], rtol=1e-6)
    np.testing.assert_allclose(down.scores["efficiency"], up.scores["efficiency"], rtol=1e-6)


def test_an_intercept_alone_among_covariates_is_the_truncated_normal() -> None:
    """And a covariate that is shifted moves the constant of inefficiency alone."""
    d = simulated("covariates")
    a = estimated(d, "covariates")
    b = estimated(d.assign(w=10 + 4 * d["w"]), "covariates")
    k = a.terms.index("inefficiency(w)")
    assert b.coef[k] == pytest.approx(a.coef[k] / 4, rel=1e-5)
    assert b.std_error[k] == pytest.approx(a.std_error[k] / 4, rel=1e-4)
    assert b.coef[k - 1] == pytest.approx(a.coef[k - 1] - 10 * b.coef[k], rel=1e-5)
    np.testing.assert_allclose(np.delete(a.coef, [k - 1, k]), np.delete(b.coef, [k - 1, k]), rtol=1e-5)


def test_the_test_of_no_inefficiency_is_a_mixture() -> None:
    d = simulated("decay, truncated")
    found = estimated(d, "decay, truncated")
    test = found.test("no_inefficiency")
    X, y = np.column_stack([np.ones(len(d)), d["x"]]), d["y"].to_numpy()
    u = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    none = stats.norm.logpdf(u, scale=np.sqrt(np.mean(u**2))).sum()
    assert test.statistic == pytest.approx(2 * (found.stats["loglik"] - none), rel=1e-9)
    assert test.dof == (3.0,)
    assert test.p_value == pytest.approx((stats.chi2.sf(test.statistic, 2) + stats.chi2.sf(test.statistic, 3)) / 2)


def test_rows_without_a_covariate_are_left_out_and_scores_stand_in_the_order_of_the_panel() -> None:
    d = simulated("covariates")
    d["w"] = d["w"].mask(d.index == 20)
    found = estimated(d.sample(frac=1, random_state=0), "covariates")
    assert found.dropped == {"missing w": 1}
    assert len(found.scores) == found.n_obs == len(d) - 1
    again = FrontierEstimate.from_json(found.to_json())
    pd.testing.assert_frame_equal(again.scores, found.scores)
    sorted_panel = estimated(d, "covariates").scores.sort_values(["unit", "period"], ignore_index=True)
    shuffled = found.scores.sort_values(["unit", "period"], ignore_index=True)
    pd.testing.assert_frame_equal(shuffled, sorted_panel, rtol=1e-6)


def test_tables_and_notes() -> None:
    found = estimated(simulated("decay, truncated"), "decay, truncated")
    assert any("a ratio to the frontier if y is a logarithm" in note["en"] for note in found.notes)
    assert not frontier(front41(), COBB_DOUGLAS).notes
    technology = Panel(simulated("half-normal").rename(columns={"y": "technology"}), "unit", "year")
    assert frontier(technology, "technology ~ x").notes
    assert not frontier(technology.assign(log_y=lambda d: d["technology"]), "log_y ~ x").notes
    english, chinese = (econ.report.table([found], lang=lang).markdown() for lang in ("en", "zh"))
    for text, words in (
        (english, ("Inefficiency: Constant", "γ", "η")),
        (chinese, ("无效率：常数项", "无效率衰减参数η")),
    ):
        assert all(word in text for word in words)


def test_residuals_skewed_to_the_wrong_side_are_an_error() -> None:
    d = simulated("half-normal")
    with pytest.raises(ModelError, match=r"no inefficiency to find.*skewness.*is positive; here it is -\d"):
        estimated(d, "half-normal", kind="cost")
    with pytest.raises(ModelError, match="no inefficiency to find"):
        estimated(d.assign(y=-d["y"]), "half-normal")


def test_a_frontier_without_noise_is_an_error() -> None:
    d = simulated("half-normal")
    rng = np.random.default_rng(0)
    with pytest.raises(ModelError, match="without noise"):
        estimated(d.assign(y=1 + d["x"] - rng.exponential(0.2, size=len(d)) * 1.0), "half-normal")


def test_an_exponential_inefficiency_has_no_truncated_normal() -> None:
    d = simulated("truncated", N=400)
    rng = np.random.default_rng(3)
    u = rng.gamma(0.5, 0.6, size=len(d))
    with pytest.raises(ModelError, match="exponential"):
        estimated(d.assign(y=1 + d["x"] + 0.1 * rng.normal(size=len(d)) - u), "truncated")


@pytest.mark.parametrize(
    ("formula", "options", "error", "words"),
    [
        ("y ~ x", {"inefficiency": "gamma"}, OptionError, "half_normal"),
        ("y ~ x", {"path": "battese"}, OptionError, "constant"),
        ("y ~ x", {"kind": "profit"}, OptionError, "production"),
        ("y ~ x", {"covariates": ["w"]}, OptionError, "inefficiency='truncated_normal'"),
        ("y ~ x", TRUNCATED | {"covariates": "w"}, OptionError, "give a list"),
        ("y ~ x", TRUNCATED | {"covariates": ["w", "2 * w"]}, ModelError, "others span them"),
        ("y ~ x", TRUNCATED | {"covariates": ["one"]}, ModelError, "do not vary"),
        ("y ~ x", TRUNCATED | {"covariates": ["nothing"]}, FormulaError, "no column 'nothing'"),
        ("y ~ x | unit", {}, FormulaError, "no fixed effects"),
        ("y ~ x | year", {}, FormulaError, r"C\(year\)"),
        ("y ~ 1", {}, ModelError, "No regressor"),
        ("y ~ x", {"vcov": econ.hetero("HC3")}, OptionError, "HC1"),
        ("y ~ x", {"vcov": econ.cluster("unit", kind="CR2")}, OptionError, "CR1"),
        ("y ~ x", {"vcov": econ.driscoll_kraay()}, OptionError, "not allowed for a frontier"),
        ("y ~ x", {"path": "constant", "vcov": econ.hetero("HC1")}, OptionError, "path='constant'"),
        ("y ~ x", {"path": "constant", "vcov": econ.cluster("year")}, OptionError, "split the rows of a unit"),
        ("x ~ x2", {}, ModelError, "exactly"),
    ],
)
def test_bad_input(formula: str, options: dict[str, object], error: type[Exception], words: str) -> None:
    p = Panel(simulated("half-normal").assign(one=1.0, x2=lambda d: 2 * d["x"] + 1), "unit", "year")
    with pytest.raises(error, match=words):
        frontier(p, formula, **options)  # type: ignore[arg-type]


def test_panels_that_cannot_tell_are_refused() -> None:
    d = simulated("half-normal")
    one = Panel(d.drop_duplicates("unit"), "unit", "year")
    with pytest.raises(ModelError, match="more than once"):
        frontier(one, "y ~ x", path="decay")
    with pytest.raises(OptionError, match="no time column"):
        frontier(Panel(d.drop_duplicates("unit"), "unit"), "y ~ x", path="constant")
    with pytest.raises(ModelError, match="4 rows cannot tell 4 parameters"):
        frontier(Panel(d.head(4), "unit", "year"), "y ~ x")
