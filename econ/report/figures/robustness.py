"""Overall effects under changes of the sample or of the treatment dates."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from econ.errors import OptionError
from econ.options import Lang, check_word
from econ.report.figures.coefficients import coefficient_plot
from econ.report.figures.plot import Plot
from econ.report.figures.style import GREY
from econ.report.figures.words import lower, phrase, value_label
from econ.report.labels import Labels, Vocabulary, Words

if TYPE_CHECKING:
    from econ.did.robustness import Robustness

LINE: Mapping[Lang, str] = {
    "en": "Dashes: the estimate as observed, {:.3f}.",
    "zh": "虚线：实际估计{:.3f}。",
}
CHANGES: Mapping[str, Mapping[Lang, str]] = {
    "left_out": {"en": "Without {}", "zh": "剔除{}"},
    "period_earlier": {"en": "{} period earlier", "zh": "提前{}期"},
    "periods_earlier": {"en": "{} periods earlier", "zh": "提前{}期"},
}


def robustness_plot(
    result: "Robustness",
    *,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """One row per change: estimate and 95 % interval, with the observed estimate as a line.

    Parameters
    ----------
    result : from ``econ.did.leave_one_out`` or ``placebo_dates``.
    labels : unit or group that is left out -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``model, term, label, estimate, ci_low, ci_high``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> found = econ.did.placebo_dates(econ.did.twfe, panel, "log(invention_grants)", cohort="cohort", shifts=[2])
    >>> econ.report.robustness_plot(found).data["label"].tolist()
    ['2 periods earlier']
    """
    check_word(lang, Lang, "lang")
    known = result.frame.dropna(subset=["estimate"])
    if known.empty:
        raise OptionError("No row of this result could be estimated; its frame gives the reasons.")
    words = Vocabulary(lang, labels or {}, result.labels)
    names = [_change(result.changed, name, words) for name in known[result.changed]]
    said = LINE[lang].format(result.baseline)
    plot = coefficient_plot(
        known.assign(term=names)[["term", "estimate", "ci_low", "ci_high"]],
        title=title,
        notes=[said, *result.notes, *notes],
        lang=lang,
        ax=ax,
    )
    plot.ax.set_xlabel(phrase("overall_effect_on", lang, lower(words.term(result.outcome))))
    plot.ax.axvline(result.baseline, color=GREY, linewidth=0.8, linestyle=(0, (5, 2)), zorder=0.6)
    return plot


def _change(kind: str, name: object, words: Vocabulary) -> str:
    if kind == "periods_earlier" and name == 1:
        kind = "period_earlier"
    return CHANGES[kind][words.lang].format(value_label(words, name))
