"""Effects of cells of cohort and period, and the influence of every unit on them and on the cohorts' shares."""

from collections import defaultdict
from functools import partial

import numpy as np

from econ.did.comparisons import Comparisons, left_out, name_cells
from econ.did.design import DidDesign
from econ.did.doubly_robust import OVERLAP, TRIM, Att, Failure, panel_att, repeated_att
from econ.errors import ModelError
from econ.inference.influence import ClassInfluence, Influence, UnitInfluence
from econ.linear.fit import FloatArray, IntArray
from econ.options import AttMethod
from econ.text import Text

REASONS: dict[Failure, Text] = {
    "collinear": {
        "en": "covariates are constant or collinear, or more than the units, in a group that a regression rests on",
        "zh": "回归所依据的组内协变量不变、共线或多于单元数",
    },
    "overlap": {
        "en": f"covariates predict treatment perfectly (a propensity of {OVERLAP} or more, or no finite fit)",
        "zh": f"协变量完全预测了处理（倾向得分不低于 {OVERLAP} 或拟合不收敛）",
    },
}


def cohort_shares(design: DidDesign, cells: Comparisons) -> FloatArray:
    """(cohorts,) shares of the treated cohorts in all units."""
    shares: FloatArray = design.class_weight[np.unique(cells.treated)] / design.class_weight.sum()
    return shares


def _share_influence(design: DidDesign, cells: Comparisons) -> FloatArray:
    """(C, cohorts) influence of a unit of each class on the shares."""
    own = np.eye(design.n_classes)[:, np.unique(cells.treated)]
    return np.asarray((own - cohort_shares(design, cells)) / design.class_weight.sum())


def _fill_shares(design: DidDesign, cells: Comparisons, psi: FloatArray) -> UnitInfluence:
    """Influences on the shares, written into the columns of ``psi`` (n, K + cohorts) after those of the K cells."""
    shares = _share_influence(design, cells)
    psi[:, len(cells.treated) :] = _weights(design)[:, None] * shares[design.class_of]
    return UnitInfluence(psi)


def _weights(design: DidDesign) -> FloatArray:
    return np.ones(design.n_units) if design.unit_weights is None else design.unit_weights


# ---- with covariates


def conditional_effects(
    design: DidDesign, cells: Comparisons, method: AttMethod, repeated: bool
) -> tuple[Comparisons, FloatArray, UnitInfluence, tuple[Text, ...]]:
    """The cells that have one, their effects (K,), influences (n, K + cohorts), and notes on the others.

    Cells of a cohort with the same controls, units and covariates are one fit: the propensity once, the regressions of
    all their periods together.
    """
    coef = np.zeros(len(cells.treated))
    psi = np.zeros((design.n_units, len(coef) + len(np.unique(cells.treated))))
    failed, trimmed = dict[int, Failure](), dict[int, int]()
    for shared in [[k] for k in range(len(coef))] if repeated else _shared_designs(design, cells):
        rows, found = (_repeated_cell if repeated else _panel_cells)(design, cells, shared, method)
        if isinstance(found, str):
            failed |= dict.fromkeys(shared, found)
            continue
        trimmed |= dict.fromkeys(shared, found.trimmed)
        coef[shared] = found.att
        psi[rows[:, None], shared] = found.influence
    notes = _notes(design, cells, failed, trimmed)
    kept = ~np.isin(np.arange(len(coef)), list(failed))
    if failed:
        cells = cells.only(kept)
        psi = np.pad(psi[:, np.flatnonzero(kept)], ((0, 0), (0, len(np.unique(cells.treated)))))
    return cells, coef[kept], _fill_shares(design, cells, psi), notes


def _shared_designs(design: DidDesign, cells: Comparisons) -> list[list[int]]:
    """Cells with the same treated and control units and covariates."""
    alike = _first_alike(design, np.unique(np.minimum(cells.period, cells.base)))
    groups = defaultdict[tuple[int, int, bytes, bytes], list[int]](list)
    for k, (c, t, b) in enumerate(zip(cells.treated, cells.period, cells.base, strict=True)):
        both = b"" if design.observed is None else (design.observed[:, t] & design.observed[:, b]).tobytes()
        groups[int(c), alike[min(t, b)], cells.controls[k].tobytes(), both].append(k)
    return list(groups.values())


def _first_alike(design: DidDesign, periods: IntArray) -> dict[int, int]:
    """The first period in which every unit has the covariates of a period."""
    alike = dict[int, int]()
    for e in periods.tolist():
        same = [f for f in alike.values() if all((X[:, e] == X[:, f]).all() for X in design.covariates.values())]
        alike[e] = same[0] if same else e
    return alike


def _panel_cells(
    design: DidDesign, cells: Comparisons, shared: list[int], method: AttMethod
) -> tuple[IntArray, Att | Failure]:
    c, t, b = cells.treated[shared[0]], cells.period[shared], cells.base[shared]
    chosen = _chosen(design, cells, shared[0])
    if design.observed is not None:
        chosen = chosen[design.observed[chosen, t[0]] & design.observed[chosen, b[0]]]
    change = design.Y[chosen[:, None], t] - design.Y[chosen[:, None], b]
    x = _covariates(design, chosen, min(t[0], b[0]))
    return chosen, panel_att(change, design.class_of[chosen] == c, x, _weights(design)[chosen], method)


def _repeated_cell(
    design: DidDesign, cells: Comparisons, shared: list[int], method: AttMethod
) -> tuple[IntArray, Att | Failure]:
    k = shared[0]
    periods = (cells.period[k], cells.base[k])
    chosen = _chosen(design, cells, k)
    parts = [chosen if design.observed is None else chosen[design.observed[chosen, t]] for t in periods]
    rows = np.concatenate(parts)
    found = repeated_att(
        np.concatenate([design.Y[part, t] for part, t in zip(parts, periods, strict=True)]),
        np.arange(len(rows)) < len(parts[0]),
        design.class_of[rows] == cells.treated[k],
        np.vstack([_covariates(design, part, t) for part, t in zip(parts, periods, strict=True)]),
        _weights(design)[rows],
        method,
    )
    if isinstance(found, str):
        return chosen, found
    sums = np.bincount(rows, weights=found.influence[:, 0], minlength=design.n_units)
    return chosen, Att(found.att, np.asarray(sums, dtype=np.float64)[chosen, None], found.trimmed)


def _chosen(design: DidDesign, cells: Comparisons, k: int) -> IntArray:
    """Units of the treated class and of the controls."""
    classes = cells.controls[k] | (np.arange(design.n_classes) == cells.treated[k])
    return np.flatnonzero(classes[design.class_of])


def _covariates(design: DidDesign, rows: IntArray, period: int) -> FloatArray:
    """(n, p) in one period."""
    x = np.empty((len(rows), len(design.covariates)))
    for j, X in enumerate(design.covariates.values()):
        x[:, j] = X[rows, period]
    return x


def _notes(
    design: DidDesign, cells: Comparisons, failed: dict[int, Failure], trimmed: dict[int, int]
) -> tuple[Text, ...]:
    def named(chosen: list[int]) -> list[tuple[int, int]]:
        return [(int(cells.treated[k]), int(cells.period[k])) for k in sorted(chosen)]

    if len(failed) == len(cells.treated):
        reasons = "; ".join(REASONS[word]["en"] for word in REASONS if word in failed.values())
        raise ModelError(
            f"No cell can be estimated with the covariates {', '.join(design.covariates)}: {reasons}. Use fewer of "
            "them or others; method='reg' needs no propensity, and method='ipw' no regression."
        )
    by_reason = {word: named([k for k, why in failed.items() if why == word]) for word in REASONS}
    notes = [left_out(design, lost, REASONS[word]) for word, lost in by_reason.items() if lost]
    if cut := [k for k, count in trimmed.items() if count]:
        where = name_cells(design, named(cut))
        most = max(trimmed.values())
        notes.append(
            {
                "en": f"Controls with a propensity of {TRIM} or more get no weight, up to {most} of them in: {where}.",
                "zh": f"倾向得分不低于 {TRIM} 的对照单元权重为零，至多 {most} 个，涉及：{where}。",
            }
        )
    return tuple(notes)


# ---- without covariates: class means


def mean_effects(design: DidDesign, cells: Comparisons, repeated: bool) -> tuple[FloatArray, Influence, FloatArray]:
    """(K,) effects, their influences followed by those of the shares, and (K, C, T) weights on class means."""
    if design.observed is not None and not repeated:
        return _paired_means(design, cells)
    weights = _cell_weights(design, cells)
    coef = np.einsum("kct,ct->k", weights, design.means)
    return coef, _mean_influence(design, cells, weights), weights


def _cell_weights(design: DidDesign, cells: Comparisons) -> FloatArray:
    """(K, C, T): one for the treated class in the period, minus one in the base period, the reverse for controls."""
    K = len(cells.treated)
    rows = np.arange(K)
    weights = np.zeros((K, design.n_classes, len(design.calendar)))
    for t, sign in ((cells.period, 1.0), (cells.base, -1.0)):
        counts = np.where(cells.controls, design.counts[:, t].T, 0.0)
        weights[rows[:, None], np.arange(design.n_classes), t[:, None]] -= sign * counts / counts.sum(1, keepdims=True)
        weights[rows, cells.treated, t] += sign
    return weights


def _mean_influence(design: DidDesign, cells: Comparisons, weights: FloatArray) -> ClassInfluence:
    """A unit moves the mean of a class by its deviation from it over the class's count.

    Where controls are several classes, their pooled mean also moves with who is observed in it.
    """
    C, T, K = design.n_classes, len(design.calendar), len(cells.treated)
    inverse = np.divide(1.0, design.counts, out=np.zeros((C, T)), where=design.counts > 0)
    loadings = (weights * inverse).transpose(1, 0, 2)
    pooled = _pooled_deviation(design, cells, weights, inverse).transpose(1, 0, 2)
    shares = _share_influence(design, cells)
    constants = np.hstack([np.zeros((C, K)), shares])
    if design.observed is None:
        constants[:, :K] = pooled.sum(axis=2)
    else:
        loadings = np.concatenate([loadings, pooled], axis=2)
    loadings = np.concatenate([loadings, np.zeros((C, shares.shape[1], loadings.shape[2]))], axis=1)
    return ClassInfluence(partial(_deviations, design), design.starts, loadings, constants, design.unit_weights)


def _pooled_deviation(design: DidDesign, cells: Comparisons, weights: FloatArray, inverse: FloatArray) -> FloatArray:
    """(K, C, T) weight of being observed: of the gap between a control class's mean and the pooled one."""
    out = np.zeros_like(weights)
    rows = np.arange(len(cells.treated))
    for t in (cells.period, cells.base):
        counts = np.where(cells.controls, design.counts[:, t].T, 0.0)
        means = design.means[:, t].T
        pooled = (counts * means).sum(axis=1, keepdims=True) / counts.sum(axis=1, keepdims=True)
        gap = np.where(cells.controls, means - pooled, 0.0)
        at = (rows[:, None], np.arange(design.n_classes), t[:, None])
        control_weights = np.where(cells.controls, weights[at], 0.0)
        out[at] = control_weights * gap * inverse[:, t].T
    return out


def _deviations(design: DidDesign, rows: slice, c: int) -> FloatArray:
    """(B, T) deviations from the class mean; zero where not observed; then (B, T) whether observed."""
    deviation: FloatArray = design.Y[rows] - design.means[c]
    if design.observed is None:
        return deviation
    o = design.observed[rows]
    return np.hstack([np.where(o, deviation, 0.0), o])


def _paired_means(design: DidDesign, cells: Comparisons) -> tuple[FloatArray, UnitInfluence, FloatArray]:
    """Cell by cell over the units observed in both periods."""
    assert design.observed is not None
    K, n = len(cells.treated), design.n_units
    coef, psi = np.zeros(K), np.zeros((n, K + len(np.unique(cells.treated))))
    weights = np.zeros((K, design.n_classes, len(design.calendar)))
    w = np.ones(n) if design.unit_weights is None else design.unit_weights
    for k, (c, t, b) in enumerate(zip(cells.treated, cells.period, cells.base, strict=True)):
        both = design.observed[:, t] & design.observed[:, b]
        change = np.where(both, design.Y[:, t] - design.Y[:, b], 0.0)
        for sign, chosen in ((1.0, np.arange(design.n_classes) == c), (-1.0, cells.controls[k])):
            share = np.where(both & chosen[design.class_of], w, 0.0)
            share /= share.sum()
            mean = float(share @ change)
            coef[k] += sign * mean
            psi[:, k] += sign * share * (change - mean)
            by_class = sign * np.bincount(design.class_of, share, minlength=design.n_classes)
            weights[k, :, t] += by_class
            weights[k, :, b] -= by_class
    return coef, _fill_shares(design, cells, psi), weights
