"""Absorption against the slow obvious solver: least squares on dense dummies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.design import blocks, schur
from econ.design.absorb import Absorber, Effect
from econ.errors import ModelError
from econ.linear.fit import FloatArray

Levels = tuple[int, ...]


def make_effect(name: str, values: FloatArray | list[int], slope: FloatArray | None = None) -> Effect:
    found, codes = np.unique(np.asarray(values), return_inverse=True)
    return Effect(name, codes.astype(np.intp), len(found), slope)


def dummies(effects: list[Effect]) -> FloatArray:
    columns = [np.zeros((len(effects[0].codes), 0))]
    for effect in effects:
        table = np.eye(effect.n_levels)[effect.codes]
        columns.append(table if effect.slope is None else table * effect.slope[:, None])
    return np.hstack(columns)


def dense_projection(effects: list[Effect], weights: FloatArray | None) -> FloatArray:
    """(N, N) ``D (D'WD)^- D'W`` from the singular value decomposition of the weighted dummies."""
    D = dummies(effects)
    root = np.ones(len(D)) if weights is None else np.sqrt(weights)
    U, s, _ = np.linalg.svd(root[:, None] * D, full_matrices=False)
    U = U[:, s > 1e-9 * s[0]]
    return (U @ U.T) * root / root[:, None]


def design(kind: str, seed: int) -> list[Effect]:
    """Small designs, each with its own difficulty; rows are in random order unless said otherwise."""
    rng = np.random.default_rng(seed)
    n = 60
    unit, time = np.repeat(np.arange(10), 6), np.tile(np.arange(6), 10)
    keep = rng.permutation(n)[:45]
    t, other = time.astype(float), rng.normal(size=n)
    city = rng.integers(0, 12, n)
    builders = {
        "balanced, sorted": lambda: [make_effect("unit", unit), make_effect("time", time)],
        "one": lambda: [make_effect("unit", unit[keep])],
        "unbalanced": lambda: [make_effect("unit", unit[keep]), make_effect("time", time[keep])],
        "short first": lambda: [make_effect("time", time[keep]), make_effect("unit", unit[keep])],
        "disconnected": lambda: [make_effect("a", 10 * (unit // 5) + city % 4), make_effect("b", unit)],
        "nested": lambda: [make_effect("city", city), make_effect("province", city // 3), make_effect("time", time)],
        "twice": lambda: [make_effect("unit", unit), make_effect("again", unit)],
        "three": lambda: [make_effect("a", city), make_effect("b", rng.integers(0, 7, n)), make_effect("time", time)],
        "trends": lambda: [
            make_effect("unit", unit[keep]),
            make_effect("unit[t]", unit[keep], 2010 + t[keep]),
            make_effect("time", time[keep]),
        ],
        "two slopes": lambda: [
            make_effect("time", time),
            make_effect("unit[t]", unit, t),
            make_effect("unit", unit),
            make_effect("unit[z]", unit, other),
        ],
        "slope only": lambda: [make_effect("unit[[t]]", unit, t), make_effect("time", time)],
        "trends of few": lambda: [make_effect("unit", unit), make_effect("c", time), make_effect("c[z]", time, other)],
        "singletons": lambda: [make_effect("unit", rng.integers(0, 40, n)), make_effect("unit[t]", unit, t)],
        "trend on a singleton": lambda: [make_effect("a", [0, 1, 1, 2]), make_effect("a[t]", [0, 1, 1, 2], t[:4])],
    }
    return builders[kind]()


KINDS = (
    "balanced, sorted",
    "one",
    "unbalanced",
    "short first",
    "disconnected",
    "nested",
    "twice",
    "three",
    "trends",
    "two slopes",
    "slope only",
    "trends of few",
    "singletons",
    "trend on a singleton",
)


@pytest.fixture(params=["direct", "iterative", "small chunks"])
def solver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The solver is chosen by size; here each design goes through each of them."""
    if request.param == "iterative":
        monkeypatch.setattr(schur, "_direct", schur._iterative)
    if request.param == "small chunks":
        monkeypatch.setattr(blocks, "CHUNK_ROWS", 7)
    return str(request.param)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_residuals_are_those_of_dense_dummies(kind: str, weighted: bool, solver: str) -> None:
    effects = design(kind, 1)
    rng = np.random.default_rng(2)
    n = len(effects[0].codes)
    weights = rng.uniform(0.2, 5, n) if weighted else None
    columns = rng.normal(size=(n, 3)) + 10
    expected = columns - dense_projection(effects, weights) @ columns
    given_columns = columns.copy()
    np.testing.assert_allclose(Absorber(effects, weights).residualize(columns), expected, atol=1e-8)
    np.testing.assert_array_equal(columns, given_columns)
    np.testing.assert_allclose(Absorber(effects, weights).residualize(columns[:, 1]), expected[:, 1], atol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_leverage_is_the_diagonal_of_the_projection(kind: str, weighted: bool) -> None:
    effects = design(kind, 3)
    n = len(effects[0].codes)
    weights = np.random.default_rng(4).uniform(0.2, 5, n) if weighted else None
    expected = np.diag(dense_projection(effects, weights))
    np.testing.assert_allclose(Absorber(effects, weights).leverage(), expected, atol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_levels_add_up_to_what_was_fitted(kind: str, weighted: bool, solver: str) -> None:
    effects = design(kind, 5)
    rng = np.random.default_rng(6)
    n = len(effects[0].codes)
    weights = rng.uniform(0.2, 5, n) if weighted else None
    y = rng.normal(size=n)
    absorber = Absorber(effects, weights)
    fitted = y - absorber.residualize(y)
    found = absorber.levels(fitted)
    assert list(found) == [effect.name for effect in effects]
    total = sum(found[e.name][e.codes] * (1.0 if e.slope is None else e.slope) for e in effects)
    np.testing.assert_allclose(total, fitted, atol=1e-7)
    intercepts = [effect.name for effect in effects if effect.slope is None]
    assert all(found[name][0] == 0 for name in intercepts[1:])


def test_levels_of_a_connected_panel_are_the_effects_that_made_it() -> None:
    rng = np.random.default_rng(0)
    unit, time = np.repeat(np.arange(30), 8), np.tile(np.arange(8), 30)
    a, trend, b = rng.normal(size=30), rng.normal(size=30), np.append(0.0, rng.normal(size=7))
    b[-1] = 0.0  # a common trend is in the unit trends already: two periods fix it
    unit_trends = Effect("unit[t]", unit, 30, time.astype(float))
    absorber = Absorber([make_effect("unit", unit), unit_trends, make_effect("time", time)])
    found = absorber.levels(a[unit] + trend[unit] * time + b[time])
    drift = found["time"][-1] / 7
    np.testing.assert_allclose(found["time"] - drift * np.arange(8), b, atol=1e-9)
    np.testing.assert_allclose(found["unit"], a, atol=1e-9)
    np.testing.assert_allclose(found["unit[t]"] + drift, trend, atol=1e-9)


def test_new_weights_are_a_new_absorber() -> None:
    effects = design("three", 7)
    rng = np.random.default_rng(8)
    x, w = rng.normal(size=60), rng.uniform(1, 2, 60)
    absorber = Absorber(effects)
    before = absorber.residualize(x)
    reweighted = absorber.new_weights(w)
    np.testing.assert_array_equal(reweighted.residualize(x), Absorber(effects, w).residualize(x))
    np.testing.assert_array_equal(absorber.residualize(x), before)
    np.testing.assert_array_equal(reweighted.new_weights(None).residualize(x), before)


def test_counting_is_fixest_s() -> None:
    effects = design("trends", 0)
    assert Absorber(effects).n_effects_rank == 10 + 10 + 6 - 1
    assert Absorber(design("nested", 0)).n_effects_rank == 12 + 4 + 6 - 2
    assert Absorber(design("slope only", 0)).n_effects_rank == 10 + 6
    assert Absorber([]).n_effects_rank == 0


def test_no_effects_leave_columns_as_they_are() -> None:
    x = np.arange(6.0).reshape(3, 2)
    out = Absorber([]).residualize(x)
    np.testing.assert_array_equal(out, x)
    assert not np.shares_memory(out, x)
    assert Absorber([]).levels(x[:, 0]) == {}
    with pytest.raises(ModelError, match="no fixed effects"):
        Absorber([]).leverage()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["two", "three", "slopes"])
def test_sparse_effects_by_conjugate_gradients(kind: str, weighted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schur, "_direct", schur._iterative)
    rng = np.random.default_rng(9)
    n = 200
    effects = [make_effect("worker", rng.integers(0, 60, n)), make_effect("firm", rng.integers(0, 50, n))]
    if kind == "three":
        effects.append(make_effect("sector", rng.integers(0, 9, n)))
    if kind == "slopes":
        effects.append(Effect("firm[z]", effects[1].codes, effects[1].n_levels, rng.normal(size=n)))
    weights = rng.uniform(0.5, 2, n) if weighted else None
    x = rng.normal(size=(n, 2)) + np.linspace(0, 9, effects[1].n_levels)[effects[1].codes][:, None]
    expected = x - dense_projection(effects, weights) @ x
    np.testing.assert_allclose(Absorber(effects, weights).residualize(x), expected, atol=1e-8)


def test_many_levels_beside_the_largest_choose_the_iterative_solver() -> None:
    rng = np.random.default_rng(9)
    n = 20_000
    effects = [make_effect("worker", rng.integers(0, 5_000, n)), make_effect("firm", rng.integers(0, 2_000, n))]
    absorber = Absorber(effects)
    left = absorber.residualize(rng.normal(size=n))
    assert absorber._design is not None
    assert isinstance(absorber._design.system, schur._Iterative)
    for effect in effects:
        assert np.abs(np.bincount(effect.codes, left)).max() < 1e-6


def test_a_column_the_effects_span_leaves_rounding_only(solver: str) -> None:
    effects = design("three", 11)
    rng = np.random.default_rng(12)
    spanned = 1e6 * (1 + rng.normal(size=12)[effects[0].codes] + rng.normal(size=6)[effects[2].codes])
    assert np.abs(Absorber(effects).residualize(spanned)).max() < 1e-3 * (1 if solver == "iterative" else 1e-5)


def test_a_few_huge_weights_do_not_spoil_the_projection(solver: str) -> None:
    effects = design("unbalanced", 13)
    rng = np.random.default_rng(14)
    weights = 10.0 ** rng.uniform(-4, 4, 45)
    x = rng.normal(size=45)
    left = Absorber(effects, weights).residualize(x)
    sums = dummies(effects).T @ (weights * left)
    assert np.abs(sums).max() < 1e-6 * np.abs(dummies(effects).T @ (weights * np.abs(x))).max()


def test_messages_name_the_effects() -> None:
    rng = np.random.default_rng(15)
    chain = np.arange(3_001)
    ladder = [make_effect("worker", np.repeat(chain, 2)), make_effect("firm", np.append(0, np.repeat(chain, 2)[:-1]))]
    with pytest.raises(ModelError, match=r"worker \+ firm could not be taken out in 5 rounds.*Merge or drop"):
        Absorber(ladder, max_iter=5).residualize(rng.normal(size=6_002))
    with pytest.raises(ModelError, match=r"system of 3,001 levels.*at most 3,000 are within reach.*CR1, HC1"):
        Absorber(ladder).leverage()
    with pytest.raises(ModelError, match=r"'gap' has 5 levels, of which 2 have rows"):
        Absorber([Effect("gap", np.array([0, 4, 4], dtype=np.intp), 5)])


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Effect], FloatArray | None, FloatArray]:
    n = draw(st.integers(4, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    effects = [make_effect(f"f{q}", rng.integers(0, size, n)) for q, size in enumerate(sizes)]
    if draw(st.booleans()):
        effects.append(Effect("f0[z]", effects[0].codes, effects[0].n_levels, rng.normal(size=n)))
    weights = rng.uniform(0.1, 3, n) if draw(st.booleans()) else None
    return effects, weights, rng.normal(size=(n, 2))


@settings(max_examples=60, deadline=None)
@given(problems())
def test_projection_properties(problem: tuple[list[Effect], FloatArray | None, FloatArray]) -> None:
    effects, weights, x = problem
    absorber = Absorber(effects, weights)
    left = absorber.residualize(x)
    w = np.ones(len(x)) if weights is None else weights
    np.testing.assert_allclose(dummies(effects).T @ (w[:, None] * left), 0, atol=1e-7)  # orthogonal to every dummy
    np.testing.assert_allclose(absorber.residualize(left), left, atol=1e-7)  # idempotent
    shift = np.linspace(-3, 3, effects[0].n_levels)[effects[0].codes][:, None]
    np.testing.assert_allclose(absorber.residualize(x + shift), left, atol=1e-7)  # shifts of a level leave no trace


@settings(max_examples=40, deadline=None)
@given(problems(), st.integers(0, 2**32 - 1))
def test_row_order_does_not_matter(problem: tuple[list[Effect], FloatArray | None, FloatArray], seed: int) -> None:
    effects, weights, x = problem
    rows = np.random.default_rng(seed).permutation(len(x))
    shuffled = [Effect(e.name, e.codes[rows], e.n_levels, None if e.slope is None else e.slope[rows]) for e in effects]
    absorber = Absorber(shuffled, None if weights is None else weights[rows])
    original = Absorber(effects, weights)
    np.testing.assert_allclose(absorber.residualize(x[rows]), original.residualize(x)[rows], atol=1e-7)
    np.testing.assert_allclose(absorber.leverage(), original.leverage()[rows], atol=1e-7)
