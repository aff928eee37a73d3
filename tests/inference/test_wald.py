import numpy as np
import pytest
from scipy import stats

from econ.errors import FormulaError, ModelError, OptionError
from econ.inference.wald import restrictions, wald

COEF = np.array([1.0, 2.0, -0.5])
ROOT = np.random.default_rng(0).normal(size=(3, 3))
VCOV = ROOT @ ROOT.T


def test_equals_the_quadratic_form() -> None:
    R, r = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]]), np.array([0.0, 1.0])
    gap = R @ COEF - r
    W = gap @ np.linalg.inv(R @ VCOV @ R.T) @ gap
    test = wald(COEF, VCOV, R, r, dof=12)
    assert (test.dof_num, test.dof_denom) == (2, 12.0)
    assert test.statistic == pytest.approx(W / 2)
    assert test.p_value == pytest.approx(stats.f.sf(W / 2, 2, 12))
    assert test.statistic_chi2 == pytest.approx(W)
    assert test.p_value_chi2 == pytest.approx(stats.chi2.sf(W, 2))
    normal = wald(COEF, VCOV, R, r)
    assert normal.p_value == normal.p_value_chi2


def test_one_restriction_is_the_squared_t() -> None:
    test = wald(COEF, VCOV, np.array([0.0, 1.0, 0.0]), dof=20)
    t = COEF[1] / np.sqrt(VCOV[1, 1])
    assert test.statistic == pytest.approx(t**2)
    assert test.p_value == pytest.approx(2 * stats.t.sf(abs(t), 20))


def test_units_of_measure_do_not_matter() -> None:
    scale = np.array([1e9, 1e-9, 1.0])
    plain = wald(COEF, VCOV, np.eye(3))
    scaled = wald(COEF * scale, VCOV * np.outer(scale, scale), np.eye(3))
    assert scaled.statistic == pytest.approx(plain.statistic, rel=1e-9)


TERMS = ("x1", "x10", "lag(x1, 1)", "year::2014:treated", "log(x)", "(Intercept)")


@pytest.mark.parametrize(
    ("hypothesis", "rows", "r"),
    [
        ("x1", [[1, 0, 0, 0, 0, 0]], [0]),
        ("x1 = x10", [[1, -1, 0, 0, 0, 0]], [0]),
        ("x1 + x10 = 1", [[1, 1, 0, 0, 0, 0]], [1]),
        ("2*x1 - .5 x10 = -3", [[2, -0.5, 0, 0, 0, 0]], [-3]),
        ("x1 = x10 = 0", [[1, -1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]], [0, 0]),
        ("lag(x1, 1), year::2014:treated", [[0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0]], [0, 0]),
        (["log(x)", "(Intercept) = 2"], [[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]], [0, 2]),
        ("-x1 = x10 - 1e-1", [[-1, -1, 0, 0, 0, 0]], [-0.1]),
        ("1 = x1", [[-1, 0, 0, 0, 0, 0]], [-1]),
    ],
)
def test_words_become_matrices(hypothesis: str | list[str], rows: list[list[float]], r: list[float]) -> None:
    R, constants = restrictions(hypothesis, TERMS)
    np.testing.assert_allclose(R, rows)
    np.testing.assert_allclose(constants, r)


@pytest.mark.parametrize(
    "hypothesis", ["x2", "x1 = ", "", "x1 x10", "x1 * x10", "x1 == 2", "x100", "3 * = x1", "x1 + = 2", "2 3", "* x1"]
)
def test_words_that_do_not_parse_are_refused(hypothesis: str) -> None:
    with pytest.raises(FormulaError, match=r"write (something|equations)"):
        restrictions(hypothesis, TERMS)


def test_redundant_or_misshapen_restrictions_are_refused() -> None:
    with pytest.raises(ModelError, match="Test fewer restrictions"):
        wald(COEF, VCOV, np.array([[1.0, 0, 0], [2.0, 0, 0]]))
    with pytest.raises(ModelError, match="Test fewer restrictions"):
        wald(COEF, np.zeros((3, 3)), np.eye(3))
    with pytest.raises(OptionError, match="R has 2 columns"):
        wald(COEF, VCOV, np.eye(2))
    with pytest.raises(OptionError, match="dof=0"):
        wald(COEF, VCOV, np.eye(3), dof=0)


def test_in_words() -> None:
    assert str(wald(COEF, VCOV, *restrictions("a, b", ("a", "b", "c")), dof=9)).startswith("F(2, 9) = ")
    assert str(wald(COEF, VCOV, np.eye(3))).startswith("F(3, inf) = ")
