"""Shares of links within groups: brute force on small networks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import econ
from econ import DataError, ModelError
from econ.disparity.collaboration import collaboration

GROUPS = {"a": "G", "b": "G", "c": "G", "d": "H", "e": "H", "f": "H"}
LINKS = [("a", "b"), ("b", "c"), ("a", "c"), ("d", "e"), ("e", "f"), ("c", "d")]


def edges(links: list[tuple[str, str]] = LINKS) -> pd.DataFrame:
    return pd.DataFrame(links, columns=["source", "target"])


def test_shares_and_mixing_by_hand() -> None:
    result = collaboration(edges(), GROUPS)
    shares = result.shares.set_index("group")
    np.testing.assert_allclose(shares["intra"], [3, 2, 5])
    np.testing.assert_allclose(shares["links"], [4, 3, 6])
    np.testing.assert_allclose(shares["share"], [3 / 4, 2 / 3, 5 / 6])
    assert result.mixing["links"].tolist() == [3, 1, 2]


def test_assortativity_and_its_jackknife() -> None:
    def newman(links: list[tuple[str, str]]) -> float:
        e = np.zeros((2, 2))
        for a, b in links:
            g, h = ("GH".index(GROUPS[end]) for end in (a, b))
            e[g, h] += 0.5
            e[h, g] += 0.5
        e /= e.sum()
        chance = (e.sum(axis=0) ** 2).sum()
        return float((np.trace(e) - chance) / (1 - chance))

    test = collaboration(edges(), GROUPS).test.set_index("test")
    value = newman(LINKS)
    jackknife = sum((newman(LINKS[:i] + LINKS[i + 1 :]) - value) ** 2 for i in range(len(LINKS)))
    assert test.loc["assortativity", "estimate"] == pytest.approx(value)
    assert test.loc["assortativity", "std_error"] == pytest.approx(np.sqrt(jackknife))
    k = pd.Series([end for link in LINKS for end in link]).value_counts()
    ends = np.array([(k[a], k[b]) for a, b in LINKS + [(b, a) for a, b in LINKS]], dtype=float)
    assert test.loc["degree_assortativity", "estimate"] == pytest.approx(np.corrcoef(ends.T)[0, 1])


def test_expected_with_links_to_oneself() -> None:
    links = [*LINKS, ("a", "a")]
    result = collaboration(edges(links), GROUPS)
    k, m = {"G": 9, "H": 5}, 7
    assert sum(k.values()) == 2 * m
    expected = result.shares.set_index("group")["expected_intra"]
    np.testing.assert_allclose(expected, [k["G"] ** 2 / (4 * m), k["H"] ** 2 / (4 * m), (81 + 25) / (4 * m)])
    assert "links to themselves" in result.notes[0]["en"]
    by_chance = result.test.set_index("test").loc["assortativity_by_chance", "estimate"]
    assert by_chance == pytest.approx(0, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 9)), min_size=1, max_size=30))
def test_the_model_keeps_every_regions_links(rows: list[tuple[int, int, int]]) -> None:
    kept = [(f"r{a}", f"r{b}", w) for a, b, w in rows if a != b]
    if not sum(w for *_, w in kept):
        return
    frame = pd.DataFrame(kept, columns=["source", "target", "n"])
    alone = {f"r{i}": f"r{i}" for i in range(8)}  # every region its own group: mixing is the network itself
    result = collaboration(frame, alone, weight="n")
    both = pd.concat([result.mixing, result.mixing.rename(columns={"group_a": "group_b", "group_b": "group_a"})])
    sums = both.groupby("group_a")[["links", "expected"]].sum()
    np.testing.assert_allclose(sums["expected"], sums["links"], atol=1e-6)
    assert (result.shares["intra"] == 0).all()
    assert result.shares["expected_intra"].abs().max() == 0
    assert result.mixing["links"].sum() == sum(w for *_, w in kept)


def test_expected_without_links_to_oneself_is_the_mean_of_random_graphs() -> None:
    """Equal k: every pair is equally likely, whatever the exact model."""
    links = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f"), ("f", "a")]
    result = collaboration(edges(links), GROUPS)
    np.testing.assert_allclose(result.shares["expected_intra"], [6 * 3 / 15, 6 * 3 / 15, 6 * 6 / 15])
    by_chance = result.test.set_index("test").loc["assortativity_by_chance", "estimate"]
    assert by_chance == pytest.approx((6 / 15 - 1 / 2) / (1 - 1 / 2))


def test_order_weights_and_repeats() -> None:
    turned = edges([(b, a) for a, b in reversed(LINKS)])
    pd.testing.assert_frame_equal(collaboration(edges(), GROUPS).shares, collaboration(turned, GROUPS).shares)
    doubled = pd.concat([edges(), edges()], ignore_index=True)
    counted = edges().assign(n=2)
    pd.testing.assert_frame_equal(
        collaboration(doubled, GROUPS).shares, collaboration(counted, pd.Series(GROUPS), weight="n").shares
    )


def test_groups_without_links_are_named() -> None:
    result = collaboration(edges(), GROUPS | {"z": "Z", "y": "Z"})
    shares = result.shares.set_index("group")
    assert np.isnan(shares.loc["Z", "share"])
    assert shares.loc["Z", "regions"] == 2
    assert result.notes[-1]["en"] == "Groups without any link, hence without a share: Z."
    star = collaboration(edges([("a", "b"), ("a", "c"), ("a", "d")]), GROUPS)
    np.testing.assert_allclose(star.shares["expected_intra"], star.shares["intra"])


def test_bad_input() -> None:
    with pytest.raises(DataError, match="groups does not name: Beijin \\(nearest: Beijing\\)"):
        collaboration(edges([("Beijin", "Tianjin")]), econ.regions().set_index("province")["plate"])
    with pytest.raises(DataError, match="1 negative or missing"):
        collaboration(edges().assign(n=[1, 1, 1, 1, 1, -1]), GROUPS, weight="n")
    with pytest.raises(DataError, match="no link"):
        collaboration(edges().assign(n=0), GROUPS, weight="n")
    with pytest.raises(DataError, match="no link"):
        collaboration(edges([]), GROUPS)
    with pytest.raises(ModelError, match="two or more"):
        collaboration(edges(), dict.fromkeys(GROUPS, "G"))
    with pytest.raises(DataError, match="have no group"):
        collaboration(edges(), pd.Series(GROUPS | {"f": None}))
    with pytest.raises(DataError, match="two groups: a"):
        collaboration(edges(), pd.concat([pd.Series(GROUPS), pd.Series({"a": "H"})]))
    with pytest.raises(DataError, match="weight"):
        collaboration(edges(), GROUPS, weight="weight")
