"""Slopes by group in one regression, and the test that groups have the same."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from econ.columns import PanelColumns
from econ.design.expression import require_column
from econ.design.formula import Category, EffectTerm, parse_formula
from econ.errors import FormulaError, ModelError, OptionError
from econ.estimate import Estimate, Test
from econ.inference.covariance import Vcov
from econ.inference.wald import wald
from econ.panel import Panel
from econ.problem import check_panel
from econ.regress import feols
from econ.text import Text

LABEL: Text = {"en": "Slopes by group", "zh": "分组斜率"}


def heterogeneity(
    panel: Panel, formula: str, by: str, terms: Sequence[str] | None = None, vcov: Vcov | None = None
) -> Estimate:
    r"""One regression with slopes by group, and the Wald test that they are equal.

    .. math:: y_{it} = \sum_g 1(g_i = g)\, x_{it}'\beta_g + z_{it}'\delta + \alpha_i + \lambda_{(g)t} + u_{it}

    Subsamples compared by their stars compare nothing. Here all groups are in one regression, so that the covariance
    between their slopes is known, and clusters may reach over groups.

    Parameters
    ----------
    panel : the data
    formula : ``"y ~ x + z | unit + year"``, without instruments
    by : column of groups
    terms : terms of the formula whose slopes differ, the other slopes and the fixed effects being common (effects of
        the groups are added where they change within units); by default everything differs, fixed effects too, and
        slopes are those of regressions by subsample
    vcov : covariance, by default clusters by the panel's unit

    Returns
    -------
    Estimate with terms ``x:group::East``, and in ``tests`` one F test ``equal: x`` per term.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").join(econ.regions()[["province", "plate"]], on="province")
    >>> panel = panel.log(["rd_expenditure", "invention_grants"])
    >>> formula = "log_invention_grants ~ log_rd_expenditure | province + year"
    >>> found = econ.growth.heterogeneity(panel, formula, "plate")
    >>> found.test("equal: log_rd_expenditure").dof
    (3.0, 30.0)
    """
    check_panel(panel)
    split = _splits(panel, formula, by, terms)
    fitted = feols(panel, _rewritten(panel, formula, by, terms), vcov)
    tests = tuple(_equality(fitted, term, by) for term in split)
    spec = dict(fitted.spec) | {"estimator": "heterogeneity", "estimator_label": dict(LABEL), "by": by}
    return replace(fitted, tests=tests, spec=spec)


def _splits(panel: Panel, formula: str, by: str, terms: Sequence[str] | None) -> list[str]:
    """Terms whose slopes differ, checked."""
    asked = parse_formula(formula)
    require_column(by, PanelColumns(panel))
    if asked.endogenous:
        raise FormulaError("heterogeneity takes no instruments; leave out the last part of the formula.")
    names = [term.text for term in asked.terms]
    if isinstance(terms, str):
        raise OptionError(f"terms={terms!r}: give a list, such as [{terms!r}].")
    unknown = [name for name in terms or () if name not in names]
    if unknown or not names or (terms is not None and not terms):
        raise OptionError(
            f"terms={terms!r} names {', '.join(map(repr, unknown)) or 'nothing'}; the formula has {', '.join(names)}."
        )
    chosen = [term for term in asked.terms if terms is None or term.text in terms]
    if any(isinstance(factor, Category) or factor.column == by for term in chosen for factor in term.factors):
        raise FormulaError(
            f"Categories and {by!r} itself cannot be split by group; name the numeric terms that are, in terms."
        )
    return [term.text for term in chosen]


def _rewritten(panel: Panel, formula: str, by: str, terms: Sequence[str] | None) -> str:
    """The formula with ``term:C(by)`` in place of the terms, and effects by group where everything differs."""
    asked = parse_formula(formula)
    group = f"C({_quoted(by)})"
    right = [f"{t.text}:{group}" if terms is None or t.text in terms else t.text for t in asked.terms]
    if not asked.effects:
        right = [group, *right] if asked.intercept else ["0", *right]
        return f"{asked.outcome.text} ~ {' + '.join(right)}"
    effects = [effect.text for effect in asked.effects]
    if terms is None:
        if any(effect.slopes for effect in asked.effects):
            raise FormulaError("Unit-specific slopes cannot be split by group; name the terms that differ, in terms.")
        effects = [f"{text}^{_quoted(by)}" for text in effects if text != by]
    elif not any(_is_nested(panel, by, effect) for effect in asked.effects):
        effects.append(_quoted(by))
    return f"{asked.outcome.text} ~ {' + '.join(right)} | {' + '.join(effects)}"


def _is_nested(panel: Panel, by: str, effect: EffectTerm) -> bool:
    """Whether groups do not change within the levels of an effect, which then stands for their constants."""
    if not effect.intercept:
        return False
    groups = panel.frame.groupby(list(effect.columns), observed=True)[by].nunique()
    return bool((groups <= 1).all())


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def _equality(fitted: Estimate, term: str, by: str) -> Test:
    where = [k for k, name in enumerate(fitted.terms) if name.startswith(f"{term}:{by}::")]
    if len(where) < 2:
        raise ModelError(
            f"{term!r} has a slope in {len(where)} group of {by!r} only, so there is nothing to compare; see the notes "
            "on terms left out, or use a column with more groups."
        )
    R = np.zeros((len(where) - 1, len(fitted.terms)))
    R[:, where[0]] = 1.0
    R[np.arange(len(where) - 1), where[1:]] = -1.0
    dof = float(np.min(fitted.dof[where]))
    try:
        found = wald(fitted.coef, fitted.vcov, R, dof=dof)
    except ModelError as reason:
        note = {"en": f"not computed: {reason}", "zh": f"未计算：{reason}"}
        return Test(f"equal: {term}", np.nan, (float(len(R)), dof), np.nan, note)
    return Test(f"equal: {term}", found.statistic, (float(len(R)), dof), found.p_value)
