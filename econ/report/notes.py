"""What stands under a regression table: each statement once, with the columns that it holds for."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isinf
from typing import Any

from econ.estimate import Estimate
from econ.options import Lang, Parentheses
from econ.report.labels import Vocabulary, text, word
from econ.report.layout import Layout, tested
from econ.report.tables import Section


def regression_notes(
    layout: Layout,
    sections: Sequence[Section],
    statistics: Sequence[str],
    words: Vocabulary,
    parentheses: Parentheses,
    level: float,
    stars: Sequence[float],
) -> tuple[str, ...]:
    """Parentheses, what each estimate says of itself, its own notes, tests, dashes, stars."""
    return (
        _parentheses_note(layout, parentheses, level, words.lang),
        *_column_notes(layout, words),
        *_test_notes(layout, statistics, words),
        *_missing_note(sections, words.lang),
        *_stars_note(stars, sections, words.lang),
    )


def _parentheses_note(layout: Layout, parentheses: Parentheses, level: float, lang: Lang) -> str:
    if parentheses == "interval":
        return word("interval", lang, f"{100 * level:g}")
    if parentheses == "statistic":
        normal = all(isinf(dof) for estimate in layout.estimates for dof in estimate.dof)
        return word("z_statistic" if normal else "t_statistic", lang)
    return word(parentheses, lang)


def _column_notes(layout: Layout, words: Vocabulary) -> list[str]:
    """Covariance, estimator, instruments, weights, offset, data, rows left out: each gathered over the columns."""
    lang = words.lang
    topics: list[tuple[str, Callable[[Estimate], str]]] = [
        ("estimator", lambda e: text(e.spec["estimator_label"], lang)),
        ("instrumented", lambda e: _instruments(e, words)),
        ("weights", lambda e: _named(e, "weights", words)),
        ("offset", lambda e: _named(e, "offset", words)),
        ("data", lambda e: words.column(_dataset(e))),
        ("dropped", lambda e: words.dropped(e.dropped)),
    ]
    notes = [_sentence(layout.by_column(lambda e: _vcov_words(e, words), words, "stop"), lang)]
    for topic, say in topics:
        said = layout.by_column(say, words, "stop" if topic == "instrumented" else "semicolon")
        if said:
            notes.append(_sentence(word(topic, lang) + word("colon", lang) + said, lang))
    remarks = dict.fromkeys(text(note, lang) for estimate in layout.estimates for note in estimate.notes)
    return notes + [_sentence(layout.by_column(_remark(remark, lang), words), lang) for remark in remarks]


def _test_notes(layout: Layout, names: Iterable[str], words: Vocabulary) -> list[str]:
    """How to read the tests that are printed, or why one could not be computed."""
    notes = []
    for name in names:
        said = layout.by_column(_test_note(name, words.lang), words)
        if said:
            notes.append(_sentence(words.statistic(name) + word("colon", words.lang) + said, words.lang))
    return notes


def _test_note(name: str, lang: Lang) -> Callable[[Estimate], str]:
    def say(estimate: Estimate) -> str:
        test = tested(estimate, name)
        return text(test.note, lang) if test and test.note else ""

    return say


def _vcov_words(estimate: Estimate, words: Vocabulary) -> str:
    """The covariance in words, its columns under their labels."""
    said = estimate.vcov_words(words.lang)
    for name in estimate.spec["vcov"].get("columns", ()):
        label = words.column(name)
        if label.lower() != name.lower():
            space = " ?" if words.lang == "zh" else ""
            said = re.sub(rf"{space}(?<!\w){re.escape(name)}(?!\w)", label.replace("\\", r"\\"), said)
    return said


def _named(estimate: Estimate, what: str, words: Vocabulary) -> str:
    """Label of the weights or the offset; weights that are no column are the method's own, and it says so itself."""
    name = estimate.spec.get(what)
    return words.term(name) if isinstance(name, str) else ""


def _instruments(estimate: Estimate, words: Vocabulary) -> str:
    """``x; instruments: z1, z2``."""

    def listed(which: str) -> str:
        return word("comma", words.lang).join(words.term(name) for name in estimate.spec.get(which) or ())

    endogenous = listed("endogenous")
    return endogenous and endogenous + word("instruments", words.lang, listed("instruments"))


def _remark(remark: str, lang: Lang) -> Callable[[Estimate], str]:
    return lambda estimate: remark if remark in {text(note, lang) for note in estimate.notes} else ""


def _dataset(estimate: Estimate) -> str:
    dataset: Mapping[str, Any] = estimate.spec.get("dataset") or {}
    return str(dataset.get("name", ""))


def _sentence(said: str, lang: Lang) -> str:
    """Ends with one full stop, begins with a capital letter."""
    said = said[:1].upper() + said[1:]
    if said.endswith((".", "。", "!", "?")):
        return said
    return said + ("." if lang == "en" else "。")


def _missing_note(sections: Iterable[Section], lang: Lang) -> list[str]:
    rows = [row for section in sections for row in section.rows]
    return [word("missing_statistic", lang)] if any(cell is None for row in rows for cell in row.cells) else []


def _stars_note(levels: Sequence[float], sections: Iterable[Section], lang: Lang) -> list[str]:
    tested = [row for section in sections for row in section.rows if row.kind == "coefficient"]
    if not levels or not tested:
        return []
    marks = ["*" * i for i in range(1, len(levels) + 1)]
    if lang == "zh":
        shares = [f"{100 * level:g}%" for level in levels]
        name = "star" if len(levels) == 1 else "several_stars"
        return [_sentence(word(name, lang, "、".join(marks), "、".join(shares)), lang)]
    said = [word("star", lang, mark, f"{level:g}") for mark, level in zip(marks, levels, strict=True)]
    return [_sentence(", ".join(said), lang)]
