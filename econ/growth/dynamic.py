"""Dynamic panel models with unit effects: Anderson-Hsiao, Arellano-Bond, Blundell-Bond."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.errors import EconWarning, OptionError
from econ.estimate import Estimate
from econ.growth.dynamic_fit import DynamicFit, Step, dynamic_fit
from econ.growth.dynamic_model import DynamicModel, read_model
from econ.growth.dynamic_tests import specification_tests
from econ.growth.instruments import Gmm, Iv, instrument_matrix
from econ.growth.instruments import gmm as gmm_style
from econ.growth.instruments import iv as iv_style
from econ.inference.covariance import Vcov
from econ.inference.gmm import Windmeijer, checked_gmm_vcov, gmm_covariance
from econ.inference.specs import Cluster
from econ.linear.fit import BoolArray, FloatArray
from econ.options import GmmWeighting, PanelTransform, check_word
from econ.panel import Panel
from econ.problem import estimate_fields
from econ.text import Text


@dataclass(frozen=True, eq=False, repr=False)
class DynamicEstimate(Estimate):
    """Coefficients of a dynamic panel model with its specification tests and its instruments."""

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per test: ``name, statistic, dof, p_value, note``; a missing statistic has its reason in ``note``."""
        return pd.DataFrame(
            {
                "name": [test.name for test in self.tests],
                "statistic": [test.statistic for test in self.tests],
                "dof": [test.dof[0] if test.dof else np.nan for test in self.tests],
                "p_value": [test.p_value for test in self.tests],
                "note": [test.note["en"] if test.note else "" for test in self.tests],
            }
        )

    @property
    def instruments(self) -> pd.DataFrame:
        """One row per set of instruments and equation: ``instruments, style, equation, collapsed, count``."""
        return pd.DataFrame(self.spec["instrument_table"])

    def summary(self) -> str:
        """Everything a reader of a console needs, the table of instruments included."""
        table = self.instruments.rename(columns={"instruments": ""}).to_string(index=False, justify="right")
        return f"{super().summary()}\n\nInstruments\n{table}"


def dynamic(
    panel: Panel,
    formula: str,
    *,
    gmm: Sequence[Gmm | str] = (),
    iv: Sequence[Iv | str] = (),
    system: bool = False,
    transform: PanelTransform = "difference",
    steps: int = 2,
    collapse: bool = False,
    time_effects: bool = True,
    weighting: GmmWeighting = "dpd",
    vcov: Vcov | Windmeijer | None = None,
) -> DynamicEstimate:
    r"""GMM for panels with unit effects and a lagged outcome, or other regressors that past errors move.

    .. math:: y_{it} = \sum_j \alpha_j y_{i,t-j} + x_{it}'\beta + \lambda_t + \eta_i + v_{it}

    The unit effects go by first differences or forward orthogonal deviations; past values are the instruments of what
    is left: ``E[y_is \Delta v_it] = 0`` for ``s <= t - 2`` if errors are not autocorrelated (Arellano and Bond 1991).
    The system adds the equation in levels with past differences as instruments, ``E[\Delta y_i,t-1 (\eta_i + v_it)] =
    0``, which asks that deviations from the unit's own path at the start do not depend on its effect (Arellano and
    Bover 1995; Blundell and Bond 1998). Anderson and Hsiao's estimators (1982) are the cases with one instrument:
    ``gmm=[econ.gmm("y", lags=(2, 2), collapse=True)]`` in levels, ``iv=["lag(y, 2)"]`` in differences, ``steps=1``.

    Parameters
    ----------
    panel : one row per unit and period; gaps and unequal lengths are allowed, lags follow the calendar
    formula : ``"n ~ lag(n, 1:2) + lag(w, 0:1) + k"``, without fixed effects: those of units are implied
    gmm : variables whose past are instruments, from ``econ.gmm``; a name alone stands for ``lags=(2, None)``
    iv : instruments in the ordinary way, from ``econ.iv`` or names; exogenous regressors go here too
    system : add the equation in levels
    transform : ``"difference"``, or ``"orthogonal"``: forward orthogonal deviations, which lose fewer rows to gaps
    steps : 1, or 2: weights from one-step residuals, ``(sum Z_i'u_i u_i'Z_i)^-1``
    collapse : the default of ``econ.gmm(..., collapse=None)``
    time_effects : period effects; their instruments are themselves, transformed, in the system in levels only
    weighting : H of the one-step weight matrix ``(sum Z_i'H Z_i)^-1``. With TT' the covariance of transformed errors
        that are independent in levels: ``"dpd"``: TT', in the system diag(TT', I) (DPD for Ox; Blundell and Bond;
        xtabond2's h(2)); ``"xtabond2"``: in the system also the covariance of the two equations (its default h(3));
        ``"identity"``: I, two-stage least squares
    vcov : two steps: ``econ.windmeijer()``, the default, or ``econ.cluster(panel.unit, kind="CR0")``, uncorrected. One
        step: the latter, robust to heteroskedasticity and autocorrelation within units. No small-sample factors;
        t(units - 1), where xtabond2 without ``small`` takes the normal distribution.

    Returns
    -------
    DynamicEstimate: ``diagnostics`` (AR(1), AR(2), Sargan, Hansen, difference-in-Hansen by set of instruments),
    ``instruments`` (a table), in ``stats`` ``n_instruments`` and ``sigma2``. ``n_obs`` are rows of the transformed
    equation, in the system of levels. Coefficients of period effects are not among the terms.

    Notes
    -----
    Regressors without variation within units, and such that others span, are left out with a note; so are instruments
    whose moment others imply. More instruments than units make the two-step weight matrix singular: a generalised
    inverse takes its place (Moore-Penrose in units in which moments have variance one), which a note says, and Hansen
    tests are not computed.

    References
    ----------
    Arellano and Bond (1991), Review of Economic Studies 58; Blundell and Bond (1998), Journal of Econometrics 87;
    Windmeijer (2005), Journal of Econometrics 126; Roodman (2009), Stata Journal 9(1).

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> estimate = econ.growth.dynamic(
    ...     panel,
    ...     "log(gdp_per_capita) ~ lag(log(gdp_per_capita), 1) + log(rd_expenditure)",
    ...     gmm=[econ.gmm("log(gdp_per_capita)", lags=(2, 4)), econ.gmm("log(rd_expenditure)", lags=(2, 4))],
    ...     collapse=True,
    ... )
    >>> estimate.n_units
    31
    """
    for word, allowed, name in ((transform, PanelTransform, "transform"), (weighting, GmmWeighting, "weighting")):
        check_word(word, allowed, name)
    styles, ivs = _checked(panel, gmm, iv, system, steps)
    spec = checked_gmm_vcov(vcov, steps, panel.unit)
    model = read_model(
        panel, formula, styles, ivs, system=system, transform=transform, collapse=collapse, time_effects=time_effects
    )
    matrix = instrument_matrix(model.blocks, len(model.stack.level))
    fit, kept = dynamic_fit(model.stack, model.y, model.X, matrix, weighting)
    notes = (*model.left_out, *_redundant_note(kept), *_count_notes(fit, steps))
    for note in notes:
        warnings.warn(note["en"], EconWarning, stacklevel=2)
    options: list[Gmm | Iv] = [*styles, *ivs]
    listed = _instruments_note(options, collapse)
    asked = {
        "system": system,
        "transform": transform,
        "steps": steps,
        "weighting": weighting,
        "collapse": collapse,
        "instruments": [option.name for option in options],
        "fixed_effects": [panel.unit, *([str(panel.time)] if time_effects else [])],
        "instrument_table": fit.matrix.table().to_dict("records"),
    }
    return _label(model, fit, spec, steps, asked, (listed, *notes))


def _checked(
    panel: Panel, gmm: Sequence[Gmm | str], iv: Sequence[Iv | str], system: bool, steps: int
) -> tuple[list[Gmm], list[Iv]]:
    """The instruments as options, with all arguments checked against each other."""
    if isinstance(panel, Panel) and panel.time is None:
        raise OptionError("A dynamic panel model needs periods, and this panel has no time column.")
    if steps not in (1, 2):
        raise OptionError(f"steps={steps!r} is not allowed; choose 1 or 2.")
    for given, name in ((gmm, "gmm"), (iv, "iv")):
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise OptionError(f"{name}={given!r} is not allowed; give a list, such as [econ.{name}('y')].")
    styles = [gmm_style(option) if isinstance(option, str) else option for option in gmm]
    ivs = [iv_style(option) if isinstance(option, str) else option for option in iv]
    wrong = [x for x in styles if not isinstance(x, Gmm)] + [x for x in ivs if not isinstance(x, Iv)]
    if wrong:
        raise OptionError(f"{wrong[0]!r} is no instrument for this place; gmm takes econ.gmm(...), iv econ.iv(...).")
    options: list[Gmm | Iv] = [*styles, *ivs]
    names = [option.name for option in options]
    if not names:
        raise OptionError(
            "A dynamic panel model needs instruments: gmm=[econ.gmm('y')] for the lagged outcome, and gmm or iv for "
            "every other regressor."
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise OptionError(f"econ.{twice} stands twice; say it once, with equation='both' for the two equations.")
    level = [option for option in options if option.equation == "level"]
    if level and not system:
        raise OptionError(f"{level[0]}: there is a level equation only with system=True.")
    return styles, ivs


# ---- the result

_LABELS: dict[bool, Text] = {
    False: {"en": "Difference GMM", "zh": "差分GMM"},
    True: {"en": "System GMM", "zh": "系统GMM"},
}


def _label(
    model: DynamicModel,
    fit: DynamicFit,
    spec: Cluster | Windmeijer,
    steps: int,
    asked: dict[str, Any],
    notes: tuple[Text, ...],
) -> DynamicEstimate:
    problem, terms = model.problem, len(model.terms)
    step, matrix = _reported(fit, spec, steps)
    found = gmm_covariance(spec, matrix[:terms, :terms], steps, problem.panel.unit, fit.n_units)
    fields = estimate_fields(problem, ("dynamic", _estimator_label(asked)), found, (*model.notes, *notes))
    words = fields["spec"]["vcov"]["words"]
    fields["spec"] |= asked | {"vcov": spec.to_json() | {"columns": [problem.panel.unit], "words": words}}
    return DynamicEstimate(
        terms=model.terms,
        coef=step.fit.coef[:terms],
        stats={"n_instruments": float(fit.ZX.shape[0]), "sigma2": fit.error_variance},
        tests=specification_tests(fit, step, matrix),
        **fields,
    )


def _reported(fit: DynamicFit, spec: Cluster | Windmeijer, steps: int) -> tuple[Step, FloatArray]:
    """The step asked for, and the covariance of all its coefficients."""
    if steps == 1:
        return fit.first, fit.one_step_vcov
    return fit.second, fit.windmeijer_vcov if isinstance(spec, Windmeijer) else fit.second.fit.bread


def _estimator_label(asked: dict[str, Any]) -> dict[str, str]:
    label = _LABELS[asked["system"]]
    en, zh = ["one-step" if asked["steps"] == 1 else "two-step"], ["一步" if asked["steps"] == 1 else "两步"]
    if asked["transform"] == "orthogonal":
        en, zh = [*en, "forward orthogonal deviations"], [*zh, "前向正交离差"]
    if asked["system"] or asked["weighting"] == "identity":
        en, zh = [*en, f"weights H: {asked['weighting']}"], [*zh, f"权重 H：{asked['weighting']}"]
    return {"en": f"{label['en']} ({', '.join(en)})", "zh": f"{label['zh']}（{'，'.join(zh)}）"}


# ---- what must be read


def _instruments_note(options: Sequence[Gmm | Iv], collapse: bool) -> Text:
    """What the instruments are, for the foot of a table."""

    def said(option: Gmm | Iv, collapsed: str, where: Mapping[str, str]) -> str:
        flags = []
        if isinstance(option, Gmm) and (collapse if option.collapse is None else option.collapse):
            flags.append(collapsed)
        if option.equation != "both":
            flags.append(where[option.equation])
        return option.name + (f" [{', '.join(flags)}]" if flags else "")

    en = [said(o, "collapsed", {"difference": "transformed equation", "level": "level equation"}) for o in options]
    zh = [said(o, "合并", {"difference": "变换方程", "level": "水平方程"}) for o in options]
    return {"en": f"Instruments, with lags: {'; '.join(en)}.", "zh": f"工具变量及滞后期：{'；'.join(zh)}。"}


def _redundant_note(kept: BoolArray) -> list[Text]:
    gone = int((~kept).sum())
    if not gone:
        return []
    return [
        {
            "en": f"{gone} of {len(kept)} instruments are left out because others imply their moment conditions.",
            "zh": f"{len(kept)} 个工具变量中有 {gone} 个的矩条件可由其他矩条件推出，已剔除。",
        }
    ]


def _count_notes(fit: DynamicFit, steps: int) -> list[Text]:
    """More instruments than units, or moments whose covariance is singular for another reason."""
    L, N = fit.ZX.shape[0], fit.n_units
    rank = fit.optimal_root.rank
    notes: list[Text] = []
    if L > N:
        notes.append(
            {
                "en": f"{L} instruments for {N} units: so many overfit the endogenous regressors and leave the Hansen "
                "test without power (Roodman 2009). Use collapse=True or fewer lags.",
                "zh": f"{N} 个个体却有 {L} 个工具变量：工具变量过多会过度拟合内生变量，"
                "并使Hansen检验失去功效（Roodman，2009）。请使用 collapse=True 或减少滞后期。",
            }
        )
    if steps == 2 and rank < L:
        notes.append(
            {
                "en": f"The two-step weight matrix of {L} moments is singular (rank {rank}). Its Moore-Penrose "
                "inverse, in units in which every moment has variance one, takes its place; Hansen tests are not "
                "computed.",
                "zh": f"两步权重矩阵（{L} 个矩条件）奇异，秩为 {rank}；以其 Moore-Penrose 广义逆"
                "（各矩条件方差标准化为一）代替，不计算Hansen检验。",
            }
        )
    return notes
