"""Treatments that rise, fall, switch off again or have doses: by hand, and on designs where the truth is known."""

import numpy as np
import pandas as pd
import pytest

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.did.switchers import switchers
from tests.did.designs import growing_effects


def doses(seed: int = 0, noise: float = 1.0) -> Panel:
    """40 units over eight years, three treatments at the start, changes up and down, some later ones across it."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(40):
        start, first = rng.choice([0.0, 1.0, 2.0]), rng.choice([2003, 2004, 2005, 2099])
        level, d, x = rng.normal(), start, 0.0
        for year in range(2001, 2009):
            if year == first:
                d = rng.choice([v for v in (0.0, 1.0, 2.0, 3.0) if v != start])
            elif year > first and rng.uniform() < 0.2:
                d = rng.choice([0.0, 1.0, 2.0, 3.0])
            x += rng.normal()
            y = level + 0.2 * (year - 2001) * (1 + start) + 0.5 * (d - start) + 0.3 * x + noise * rng.normal()
            rows.append((i, year, y, d, x, i // 4, 1.0 + i % 3))
    return Panel(pd.DataFrame(rows, columns=["unit", "year", "y", "d", "x", "region", "n"]), "unit", "year")


def with_gaps(panel: Panel) -> Panel:
    frame = panel.frame.copy()
    frame.loc[frame.sample(15, random_state=1).index, "y"] = np.nan
    return Panel(frame.drop(frame.sample(8, random_state=2).index), "unit", "year")


class ByHand:
    """One effect or placebo by the definition: loops over units, dictionaries of cells."""

    def __init__(self, panel: Panel, outcome: str = "y", weight: str | None = None) -> None:
        frame = panel.frame
        self.periods = sorted(frame["year"].unique())
        self.w = {u: (1.0 if weight is None else f[weight].iloc[0]) for u, f in frame.groupby("unit")}
        self.cluster = {u: u for u in self.w}
        self.Y, self.D, self.F, self.start = {}, {}, {}, {}
        for u, f in frame.sort_values("year").groupby("unit"):
            own = dict(zip(f["year"], f["d"], strict=True))
            self.start[u] = f["d"].iloc[0]
            self.F[u] = next((t for t in own if own[t] != self.start[u]), np.inf)
            up = down = False
            for t, y in zip(f["year"], f[outcome], strict=True):
                up, down = up or own[t] > self.start[u], down or own[t] < self.start[u]
                if not (up and down) and np.isfinite(y):
                    self.Y[u, t] = y
            self.D[u] = own

    def change(self, u: int, t: int, k: int, placebo: bool) -> float | None:
        j = self.periods.index(t)
        at = [j, j - k] + ([j - 2 * k] if placebo else [])
        if min(at) < 0 or any((u, self.periods[a]) not in self.Y for a in at):
            return None
        later = self.Y[u, self.periods[at[-1] if placebo else at[0]]]
        return later - self.Y[u, self.periods[j - k]]

    def effect(self, k: int, placebo: bool = False, sign: float | None = None) -> tuple[float, float, float, float]:
        """Estimate, standard error by unit or cluster, size, mean cumulated dose."""
        cells = {}
        for u, F in self.F.items():
            j = self.periods.index(F) + k - 1 if np.isfinite(F) else len(self.periods)
            if j >= len(self.periods):
                continue
            t = self.periods[j]
            S = np.sign(self.D[u][F] - self.start[u])
            own = self.change(u, t, k, placebo)
            others = {v: self.change(v, t, k, placebo) for v in self.F if self.start[v] == self.start[u]}
            others = {v: c for v, c in others.items() if c is not None and self.F[v] > t}
            if own is not None and others and sign in (None, S):
                cells[u] = (t, S, own, others)
        N = sum(self.w[u] for u in cells)
        psi = dict.fromkeys(self.F, 0.0)
        estimate = dose = 0.0
        for u, (t, S, own, others) in cells.items():
            W = sum(self.w[v] for v in others)
            estimate += self.w[u] / N * S * (own - sum(self.w[v] * c for v, c in others.items()) / W)
            span = self.periods[self.periods.index(self.F[u]) : self.periods.index(t) + 1]
            given = [self.D[u].get(s, self.D[u][self.F[u]]) for s in span]
            dose += self.w[u] / N * S * sum(d - self.start[u] for d in given)
            same = {v: c for v, c in cells.items() if c[:2] == (t, S) and self.start[v] == self.start[u]}
            union = {v: c[2] for v, c in same.items()} | others
            cohort = {v: c[2] for v, c in same.items() if self.D[v][self.F[v]] == self.D[u][self.F[u]]}
            psi[u] += S * self.w[u] / N * self.deviation(own, cohort, union)
            for v, c in others.items():
                psi[v] -= S * self.w[u] / N * self.w[v] / W * self.deviation(c, others, union)
        sums: dict[int, float] = {}
        for u, value in psi.items():
            sums[self.cluster[u]] = sums.get(self.cluster[u], 0.0) + value
        return estimate, float(np.sqrt(sum(s**2 for s in sums.values()))), N, dose

    def deviation(self, value: float, group: dict[int, float], union: dict[int, float]) -> float:
        used = group if len({self.cluster[v] for v in group}) > 1 else union
        n = len({self.cluster[v] for v in used})
        mean = sum(self.w[v] * c for v, c in used.items()) / sum(self.w[v] for v in used)
        return (value - mean) * np.sqrt(n / (n - 1))


@pytest.mark.parametrize("panel", [doses(), with_gaps(doses())], ids=["balanced", "gaps"])
@pytest.mark.parametrize("only", [None, "in", "out"])
def test_effects_and_placebos_equal_the_definition(panel: Panel, only: str | None) -> None:
    found = switchers(panel, "y", treatment="d", effects=3, placebos=2, only=only)
    hand, sign = ByHand(panel), {None: None, "in": 1.0, "out": -1.0}[only]
    for row, (k, placebo) in enumerate([(2, True), (1, True), (1, False), (2, False), (3, False)]):
        estimate, std_error, size, _ = hand.effect(k, placebo, sign)
        assert found.coef[row] == pytest.approx(estimate, rel=1e-10)
        assert found.std_error[row] == pytest.approx(std_error, rel=1e-10)
        assert found.effects.size[row] == size
    assert found.effects.event_time.tolist() == [-3, -2, 0, 1, 2]
    assert found.spec["reference"] == -1


def test_weights_and_clusters_equal_the_definition() -> None:
    panel = with_gaps(doses(3))
    hand = ByHand(panel, weight="n")
    hand.cluster = dict(zip(panel.frame["unit"], panel.frame["region"], strict=True))
    vcov = econ.cluster("region", kind="CR0")
    found = switchers(panel, "y", treatment="d", effects=2, placebos=1, weights="n", vcov=vcov)
    for row, (k, placebo) in enumerate([(1, True), (1, False), (2, False)]):
        estimate, std_error, size, _ = hand.effect(k, placebo)
        np.testing.assert_allclose(found.coef[row], estimate, rtol=1e-10)
        np.testing.assert_allclose(found.std_error[row], std_error, rtol=1e-10)
        assert found.effects.size[row] == pytest.approx(size)


def test_normalised_effects_divide_by_the_dose_received() -> None:
    panel = with_gaps(doses(1))
    plain = switchers(panel, "y", treatment="d", effects=3, placebos=1)
    per_dose = switchers(panel, "y", treatment="d", effects=3, placebos=1, normalized=True)
    hand = ByHand(panel)
    dose = np.array([hand.effect(k, placebo)[3] for k, placebo in [(1, True), (1, False), (2, False), (3, False)]])
    np.testing.assert_allclose(per_dose.coef[:4], plain.coef[:4] / dose, rtol=1e-10)
    np.testing.assert_allclose(per_dose.std_error[:4], plain.std_error[:4] / dose, rtol=1e-10)
    assert per_dose.coef[4] == plain.coef[4]
    assert [len(row) for row in per_dose.spec["lag_weights"].values()] == [1, 1, 2, 3]
    assert all(sum(row) == pytest.approx(1) for row in per_dose.spec["lag_weights"].values())


def test_the_average_total_effect_divides_effects_by_doses_over_all_periods() -> None:
    panel = doses(2)
    found = switchers(panel, "y", treatment="d", effects=3)
    hand = ByHand(panel)
    parts = [hand.effect(k) for k in (1, 2, 3)]
    effects = sum(size * estimate for estimate, _, size, _ in parts)
    frame = panel.frame.set_index(["unit", "year"])["d"]
    dose = 0.0
    for k in (1, 2, 3):
        for u, F in hand.F.items():
            if (u, F - 1 + k) in hand.Y and np.isfinite(F) and _has_comparison(hand, u, F - 1 + k):
                dose += np.sign(frame[u, F] - hand.start[u]) * (frame[u, F - 1 + k] - hand.start[u])
    assert found.terms[-1] == "average_total_effect"
    assert found.coef[-1] == pytest.approx(effects / dose, rel=1e-10)


def _has_comparison(hand: ByHand, u: int, t: int) -> bool:
    return any(hand.start[v] == hand.start[u] and hand.F[v] > t for v in hand.F)


def test_without_noise_the_effect_per_unit_of_treatment_is_recovered() -> None:
    panel = doses(4, noise=0.0).assign(y=lambda d: d["y"] - 0.3 * d["x"])
    found = switchers(panel, "y", treatment="d", effects=3, placebos=2, normalized=True)
    np.testing.assert_allclose(found.coef[:2], 0, atol=1e-12)
    assert found.coef[2] == pytest.approx(0.5, abs=1e-12)
    assert found.coef[-1] == pytest.approx(0.5, abs=1e-12)


def test_a_treatment_that_stays_on_gives_callaway_santanna_against_the_not_yet_treated() -> None:
    panel = growing_effects()
    ours = switchers(panel, "y", treatment="d", effects=4)
    theirs = econ.did.callaway_santanna(panel, "y", cohort="cohort", control="not_yet").aggregate("event")
    rows = [theirs.terms.index(f"event_time::{e}") for e in range(4)]
    np.testing.assert_allclose(ours.coef[:4], theirs.coef[rows], rtol=1e-10)
    assert ours.coef[-1] == pytest.approx(ours.aggregate("overall").coef[0], rel=1e-12)


def test_same_switchers_keep_one_set_of_units() -> None:
    panel = with_gaps(doses())
    found = switchers(panel, "y", treatment="d", effects=3, placebos=1, same_switchers=True)
    after = found.effects.size[found.effects.event_time >= 0]
    loose = switchers(panel, "y", treatment="d", effects=3)
    assert len(set(after)) == 1
    assert after[0] < loose.effects.size[-1] or after[0] == loose.effects.size.min()
    assert loose.effects.size[0] > after[0]


def test_covariates_equal_the_regression_of_changes_with_period_dummies() -> None:
    panel = with_gaps(doses(5))
    frame = panel.frame.sort_values(["unit", "year"])
    hand = ByHand(panel)
    frame["known"] = [(u, t) in hand.Y for u, t in zip(frame["unit"], frame["year"], strict=True)]
    frame["start"] = frame["unit"].map(hand.start)
    before = frame.groupby("unit").shift(1)
    used = frame["known"] & before["known"].eq(True) & (before["year"] == frame["year"] - 1)
    used &= frame["year"] < frame["unit"].map(hand.F)
    slopes = {}
    for start, rows in frame[used].groupby("start"):
        change = rows[["y", "x"]] - before.loc[rows.index, ["y", "x"]].astype(float)
        X = np.column_stack([change["x"], pd.get_dummies(rows["year"]).to_numpy(float)])
        slopes[start] = np.linalg.lstsq(X, change["y"].to_numpy(float), rcond=None)[0][0]
    adjusted = Panel(frame.assign(y=frame["y"] - frame["start"].map(slopes) * frame["x"]), "unit", "year")
    found = switchers(panel, "y", treatment="d", effects=3, placebos=1, covariates=["x"])
    by_hand = switchers(adjusted, "y", treatment="d", effects=3, placebos=1)
    np.testing.assert_allclose(found.coef, by_hand.coef, rtol=1e-9)
    assert (found.std_error != by_hand.std_error).all()


def test_a_covariate_that_explains_everything_leaves_the_effect() -> None:
    panel = doses(6, noise=0.0)
    found = switchers(panel, "y", treatment="d", effects=2, covariates=["x"], normalized=True)
    assert found.coef[-1] == pytest.approx(0.5, abs=1e-10)


def test_a_missing_treatment_just_before_the_change_leaves_the_unit_out() -> None:
    panel = growing_effects()
    damaged = panel.assign(d=lambda d: d["d"].mask((d["unit"] == 7) & (d["year"] == 2005)))
    found = switchers(damaged, "y", treatment="d", effects=1)
    assert found.dropped == {"missing d": 1}
    assert found.effects.size.tolist() == [9.0]
    assert any(note["en"].endswith(": 7.") and "In no effect" in note["en"] for note in found.notes)


def test_rows_are_left_out_from_where_on_the_treatment_was_on_both_sides_of_its_start() -> None:
    panel = growing_effects().assign(d=lambda d: d["d"].mask((d["unit"] == 2) & (d["year"] >= 2005), -1.0))
    found = switchers(panel, "y", treatment="d", effects=9)
    assert found.dropped == {"treatment has been above and below its start": 4}
    assert found.effects.size.tolist() == [10.0, 10.0, 10.0, 4.0, 4.0, 4.0, 4.0]
    assert any("both above and below its start: 2." in note["en"] for note in found.notes)
    assert any("event times 7, 8;" in note["en"] for note in found.notes)


def test_periods_count_in_order_whatever_the_gaps() -> None:
    panel = growing_effects()
    spread = panel.assign(year=lambda d: 2 * d["year"])
    a = switchers(panel, "y", treatment="d", effects=3, placebos=1)
    b = switchers(Panel(spread.frame, "unit", "year"), "y", treatment="d", effects=3, placebos=1)
    np.testing.assert_array_equal(a.coef, b.coef)


def test_weights_act_as_copies() -> None:
    panel = doses(7)
    copies = panel.frame.loc[panel.frame.index.repeat(panel.frame["n"].astype(int))]
    copies = copies.assign(copy=copies.groupby(["unit", "year"]).cumcount())
    repeated = Panel(copies, ["unit", "copy"], "year")
    a = switchers(panel, "y", treatment="d", effects=2, placebos=1, weights="n", covariates=["x"])
    b = switchers(repeated, "y", treatment="d", effects=2, placebos=1, covariates=["x"])
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-10)
    np.testing.assert_allclose(a.effects.size, b.effects.size)


def test_tests_of_effects_and_placebos() -> None:
    found = switchers(doses(), "y", treatment="d", effects=3, placebos=2)
    placebos = found.test("placebos jointly zero")
    by_hand = found.wald(["event_time::-3", "event_time::-2"])
    assert (placebos.statistic, placebos.p_value) == (by_hand.statistic, by_hand.p_value)
    assert found.test("equal effects").dof == (2.0, 39.0)


def test_the_result_is_read_back_averaged_and_drawn() -> None:
    found = switchers(doses(), "y", treatment="d", effects=3, placebos=2)
    again = type(found).from_json(found.to_json())
    np.testing.assert_array_equal(again.aggregate("event").coef, found.coef[:5])
    shown = found.plot().data
    assert shown["event_time"].tolist() == [-3, -2, -1, 0, 1, 2]
    assert shown.loc[shown["reference"], "event_time"].tolist() == [-1]


@pytest.mark.parametrize(("outcome", "truth"), [("log(revenue)", 0.08), ("log(patents)", 0.15)])
def test_the_effect_on_simulated_zones_is_recovered(outcome: str, truth: float) -> None:
    panel = econ.load("zones_simulated")
    panel = panel.assign(d=lambda d: (d[panel.time] >= d["demonstration_year"]).astype(float))
    overall = switchers(panel, outcome, treatment="d", effects=5).aggregate("overall").tidy()
    assert overall["ci_low"][0] < truth < overall["ci_high"][0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: switchers(p.assign(d=1.0), "y", treatment="d"), ModelError, "'d' changes in no unit"),
        (lambda p: switchers(p, "y", treatment="dd"), DataError, "Nearest: d"),
        (lambda p: switchers(p.assign(d="on"), "y", treatment="d"), DataError, "not numeric"),
        (lambda p: switchers(p, "y", treatment="d", effects=0), OptionError, "effects=0 .* 1 or more"),
        (lambda p: switchers(p, "y", treatment="d", placebos=1.5), OptionError, "placebos=1.5 .* 0 or more"),
        (lambda p: switchers(p, "y", treatment="d", only="up"), OptionError, "'in', 'out'"),
        (lambda p: switchers(p, "y", treatment="d", only="out"), ModelError, "changes downwards has"),
        (lambda p: switchers(p.assign(d=lambda d: d["d"] + d["unit"]), "y", treatment="d"), ModelError, "classes"),
        (lambda p: switchers(p, "y", treatment="d", vcov=econ.hetero()), OptionError, "influence of each unit"),
        (lambda p: switchers(p, "y", treatment="d", covariates="x"), OptionError, "give a list"),
        (lambda p: switchers(p.assign(w=lambda d: d["year"]), "y", treatment="d", weights="w"), DataError, "changes"),
    ],
)
def test_bad_input(call: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(growing_effects())  # type: ignore[operator]


def test_one_cluster_is_refused() -> None:
    with pytest.raises(ModelError, match="1 cluster"):
        switchers(doses().assign(one=1), "y", treatment="d", vcov=econ.cluster("one"))


def test_a_covariate_that_does_not_move_is_named() -> None:
    found = switchers(growing_effects().assign(c=2.0), "y", treatment="d", covariates=["c"])
    plain = switchers(growing_effects(), "y", treatment="d")
    np.testing.assert_allclose(found.coef, plain.coef, rtol=1e-12)
    assert any("adjust fully for units with the treatment 0 at the start" in note["en"] for note in found.notes)


@pytest.mark.slow
@pytest.mark.parametrize("covariates", [(), ("x",)])
def test_standard_errors_are_the_spread_of_the_estimates(covariates: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    found = [switchers(_draw(rng), "y", treatment="d", effects=3, covariates=covariates) for _ in range(400)]
    spread = np.std([f.coef for f in found], axis=0)
    np.testing.assert_allclose(np.mean([f.std_error for f in found], axis=0) / spread, 1, atol=0.12)


def _draw(rng: np.random.Generator, n: int = 150, T: int = 8) -> Panel:
    first = rng.choice([3, 4, 5, 6, 99], size=n, p=[0.15, 0.15, 0.15, 0.15, 0.4])
    t = np.arange(1, T + 1)
    x = np.cumsum(rng.normal(size=(n, T)) + 0.5 * (first[:, None] < 99), axis=1)
    d = (t >= first[:, None]).astype(float)
    y = 0.4 * x + d + rng.normal(size=(n, T)) + np.cumsum(0.5 * rng.normal(size=(n, T)), axis=1)
    wide = {"y": y, "x": x, "d": d}
    frame = pd.DataFrame({name: values.ravel() for name, values in wide.items()})
    return Panel(frame.assign(unit=np.repeat(np.arange(n), T), year=np.tile(t, n)), "unit", "year")
