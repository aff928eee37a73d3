"""The catalogue of data sets: what there is, and a panel data set as a ``Panel``."""

import pandas as pd

from econ.data.cards import Card, accept, card, check_dataset, find, load_frame, read_card
from econ.errors import DataError
from econ.panel import Column, Panel

__all__ = ["Card", "accept", "card", "check_dataset", "datasets", "load", "load_frame"]


def datasets() -> pd.DataFrame:
    """Every data set: ``name, title, title_zh, unit, time_span, rows, quality, source``, and how to ``read`` it.

    Examples
    --------
    >>> import econ
    >>> econ.datasets().set_index("name").loc["provinces", "time_span"]
    '2000-2023'
    """
    return pd.DataFrame([_line(read_card(folder)) for folder in find().values()])


def load(name: str) -> Panel:
    """A panel data set, its checksum verified, with labels, units of measure, sources and notes attached.

    ``panel.notes`` carries what every table made from the data must say; the definition of a column and its known
    breaks are in ``panel.column(name).note``, the whole card is ``econ.card(name)``.

    Parameters
    ----------
    name : a data set of ``econ.datasets()`` that has a unit and a time column.

    Raises
    ------
    OptionError : no such data set.
    DataError : it is no panel, or its file is not the one its card describes.

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> panel.n_units, panel.n_periods, panel.column("gdp").unit
    (31, 24, '100m yuan, current prices')
    """
    described = card(name)
    if described.panel is None:
        raise DataError(
            f"The data set {name!r} is no panel: its rows are {described.observation or 'not dated units'}. "
            f"{_other_readers(described)}"
        )
    unit, time = described.panel
    return Panel(
        load_frame(name),
        unit,
        time,
        columns=_columns(described),
        dataset={"name": name, "sha256": described.sha256},
        notes=described.notes,
    )


def _line(described: Card) -> dict[str, object]:
    coverage, panel = described.coverage, described.panel
    return {
        "name": described.name,
        "title": described.title(),
        "title_zh": described.title("zh"),
        "unit": panel[0] if panel else described.observation,
        "time_span": f"{coverage['first']}-{coverage['last']}" if "first" in coverage else None,
        "rows": coverage.get("rows"),
        "quality": described.quality,
        "source": "; ".join(described.sources),
        "read": f"econ.{'load' if panel else 'load_frame'}({described.name!r})",
    }


def _columns(described: Card) -> dict[str, Column]:
    known = ["label", "label_zh", "unit", "unit_zh", "quality", "source", "note"]
    rows = described.columns.astype(object).where(described.columns.notna(), None).to_dict("records")
    return {row["name"]: Column(**{word: row[word] for word in known}) for row in rows}


def _other_readers(described: Card) -> str:
    rosters = described.content.get("rosters", ())
    other = f" or, for treatment years, econ.roster({rosters[0]!r})" if rosters else ""
    return f"Read it with econ.load_frame({described.name!r}){other}."
