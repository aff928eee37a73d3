"""Event studies: effects by time since treatment, of one or several estimators side by side."""

import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from econ.data.frames import require_columns
from econ.errors import DataError, OptionError
from econ.estimate import Estimate
from econ.options import Lang, check_level, check_word
from econ.report.figures.coefficients import estimate_notes, known_labels, measure, model_key, whiskers
from econ.report.figures.plot import Plot, finish
from econ.report.figures.results import Results, named_estimates, tidy_frame
from econ.report.figures.style import (
    GREY,
    Look,
    dodge,
    house,
    looks,
    number_axis,
    open_canvas,
    zero_line,
)
from econ.report.figures.words import interval_note, joined, phrase
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

EVENT_TERM = re.compile(
    r"(?:(?:event_time|event|time_to_treat\w*|rel_time|relative_time)(?:::|\s*=\s*)|t(?=[+\-\u2212 0]))?"
    r"\s*(?P<time>[+\-\u2212]?\d{1,3})(?::[A-Za-z]\w*)?"
)
LEVEL = re.compile(r"(?P<of>[^:]+)::(?P<time>[+\-\u2212]?\d{1,3})(?P<by>:.+)?")
COLUMNS = ["model", "event_time", "estimate", "ci_low", "ci_high", "reference"]


def event_plot(
    results: Results,
    *,
    bands: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
    labels: Labels | None = None,
    level: float = 0.95,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Effects by event time: points, interval bars, the reference period as a hollow point at zero.

    Parameters
    ----------
    results : an Estimate by event time, a list, a mapping of the names in the legend to Estimates, or a frame with
        the columns ``event_time, estimate, ci_low, ci_high`` (and ``model``). Event times are read from
        ``spec["event_time"]`` or from terms such as ``event_time::-2``; else, whatever its name, from the one
        ``i(k, treated, ref=-1)`` of a formula with levels on both sides of zero. Other terms are left out.
    bands : simultaneous bands, shaded: a frame ``event_time, ci_low, ci_high`` (or ``term`` for the first), or one
        by name of a result.
    labels : column -> text, for the outcome on the axis.
    level : of the pointwise intervals, 0.95.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``model, event_time, estimate, ci_low, ci_high, reference`` (and ``band_low, band_high``).

    Examples
    --------
    >>> import pandas as pd
    >>> from econ.report import event_plot
    >>> frame = pd.DataFrame({"event_time": [-2, 0], "estimate": [0.1, 1], "ci_low": [0, 0], "ci_high": [1, 2]})
    >>> event_plot(frame).data["event_time"].tolist()
    [-2, 0]
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    check_level(level)
    models = named_estimates(results, lang)
    words = Vocabulary(lang, labels or {}, known_labels(models))
    frame = _add_bands(_by_event_time(results, models, level), bands)
    sentences = [interval_note(models, level, words)]
    sentences += [phrase("shading", lang)] if "band_low" in frame else []
    sentences += [phrase("reference", lang)] if frame["reference"].any() else []
    with house():
        canvas = open_canvas(ax, 6.0, 3.2)
        shown = _draw(canvas.axes[0], frame)
        canvas.axes[0].set(xlabel=phrase("event_time", lang), ylabel=measure(models, words))
        signs = joined(sentences, lang)
        return finish(canvas, frame, title, [signs, *estimate_notes(models), *notes], lang, model_key(shown))


def _by_event_time(results: Results, models: Mapping[str, Estimate], level: float) -> pd.DataFrame:
    frame = tidy_frame(results, models, level)
    if "event_time" not in frame:
        times = {name: _event_times(models.get(str(name)), rows["term"]) for name, rows in frame.groupby("model")}
        frame["event_time"] = [times[name].get(term) for name, term in zip(frame["model"], frame["term"], strict=True)]
    terms = ", ".join(map(repr, frame["term"][:4]))
    frame = frame[frame["event_time"].notna()].astype({"event_time": "int64"})
    if frame.empty:
        raise OptionError(
            f"No term is an event time; there are {terms}. Give Estimates by event time, such as "
            "aggregate('event') of a DiD result, or with terms such as event_time::-2, t-2, or those of one "
            "i(k, treated, ref=-1) with levels on both sides of zero."
        )
    twice = frame.duplicated(["model", "event_time"])
    if twice.any():
        raise DataError(
            f"Event time {frame.loc[twice, 'event_time'].iloc[0]} stands more than once in a result; keep one."
        )
    flags = frame["reference"].astype(bool) if "reference" in frame else False
    rows = [frame.assign(reference=flags)[COLUMNS], *(_reference_row(name, models[name], frame) for name in models)]
    order = {name: i for i, name in enumerate(dict.fromkeys(frame["model"]))}
    whole = pd.concat([part for part in rows if len(part)], ignore_index=True)
    return whole.sort_values(
        ["model", "event_time"], key=lambda c: c.map(order) if c.name == "model" else c, ignore_index=True
    )


def _event_times(estimate: Estimate | None, terms: Iterable[str]) -> dict[str, int]:
    """Terms that are event times: those listed, those so named, or those of the one factor that crosses zero."""
    if estimate is not None and isinstance(listed := estimate.spec.get("event_time"), Mapping):
        return {term: int(time) for term, time in listed.items()}
    named, factors = {}, dict[tuple[str, str | None], dict[str, int]]()
    for term in terms:
        if found := EVENT_TERM.fullmatch(term.strip()):
            named[term] = _whole(found["time"])
        elif found := LEVEL.fullmatch(term.strip()):
            factors.setdefault((found["of"], found["by"]), {})[term] = _whole(found["time"])
    crossing = [times for times in factors.values() if min(times.values()) < 0 <= max(times.values())]
    return named or (crossing[0] if len(crossing) == 1 else {})


def _whole(time: str) -> int:
    return int(time.replace("\u2212", "-"))


def _reference(estimate: Estimate, terms: Iterable[str]) -> int | None:
    """The period left out: what the estimate says, or ``ref=`` of the factor in its formula."""
    if isinstance(given := estimate.spec.get("reference"), int):
        return given
    factors = {re.escape(term.partition("::")[0]) for term in terms if "::" in term}
    call = rf"\bi\(\s*(?:{'|'.join(sorted(factors))})\s*,[^()]*\bref\s*=\s*(-?\d+)\s*\)"
    found = re.search(call, str(estimate.spec.get("formula", ""))) if factors else None
    return int(found[1]) if found else None


def _reference_row(name: str, estimate: Estimate, frame: pd.DataFrame) -> pd.DataFrame:
    """The period left out, at zero without an interval, unless the estimate has it as a term."""
    rows = frame[frame["model"] == name]
    reference = _reference(estimate, rows["term"])
    if reference is None or reference in set(rows["event_time"]):
        return pd.DataFrame(columns=COLUMNS)
    return pd.DataFrame([[name, reference, 0.0, 0.0, 0.0, True]], columns=COLUMNS)


def _add_bands(frame: pd.DataFrame, bands: pd.DataFrame | Mapping[str, pd.DataFrame] | None) -> pd.DataFrame:
    if bands is None:
        return frame
    names = list(dict.fromkeys(frame["model"]))
    if isinstance(bands, pd.DataFrame):
        if len(names) > 1:
            raise OptionError(f"Give bands by name of the result: {{{names[0]!r}: frame, ...}}.")
        bands = {names[0]: bands}
    unknown = [name for name in bands if name not in names]
    if unknown:
        raise OptionError(
            f"bands names {', '.join(map(repr, unknown))}; the results are {', '.join(map(repr, names))}."
        )
    parts = [_band(band).assign(model=name) for name, band in bands.items()]
    return frame.merge(pd.concat(parts), on=["model", "event_time"], how="left")


def _band(band: pd.DataFrame) -> pd.DataFrame:
    if "event_time" not in band and "term" in band:
        times = band["term"].map(_event_times(None, band["term"].astype(str)))
        band = band.assign(event_time=times)[times.notna()]
    require_columns(band, ["event_time", "ci_low", "ci_high"], "The band")
    named = band.rename(columns={"ci_low": "band_low", "ci_high": "band_high"})
    return named[["event_time", "band_low", "band_high"]].astype({"event_time": "int64"})


def _draw(ax: Axes, frame: pd.DataFrame) -> dict[str, Look]:
    models = list(dict.fromkeys(frame["model"]))
    shown = dict(zip(models, looks(len(models)), strict=True))
    zero_line(ax)
    ax.axvline(-0.5, color=GREY, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0.5)
    for (model, look), shift in zip(shown.items(), dodge(len(models), 0.6), strict=True):
        part = frame[frame["model"] == model]
        if "band_low" in part:
            ax.fill_between(
                part["event_time"] + shift, part["band_low"], part["band_high"],
                color=look.color, alpha=0.15, linewidth=0, zorder=0.4,
            )  # fmt: skip
        estimated, left_out = part[~part["reference"]], part[part["reference"]]
        whiskers(ax, look, estimated, estimated["event_time"] + shift, horizontal=False)
        ax.plot(
            left_out["event_time"] + shift, left_out["estimate"], look.marker,
            color=look.color, markerfacecolor="white", zorder=3,
        )  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(13, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}".replace("-", "\u2212")))
    number_axis(ax.yaxis)
    ax.set_xlim(frame["event_time"].min() - 0.6, frame["event_time"].max() + 0.6)
    return shown
