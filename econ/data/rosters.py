"""Policy rosters: which unit was treated, and from which year."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import pandas as pd

from econ.data.cards import card, load_frame
from econ.errors import OptionError
from econ.options import check_word

Level = Literal["province", "city", "zone"]

# from the surest to the least sure
STATUSES = (
    "confirmed",
    "list_and_batch_size_confirmed",
    "recalled_count_reconciled",
    "listed",
    "recalled",
    "uncertain",
)


def roster(policy: str, *, level: Level | None = None) -> pd.DataFrame:
    """First treated year of every unit that a policy reached: ``unit, year, status, source``.

    A unit is treated from the year of its first approval, December approvals included; units that are not listed were
    not treated. ``status`` says how sure the year is: ``confirmed`` (a dated public source was seen),
    ``list_and_batch_size_confirmed``, ``recalled_count_reconciled`` (from general knowledge, counts meet the published
    cumulative totals), ``listed`` (the year a ministry's list was published, not graded further), ``recalled``,
    ``uncertain``. Where several rows give a unit the same first year, it has the least sure status among them.

    Years that are ``uncertain`` must not be used for inference; leave them out with
    ``roster[roster["status"] != "uncertain"]`` (their units then count as never treated, so drop those from the panel
    too). All of ``innovative_city`` is uncertain: its lists of 2016 and 2018 name pilots that began from 2008 on.

    Parameters
    ----------
    policy : ``innovation_demonstration_zones``, ``hightech_zones``, ``free_trade_zone``,
        ``comprehensive_innovation_reform_pilot``, ``comprehensive_national_science_center``, ``broadband_china``,
        ``innovative_city``, ``ip_demonstration_city`` or ``bigdata_comprehensive_pilot``.
    level : what a unit is. ``"province"`` (English name, as in the data set ``provinces``; treated once any part of it
        is), ``"city"`` (Chinese name as on the list, counties and districts under their own), or ``"zone"``.
        ``None`` takes the level at which the policy is granted: the zone for ``hightech_zones``, the city for the
        city lists, the province for all others.

    Raises
    ------
    OptionError : no such policy, or a level at which it has no roster.

    See Also
    --------
    econ.load_frame : the rosters with all their columns, one row per member.

    Examples
    --------
    >>> import econ
    >>> zones = econ.roster("innovation_demonstration_zones")
    >>> len(zones), zones.loc[zones["unit"] == "Beijing", "year"].item()
    (19, 2009)
    >>> econ.load("provinces").with_cohort(zones).history
    ('added cohort: 19 of 31 units treated',)
    """
    origin = _origin(policy)
    wanted = origin.default if level is None else level
    check_word(wanted, Level, "level")
    if wanted not in origin.units:
        raise OptionError(f"level={wanted!r} is not there for {policy!r}; choose one of {', '.join(origin.units)}.")
    rows = load_frame(origin.dataset)
    if "policy" in rows:
        rows = rows[rows["policy"] == policy]
    dated = pd.DataFrame(
        {
            "unit": rows[origin.units[wanted]],
            "year": rows[origin.year],
            "status": rows.get(origin.status, origin.status),
        }
    )
    return _first_years(dated).assign(source="; ".join(card(origin.dataset).sources))


@dataclass(frozen=True)
class _Origin:
    """Where a roster stands. ``status`` is a column, or the status of all rows; the first level is the default."""

    dataset: str
    year: str
    status: str
    units: dict[Level, str]

    @property
    def default(self) -> Level:
        return next(iter(self.units))


_CITY: dict[Level, str] = {"city": "unit_zh", "province": "province"}
_PROVINCE: dict[Level, str] = {"province": "province"}
_ORIGINS = {
    "innovation_demonstration_zones": _Origin(
        "innovation_demonstration_zones",
        "approval_year",
        "date_status",
        {"province": "province", "city": "city_zh", "zone": "nidz_en"},
    ),
    "hightech_zones": _Origin(
        "hightech_zones", "approval_year", "year_status", {"zone": "zone_zh", "city": "city_zh", "province": "province"}
    ),
    "free_trade_zone": _Origin("province_policies", "year", "status", _PROVINCE),
    "comprehensive_innovation_reform_pilot": _Origin("province_policies", "year", "status", _PROVINCE),
    "comprehensive_national_science_center": _Origin("province_policies", "year", "status", _PROVINCE),
    "broadband_china": _Origin("city_policies", "list_year", "listed", _CITY),
    "innovative_city": _Origin("city_policies", "list_year", "uncertain", _CITY),
    "ip_demonstration_city": _Origin("city_policies", "list_year", "listed", _CITY),
    "bigdata_comprehensive_pilot": _Origin("city_policies", "list_year", "listed", _PROVINCE),
}


def _origin(policy: str) -> _Origin:
    if policy in _ORIGINS:
        return _ORIGINS[policy]
    near = get_close_matches(str(policy), _ORIGINS, n=2, cutoff=0.4)
    hint = f" Nearest: {', '.join(near)}." if near else ""
    raise OptionError(f"There is no roster {policy!r}; there are {', '.join(_ORIGINS)}.{hint}")


def _first_years(dated: pd.DataFrame) -> pd.DataFrame:
    """One row per unit: its first year, and the least sure status among the rows of that year."""
    first = dated[dated["year"] == dated.groupby("unit")["year"].transform("min")]
    doubt = first["status"].map(STATUSES.index)
    worst = first.assign(doubt=doubt).sort_values(["year", "unit", "doubt"]).drop_duplicates("unit", keep="last")
    return worst[["unit", "year", "status"]].reset_index(drop=True)
