"""The one result that every estimator returns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy import special

from econ.errors import DataError, OptionError
from econ.inference.bands import sup_t
from econ.inference.wald import WaldTest, restrictions, wald
from econ.linear.fit import BoolArray, FloatArray
from econ.options import check_level
from econ.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from econ.report.figures import Plot

FORMAT = 1


@dataclass(frozen=True)
class Test:
    """A named test; where a number is NaN, ``note`` gives the reason."""

    __test__ = False  # no test case, whatever its name tells pytest

    name: str
    statistic: float
    dof: tuple[float, ...]
    p_value: float
    note: Text | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Estimate:
    """Coefficients with their joint covariance, the sample they rest on, and what was asked for.

    Attributes
    ----------
    terms : names of the K coefficients
    coef : (K,), in the outcome's unit of measure per unit of the regressor
    vcov : (K, K), the covariance named in ``spec["vcov"]``
    dof : (K,), degrees of freedom of the t statistics; infinite means the normal distribution
    n_obs, n_units, n_periods : rows, units and periods in the estimation sample
    n_clusters : clusters per clustering dimension; empty when not clustered
    sample : (rows of the panel,), true where a row was used
    dropped : reason -> number of rows (or what else the reason counts) left out
    spec : what was estimated, as plain JSON: estimator, outcome, formula, fixed effects, weights, offset, instruments,
        covariance, data set
    stats : summary statistics under the project's shared names, one definition per name
    tests : specification tests that come with the estimator
    labels : column -> {"label", "label_zh", "unit"}, defaults for tables and axes
    notes : what a reader must know, in English and Chinese; printed under every table and figure
    """

    terms: tuple[str, ...]
    coef: FloatArray
    vcov: FloatArray
    dof: FloatArray
    n_obs: int
    n_units: int
    n_periods: int
    sample: BoolArray
    spec: Mapping[str, Any]
    n_clusters: tuple[int, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    stats: Mapping[str, float] = field(default_factory=dict)
    tests: tuple[Test, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()

    # ---- statistics

    @cached_property
    def std_error(self) -> FloatArray:
        """(K,) square roots of the diagonal of ``vcov``."""
        return np.sqrt(np.diag(self.vcov))

    @cached_property
    def statistic(self) -> FloatArray:
        """(K,) ``coef / std_error``, the t statistic of a zero coefficient."""
        return self.coef / self.std_error

    @cached_property
    def p_value(self) -> FloatArray:
        """(K,) two-sided p-values from Student's t with ``dof`` degrees of freedom."""
        return np.asarray(2 * special.stdtr(self.dof, -np.abs(self.statistic)))

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """One row per term: ``term, estimate, std_error, statistic, p_value, ci_low, ci_high``."""
        check_level(level)
        half_width = -special.stdtrit(self.dof, (1 - level) / 2) * self.std_error
        return pd.DataFrame(
            {
                "term": list(self.terms),
                "estimate": self.coef,
                "std_error": self.std_error,
                "statistic": self.statistic,
                "p_value": self.p_value,
                "ci_low": self.coef - half_width,
                "ci_high": self.coef + half_width,
            }
        )

    def band(self, level: float = 0.95, draws: int = 9999, seed: int = 1) -> pd.DataFrame:
        """Simultaneous confidence band over all terms: ``term, estimate, ci_low, ci_high``.

        The band covers all coefficients at once with probability ``level``: ``estimate -+ c x std_error`` with the
        sup-t critical value c of ``econ.inference.bands.sup_t``, from ``draws`` draws of the joint distribution.
        """
        width = sup_t(self.vcov, float(np.min(self.dof)), level, draws, seed) * self.std_error
        limits = {"ci_low": self.coef - width, "ci_high": self.coef + width}
        return pd.DataFrame({"term": list(self.terms), "estimate": self.coef} | limits)

    def glance(self) -> pd.DataFrame:
        """One row: estimator, outcome, sample sizes, covariance and every summary statistic."""
        row: dict[str, Any] = {
            "estimator": self.spec["estimator"],
            "outcome": self.outcome,
            "n_obs": self.n_obs,
            "n_units": self.n_units,
            "n_periods": self.n_periods,
            "n_clusters": " x ".join(map(str, self.n_clusters)),
            "vcov": self.vcov_words(),
        }
        return pd.DataFrame([row | dict(self.stats)])

    def wald(self, hypothesis: str | Sequence[str]) -> WaldTest:
        """Test linear restrictions jointly: ``"x1 = x2"``, ``"x1 + x2 = 1"``, or a list of terms that are all zero."""
        R, r = restrictions(hypothesis, self.terms)
        return wald(self.coef, self.vcov, R, r, float(np.min(self.dof)))

    def test(self, name: str) -> Test:
        """The specification test of that name."""
        for test in self.tests:
            if test.name == name:
                return test
        have = ", ".join(repr(test.name) for test in self.tests) or "none"
        raise OptionError(f"No test named {name!r} on this result; it has {have}.")

    # ---- what it is

    @property
    def outcome(self) -> str:
        """The outcome as it was asked for, such as ``log(y)``."""
        return str(self.spec["outcome"])

    def vcov_words(self, lang: str = "en") -> str:
        """The covariance in words: kind, clusters, small-sample convention."""
        return str(self.spec["vcov"]["words"][lang])

    def summary(self) -> str:
        """Everything a reader of a console needs, as text."""
        head = [f"{self.spec['estimator_label']['en']}: {self.spec.get('formula') or self.outcome}"]
        head.append(f"Observations {self.n_obs:,}, units {self.n_units:,}, periods {self.n_periods:,}")
        head.append(self.vcov_words())
        if asked := _asked_line(self.spec):
            head.append(asked)
        body = self.tidy().set_index("term").rename_axis(None).to_string(float_format=lambda x: f"{x:.6g}")
        foot = [f"{name} {value:.6g}" for name, value in self.stats.items()]
        foot += [_test_line(test) for test in self.tests]
        foot += [f"Dropped: {reason}: {count:,}" for reason, count in self.dropped.items()]
        foot += [f"Note: {note['en']}" for note in self.notes]
        return "\n".join([*head, "", body, "", *foot])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from econ.report import table

        return table([self]).html()

    def plot(self, ax: "Axes | None" = None) -> "Plot":
        """Coefficients with their 95 % confidence intervals; by event time where the terms are event times."""
        from econ.report import coefficient_plot, event_plot

        return event_plot([self], ax=ax) if "event_time" in self.spec else coefficient_plot([self], ax=ax)

    # ---- JSON

    def to_json(self, path: str | Path | None = None) -> str:
        """The result as JSON text (and in a file); ``from_json`` gives back the same bits."""
        plain = self._to_plain()
        text = json.dumps(_plain({"format": FORMAT} | plain), ensure_ascii=False, indent=1, allow_nan=False)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    @classmethod
    def from_json(cls, source: str | Path) -> Self:
        """Read what ``to_json`` wrote, from its text or from a file."""
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        try:
            raw = json.loads(text)
        except (TypeError, ValueError):
            raise DataError(
                f"{str(text)[:40]!r} is no JSON; give the text that Estimate.to_json wrote, or its file as a "
                "pathlib.Path."
            ) from None
        if not isinstance(raw, dict) or raw.pop("format", None) != FORMAT:
            raise DataError(
                f"This JSON is not an estimate of format {FORMAT}; write it with Estimate.to_json of this version."
            )
        return cls(**cls._from_plain(raw))

    def _to_plain(self) -> dict[str, Any]:
        plain = {name.name: getattr(self, name.name) for name in fields(Estimate)}
        plain["sample"] = _pack_bits(self.sample)
        plain["tests"] = [{name.name: getattr(test, name.name) for name in fields(test)} for test in self.tests]
        return plain

    @classmethod
    def _from_plain(cls, raw: dict[str, Any]) -> dict[str, Any]:
        for name in ("coef", "dof"):
            raw[name] = floats(raw[name])
        raw["vcov"] = floats(raw["vcov"]).reshape(len(raw["coef"]), len(raw["coef"]))
        raw["sample"] = _unpack_bits(raw["sample"])
        raw["stats"] = {name: float(value) for name, value in raw["stats"].items()}
        raw["tests"] = tuple(
            Test(t["name"], float(t["statistic"]), tuple(float(d) for d in t["dof"]), float(t["p_value"]), t["note"])
            for t in raw["tests"]
        )
        for name in ("terms", "n_clusters", "notes"):
            raw[name] = tuple(raw[name])
        return raw

    # ---- statsmodels' words

    @property
    def params(self) -> "pd.Series[float]":
        """``coef`` by term."""
        return pd.Series(self.coef, index=list(self.terms), name="coef")

    @property
    def bse(self) -> "pd.Series[float]":
        """``std_error`` by term."""
        return pd.Series(self.std_error, index=list(self.terms), name="std_error")

    @property
    def tvalues(self) -> "pd.Series[float]":
        """``statistic`` by term."""
        return pd.Series(self.statistic, index=list(self.terms), name="statistic")

    @property
    def pvalues(self) -> "pd.Series[float]":
        """``p_value`` by term."""
        return pd.Series(self.p_value, index=list(self.terms), name="p_value")

    @property
    def nobs(self) -> int:
        """``n_obs``."""
        return self.n_obs

    @property
    def rsquared(self) -> float | None:
        """``stats["r2"]``, if this estimator has one."""
        return self.stats.get("r2")

    @property
    def endog_names(self) -> str:
        """``outcome``."""
        return self.outcome

    @property
    def cov_type(self) -> str:
        """``vcov_words()``."""
        return self.vcov_words()

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Confidence limits by term at level ``1 - alpha``, columns 0 and 1."""
        limits = self.tidy(1 - alpha).set_index("term")[["ci_low", "ci_high"]].rename_axis(None)
        return limits.set_axis([0, 1], axis=1)

    def cov_params(self) -> pd.DataFrame:
        """``vcov`` labelled by term."""
        return pd.DataFrame(self.vcov, index=list(self.terms), columns=list(self.terms))

    # ---- maketables' plug-in attributes

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        names = {"estimate": "b", "std_error": "se", "statistic": "t", "p_value": "p"}
        table = self.tidy().set_index("term").rename_axis("Coefficient").rename(columns=names)
        return table[list(names.values())]

    @property
    def __maketables_depvar__(self) -> str:
        return self.outcome

    @property
    def __maketables_fixef_string__(self) -> str | None:
        return "+".join(self.spec.get("fixed_effects") or ()) or None

    @property
    def __maketables_vcov_info__(self) -> dict[str, Any]:
        vcov = self.spec["vcov"]
        return {"vcov_type": vcov["kind"], "clustervar": list(vcov.get("columns", ()))}

    @property
    def __maketables_var_labels__(self) -> dict[str, str]:
        return {name: words["label"] for name, words in self.labels.items() if "label" in words}

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        return ["N", *(key for key in ("r2", "r2_within") if key in self.stats)]

    def __maketables_stat__(self, key: str) -> float | str | None:
        if key == "N":
            return self.n_obs
        if key == "se_type":
            return self.vcov_words()
        return self.stats.get({"adj_r2": "r2_adj"}.get(key, key))


def _asked_line(spec: Mapping[str, Any]) -> str:
    """Weights, offset and instruments, where there are any."""
    weights, offset, endogenous = (spec.get(name) for name in ("weights", "offset", "endogenous"))
    parts = [
        f"weights {weights}" if isinstance(weights, str) else "",
        f"offset {offset}" if offset else "",
        f"{', '.join(endogenous)} instrumented by {', '.join(spec['instruments'])}" if endogenous else "",
    ]
    said = "; ".join(filter(None, parts))
    return said[:1].upper() + said[1:]


def _test_line(test: Test) -> str:
    dof = f" ({', '.join(f'{d:g}' for d in test.dof)})" if test.dof else ""
    parts = [
        f"{test.name} {test.statistic:.6g}{dof}" if np.isfinite(test.statistic) else test.name,
        f"p = {test.p_value:.4f}" if np.isfinite(test.p_value) else "",
        test.note["en"] if test.note else "",
    ]
    return ", ".join(filter(None, parts))


def _plain(value: Any) -> Any:
    """JSON's own types; numbers keep their bits, infinities and NaN become the strings that ``float`` reads back."""
    match value:
        case np.ndarray():
            return [_plain(item) for item in value.ravel().tolist()]
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case bool() | np.bool_():
            return bool(value)
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            return float(value) if np.isfinite(value) else repr(float(value))
        case str() | None:
            return value
        case Sequence():
            return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def floats(values: Sequence[Any]) -> FloatArray:
    """An array of what ``to_json`` wrote, infinities and NaN included."""
    return np.array([float(value) for value in values], dtype=np.float64)


def _pack_bits(flags: BoolArray) -> dict[str, Any]:
    """Lengths of alternating runs, starting with rows left out: small, and readable in a diff."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [not flags[-1] if len(flags) else True]])))
    runs = np.diff(edges, prepend=0)
    return {"rows": len(flags), "used": int(flags.sum()), "runs": runs}


def _unpack_bits(packed: Mapping[str, Any]) -> BoolArray:
    runs = packed["runs"]
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)
