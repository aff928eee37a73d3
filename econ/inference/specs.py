"""The covariance estimators a user can ask for: small frozen objects that check themselves and print as words.

A specification names columns and options and holds no data, so it can be written before there is a sample, stored as
JSON with a result, and printed in a note. :func:`econ.inference.covariance.covariance` does the computing.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from numbers import Real
from typing import Any, ClassVar

from econ.errors import OptionError
from econ.options import (
    ClusterCorrection,
    ConleyPeriods,
    CountedEffects,
    DistanceKernel,
    GroupFactor,
    HeteroCorrection,
    check_word,
)


@dataclass(frozen=True)
class Iid:
    """Homoskedastic, uncorrelated errors."""

    kind: ClassVar[str] = "iid"

    def __str__(self) -> str:
        return "homoskedastic"

    def columns_needed(self) -> tuple[str, ...]:
        return ()

    def to_json(self) -> dict[str, Any]:
        return _to_json(self)


@dataclass(frozen=True)
class Hetero:
    """Heteroskedasticity-robust, ``correction`` one of HC0, HC1, HC2, HC3."""

    correction: HeteroCorrection
    kind: ClassVar[str] = "hetero"

    def __post_init__(self) -> None:
        check_word(self.correction, HeteroCorrection, "kind")

    def __str__(self) -> str:
        return f"heteroskedasticity-robust ({self.correction})"

    def columns_needed(self) -> tuple[str, ...]:
        return ()

    def to_json(self) -> dict[str, Any]:
        return _to_json(self)


@dataclass(frozen=True)
class Cluster:
    """Clustered by one or more columns; see :func:`cluster`."""

    columns: tuple[str, ...]
    correction: ClusterCorrection
    effects_counted: CountedEffects
    groups: GroupFactor
    kind: ClassVar[str] = "cluster"

    def __post_init__(self) -> None:
        if not all(isinstance(name, str) for name in self.columns):
            raise OptionError(
                f"cluster({', '.join(map(repr, self.columns))}) is not allowed; give the names of columns one by one: "
                "cluster('province', 'year')."
            )
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise OptionError(f"cluster{self.columns!r} is not allowed; name one or more different columns.")
        check_word(self.correction, ClusterCorrection, "kind")
        check_word(self.effects_counted, CountedEffects, "effects_counted")
        check_word(self.groups, GroupFactor, "groups")
        if self.correction != "CR1" and (self.effects_counted, self.groups) != ("nonnested", "min"):
            raise OptionError(
                f"effects_counted={self.effects_counted!r}, groups={self.groups!r} belong to the factor of kind='CR1'; "
                f"leave them out with kind={self.correction!r}."
            )
        if len(self.columns) > 1 and self.correction in ("CR2", "CR3", "CV3"):
            raise OptionError(
                f"kind={self.correction!r} with {len(self.columns)} cluster columns is not allowed; it is defined for "
                "one-way clustering only. Use kind='CR1', or cluster by one column."
            )

    def __str__(self) -> str:
        return f"clustered by {' and '.join(self.columns)} ({self.correction})"

    def columns_needed(self) -> tuple[str, ...]:
        return self.columns

    def to_json(self) -> dict[str, Any]:
        return _to_json(self)


@dataclass(frozen=True)
class DriscollKraay:
    """Robust to cross-section dependence and autocorrelation; see :func:`driscoll_kraay`."""

    lags: int | None
    small_sample: bool
    kind: ClassVar[str] = "driscoll_kraay"

    def __post_init__(self) -> None:
        _check_lags(self.lags)

    def __str__(self) -> str:
        return f"Driscoll-Kraay ({_lags_words(self.lags)})"

    def columns_needed(self) -> tuple[str, ...]:
        return ()

    def to_json(self) -> dict[str, Any]:
        return _to_json(self)


@dataclass(frozen=True)
class NeweyWest:
    """Robust to autocorrelation within units; see :func:`newey_west`."""

    lags: int | None
    kind: ClassVar[str] = "newey_west"

    def __post_init__(self) -> None:
        _check_lags(self.lags)

    def __str__(self) -> str:
        return f"Newey-West within units ({_lags_words(self.lags)})"

    def columns_needed(self) -> tuple[str, ...]:
        return ()

    def to_json(self) -> dict[str, Any]:
        return _to_json(self)


@dataclass(frozen=True)
class Conley:
    """Robust to spatial correlation up to a distance; see :func:`conley`."""

    cutoff_km: float
    lon: str
    lat: str
    kernel: DistanceKernel
    periods: ConleyPeriods
    kind: ClassVar[str] = "conley"

    def __post_init__(self) -> None:
        if not (_is_number(self.cutoff_km) and isfinite(self.cutoff_km) and self.cutoff_km > 0):
            raise OptionError(f"cutoff_km={self.cutoff_km!r} is not allowed; give a positive number of kilometres.")
        check_word(self.kernel, DistanceKernel, "kernel")
        check_word(self.periods, ConleyPeriods, "periods")

    def __str__(self) -> str:
        return f"Conley spatial ({self.cutoff_km:g} km, {self.kernel} kernel)"

    def columns_needed(self) -> tuple[str, ...]:
        return self.lon, self.lat

    def to_json(self) -> dict[str, Any]:
        return _to_json(self)


@dataclass(frozen=True)
class PanelCorrected:
    """Robust to correlation between units within a period; see :func:`pcse`."""

    kind: ClassVar[str] = "pcse"

    def __str__(self) -> str:
        return "panel-corrected"

    def columns_needed(self) -> tuple[str, ...]:
        return ()

    def to_json(self) -> dict[str, Any]:
        return _to_json(self)


Vcov = Iid | Hetero | Cluster | DriscollKraay | NeweyWest | Conley | PanelCorrected


def iid() -> Iid:
    """Classical covariance: ``s2 (X'WX)^-1`` with ``s2 = sum w u^2 / (N - K)``, K counting every absorbed effect."""
    return Iid()


def hetero(kind: HeteroCorrection = "HC1") -> Hetero:
    """Heteroskedasticity-robust covariance (White 1980; MacKinnon and White 1985).

    The meat is ``sum_i x_i x_i' w_i^2 u_i^2 a_i`` with ``a_i`` = 1 (HC0), ``N / (N - K)`` (HC1), ``1 / (1 - h_i)``
    (HC2), ``1 / (1 - h_i)^2`` (HC3). K and the leverage ``h_i`` include the absorbed effects; K by fixest's count, the
    levels of all effects less one for each set of intercepts after the first. The numbers are those of the regression
    with dummies, but for HC1 where the effects overlap further (nested effects, or slopes that others span): there the
    dummies have a smaller rank than this K, and the standard errors are a little larger. With instruments, ``x_i`` are
    the second stage's regressors.

    Examples
    --------
    >>> str(hetero("HC3"))
    'heteroskedasticity-robust (HC3)'
    """
    return Hetero(kind)


def cluster(
    *columns: str,
    kind: ClusterCorrection = "CR1",
    effects_counted: CountedEffects = "nonnested",
    groups: GroupFactor = "min",
) -> Cluster:
    """Cluster-robust covariance, by one or several columns.

    Parameters
    ----------
    columns : names of the cluster columns; several give multi-way clustering by inclusion and exclusion
        (Cameron, Gelbach and Miller 2011, eq. 2.13)
    kind : small-sample correction

        - ``"CR1"``: factor ``G/(G-1) x (N-1)/(N-K)``, the default of fixest, reghdfe and Stata's xtreg
        - ``"CR0"``: no factor
        - ``"CR2"``: Bell and McCaffrey (2002), ``(I - H_gg)^(-1/2) u_g``, with Satterthwaite degrees of freedom for
          each coefficient (Pustejovsky and Tipton 2018)
        - ``"CR3"``: ``(I - H_gg)^(-1) u_g`` without a factor, as clubSandwich
        - ``"CV3"``: CR3 times ``(G-1)/G``, the cluster jackknife of MacKinnon, Nielsen and Webb (2023)
    effects_counted : which absorbed effects K counts: those ``"nonnested"`` in a cluster (fixest, reghdfe), ``"all"``
        (areg, lm with dummies), ``"none"`` (plm, clubSandwich on a within regression)
    groups : the G of ``G/(G-1)`` in multi-way clustering: ``"min"``, the smallest number of clusters for every term
        (fixest, reghdfe), or ``"own"``, each term's own number (Cameron, Gelbach and Miller 2011; ivreg2, sandwich)

    Examples
    --------
    >>> str(cluster("province", "year"))
    'clustered by province and year (CR1)'
    """
    return Cluster(columns, kind, effects_counted, groups)


def driscoll_kraay(lags: int | None = None, *, small_sample: bool = True) -> DriscollKraay:
    """Covariance robust to cross-section dependence and autocorrelation (Driscoll and Kraay 1998).

    Newey-West with Bartlett weights ``1 - l/(L+1)`` on the sums of the scores by period. Lags are calendar distances: a
    missing year is a gap.

    Parameters
    ----------
    lags : the bandwidth L; None is ``floor(T^(1/4))`` with T the number of periods (fixest's rule). Stata's xtscc uses
        ``floor(4 (T/100)^(2/9))``.
    small_sample : multiply by ``T/(T-1) x (N-1)/(N-K)``, K without effects nested in the periods (fixest); False is
        Driscoll and Kraay's own form (plm's vcovSCC)

    Examples
    --------
    >>> str(driscoll_kraay(lags=3))
    'Driscoll-Kraay (3 lags)'
    """
    return DriscollKraay(lags, small_sample)


def newey_west(lags: int | None = None) -> NeweyWest:
    """Covariance robust to heteroskedasticity and to autocorrelation within each unit (Newey and West 1987).

    Bartlett weights ``1 - l/(L+1)`` on pairs of rows of the same unit, l periods of the calendar apart. The factor is
    fixest's, ``T/(T-1) x (N-1)/(N-K)``, K without effects nested in the units or in the periods.

    Parameters
    ----------
    lags : the bandwidth L; None is ``floor(T^(1/4))`` with T the number of periods

    Examples
    --------
    >>> str(newey_west(1))
    'Newey-West within units (1 lag)'
    """
    return NeweyWest(lags)


def conley(
    cutoff_km: float,
    *,
    lon: str = "lon",
    lat: str = "lat",
    kernel: DistanceKernel = "uniform",
    periods: ConleyPeriods = "all",
) -> Conley:
    """Covariance robust to spatial correlation up to ``cutoff_km`` (Conley 1999).

    Distances are great circles (haversine, mean radius 6371.0088 km). The factor is fixest's, ``(N-1)/(N-K)``; K leaves
    out effects nested in the locations, unless only rows of the same period are paired.

    Parameters
    ----------
    cutoff_km : distance in kilometres from which on two locations are uncorrelated
    lon, lat : columns of longitude and latitude in degrees
    kernel : weight of a pair at distance d: ``"uniform"``, 1 up to the cutoff (fixest), or ``"bartlett"``,
        ``1 - d/cutoff``
    periods : ``"all"``: rows of near locations are correlated whatever their periods, so that a unit's own history and
        its neighbours' is covered (fixest); ``"same"``: only rows of the same period, with no autocorrelation

    Examples
    --------
    >>> str(conley(500))
    'Conley spatial (500 km, uniform kernel)'
    """
    return Conley(cutoff_km, lon, lat, kernel, periods)


def pcse() -> PanelCorrected:
    """Panel-corrected standard errors (Beck and Katz 1995), for panels with more periods than units.

    Errors of the same period may be correlated between units and differ in variance by unit, both alike in all periods,
    and are not autocorrelated: a lagged outcome among the regressors takes care of that (Beck and Katz 1996). The meat
    is ``sum_t X_t' S X_t`` with ``s_ij = sum_t u_it u_jt / T_ij`` over the ``T_ij`` periods in which both units are
    seen (Stata's xtpcse, pairwise), without a small-sample factor; t statistics have N-K degrees of freedom, effects
    counted. Unlike feasible GLS it never inverts S.

    Examples
    --------
    >>> str(pcse())
    'panel-corrected'
    """
    return PanelCorrected()


def spec_from_json(data: Mapping[str, Any]) -> Vcov:
    """Rebuild a specification from its ``to_json()``; other entries, such as the words on a result, are passed over.

    Examples
    --------
    >>> spec_from_json(cluster("province").to_json()) == cluster("province")
    True
    """
    kinds: dict[str, type[Vcov]] = {c.kind: c for c in _KINDS}
    if data.get("kind") not in kinds:
        raise OptionError(f"kind={data.get('kind')!r} names no covariance estimator; it is one of {', '.join(kinds)}.")
    make: Callable[..., Vcov] = kinds[data["kind"]]
    options = {option.name: data[option.name] for option in fields(kinds[data["kind"]])}
    return make(**{name: tuple(value) if isinstance(value, list) else value for name, value in options.items()})


_KINDS = (Iid, Hetero, Cluster, DriscollKraay, NeweyWest, Conley, PanelCorrected)


def _to_json(spec: Vcov) -> dict[str, Any]:
    options = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(spec).items()}
    return {"kind": spec.kind} | options


def _check_lags(lags: int | None) -> None:
    if lags is not None and not (_is_number(lags) and lags >= 0 and lags % 1 == 0):
        raise OptionError(
            f"lags={lags!r} is not allowed; give a whole number of periods, 0 or more, or None for the rule."
        )


def _is_number(given: object) -> bool:
    return isinstance(given, Real) and not isinstance(given, bool)


def _lags_words(lags: int | None) -> str:
    return "lags by rule" if lags is None else f"{lags} lag{'' if lags == 1 else 's'}"
