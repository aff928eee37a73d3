"""Who is treated when: a grid of units by periods."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from econ.errors import DataError
from econ.linear.fit import IntArray
from econ.options import Lang, check_word
from econ.panel import Panel
from econ.report.figures.plot import Plot, finish
from econ.report.figures.style import FAINT, OKABE_ITO, house, open_canvas, period_axis
from econ.report.figures.words import panel_words, phrase, value_label
from econ.report.labels import Labels, Vocabulary, Words
from econ.report.layout import check_list

STATES = ("untreated", "treated", "no_data")
COLORS = ("#dbe4ec", OKABE_ITO[0], "white")
HATCH = "//////"
NAMED = 60  # units, beyond which rows are not named
VECTOR = 3_000  # cells, beyond which the grid is drawn as an image inside svg and pdf


def treatment_plot(
    panel: Panel,
    cohort: str = "cohort",
    *,
    outcome: str | None = None,
    labels: Labels | None = None,
    title: Words | None = None,
    notes: Sequence[Words] = (),
    lang: Lang = "en",
    ax: Axes | None = None,
) -> Plot:
    """Treatment status of every unit in every period, ordered by first treated period.

    Parameters
    ----------
    panel : units over periods.
    cohort : column of the first treated period, missing = never treated.
    outcome : cells where this column is missing count as without data, as cells without a row do.
    labels : column or unit -> text.
    title, notes : a string, or ``{"en": ..., "zh": ...}``.
    ax : axes to draw on; by default a new figure.

    Returns
    -------
    Plot with ``data``: ``unit, cohort, period, status``, status one of ``untreated, treated, no_data``.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces").with_cohort(econ.roster("innovation_demonstration_zones"))
    >>> econ.report.treatment_plot(panel).data["status"].value_counts().to_dict()
    {'untreated': 569, 'treated': 175}
    """
    check_word(lang, Lang, "lang")
    check_list(notes, "notes")
    if panel.time is None:
        raise DataError("This panel is a cross-section; treatment over time needs a panel with a time column.")
    words = panel_words(panel, labels, lang)
    order, first, status = _status(panel, cohort, outcome)
    periods = [panel.period(code) for code in range(status.shape[1])]
    names = [value_label(words, panel.units[i]) for i in order]
    data = pd.DataFrame(
        {
            "unit": np.repeat(panel.units[order], len(periods)),
            "cohort": np.repeat(first.to_numpy(), len(periods)),
            "period": periods * len(order),
            "status": np.array(STATES)[status.ravel()],
        }
    )
    with house():
        height = 0.7 + (0.135 * len(order) if len(order) <= NAMED else 4.5)
        canvas = open_canvas(ax, 6.0, height)
        key = _draw(canvas.axes[0], status, periods, names, words)
        canvas.axes[0].set_xlabel(words.column(panel.time))
        return finish(canvas, data, title, [phrase("treatment_order", lang), *panel.notes, *notes], lang, key)


def _status(panel: Panel, cohort: str, outcome: str | None) -> tuple[IntArray, "pd.Series[Any]", IntArray]:
    """Units in their order, their cohorts, and a unit x period grid of positions in ``STATES``."""
    first = np.where(np.isnan(codes := panel.cohorts(cohort)), np.inf, codes)
    order = np.lexsort((np.arange(panel.n_units), first))
    treated = np.arange(int(panel.time_codes.max()) + 1) >= first[:, None]
    seen = np.zeros(treated.shape, dtype=bool)
    known = np.ones(panel.n_obs, dtype=bool) if outcome is None else ~np.isnan(panel.values(outcome))
    seen[panel.unit_codes[known], panel.time_codes[known]] = True
    grid = np.where(seen, treated.astype(np.intp), 2)
    return order, panel.attribute(cohort).reindex(panel.units[order]), grid[order]


def _draw(
    ax: Axes, status: IntArray, periods: Sequence[object], names: Sequence[str], words: Vocabulary
) -> list[Patch]:
    whole = all(isinstance(period, int | np.integer) for period in periods)
    left = float(int(str(periods[0]))) if whole else 0.0
    x, y = left - 0.5 + np.arange(len(periods) + 1), np.arange(len(names) + 1) - 0.5
    small = status.size <= VECTOR
    named = len(names) <= NAMED
    ax.pcolormesh(
        x, y, status, cmap=ListedColormap(list(COLORS)), vmin=-0.5, vmax=2.5, rasterized=not small,
        edgecolor="white" if named else "none", linewidth=0.5 if named else 0.0, antialiased=named,
    )  # fmt: skip
    if small and (status == 2).any():
        ax.pcolor(
            x,
            y,
            np.ma.masked_not_equal(status, 2),
            cmap=ListedColormap(["white"]),
            hatch=HATCH,
            edgecolor=FAINT,
            linewidth=0.3,
        )
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.set_yticks(range(len(names)) if named else [], names if named else [])
    ax.set_ylabel("" if named else words.column("unit"))
    period_axis(ax, periods)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    present = [state for code, state in enumerate(STATES) if (status == code).any()]
    return [_sign(state, words.lang, hatched=small) for state in present]


def _sign(state: str, lang: Lang, *, hatched: bool) -> Patch:
    hatch = HATCH if hatched and state == "no_data" else None
    face = COLORS[STATES.index(state)]
    return Patch(facecolor=face, edgecolor=FAINT, linewidth=0.5, hatch=hatch, label=phrase(state, lang))
