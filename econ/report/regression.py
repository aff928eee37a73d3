"""Estimates side by side: the regression table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from math import isnan

from econ.errors import OptionError
from econ.estimate import Estimate
from econ.options import Lang, Parentheses, TableStyle, check_level, check_word
from econ.report.labels import COUNTS, STATISTICS, STRENGTHS, Labels, Vocabulary, Words, text, word
from econ.report.layout import Layout, arrange, check_list, tested
from econ.report.notes import regression_notes
from econ.report.numbers import check_digits
from econ.report.tables import Cell, Coefficient, Column, Number, Row, Section, Table

STARS = (0.1, 0.05, 0.01)
CONSTANTS = ("Intercept", "(Intercept)")  # printed below all other terms
DEFAULT_STATS = (
    *("n_obs", "n_units", "n_clusters", "r2", "r2_within", "r2_pseudo", "f_first_stage", "kleibergen_paap"),
    *("n_factors", "n_instruments", "ar1", "ar2", "sargan", "hansen"),
)


def table(
    estimates: Sequence[Estimate] = (),
    *,
    title: Words = "",
    lang: Lang = "en",
    panels: Mapping[str, Sequence[Estimate]] | None = None,
    headers: Sequence[Words] = (),
    labels: Labels | None = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    stats: Sequence[str] | None = None,
    parentheses: Parentheses = "std_error",
    stars: bool | Sequence[float] = True,
    level: float = 0.95,
    digits: int = 3,
    notes: Sequence[Words] = (),
    style: TableStyle = "journal",
) -> Table:
    """Estimates as columns (1), (2), ... of a regression table.

    Under the coefficients stand the fixed effects, a row of covariances where the columns differ in them, and the
    statistics. The notes say what the parentheses hold, the covariance with its clusters and small-sample convention,
    the stars, the estimator, instruments, weights and offset, the data set, the rows left out and every note that an
    estimate carries; what holds for all columns is said once, what does not names its columns.

    Parameters
    ----------
    estimates : one per column
    title : printed above; like every text here a string, or ``{"en": ..., "zh": ...}``
    lang : ``"en"`` or ``"zh"``
    panels : panel title -> one estimate per column, for results stacked in panels; in place of ``estimates``
    headers : names of the columns, printed between the outcome and the column number
    labels : column, whole term, data set or panel title -> text; these win over the labels that come with the estimates
    keep : terms to print, in this order, all others left out; ``*`` and ``?`` are wildcards: ``"year::*:treated"``
    drop : terms to leave out
    stats : rows at the bottom, names of ``Estimate.stats``, of tests (their p-values) and ``n_obs``, ``n_units``,
        ``n_periods``, ``n_clusters``; the default is what matters for the estimators at hand. A column without that
        statistic shows a dash
    parentheses : ``"std_error"``, ``"statistic"``, ``"p_value"`` or ``"interval"``
    stars : True for 10, 5 and 1 percent, False for none, or significance levels
    level : confidence level of the intervals
    digits : decimals; smaller numbers get two significant digits
    notes : sentences to add
    style : ``"journal"`` or ``"three_line"`` (三线表)

    Examples
    --------
    >>> import econ
    >>> panel = econ.load("provinces")
    >>> fit = econ.feols(panel, "log(gdp_per_capita) ~ schooling_years | province + year")
    >>> print(econ.report.table([fit], title="Growth and schooling"))  # doctest: +SKIP
    """
    check_word(lang, Lang, "lang")
    check_word(parentheses, Parentheses, "parentheses")
    check_level(level)
    check_digits(digits)
    for name, given in {"headers": headers, "keep": keep, "drop": drop, "stats": stats, "notes": notes}.items():
        check_list(given, name)
    levels = _levels(stars)
    layout = arrange(estimates, panels, headers)
    words = Vocabulary(lang, labels or {}, _known_labels(layout.estimates))
    terms = _Terms(tuple(keep), tuple(drop))
    terms.check(layout.estimates)
    names = _statistics(stats, layout.estimates)
    sections = tuple(
        Section(
            (
                *_outcome_row(block, layout, words),
                *_coefficient_rows(block, terms, words, level),
                *_fixed_effect_rows(block, words),
                *_covariance_row(block, layout, words),
                *_statistic_rows(block, names, words, digits),
            ),
            words.column(name) if name else "",
        )
        for name, block in layout.blocks.items()
    )
    return Table(
        title=text(title, lang),
        columns=_columns(layout, words, [text(header, lang) for header in headers]),
        panels=sections,
        notes=(
            *regression_notes(layout, sections, names, words, parentheses, level, levels),
            *(text(note, lang) for note in notes),
        ),
        lang=lang,
        style=style,
        digits=digits,
        parentheses=parentheses,
        stars=levels,
    )


def _levels(stars: bool | Sequence[float]) -> tuple[float, ...]:
    """Significance levels from the largest down."""
    if isinstance(stars, bool):
        return STARS if stars else ()
    if isinstance(stars, str | float | int):
        raise OptionError(f"stars={stars!r} is no list; give True, False or a list of levels: stars=[0.1, 0.05, 0.01].")
    for star in stars:
        check_level(star)
    return tuple(sorted(stars, reverse=True))


def _known_labels(estimates: Iterable[Estimate]) -> dict[str, Mapping[str, str]]:
    known: dict[str, Mapping[str, str]] = {}
    for estimate in estimates:
        known = {**estimate.labels, **known}
    return known


def _columns(layout: Layout, words: Vocabulary, headers: Sequence[str]) -> tuple[Column, ...]:
    """Outcome over header over number; a level that is empty in every column is no level."""
    stacks = list(zip(*layout.blocks.values(), strict=True))
    shared = _one_outcome_per_column(layout)
    outcomes = [words.outcome(stacked[0].outcome) if shared else "" for stacked in stacks]
    levels = [level for level in (outcomes, headers) if any(level)]
    return tuple(Column(f"({i + 1})", tuple(level[i] for level in levels)) for i in range(len(stacks)))


def _one_outcome_per_column(layout: Layout) -> bool:
    return all(len({e.outcome for e in stacked}) == 1 for stacked in zip(*layout.blocks.values(), strict=True))


# ---- rows


@dataclass(frozen=True)
class _Terms:
    """Which terms are printed, and in which order."""

    keep: tuple[str, ...]
    drop: tuple[str, ...]

    def check(self, estimates: Iterable[Estimate]) -> None:
        """Refuse a pattern that fits no term."""
        terms = list(dict.fromkeys(term for estimate in estimates for term in estimate.terms))
        for pattern in (*self.keep, *self.drop):
            if not any(_fits(term, pattern) for term in terms):
                near = get_close_matches(pattern, terms, n=3) or terms[:5]
                raise OptionError(f"No term fits {pattern!r}; there are terms such as {', '.join(map(repr, near))}.")

    def choose(self, block: Sequence[Estimate]) -> list[str]:
        terms = list(dict.fromkeys(term for estimate in block for term in estimate.terms))
        terms.sort(key=lambda term: term in CONSTANTS)
        if self.keep:
            terms = list(dict.fromkeys(term for pattern in self.keep for term in terms if _fits(term, pattern)))
        return [term for term in terms if not any(_fits(term, pattern) for pattern in self.drop)]


def _fits(term: str, pattern: str) -> bool:
    return term == pattern or fnmatchcase(term, pattern.replace("[", "[[]"))


def _outcome_row(block: Sequence[Estimate], layout: Layout, words: Vocabulary) -> list[Row]:
    if _one_outcome_per_column(layout):
        return []
    return [Row("text", word("outcome", words.lang), tuple(words.outcome(estimate.outcome) for estimate in block))]


def _coefficient_rows(block: Sequence[Estimate], terms: _Terms, words: Vocabulary, level: float) -> list[Row]:
    columns = [_coefficients(estimate, level) for estimate in block]
    return [
        Row("coefficient", words.term(term), tuple(column.get(term, "") for column in columns))
        for term in terms.choose(block)
    ]


def _coefficients(estimate: Estimate, level: float) -> dict[str, Cell]:
    numbers = estimate.tidy(level).set_index("term").astype(float)
    return {
        str(term): Coefficient(values[0], *(None if isnan(value) else value for value in values[1:]))
        for term, *values in numbers.itertuples()
        if not isnan(values[0])
    }


def _fixed_effect_rows(block: Sequence[Estimate], words: Vocabulary) -> list[Row]:
    have = [[row for name in _effects(estimate) for row in words.fixed_effect(name)] for estimate in block]
    return [
        Row("fixed_effect", label, tuple(word("yes" if label in rows else "no", words.lang) for rows in have))
        for label in dict.fromkeys(label for rows in have for label in rows)
    ]


def _effects(estimate: Estimate) -> Sequence[str]:
    return estimate.spec.get("fixed_effects") or ()


def _covariance_row(block: Sequence[Estimate], layout: Layout, words: Vocabulary) -> list[Row]:
    def short(estimate: Estimate) -> str:
        vcov = estimate.spec["vcov"]
        return words.covariance(vcov.get("kind", ""), vcov.get("columns", ()))

    if len({short(estimate) for estimate in layout.estimates}) == 1:
        return []
    return [Row("text", word("covariance", words.lang), tuple(short(estimate) for estimate in block))]


def _statistics(asked: Sequence[str] | None, estimates: Sequence[Estimate]) -> list[str]:
    """Names of the rows of statistics, in the order of printing."""
    present = list(dict.fromkeys(name for estimate in estimates for name in _available(estimate)))
    if asked is None:
        return [name for stem in DEFAULT_STATS for name in present if name.partition(": ")[0] == stem]
    for name in asked:
        if name not in present and name not in STATISTICS:
            allowed = [*present, *(name for name in STATISTICS if name not in present)]
            near = get_close_matches(name, allowed, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise OptionError(f"stats has {name!r}, which is no statistic; choose from {', '.join(allowed)}.{hint}")
    return list(asked)


def _available(estimate: Estimate) -> list[str]:
    clusters = ["n_clusters"] if estimate.n_clusters else []
    return ["n_obs", "n_units", "n_periods", *clusters, *estimate.stats, *(test.name for test in estimate.tests)]


def _statistic_rows(block: Sequence[Estimate], names: Sequence[str], words: Vocabulary, digits: int) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        if name == "n_clusters":
            rows += _cluster_rows(block, words)
            continue
        label = words.statistic(name)
        if any(tested(estimate, name) for estimate in block) and not _is_strength(name):
            label = word("test_p", words.lang, label)
        rows.append(Row("statistic", label, tuple(_statistic(estimate, name, digits) for estimate in block)))
    return rows


def _statistic(estimate: Estimate, name: str, digits: int) -> Cell:
    if test := tested(estimate, name):
        value: float | None = test.statistic if _is_strength(name) else test.p_value
    else:
        value = getattr(estimate, name) if name in ("n_obs", "n_units", "n_periods") else estimate.stats.get(name)
    if value is None or isnan(value):
        return None
    if name in COUNTS:
        return Number(float(value), "integer", 0)
    return Number(float(value), "p_value" if test and not _is_strength(name) else "number", digits)


def _is_strength(name: str) -> bool:
    """Whether a test is reported by its statistic, as the strength of instruments is, and not by its p-value."""
    return name.partition(": ")[0] in STRENGTHS


def _cluster_rows(block: Sequence[Estimate], words: Vocabulary) -> list[Row]:
    """One row per clustering dimension; a single dimension needs no name."""
    counts = [dict(zip(_cluster_columns(estimate), estimate.n_clusters, strict=False)) for estimate in block]
    names = list(dict.fromkeys(name for count in counts for name in count))
    if not names:
        return [Row("statistic", words.statistic("n_clusters"), (None,) * len(block))]
    return [
        Row(
            "statistic",
            words.statistic("n_clusters") if len(names) == 1 else word("clusters_of", words.lang, words.column(name)),
            tuple(Number(float(count[name]), "integer", 0) if name in count else None for count in counts),
        )
        for name in names
    ]


def _cluster_columns(estimate: Estimate) -> Sequence[str]:
    return estimate.spec["vcov"].get("columns") or [estimate.spec.get("unit") or "unit"]
