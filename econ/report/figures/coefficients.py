"""Coefficients of one or several estimates as points with intervals."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from econ.errors import OptionError
from econ.estimate import Estimate
from econ.options import Lang, check_level, check_word
from econ.report.figures.fonts import wrap
from econ.report.figures.plot import Plot, finish
from econ.report.figures.results import Results, named_estimates, tidy_frame
from econ.report.figures.style import (
    SMALL,
    Canvas,
    Look,
    dodge,
    handle,
    house,
    looks,
    number_axis,
    open_canvas,
    zero_line,
)
from econ.report.figures.words import axis_label, interval_note, lower, phrase
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

INTERCEPTS = ("Intercept", "(Intercept)", "_cons")
ROW = 0.3  # inches per term
LABEL_ROOM = 2.2  # inches


def coefficient_plot(
    estimates: Results,
    *,
    terms: Sequence[str] | None = None,
    labels: Labels | None = None,
    level: float = 0.95,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Point estimates and confidence intervals, one row per term.

    Parameters
    ----------
    estimates : an Estimate, a list of them, a mapping of the names in the legend to them, or a frame with the columns
        ``term, estimate, ci_low, ci_high`` (and ``model``).
    terms : the terms to show, from top to bottom; default all but the intercept.
    labels : term or column -> text, before the labels that travel with the estimates.
    level : of the confidence intervals, 0.95.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``model, term, label, estimate, ci_low, ci_high``.

    Examples
    --------
    >>> import pandas as pd
    >>> from econ.report import coefficient_plot
    >>> frame = pd.DataFrame({"term": ["x"], "estimate": [1.0], "ci_low": [0.5], "ci_high": [1.5]})
    >>> coefficient_plot(frame, labels={"x": "R&D intensity"}).data["label"][0]
    'R&D intensity'
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    check_level(level)
    if terms is not None:
        check_list(terms, "terms")
    models = named_estimates(estimates, lang)
    words = Vocabulary(lang, labels or {}, known_labels(models))
    frame = _chosen(tidy_frame(estimates, models, level), terms)
    frame = frame.assign(label=[words.term(term) for term in frame["term"]])
    with house():
        n_rows = frame["term"].nunique()
        n_models = frame["model"].nunique()
        canvas = open_canvas(ax, 5.2, 0.75 + ROW * n_rows * max(1.0, 0.45 * n_models + 0.4))
        shown = _draw(canvas, frame)
        canvas.axes[0].set_xlabel(measure(models, words), loc="right")  # which may reach under the terms
        sentences = [interval_note(models, level, words), *estimate_notes(models), *notes]
        return finish(canvas, frame, title, sentences, lang, model_key(shown))


def known_labels(estimates: Mapping[str, Estimate]) -> dict[str, Mapping[str, str]]:
    """Labels that travelled with the estimates, of the first that has one."""
    known: dict[str, Mapping[str, str]] = {}
    for estimate in reversed(list(estimates.values())):
        known |= dict(estimate.labels)
    return known


def whiskers(ax: Axes, look: Look, frame: pd.DataFrame, at: "pd.Series[float]", *, horizontal: bool) -> None:
    """Points with interval bars at positions along the other axis."""
    low, high, point = frame["ci_low"], frame["ci_high"], frame["estimate"]
    if horizontal:
        ax.hlines(at, low, high, color=look.color, linewidth=1.1)
        ax.plot(point, at, look.marker, color=look.color)
    else:
        ax.vlines(at, low, high, color=look.color, linewidth=1.1)
        ax.plot(at, point, look.marker, color=look.color)


def _chosen(frame: pd.DataFrame, terms: Sequence[str] | None) -> pd.DataFrame:
    have = list(dict.fromkeys(frame["term"]))
    if terms is None:
        wanted = [term for term in have if term not in INTERCEPTS] or have
    else:
        wanted = list(terms)
        absent = [term for term in wanted if term not in have]
        if absent or not wanted:
            raise OptionError(
                f"No term {', '.join(map(repr, absent))}; the estimates have {', '.join(map(repr, have))}."
            )
    rank = {term: i for i, term in enumerate(wanted)}
    kept = frame[frame["term"].isin(wanted)]
    return kept.sort_values("term", key=lambda names: names.map(rank), kind="stable").reset_index(drop=True)


def model_key(shown: Mapping[str, Look]) -> list[Line2D]:
    """Signs of the legend, which a single model does not need."""
    return [handle(look, model, line=False) for model, look in shown.items()] if len(shown) > 1 else []


def _draw(canvas: Canvas, frame: pd.DataFrame) -> dict[str, Look]:
    ax = canvas.axes[0]
    labels = dict(zip(frame["term"], frame["label"], strict=True))
    rows = {term: row for row, term in enumerate(labels)}
    models = list(dict.fromkeys(frame["model"]))
    shown = dict(zip(models, looks(len(models)), strict=True))
    zero_line(ax, horizontal=False)
    for (model, look), shift in zip(shown.items(), dodge(len(models), 0.6), strict=True):
        part = frame[frame["model"] == model]
        whiskers(ax, look, part, part["term"].map(rows) + shift, horizontal=True)
    wrapped = [wrap(canvas.figure, label, SMALL, LABEL_ROOM, even=True) for label in labels.values()]
    ax.set_yticks(list(rows.values()), wrapped)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    number_axis(ax.xaxis)
    return shown


def measure(estimates: Mapping[str, Estimate], words: Vocabulary) -> str:
    """The axis name: the effect on the outcome where all estimates share one."""
    outcomes = {estimate.outcome for estimate in estimates.values()}
    if len(outcomes) != 1:
        return phrase("estimate", words.lang)
    return phrase("effect_on", words.lang, lower(axis_label(words, outcomes.pop())))


def estimate_notes(estimates: Mapping[str, Estimate]) -> list[Words]:
    return [note for estimate in estimates.values() for note in estimate.notes]
