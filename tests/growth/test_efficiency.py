"""Frontiers: against programs written out unit by unit, closed forms, other units of measure, refusals."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

import econ
from econ import DataError, ModelError, OptionError, Panel
from econ.growth import dea, malmquist
from econ.growth.programs import Programs, solve
from econ.options import DeaOrientation, DeaReturns, MalmquistIndex

FloatArray = NDArray[np.float64]
N, T = 14, 3
INPUTS, OUTPUTS, BAD = ["x1", "x2"], ["y1", "y2"], ["b"]
AMOUNTS = [*INPUTS, *OUTPUTS, *BAD]


def frame(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    made = pd.DataFrame([(f"u{i:02d}", t) for t in range(2001, 2001 + T) for i in range(N)], columns=["unit", "year"])
    made[AMOUNTS] = np.exp(rng.normal(size=(N * T, 5))).round(2) + 0.1
    made["plate"] = np.array(["a", "b"])[made["unit"].str[1:].astype(int) % 2]
    return made


def panel(seed: int = 0) -> Panel:
    return Panel(frame(seed), "unit", "year")


def amounts(d: pd.DataFrame, year: int | None = None) -> tuple[FloatArray, FloatArray, FloatArray]:
    d = d if year is None else d[d["year"] == year]
    return d[INPUTS].to_numpy(), d[OUTPUTS].to_numpy(), d[BAD].to_numpy()


def best(cost: list[float], le: Any, le_right: Any, eq: Any = None, eq_right: Any = None) -> float:
    """The value of one program, NaN where it has none."""
    found = linprog(cost, le, le_right, eq, eq_right, method="highs")
    return float(found.fun) if found.status == 0 else np.nan


def one_radial(
    x: FloatArray, y: FloatArray, X: FloatArray, Y: FloatArray, orientation: str, returns: str = "crs"
) -> float:
    inward = orientation == "input"
    le = np.vstack(
        [
            np.column_stack([-x if inward else 0 * x, X.T]),
            np.column_stack([0 * y if inward else y, -Y.T]),
        ]
    )
    right = np.concatenate([0 * x, -y] if inward else [x, 0 * y])
    total = None if returns == "crs" else np.array([[0.0, *np.ones(len(X))]])
    value = best([1.0 if inward else -1.0] + [0.0] * len(X), le, right, total, None if returns == "crs" else [1.0])
    return value if inward else -1 / value


def one_directional(x: FloatArray, y: FloatArray, b: FloatArray, X: FloatArray, Y: FloatArray, B: FloatArray) -> float:
    le = np.vstack([np.column_stack([0 * x, X.T]), np.column_stack([y, -Y.T])])
    beta = -best([-1.0] + [0.0] * len(X), le, np.concatenate([x, -y]), np.column_stack([b, B.T]), b)
    return 1 / (1 + beta)


def one_slacks(
    x: FloatArray, y: FloatArray, b: FloatArray, X: FloatArray, Y: FloatArray, B: FloatArray, *, beyond: bool, vrs: bool
) -> float:
    """Tone's programs in slacks (times t), not in targets: variables t, lambda, s-, s+, sb."""
    n, m, s, q = len(X), len(x), len(y), len(b)
    k = m + s + q
    own, span = np.concatenate([x, y, b]), np.column_stack([X, Y, B]).T
    sign = np.concatenate([np.ones(m), -np.ones(s), np.ones(q)])  # inputs and bad outputs shrink, good ones grow
    way = -1.0 if beyond else 1.0
    spanned = np.column_stack([-sign * own, sign[:, None] * span, way * np.eye(k)])  # <= 0: x*t - s >= span
    norm = np.concatenate([[1.0], np.zeros(n + m), way / (s + q) / own[m:]])
    equal, right = [norm], [1.0]
    if vrs:
        equal.append(np.concatenate([[-1.0], np.ones(n), np.zeros(k)]))
        right.append(0.0)
    cost = np.concatenate([[1.0], np.zeros(n), -way / m / x, np.zeros(s + q)])
    return best(list(cost), spanned, np.zeros(k), np.array(equal), right)


@pytest.mark.parametrize("orientation", ["input", "output"])
@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_radial_scores_are_those_of_one_program_each(orientation: DeaOrientation, returns: DeaReturns) -> None:
    found = dea(panel(), INPUTS, OUTPUTS, returns=returns, orientation=orientation).scores
    for year, rows in found.groupby("period"):
        X, Y, _ = amounts(frame(), year)
        by_hand = [one_radial(x, y, X, Y, orientation, returns) for x, y in zip(X, Y, strict=True)]
        np.testing.assert_allclose(rows["score"], by_hand, rtol=1e-8)


def test_a_pooled_frontier_holds_all_rows() -> None:
    found = dea(panel(), INPUTS, OUTPUTS, frontier="pooled").scores.sort_values(["period", "unit"])
    X, Y, _ = amounts(frame())
    by_hand = [one_radial(x, y, X, Y, "output") for x, y in zip(X, Y, strict=True)]
    np.testing.assert_allclose(found["score"], by_hand, rtol=1e-8)


def test_radial_super_efficiency_leaves_the_unit_out() -> None:
    d = frame()
    found = dea(Panel(d[d["year"] == 2001], "unit", "year"), INPUTS, OUTPUTS, super_efficiency=True).scores
    X, Y, _ = amounts(d, 2001)
    rest = [np.delete(np.arange(N), i) for i in range(N)]
    by_hand = [one_radial(X[i], Y[i], X[j], Y[j], "output") for i, j in enumerate(rest)]
    np.testing.assert_allclose(found["score"], by_hand, rtol=1e-8)
    assert (found["score"] > 1).any()


@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_slacks_based_scores_are_those_of_one_program_each(returns: DeaReturns) -> None:
    vrs = returns == "vrs"
    plain = dea(panel(), INPUTS, OUTPUTS, BAD, returns, "none", measure="sbm").scores
    found = dea(panel(), INPUTS, OUTPUTS, BAD, returns, "none", measure="sbm", super_efficiency=True)
    for year, rows in plain.groupby("period"):
        data = amounts(frame(), year)
        for i, score in enumerate(rows["score"]):
            own, rest = [part[i] for part in data], [np.delete(part, i, axis=0) for part in data]
            assert score == pytest.approx(one_slacks(*own, *data, beyond=False, vrs=vrs), rel=1e-8)
            beyond = found.scores["score"][rows.index[i]]
            if rows["efficient"].iloc[i]:
                assert beyond == pytest.approx(one_slacks(*own, *rest, beyond=True, vrs=vrs), rel=1e-8, nan_ok=True)
            else:
                assert beyond == score
    lost = found.scores["score"].isna()
    assert lost.any() == any("no combination" in note["en"].lower() for note in found.notes)


def test_one_input_and_one_output_have_closed_forms() -> None:
    d = frame()[frame()["year"] == 2001]
    ratio = (d["y1"] / d["x1"]).to_numpy()
    top, second = np.sort(ratio)[[-1, -2]]
    one = Panel(d, "unit", "year")
    for orientation in ("input", "output"):
        np.testing.assert_allclose(dea(one, ["x1"], ["y1"], orientation=orientation).scores["score"], ratio / top)
    beyond = dea(one, ["x1"], ["y1"], orientation="none", measure="sbm", super_efficiency=True).scores["score"]
    np.testing.assert_allclose(beyond, np.where(ratio == top, top / second, ratio / top))


def test_scale_and_returns() -> None:
    """Outputs 1/2, 2 and 3 of inputs 1, 2 and 4: all on the frontier, the middle one alone has the best ratio."""
    d = pd.DataFrame({"unit": list("abcd"), "year": 1, "x": [1.0, 2.0, 4.0, 4.0], "y": [0.5, 2.0, 3.0, 1.5]})
    found = dea(Panel(d, "unit", "year"), ["x"], ["y"], returns="vrs", orientation="output")
    assert found.scores["returns"].tolist() == ["increasing", "constant", "decreasing", "decreasing"]
    np.testing.assert_allclose(found.scores["score"], [1, 1, 1, 0.5])
    np.testing.assert_allclose(found.scores["scale"], [0.5, 1, 0.75, 0.75])
    assert "Few units" not in str(dea(panel(), INPUTS, ["y1"]).notes)
    assert "Few units" in str(found.notes)


def test_targets_are_what_peers_span_and_efficiency_has_no_slack() -> None:
    d = pd.DataFrame({"unit": list("abc"), "year": 1, "k": [2.0, 4.0, 2.0], "l": [2.0, 1.0, 3.0], "y": 1.0})
    found = dea(Panel(d, "unit", "year"), ["k", "l"], ["y"], orientation="input")
    assert found.scores["score"].tolist() == pytest.approx([1, 1, 1])
    assert found.scores["efficient"].tolist() == [True, True, False]  # c could do with one unit of labour less
    labour = found.targets.query("unit == 'c' and variable == 'l'").iloc[0]
    assert (labour["slack"], labour["target"]) == pytest.approx((-1, 2))
    made = dea(panel(), INPUTS, OUTPUTS)
    d = frame().set_index(["unit", "year"])[INPUTS + OUTPUTS]
    peers = made.peers.set_index(["unit", "period"])
    spanned = d.loc[list(zip(peers["peer"], peers["peer_period"], strict=True))].mul(peers["weight"].to_numpy(), axis=0)
    spanned = spanned.set_axis(peers.index).groupby(level=[0, 1]).sum()
    target = made.targets.pivot(index=["unit", "period"], columns="variable", values="target")
    np.testing.assert_allclose(spanned[INPUTS + OUTPUTS], target.loc[spanned.index, INPUTS + OUTPUTS], rtol=1e-7)


@pytest.mark.parametrize("super_efficiency", [False, True])
def test_units_of_measure_move_nothing(super_efficiency: bool) -> None:
    rescaled = panel().assign(x1=lambda d: d["x1"] * 1e7, y2=lambda d: d["y2"] / 1e6, b=lambda d: d["b"] * 1e4)
    for measure, orientation, bad in (("radial", "output", []), ("sbm", "none", BAD)):
        a, b = (
            dea(p, INPUTS, OUTPUTS, bad, "vrs", orientation, measure=measure, super_efficiency=super_efficiency)
            for p in (panel(), rescaled)
        )
        np.testing.assert_allclose(a.scores["score"], b.scores["score"], rtol=1e-7)
        assert a.scores["efficient"].equals(b.scores["efficient"])
        slack = [r.targets["slack"] / r.targets["value"] for r in (a, b)]
        np.testing.assert_allclose(slack[0], slack[1], atol=1e-6)


def test_a_unit_ten_thousand_times_the_others_is_scored_exactly() -> None:
    d = frame()
    d.loc[3, AMOUNTS] *= 1e5
    big = dea(Panel(d, "unit", "year"), INPUTS, OUTPUTS).scores["score"]
    np.testing.assert_allclose(big, dea(panel(), INPUTS, OUTPUTS).scores["score"], rtol=1e-7)  # constant returns


# ---------------------------------------------------------------------- change


@pytest.mark.parametrize("orientation", ["input", "output"])
@pytest.mark.parametrize("index", ["adjacent", "global"])
def test_indices_are_those_of_one_program_each(orientation: DeaOrientation, index: MalmquistIndex) -> None:
    found = malmquist(panel(), INPUTS, OUTPUTS, orientation=orientation, index=index).changes
    d = frame()

    def score(i: int, year: int, frontier: int | None) -> float:
        (X, Y, _), (XF, YF, _) = amounts(d, year), amounts(d, frontier)
        return one_radial(X[i], Y[i], XF, YF, orientation)

    for row in found.itertuples():
        i, s, t = int(row.unit[1:]), row.start, row.period
        efficiency = score(i, t, t) / score(i, s, s)
        if index == "global":
            total = score(i, t, None) / score(i, s, None)
        else:
            total = np.sqrt(score(i, t, s) / score(i, s, s) * score(i, t, t) / score(i, s, t))
        assert row.malmquist == pytest.approx(total, rel=1e-8)
        assert row.efficiency == pytest.approx(efficiency, rel=1e-8)
        assert row.technical == pytest.approx(total / efficiency, rel=1e-8)


def test_the_global_luenberger_index_is_that_of_one_program_each() -> None:
    found = malmquist(panel(), INPUTS, OUTPUTS, BAD, index="global").changes
    d = frame()

    def score(i: int, year: int, frontier: int | None) -> float:
        own, all_ = amounts(d, year), amounts(d, frontier)
        return one_directional(*(part[i] for part in own), *all_)

    for row in found.itertuples():
        i, s, t = int(row.unit[1:]), row.start, row.period
        assert row.malmquist == pytest.approx(score(i, t, None) / score(i, s, None), rel=1e-8)
        assert row.efficiency == pytest.approx(score(i, t, t) / score(i, s, s), rel=1e-8)


def test_pure_and_scale_change() -> None:
    found = malmquist(panel(), INPUTS, OUTPUTS, returns="vrs").changes
    scores = dea(panel(), INPUTS, OUTPUTS, returns="vrs").scores.pivot(index="unit", columns="period", values="score")
    for row in found.itertuples():
        assert row.pure == pytest.approx(scores.loc[row.unit, row.period] / scores.loc[row.unit, row.start])
        assert row.scale * row.pure == pytest.approx(row.efficiency)
    plain = malmquist(panel(), INPUTS, OUTPUTS).changes
    np.testing.assert_allclose(found[["malmquist", "technical"]], plain[["malmquist", "technical"]])


def test_growth_of_every_output_at_one_rate_is_technical_change() -> None:
    d = frame()
    first = d[d["year"] == 2001].set_index("unit")[AMOUNTS]
    for year, factor in ((2002, 1.1), (2003, 1.1 * 0.9)):
        d.loc[d["year"] == year, AMOUNTS] = first.to_numpy()
        d.loc[d["year"] == year, OUTPUTS] = first[OUTPUTS].to_numpy() * factor
    found = malmquist(Panel(d, "unit", "year"), INPUTS, OUTPUTS, by="plate")
    np.testing.assert_allclose(found.changes["technical"], np.repeat([1.1, 0.9], N))
    np.testing.assert_allclose(found.changes["efficiency"], 1)
    assert found.means["group"].tolist() == ["all"] * 2 + ["a"] * 2 + ["b"] * 2
    np.testing.assert_allclose(found.path["malmquist"], [1, 1.1, 0.99] * 3)


def test_global_indices_chain() -> None:
    whole = malmquist(panel(), INPUTS, OUTPUTS, index="global")
    _, later = (d.set_index("unit")["malmquist"] for _, d in whole.changes.groupby("period"))
    X, Y, _ = amounts(frame())
    ends = [[one_radial(X[k], Y[k], X, Y, "output") for k in range(t * N, t * N + N)] for t in (1, 2)]
    np.testing.assert_allclose(later, np.divide(ends[1], ends[0]))


def test_means_are_geometric_and_by_group() -> None:
    found = malmquist(panel(), INPUTS, OUTPUTS, by="plate")
    assert not any("plate" in note["en"] for note in found.notes)
    ungrouped = malmquist(
        panel().assign(plate=lambda d: d["plate"].where(d["unit"] != "u01")), INPUTS, OUTPUTS, by="plate"
    )
    assert any(note["en"].endswith("in the mean of all alone: u01.") for note in ungrouped.notes)
    a = found.changes[found.changes["unit"].str[1:].astype(int) % 2 == 0]
    by_hand = np.exp(np.log(a["malmquist"]).groupby(a["period"]).mean())
    np.testing.assert_allclose(found.means.query("group == 'a'")["malmquist"], by_hand)
    assert found.means["n"].tolist() == [N, N] + [N // 2] * 4
    renamed = frame().rename(columns={"unit": "group"})
    again = malmquist(Panel(renamed, "group", "year"), INPUTS, OUTPUTS, by="plate")
    np.testing.assert_allclose(again.means["malmquist"], found.means["malmquist"])


def test_a_unit_without_a_period_is_left_out_and_named() -> None:
    gap = malmquist(Panel(frame().drop(index=5), "unit", "year"), INPUTS, OUTPUTS)
    assert "u05" not in set(gap.changes["unit"])
    assert "u05" in gap.notes[0]["en"]
    assert "u05" in gap.notes[0]["zh"]


def test_where_the_other_frontier_cannot_reach_there_is_no_index_and_a_note() -> None:
    d = frame()
    d["x2"] = d["x2"].where((d["unit"] != "u03") | (d["year"] != 2002), 0.0)
    d.loc[d["unit"] == "u03", "y2"] = 0.5
    found = malmquist(Panel(d, "unit", "year"), INPUTS, OUTPUTS)
    lost = found.changes["malmquist"].isna()
    assert found.changes.loc[lost, "unit"].unique().tolist() == ["u03"]
    assert "u03 2002" in found.notes[-1]["en"]
    assert found.means["n"].tolist() == [N - 1, N - 1]
    assert np.isfinite(found.path["malmquist"]).all()


def test_results_are_drawn_and_tabulated() -> None:
    provinces = econ.load("provinces").where(lambda d: d["year"].between(2017, 2019) & (d["province"] != "Tibet"))
    found = malmquist(provinces, ["rd_expenditure", "rd_personnel"], ["invention_grants"])
    last = found.changes.query("period == 2019")
    assert econ.report.tile_map(last, "malmquist").data["value"].notna().sum() == 30
    assert len(econ.report.line_plot(found.path, "malmquist", by="group").data) == 3
    columns = {name: econ.report.DataColumn(name) for name in ("malmquist", "efficiency", "technical")}
    table = econ.report.data_table(found.means, title="Change", rows="period", columns=columns)
    assert "2019" in table.markdown()


# ---------------------------------------------------------------------- refusals


def test_bad_amounts_are_refused_by_name() -> None:
    d = frame()
    d.loc[4, "x1"] = -1.0
    with pytest.raises(DataError, match=r"'x1' is negative in 1 rows .*u04 2001"):
        dea(Panel(d, "unit", "year"), INPUTS, OUTPUTS)
    d.loc[4, "x1"] = 0.0
    assert np.isfinite(dea(Panel(d, "unit", "year"), INPUTS, OUTPUTS).scores["score"]).all()
    with pytest.raises(DataError, match=r"zero or negative in 1 rows .*measure='radial'"):
        dea(Panel(d, "unit", "year"), INPUTS, OUTPUTS, measure="sbm", orientation="none")
    with pytest.raises(DataError, match="no output at all"):
        dea(Panel(d.assign(y1=d["y1"].where(d.index != 2, 0.0)), "unit", "year"), INPUTS, ["y1"])
    with pytest.raises(DataError, match="'y1' is zero in every row"):
        dea(Panel(d.assign(y1=0.0), "unit", "year"), INPUTS, OUTPUTS)


def test_few_units_are_noted_and_one_is_refused() -> None:
    few = Panel(frame()[frame()["unit"] < "u03"], "unit", "year")
    assert "3 on a frontier for 4" in dea(few, INPUTS, OUTPUTS).notes[0]["en"]
    with pytest.raises(ModelError, match="u00 stands alone in 2001"):
        dea(Panel(frame()[frame()["unit"] == "u00"], "unit", "year"), INPUTS, OUTPUTS)
    with pytest.raises(ModelError, match="at least two periods"):
        malmquist(panel().where(lambda d: d["year"] == 2001), INPUTS, OUTPUTS)


def test_rows_without_an_amount_are_left_out_and_named() -> None:
    d = frame()
    d.loc[7, "y1"] = np.nan
    found = dea(Panel(d, "unit", "year"), INPUTS, OUTPUTS)
    assert len(found.scores) == N * T - 1
    assert "u07 2001" in found.notes[0]["en"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: dea(p, "x1", OUTPUTS), r"give a list of columns"),
        (lambda p: dea(p, [], OUTPUTS), r"at least one column"),
        (lambda p: dea(p, INPUTS, ["x1"]), r"named twice.*x1"),
        (lambda p: dea(p, INPUTS, OUTPUTS, BAD), r"needs measure='sbm'"),
        (lambda p: dea(p, INPUTS, OUTPUTS, orientation="none"), r"needs measure='sbm'"),
        (lambda p: dea(p, INPUTS, OUTPUTS, returns="drs"), r"returns='drs' is not allowed"),
        (lambda p: malmquist(p, INPUTS, OUTPUTS, BAD), r"needs index='global'"),
        (lambda p: malmquist(p, INPUTS, OUTPUTS, orientation="none"), r"radial scores"),
    ],
)
def test_wrong_options_are_refused(call: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        call(panel())


def test_programs_without_a_solution_do_not_hide_their_neighbours() -> None:
    one = np.ones((3, 1, 1))
    programs = Programs(
        np.ones((3, 1)), -one, np.array([[-1.0], [-5.0], [-2.0]]), np.zeros((3, 0, 1)), np.zeros((3, 0)),
        np.array([[np.inf], [3.0], [np.inf]]),
    )  # fmt: skip
    np.testing.assert_allclose(solve(programs)[:, 0], [1, np.nan, 2])
