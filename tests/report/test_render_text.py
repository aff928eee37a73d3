"""Console, Markdown and LaTeX."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from hand_made import AWKWARD, BASE, POISSON, TWO_WAY, estimate
from hypothesis import given
from hypothesis import strategies as st

from econ.options import Lang, TableStyle
from econ.report.frames import data_table
from econ.report.regression import table
from econ.report.render.grid import fold, width
from econ.report.render.latex import escape as escape_latex
from econ.report.render.markdown import escape as escape_markdown
from econ.report.tables import Table

LANGS: tuple[Lang, ...] = ("en", "zh")


def made(lang: Lang = "en", style: TableStyle = "journal") -> Table:
    return table([BASE, TWO_WAY, POISSON], title={"en": "Growth", "zh": "增长"}, lang=lang, style=style)


def test_console_table() -> None:
    assert str(table([estimate({"rd": (-0.0426, 0.0171)}, notes=(), stats={})], title="Growth", stats=["n_obs"])) == (
        "Growth\n"
        "──────────────────────────────────────────\n"
        "                        GDP per head, yuan\n"
        "                        ──────────────────\n"
        "                                (1)\n"
        "──────────────────────────────────────────\n"
        "R&D                          −0.043**\n"
        "                             (0.017)\n"
        "──────────────────────────────────────────\n"
        "Province fixed effects          Yes\n"
        "Year fixed effects              Yes\n"
        "Observations                  12,345\n"
        "──────────────────────────────────────────\n"
        "Notes: Standard errors in parentheses. Standard errors\n"
        "clustered by province (31 clusters), CR1; t(30). Estimator:\n"
        "OLS with fixed effects. Data: provinces. * p < 0.1, ** p <\n"
        "0.05, *** p < 0.01."
    )


@pytest.mark.parametrize("lang", LANGS)
def test_console_decimal_points_stand_under_each_other(lang: Lang) -> None:
    lines = str(made(lang)).splitlines()
    first = [line for line in lines if "0.043**" in line or "(0.017)" in line or "−1,234.568" in line]
    places = {width(line[: line.index(".")]) for line in first}
    assert len(first) == 3 and len(places) == 1


def test_three_lines_are_three_lines() -> None:
    whole = {style: [line for line in str(made(style=style)).splitlines() if set(line) == {"─"}]
             for style in ("journal", "three_line")}  # fmt: skip
    assert {style: len(lines) for style, lines in whole.items()} == {"journal": 4, "three_line": 3}


@pytest.mark.parametrize("lang", LANGS)
def test_markdown_is_a_rectangle_of_pipes(lang: Lang) -> None:
    text = made(lang).markdown()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
    assert len({width(row) for row in rows}) == 1
    assert re.fullmatch(r"\| :-+ \| -+: \| -+: \| -+: \|", rows[1])
    assert "−1,234.568\\*\\*\\*" in text
    assert ("**Growth**" in text and "\nNotes: " in text) if lang == "en" else ("**增长**" in text and "\n注：" in text)


@given(st.text(alphabet=st.characters(codec="ascii") | st.sampled_from("中文，×−²")))
def test_markdown_escapes_read_back(text: str) -> None:
    escaped = escape_markdown(text)
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped) == " ".join(text.split())
    assert not re.search(r"(?<!\\)(?:\\\\)*[|*_<`\[]", escaped)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("style", ["journal", "three_line"])
def test_latex_is_balanced(lang: Lang, style: TableStyle) -> None:
    text = made(lang, style).latex("tab:growth")
    assert re.findall(r"\\begin\{(\w+)\}", text) == ["table", "threeparttable", "tabular", "tablenotes"]
    assert text.count(r"\begin") == text.count(r"\end")
    assert r"\label{tab:growth}" in text
    assert ("ctex" in text) == (lang == "zh")
    assert (r"\toprule[1.5pt]" in text) == (style == "three_line")
    assert text.count("\\midrule\n") == (2 if style == "journal" else 0)
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    for line in body.splitlines():
        if line.endswith(r"\\") and "multicolumn" not in line and "&" in line:
            assert len(re.findall(r"(?<!\\)&", line)) == 3


def test_latex_numbers() -> None:
    text = made().latex()
    assert "$-$1,234.568***" in text
    assert r"\phantom{$-$1,23}0.043**" in text
    assert r"\cmidrule(lr){2-3} \cmidrule(lr){4-4}" in text


def test_latex_goes_to_smaller_type_where_the_page_is_too_narrow() -> None:
    labels = {"gdp": "Gross regional product per head, current prices", "rd": "Intramural expenditure on research"}
    sizes = [
        re.findall(r"\\(small|footnotesize|scriptsize)\\setlength", table([BASE] * n, labels=labels).latex())
        for n in (1, 4, 5, 9)
    ]
    order = ["small", "footnotesize", "scriptsize"]
    assert sizes[0] == []
    ranks = [order.index(size[0]) for size in sizes[1:]]
    assert ranks == sorted(ranks)
    assert "landscape" not in table([BASE] * 4, labels=labels).latex()
    assert r"\usepackage{pdflscape}" in table([BASE] * 9, labels=labels).latex()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_five_columns_fit_the_page(tmp_path: Path) -> None:
    labels = {"gdp": "Gross regional product per head, current prices", "rd": "Intramural expenditure on research"}
    text = table([BASE, TWO_WAY, POISSON, BASE, TWO_WAY], labels=labels).latex()
    head = r"\documentclass{article}\usepackage{booktabs,threeparttable}\begin{document}" + "\n"
    (tmp_path / "t.tex").write_text(head + text + r"\end{document}", encoding="utf-8")
    subprocess.run(["pdflatex", "-interaction=batchmode", "t.tex"], cwd=tmp_path, check=True, capture_output=True)
    assert "Overfull" not in (tmp_path / "t.log").read_text(encoding="utf-8", errors="replace")


UNESCAPE = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
    r"\textgreater{}": ">", r"\textbar{}": "|", r"\textasciigrave{}": "`", r"\char34{}": '"',
    r"$\times$": "×", "$-$": "−",
}  # fmt: skip


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]) | st.sampled_from("中×−")))
def test_latex_escapes_read_back(text: str) -> None:
    pattern = "|".join([*map(re.escape, UNESCAPE), r"\\[{}&%$#_]"])
    back = re.sub(pattern, lambda found: UNESCAPE.get(found[0]) or found[0][1:], escape_latex(text))
    assert back == " ".join(text.split())


def test_latex_superscripts() -> None:
    assert escape_latex("R² ×10⁻⁷") == r"R\textsuperscript{2} $\times$10\textsuperscript{$-$7}"


def test_awkward_text_survives_everywhere() -> None:
    odd = table([BASE], title=AWKWARD, labels={"rd": AWKWARD}, notes=[AWKWARD])
    assert r"100\% of R\&D\_\{x\} \#1 \textasciitilde{} \textasciicircum{}2" in odd.latex()
    assert r"\| \* \[y\](z) \`c\`" in odd.markdown()
    assert AWKWARD in odd.title and "投入；（占比）" in str(odd)


@pytest.mark.parametrize("lang", LANGS)
def test_same_table_same_text(lang: Lang) -> None:
    for render in (str, Table.markdown, Table.latex, Table.html):
        assert render(made(lang)) == render(made(lang))


def test_a_plain_frame_needs_no_notes() -> None:
    frame = pd.DataFrame({"n": [1, 20]}, index=["a", "b"])
    assert "tablenotes" not in data_table(frame).latex()
    assert data_table(frame).markdown() == "|     |   n |\n| :-- | --: |\n| a   |   1 |\n| b   |  20 |\n"


@given(st.text(alphabet="ab 中文，（）", max_size=30), st.integers(4, 20))
def test_folded_lines_lose_nothing(text: str, room: int) -> None:
    lines = fold(text, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
