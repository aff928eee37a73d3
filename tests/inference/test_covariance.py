"""Every estimator against its double-sum definition, its dummy-variable form, other packages, and its invariances."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dense_fits import absorbed, dummies, effect, least_squares, random_panel, with_dummies
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.errors import DataError, ModelError, OptionError
from econ.inference.covariance import (
    Layout,
    Vcov,
    cluster,
    conley,
    covariance,
    driscoll_kraay,
    hetero,
    iid,
    newey_west,
)
from econ.inference.layout import count_parameters
from econ.linear.fit import FloatArray, LinearFit

Y, X, COLUMNS = random_panel()
WEIGHTS = np.random.default_rng(5).uniform(0.5, 2.0, Y.size)
ONE = np.column_stack((np.ones(Y.size), X))


def layout_of(columns: dict[str, np.ndarray]) -> Layout:
    return Layout(columns, unit=columns["unit"], time=columns["time"])


def pair_weights(rule: str) -> FloatArray:
    """(N, N) the weight of each pair of rows in the meat."""
    c = COLUMNS
    same = {name: c[name][:, None] == c[name][None, :] for name in ("unit", "region", "time")}
    gap = np.abs(c["time"][:, None] - c["time"][None, :])
    near = haversine_km(c["lon"], c["lat"])
    return {
        "HC0": np.eye(Y.size),
        "one way": same["unit"],
        "two way": same["unit"] | same["time"],
        "three way": same["unit"] | same["time"] | same["region"],
        "dk": np.clip(1 - gap / 3, 0, None),
        "nw": same["unit"] * np.clip(1 - gap / 3, 0, None),
        "conley": near <= 700,
        "conley same": (near <= 700) & same["time"],
        "conley bartlett": np.clip(1 - near / 700, 0, None),
    }[rule].astype(float)


def haversine_km(lon: FloatArray, lat: FloatArray) -> FloatArray:
    """(N, N) great-circle distances by the haversine formula."""
    lam, phi = np.radians(lon), np.radians(lat)
    a = np.sin((phi[:, None] - phi) / 2) ** 2
    a += np.cos(phi)[:, None] * np.cos(phi) * np.sin((lam[:, None] - lam) / 2) ** 2
    return 2 * 6371.0088 * np.arcsin(np.sqrt(a))


def without_negative_eigenvalues(V: FloatArray, bread: FloatArray) -> FloatArray:
    unit = np.diag(1 / np.sqrt(np.diag(bread)))
    values, vectors = np.linalg.eigh(unit @ V @ unit)
    assert values.min() < 0
    return np.linalg.inv(unit) @ vectors @ np.diag(np.maximum(values, 0)) @ vectors.T @ np.linalg.inv(unit)


DOUBLE_SUMS: list[tuple[str, Vcov]] = [
    ("HC0", hetero("HC0")),
    ("one way", cluster("unit", kind="CR0")),
    ("two way", cluster("unit", "time", kind="CR0")),
    ("three way", cluster("unit", "time", "region", kind="CR0")),
    ("dk", driscoll_kraay(2, small_sample=False)),
    ("nw", newey_west(2)),
    ("conley", conley(700)),
    ("conley same", conley(700, periods="same")),
    ("conley bartlett", conley(700, kernel="bartlett")),
]


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("rule", "spec"), DOUBLE_SUMS, ids=[rule for rule, _ in DOUBLE_SUMS])
def test_equals_the_double_sum_over_pairs_of_rows(rule: str, spec: Vcov, weights: FloatArray | None) -> None:
    fit = least_squares(Y, ONE, weights)
    result = covariance(spec, fit, layout_of(COLUMNS))
    scores = ONE * fit.weighted_residuals[:, None]
    V = fit.bread @ scores.T @ pair_weights(rule) @ scores @ fit.bread
    expected = (V if not result.notes else without_negative_eigenvalues(V, fit.bread)) * result.factor
    np.testing.assert_allclose(result.matrix, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


ALL_SPECS: list[Vcov] = [
    iid(),
    *(hetero(kind) for kind in ("HC0", "HC1", "HC2", "HC3")),
    *(cluster("unit", kind=kind) for kind in ("CR0", "CR2", "CR3", "CV3")),
    cluster("unit", effects_counted="all"),
    cluster("region", kind="CR2"),
    cluster("time", kind="CR2"),
    driscoll_kraay(2, small_sample=False),
]


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("absorb", ["unit", "time", "unit time", "unit slope"])
@pytest.mark.parametrize("spec", ALL_SPECS, ids=str)
def test_absorbing_effects_equals_dummies(spec: Vcov, absorb: str, weights: FloatArray | None) -> None:
    effects = {
        "unit": [effect("unit", COLUMNS["unit"])],
        "time": [effect("time", COLUMNS["time"])],
        "unit time": [effect("unit", COLUMNS["unit"]), effect("time", COLUMNS["time"])],
        "unit slope": [
            effect("unit", COLUMNS["unit"]),
            effect("unit[t]", COLUMNS["unit"], COLUMNS["time"] + 0.5),
        ],
    }[absorb]
    place = {"columns": COLUMNS, "unit": COLUMNS["unit"], "time": COLUMNS["time"]}
    short = covariance(spec, *absorbed(Y, X, effects, weights, **place))
    long = covariance(spec, *with_dummies(Y, X, effects, weights, **place))
    np.testing.assert_allclose(short.matrix, long.matrix[:2, :2], rtol=1e-8)
    np.testing.assert_allclose(short.dof, long.dof[:2], rtol=1e-8)


def test_k_does_not_count_nested_effects() -> None:
    """fixest's manual, ``?ssc``: with fe1 (3 levels) and fe2 (5 levels), clustering by fe1 counts x and fe2, K = 6."""
    fe1, fe2 = effect("fe1", np.repeat([0, 1, 2], [4, 3, 3])), effect("fe2", np.repeat(np.arange(5), 2))
    layout = Layout(effects=(fe1, fe2), n_effects_rank=7)
    assert count_parameters(layout, 1, [fe1.codes]) == 6
    assert count_parameters(layout, 1, []) == 8
    assert count_parameters(layout, 1, [fe1.codes, fe2.codes]) == 2


def test_effects_nested_in_a_coarser_cluster_are_found_without_names() -> None:
    unit = effect("unit", COLUMNS["unit"])
    by_unit, by_region = (
        covariance(cluster(name), *absorbed(Y, X, [unit], columns=COLUMNS)) for name in ("unit", "region")
    )
    N, K = Y.size, 3
    assert by_unit.factor == pytest.approx(9 / 8 * (N - 1) / (N - K))
    assert by_region.factor == pytest.approx(3 / 2 * (N - 1) / (N - K))


def test_calendar_gaps_break_the_lag() -> None:
    """With data in years 0 and 2 only, one lag adds nothing."""
    time = np.tile([0, 2], 10)
    rng = np.random.default_rng(0)
    fit = least_squares(rng.normal(size=20), np.column_stack((np.ones(20), rng.normal(size=20))))
    layout = Layout(unit=np.repeat(np.arange(10), 2), time=time)
    for spec in (driscoll_kraay, newey_west):
        np.testing.assert_allclose(
            covariance(spec(1), fit, layout).matrix, covariance(spec(0), fit, layout).matrix, rtol=1e-12
        )


def test_default_lags_are_the_fourth_root_of_the_number_of_periods() -> None:
    time = np.arange(200) % 16
    fit = least_squares(np.sin(np.arange(200.0)), np.column_stack((np.ones(200), np.cos(np.arange(200.0)))))
    layout = Layout(unit=np.arange(200) // 16, time=time)
    assert "2 lags, 16 periods" in covariance(driscoll_kraay(), fit, layout).words_en
    np.testing.assert_array_equal(
        covariance(newey_west(), fit, layout).matrix, covariance(newey_west(2), fit, layout).matrix
    )


def test_conley_distances_cross_the_date_line_and_reach_around_the_globe() -> None:
    fit = least_squares(np.array([1.0, -2.0, 4.0, 5.0]), np.ones((4, 1)))
    layout = Layout({"lon": np.array([179.9, -179.9, 180.1, 0.0]), "lat": np.zeros(4)})
    s = fit.residuals
    near = (s[:3].sum() ** 2 + s[3] ** 2) / 16
    assert covariance(conley(50), fit, layout).matrix[0, 0] == pytest.approx(near)
    with pytest.raises(ModelError, match="zero up to rounding"):  # every pair counts, and the residuals add up to zero
        covariance(conley(21_000), fit, layout)


def test_conley_counts_unit_effects_only_when_periods_are_kept_apart() -> None:
    N = Y.size
    fit, layout = absorbed(Y, X, [effect("unit", COLUMNS["unit"])], columns=COLUMNS, time=COLUMNS["time"])
    assert covariance(conley(100), fit, layout).factor == pytest.approx((N - 1) / (N - 3))
    assert covariance(conley(100, periods="same"), fit, layout).factor == pytest.approx((N - 1) / (N - 11))


def test_negative_eigenvalues_are_set_to_zero_and_noted() -> None:
    """Residuals of four rows cancel within g and within h, those of four others stand alone.

    The variance of the sum of the coefficients, from the first four, would be negative; of their difference it is not.
    """
    g, h = np.array([0, 0, 1, 1, 2, 3, 4, 5]), np.array([0, 1, 0, 1, 2, 3, 4, 5])
    X = np.column_stack((np.ones(8), np.repeat([1.0, -1.0], 4)))
    fit = LinearFit(np.zeros(2), np.eye(2) / 8, X, np.tile([1.0, -1.0, -1.0, 1.0], 2))
    result = covariance(cluster("g", "h", kind="CR0"), fit, Layout({"g": g, "h": h}))
    np.testing.assert_allclose(result.matrix, np.array([[1, -1], [-1, 1]]) / 16, rtol=1e-12)
    assert "negative eigenvalues were set to zero" in result.notes[0]["en"]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_standard_errors_that_are_rounding_are_refused(scale: float) -> None:
    """Two periods, unit and period effects: the scores of each period add up to zero, whatever the data."""
    rng = np.random.default_rng(2)
    unit, time = np.repeat(np.arange(20), 2), np.tile([0, 1], 20)
    effects = [effect("unit", unit), effect("time", time)]
    place = {"columns": {"time": time, "unit": unit}, "unit": unit, "time": time}
    fit, layout = absorbed(
        scale * rng.normal(size=40), rng.normal(size=(40, 2)), effects, rng.uniform(1, 2, 20)[unit], **place
    )
    for spec in (driscoll_kraay(), cluster("time")):
        with pytest.raises(ModelError, match="are zero up to rounding for 2 of 2 coefficients"):
            covariance(spec, fit, layout)
    assert (covariance(newey_west(), fit, layout).std_error > 0).all()


def test_a_perfect_fit_is_not_refused_for_its_small_standard_errors() -> None:
    fit = least_squares(ONE @ [1.0, 2.0, 3.0], ONE)
    for spec in (hetero(), cluster("unit"), driscoll_kraay(2)):
        assert np.isfinite(covariance(spec, fit, layout_of(COLUMNS)).matrix).all()


def test_rows_fitted_exactly_add_nothing_to_hc3() -> None:
    x = np.array([[0.0], [0.0], [0.0], [1.0]])
    fit = least_squares(np.array([1.0, 2.0, 4.0, 9.0]), np.hstack((np.ones((4, 1)), x)))
    result = covariance(hetero("HC3"), fit, Layout())
    assert np.isfinite(result.matrix).all()
    (note,) = result.notes
    assert note["en"] == "1 rows with leverage 1 are fitted exactly and add nothing to the covariance."


def test_poisson_model_based_covariance_is_the_inverse_information() -> None:
    fit = least_squares(Y, ONE, WEIGHTS)
    result = covariance(iid(), fit, Layout(dispersion=1.0))
    np.testing.assert_allclose(result.matrix, fit.bread * (Y.size - 1) / (Y.size - 3))


def invariant_specs() -> list[Vcov]:
    return [
        iid(),
        hetero("HC3"),
        cluster("unit"),
        cluster("unit", "time"),
        cluster("unit", kind="CR2"),
        driscoll_kraay(1),
        newey_west(2),
        conley(600),
        conley(600, periods="same"),
    ]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.floats(1e-6, 1e6), min_size=3, max_size=3))
def test_units_of_measure_only_rescale(seed: int, scales: list[float]) -> None:
    y, X, columns = random_panel(seed)
    X = np.column_stack((np.ones(y.size), X))
    s = np.array([1.0, *scales[:2]])
    for spec in invariant_specs():
        before = covariance(spec, least_squares(y, X), layout_of(columns))
        after = covariance(spec, least_squares(scales[2] * y, X * s), layout_of(columns))
        np.testing.assert_allclose(after.std_error * s / scales[2], before.std_error, rtol=1e-6)
        np.testing.assert_allclose(after.dof, before.dof, rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_row_order_and_cluster_labels_do_not_matter(seed: int) -> None:
    y, X, columns = random_panel(seed)
    rng = np.random.default_rng(seed)
    order, names = rng.permutation(y.size), rng.permutation(1000)
    moved = {name: values[order] for name, values in columns.items()}
    moved["unit"] = names[moved["unit"]]
    effects = [effect("unit", columns["unit"])]
    moved_effects = [effect("unit", moved["unit"])]
    for spec in invariant_specs():
        place = {"unit": columns["unit"], "time": columns["time"]}
        before = covariance(spec, *absorbed(y, X, effects, columns=columns, **place))
        place = {"unit": moved["unit"], "time": moved["time"] + 1990}
        after = covariance(spec, *absorbed(y[order], X[order], moved_effects, columns=moved, **place))
        np.testing.assert_allclose(after.matrix, before.matrix, rtol=1e-8, atol=1e-12)
        assert after.words_en == before.words_en


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_one_row_per_cluster_is_the_heteroskedastic_form(seed: int) -> None:
    y, X, _ = random_panel(seed)
    layout = Layout({"row": np.arange(y.size)})
    fit = least_squares(y, X, np.random.default_rng(seed).uniform(0.5, 2, y.size))
    for clustered, robust in (("CR0", "HC0"), ("CR1", "HC1"), ("CR2", "HC2"), ("CR3", "HC3")):
        a = covariance(cluster("row", kind=clustered), fit, layout).matrix
        b = covariance(hetero(robust), fit, layout).matrix
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_text_and_sparse_integer_clusters_are_grouped_by_value() -> None:
    fit = least_squares(Y, ONE)
    codes = COLUMNS["unit"]
    as_codes = covariance(cluster("g"), fit, Layout({"g": codes}))
    for other in (
        codes * 10**12 + 7,
        np.array([f"unit {c}" for c in codes]),
        codes.astype(float),
        codes.astype(object),
    ):
        again = covariance(cluster("g"), fit, Layout({"g": other}))
        np.testing.assert_allclose(again.matrix, as_codes.matrix, rtol=1e-12)
        assert again.n_clusters == (9,)


BAD: list[tuple[Vcov, Layout, type[Exception], str]] = [
    (cluster("g"), Layout({"g": np.zeros(Y.size, dtype=int)}), ModelError, "finds 1 cluster"),
    (cluster("g"), Layout({"g": np.where(np.arange(Y.size) < 3, -1, 1)}), DataError, "missing in 3 of"),
    (cluster("g"), Layout({"g": np.where(np.arange(Y.size) < 3, np.nan, 1.0)}), DataError, "missing in 3 of"),
    (cluster("g"), Layout({"h": np.arange(Y.size)}), OptionError, "columns given are: h"),
    (driscoll_kraay(7), layout_of(COLUMNS), OptionError, "from 0 to 6"),
    (newey_west(7), layout_of(COLUMNS), OptionError, "from 0 to 6"),
    (newey_west(1), Layout(unit=COLUMNS["region"], time=COLUMNS["time"]), DataError, "more than once"),
    (newey_west(1), Layout(time=COLUMNS["time"]), ModelError, "needs the unit"),
    (driscoll_kraay(), Layout(), ModelError, "needs the period"),
    (driscoll_kraay(), Layout(time=np.zeros(Y.size, dtype=int)), ModelError, "has 1 period"),
    (
        conley(100),
        Layout({"lon": COLUMNS["lon"] + 300, "lat": COLUMNS["lat"]}),
        DataError,
        "'lon' is missing or outside",
    ),
    (conley(100), Layout({"lon": COLUMNS["lon"], "lat": COLUMNS["lat"] * np.nan}), DataError, "'lat' is missing"),
    (hetero("HC2"), Layout(effects=(effect("unit", COLUMNS["unit"]),)), ModelError, "leverage"),
    (iid(), Layout(n_effects_rank=Y.size), ModelError, "no degrees of freedom"),
]


@pytest.mark.parametrize(("spec", "layout", "error", "words"), BAD, ids=[words for *_, words in BAD])
def test_unusable_input_is_refused(spec: Vcov, layout: Layout, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        covariance(spec, least_squares(Y, ONE), layout)


def test_the_same_numbers_under_every_hash_seed() -> None:
    """Names of effects and clusters must not meet a set: other software's two-way counts depend on the hash seed."""
    script = """
import numpy as np
from dense_fits import absorbed, effect, random_panel
from econ.inference.covariance import cluster, covariance
y, X, columns = random_panel(3)
effects = [effect(name, columns[name]) for name in ("unit", "time", "region")]
for spec in (cluster("unit", "time"), cluster("region"), cluster("unit", kind="CR2")):
    result = covariance(spec, *absorbed(y, X, effects, columns=columns))
    print([value.hex() for value in result.matrix.ravel()], result.factor.hex(), result.words_en)
"""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1])])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_statsmodels_agrees_on_grunfeld() -> None:
    api = pytest.importorskip("statsmodels.api")
    data = api.datasets.grunfeld.load_pandas().data.sort_values(["firm", "year"])
    firm, year = (np.unique(data[name], return_inverse=True)[1] for name in ("firm", "year"))
    X = np.column_stack((np.ones(len(data)), data[["value", "capital"]]))
    y = data["invest"].to_numpy()
    fit, layout = least_squares(y, X), Layout({"firm": firm, "year": year}, unit=firm, time=year)
    model = api.OLS(y, X)
    pairs = [
        (iid(), model.fit()),
        *((hetero(kind), model.fit(cov_type=kind)) for kind in ("HC0", "HC1", "HC2", "HC3")),
        (cluster("firm"), model.fit(cov_type="cluster", cov_kwds={"groups": firm})),
        (
            cluster("firm", "year", groups="own"),
            model.fit(cov_type="cluster", cov_kwds={"groups": np.column_stack((firm, year))}),
        ),
    ]
    for spec, expected in pairs:
        np.testing.assert_allclose(covariance(spec, fit, layout).matrix, expected.cov_params(), rtol=1e-8)
    bare = {"use_correction": False}
    kraay = model.fit(cov_type="hac-groupsum", cov_kwds={"time": year, "maxlags": 2, **bare})
    np.testing.assert_allclose(
        covariance(driscoll_kraay(2, small_sample=False), fit, layout).matrix, kraay.cov_params(), rtol=1e-8
    )
    panel = model.fit(cov_type="hac-panel", cov_kwds={"groups": firm, "maxlags": 2, **bare})
    newey = covariance(newey_west(2), fit, layout)
    np.testing.assert_allclose(newey.matrix / newey.factor, panel.cov_params(), rtol=1e-8)


def test_linearmodels_agrees_on_weighted_effects() -> None:
    linear = pytest.importorskip("linearmodels.panel")
    import pandas as pd

    frame = pd.DataFrame(X, columns=["x1", "x2"]).assign(y=Y, w=WEIGHTS, unit=COLUMNS["unit"], time=COLUMNS["time"])
    frame = frame.set_index(["unit", "time"])
    model = linear.PanelOLS(frame["y"], frame[["x1", "x2"]], entity_effects=True, weights=frame["w"])
    effects = [effect("unit", COLUMNS["unit"])]
    fit, layout = absorbed(Y, X, effects, WEIGHTS, columns=COLUMNS, time=COLUMNS["time"])
    np.testing.assert_allclose(fit.coef, model.fit().params, rtol=1e-8)
    expected = model.fit(cov_type="clustered", cluster_entity=True, group_debias=True, debiased=False)
    ours = covariance(cluster("unit", kind="CR0"), fit, layout).matrix * 9 / 8 * (Y.size - 1) / Y.size
    np.testing.assert_allclose(ours, expected.cov, rtol=1e-8)


@pytest.mark.parametrize("kind", ["iid", "hetero", {"CRV1": "unit"}, {"CRV1": "region"}], ids=str)
def test_pyfixest_agrees_with_one_effect(kind: str | dict[str, str]) -> None:
    pyfixest = pytest.importorskip("pyfixest")
    import pandas as pd

    frame = pd.DataFrame(X, columns=["x1", "x2"]).assign(y=Y, **COLUMNS)
    expected = pyfixest.feols("y ~ x1 + x2 | unit", frame, vcov=kind)
    spec = {"iid": iid(), "hetero": hetero()}[kind] if isinstance(kind, str) else cluster(kind["CRV1"])
    result = covariance(spec, *absorbed(Y, X, [effect("unit", COLUMNS["unit"])], columns=COLUMNS))
    np.testing.assert_allclose(result.std_error, expected.se(), rtol=1e-6)


def test_dummies_helper_has_full_rank() -> None:
    D = dummies([effect("unit", COLUMNS["unit"]), effect("time", COLUMNS["time"])])
    assert D.shape[1] == 9 + 7 - 1
