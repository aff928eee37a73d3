"""Collaboration: do links, such as co-owned patents, stay within groups of regions more than chance would have it?"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pandas as pd

from econ.data.frames import require_columns
from econ.errors import DataError, ModelError
from econ.linear.fit import FloatArray, IntArray
from econ.text import Text

ALL = "all"
TOLERANCE = 1e-12
MAX_STEPS = 10_000
NAMED = 5


@dataclass(frozen=True, eq=False)
class Collaboration:
    """Shares of links within groups, and assortativity.

    Attributes
    ----------
    shares : ``group, regions, links, intra, share, expected_intra, expected, ratio``; the last row is ``"all"``
    mixing : ``group_a, group_b, links, expected``, each unordered pair once
    test : ``test, estimate, std_error``: ``assortativity`` by group, ``assortativity_by_chance``,
        ``degree_assortativity``
    spec : what was asked for, as plain JSON
    notes : what a reader must know
    """

    shares: pd.DataFrame
    mixing: pd.DataFrame
    test: pd.DataFrame
    spec: dict[str, Any]
    notes: tuple[Text, ...] = ()


def collaboration(
    edges: pd.DataFrame,
    groups: "Mapping[str, str] | pd.Series[Any]",
    *,
    source: str = "source",
    target: str = "target",
    weight: str | None = None,
) -> Collaboration:
    r"""Intra-group share of links against a configuration model, and assortativity.

    Links have no direction. With ``w_gg`` the links inside group g and ``w_g.`` those that touch it (an inside link
    once), ``share = w_gg / w_g.``, and for ``"all"`` the share of all links that are inside any group. ``expected`` is
    the same of links drawn at random between regions that keep their numbers of links ``k_i`` (m links in all):

    * a list with links of regions to themselves: ``E w_ij = k_i k_j / 2m`` and ``E w_ii = k_i^2 / 4m`` (Newman 2010,
      Networks, p. 224);
    * a list without any: ``E w_ij = u_i u_j`` for ``i != j`` only, with ``u`` such that every region keeps ``k_i`` (the
      maximum-entropy model; Squartini and Garlaschelli 2011, New Journal of Physics 13, 083001). Allowing links to
      itself would overstate what chance gives to a group of few regions.

    ``ratio = share / expected``, where both are of expected counts, not an expected ratio.

    ``assortativity`` is ``(sum_g e_gg - sum_g a_g^2) / (1 - sum_g a_g^2)``, where ``e_gh`` is the share of link ends
    that join g to h and ``a_g`` its row sum (Newman 2003, Physical Review E 67, 026126, eq. 2), with the jackknife
    standard error over the rows of the edge list: 1 = all links inside groups.
    ``assortativity_by_chance`` is the coefficient of the expected links: 0 where links of regions to themselves are
    allowed, below 0 where they are not, much so if few regions have most links; read ``assortativity`` against it.
    ``degree_assortativity`` is the correlation of ``k`` at the two ends of a link (eq. 21, undirected).

    Parameters
    ----------
    edges : one row per link or per pair of regions; the order of the two ends has no meaning, and rows of the same
        pair add up.
    groups : region -> group, for all regions whether or not they have links; such as ``panel.attribute("plate")``.
    source, target : columns of ``edges`` with the regions' names, as ``groups`` spells them.
    weight : column with the number of links of each row, such as co-owned patents; by default 1.

    Raises
    ------
    DataError : a region that ``groups`` does not name, a negative or missing weight, no links at all.

    Examples
    --------
    >>> import econ
    >>> import pandas as pd
    >>> plates = econ.regions().set_index("province")["plate"]
    >>> rows = [("Beijing", "Tianjin", 8), ("Beijing", "Jilin", 1), ("Jilin", "Liaoning", 3), ("Hubei", "Hunan", 2)]
    >>> edges = pd.DataFrame(rows, columns=["source", "target", "patents"])
    >>> result = econ.disparity.collaboration(edges, plates, weight="patents")
    >>> float(result.shares.set_index("group").loc["Northeast", "share"])
    0.75
    """
    names, membership = _membership(groups)
    i, j, w = _links(edges, source, target, weight, names)
    labels = sorted(set(membership))
    code = np.array([labels.index(group) for group in membership])
    observed = _adjacency(i, j, w, len(names))
    self_links = bool((i == j).any())
    expected = _with_self_links(observed) if self_links else _without_self_links(observed)
    G = np.eye(len(labels))[code]
    inside, chance = _inside(observed, G), _inside(expected, G)
    shares = _shares(labels, G, inside, chance)
    spec = {"estimator": "collaboration", "source": source, "target": target, "weight": weight, "links": float(w.sum())}
    spec |= {"regions": len(names), "self_links": self_links}
    tests = _tests(i, j, w, code, observed, float(np.trace(chance)))
    notes = (_model_note(self_links), *_missing_note(shares, tests))
    return Collaboration(shares, _mixing(labels, inside, chance), tests, spec, notes)


# ---- reading


def _membership(groups: "Mapping[str, str] | pd.Series[Any]") -> tuple[list[str], list[str]]:
    given = pd.Series(dict(groups)) if isinstance(groups, Mapping) else groups
    twice = given.index[given.index.duplicated()]
    if len(twice):
        raise DataError(f"Regions with two groups: {', '.join(map(str, twice[:NAMED]))}; give each region once.")
    if given.isna().any():
        named = ", ".join(map(str, given.index[given.isna()][:NAMED]))
        raise DataError(f"{int(given.isna().sum())} regions have no group ({named}); fill it or leave them out.")
    if given.nunique() < 2:
        raise ModelError(f"groups holds {given.nunique()} group(s); links within and between need two or more.")
    return [str(name) for name in given.index], [str(group) for group in given]


def _links(
    edges: pd.DataFrame, source: str, target: str, weight: str | None, names: list[str]
) -> tuple[IntArray, IntArray, FloatArray]:
    """(E,) positions of both ends, and the number of links."""
    require_columns(edges, [source, target, *([weight] if weight else [])], "The edge list")
    index = pd.Index(names)
    ends = [index.get_indexer(pd.Index(edges[column].astype(str))) for column in (source, target)]
    unknown = {str(name) for column, at in zip((source, target), ends, strict=True) for name in edges[column][at < 0]}
    if unknown:
        raise DataError(
            f"Regions of the edge list that groups does not name: {_near(sorted(unknown), names)}. "
            "Give them a group, or leave their links out."
        )
    w = np.ones(len(edges)) if weight is None else edges[weight].to_numpy(dtype=np.float64)
    if not np.isfinite(w).all() or (w < 0).any():
        raise DataError(
            f"{weight!r} holds {int((~(w >= 0)).sum())} negative or missing values; give numbers >= 0, or leave "
            "those rows out."
        )
    if w.sum() == 0:
        raise DataError("The edge list holds no link: it has no rows, or only zero weights.")
    used = w > 0
    return ends[0][used], ends[1][used], w[used]


def _near(unknown: list[str], names: list[str]) -> str:
    near = [(name, get_close_matches(name, names, n=1)) for name in unknown[:NAMED]]
    named = ", ".join(f"{name} (nearest: {match[0]})" if match else name for name, match in near)
    return named + (f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else "")


# ---- the configuration model


def _adjacency(i: IntArray, j: IntArray, w: FloatArray, n: int) -> FloatArray:
    """(n, n), symmetric; a link of a region to itself counts twice on the diagonal, so that rows sum to ``k``."""
    A = np.zeros((n, n))
    np.add.at(A, (i, j), w)
    np.add.at(A, (j, i), w)
    return A


def _with_self_links(A: FloatArray) -> FloatArray:
    k = A.sum(axis=1)
    return np.asarray(np.outer(k, k) / k.sum())


def _without_self_links(A: FloatArray) -> FloatArray:
    """``u_i u_j`` off the diagonal with row sums ``k``, by damped iteration of ``u_i = k_i / sum_(j != i) u_j``."""
    k = A.sum(axis=1)
    if 2 * k.max() >= k.sum() * (1 - 1e-9):  # all links touch one region: no other graph has these k
        return A
    u = k / np.sqrt(k.sum())
    for _ in range(MAX_STEPS):
        step = np.sqrt(np.divide(k, u * (u.sum() - u), out=np.ones_like(u), where=k > 0))
        u = u * step
        if np.abs(step - 1).max() < TOLERANCE:
            E = np.outer(u, u)
            np.fill_diagonal(E, 0)
            return np.asarray(E)
    raise ModelError(
        f"The configuration model did not converge in {MAX_STEPS} steps: one region is in nearly all links. "
        "Leave it out, or keep the links of regions to themselves in the list."
    )


def _inside(A: FloatArray, G: FloatArray) -> FloatArray:
    """(g, g) links between groups, those inside once on the diagonal."""
    B = G.T @ A @ G
    np.fill_diagonal(B, np.diag(B) / 2)
    return np.asarray(B)


# ---- results


def _shares(labels: list[str], G: FloatArray, observed: FloatArray, expected: FloatArray) -> pd.DataFrame:
    touching, chance = (B.sum(axis=1) for B in (observed, expected))
    total = (observed.sum() + np.trace(observed)) / 2
    rows = pd.DataFrame(
        {
            "group": [*labels, ALL],
            "regions": [*G.sum(axis=0).astype(int), len(G)],
            "links": [*touching, total],
            "intra": [*np.diag(observed), np.trace(observed)],
            "expected_intra": [*np.diag(expected), np.trace(expected)],
        }
    )
    touched = rows["links"].where(rows["links"] > 0)
    rows["share"] = rows["intra"] / touched
    rows["expected"] = rows["expected_intra"] / np.where(touched > 0, [*chance, total], np.nan)
    rows["ratio"] = rows["share"] / rows["expected"].where(rows["expected"] > 0)
    return rows[["group", "regions", "links", "intra", "share", "expected_intra", "expected", "ratio"]]


def _mixing(labels: list[str], observed: FloatArray, expected: FloatArray) -> pd.DataFrame:
    pairs = list(combinations_with_replacement(range(len(labels)), 2))
    rows = [(labels[a], labels[b], observed[a, b], expected[a, b]) for a, b in pairs]
    return pd.DataFrame(rows, columns=["group_a", "group_b", "links", "expected"])


def _tests(i: IntArray, j: IntArray, w: FloatArray, code: IntArray, A: FloatArray, chance: float) -> pd.DataFrame:
    k = A.sum(axis=1)
    squares = (np.bincount(code, k) ** 2).sum()
    ends = np.concatenate([k[i], k[j]]), np.concatenate([k[j], k[i]])
    rows = [
        ("assortativity", *_assortativity(code[i], code[j], w)),
        ("assortativity_by_chance", float(_coefficient(chance, squares, w.sum())), np.nan),
        ("degree_assortativity", _correlation(*ends, np.concatenate([w, w])), np.nan),
    ]
    return pd.DataFrame(rows, columns=["test", "estimate", "std_error"])


def _assortativity(g: IntArray, h: IntArray, w: FloatArray) -> tuple[float, float]:
    """Newman's coefficient and its jackknife standard error over rows."""
    m, same = w.sum(), (g == h) * w
    strength = np.bincount(np.concatenate([g, h]), np.concatenate([w, w]))
    squares = (strength**2).sum()
    value = float(_coefficient(same.sum(), squares, m))
    # without a row, its ends leave their groups' strengths; both ends leave the same one where g == h
    lost = np.where(g == h, -4 * w * strength[g] + 4 * w**2, -2 * w * (strength[g] + strength[h]) + 2 * w**2)
    left = m - w
    if (left <= 0).any() or np.isnan(value):
        return value, np.nan
    without = _coefficient(same.sum() - same, squares + lost, left)
    return value, float(np.sqrt(((without - value) ** 2).sum()))


def _coefficient(inside: Any, squares: Any, m: Any) -> Any:
    chance = np.asarray(squares / (4 * m**2))
    return np.divide(inside / m - chance, 1 - chance, out=np.full_like(chance, np.nan), where=chance < 1 - 1e-12)


def _correlation(x: FloatArray, y: FloatArray, w: FloatArray) -> float:
    """Weighted Pearson correlation; missing where all ends are alike."""
    x, y = x - np.average(x, weights=w), y - np.average(y, weights=w)
    scale = (w * x**2).sum()
    return float((w * x * y).sum() / scale) if scale > 1e-12 * len(x) else np.nan


# ---- notes


def _model_note(self_links: bool) -> Text:
    if self_links:
        return {
            "en": "Expected shares: configuration model, in which regions may also have links to themselves.",
            "zh": "期望份额：配置模型，允许地区内部的联系。",
        }
    return {
        "en": "Expected shares: maximum-entropy configuration model without links of regions to themselves.",
        "zh": "期望份额：最大熵配置模型，不含地区内部的联系。",
    }


def _missing_note(shares: pd.DataFrame, tests: pd.DataFrame) -> tuple[Text, ...]:
    """Why a number is missing, where one is."""
    notes: list[Text] = []
    without = shares["group"][shares["links"] == 0]
    if len(without):
        notes.append(
            {
                "en": f"Groups without any link, hence without a share: {', '.join(without)}.",
                "zh": f"没有任何联系、因而无份额的组：{'、'.join(without)}。",
            }
        )
    never = shares["group"][(shares["links"] > 0) & (shares["expected"] == 0)]
    if len(never):
        notes.append(
            {
                "en": f"No link inside is possible by chance, hence no ratio: {', '.join(never)}.",
                "zh": f"随机情形下不可能有组内联系、因而无比值的组：{'、'.join(never)}。",
            }
        )
    if tests["estimate"].isna().any():
        words = ", ".join(tests["test"][tests["estimate"].isna()])
        notes.append(
            {
                "en": f"Not defined, because all ends of links are alike: {words}.",
                "zh": f"联系的两端均相同，故无定义：{words}。",
            }
        )
    return tuple(notes)
