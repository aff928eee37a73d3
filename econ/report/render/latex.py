"""A table in LaTeX, with the rules of booktabs and the notes of threeparttable.

Decimal points are aligned by invisible digits (``\\phantom``), so booktabs and threeparttable are all that is needed.
"""

import math
import re
from dataclasses import dataclass

from econ.report.numbers import Printed
from econ.report.render.grid import Grid, Head, Line, fold, fold_labels, grid, width
from econ.report.tables import Table

PAGE = 345.0  # points across a page of the article class at 10 pt; a wider one has room to spare
SIZES = (
    ("", 5.0, 6.0),
    ("small", 4.65, 4.0),
    ("footnotesize", 4.25, 3.0),
    ("scriptsize", 4.0, 2.0),
)  # place, tabcolsep
LABEL_ROOM = (20, 42)  # places
HEAD_ROOMS = (16, 12, 9)

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "°": r"\textdegree{}", "…": r"\ldots{}",
    '"': r"\char34{}", "−": "$-$", "×": r"$\times$", "–": "--", "—": "---", "∞": r"$\infty$", "≤": r"$\leq$",
    "≥": r"$\geq$", "≈": r"$\approx$", "√": r"$\surd$", "·": r"$\cdot$", "\u00a0": "~",
    "‘": "`", "’": "'", "“": "``", "”": "''", "'": "'", "`": r"\textasciigrave{}",
}  # fmt: skip
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "ν": "nu", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "varphi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Σ": "Sigma", "Φ": "Phi", "Ω": "Omega",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789−", strict=True))
_SUPERSCRIPTS = re.compile(f"[{''.join(_RAISED)}]+")
_CHINESE = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")


@dataclass(frozen=True)
class Fit:
    """Size of type, points beside a column, and places: of row labels, and of the heads and words in a column."""

    size: str
    between: float
    label: int
    head: int
    fits: bool = True

    @property
    def commands(self) -> list[str]:
        return [rf"\{self.size}\setlength{{\tabcolsep}}{{{self.between:g}pt}}"] if self.size else []


def render(table: Table, label: str | None = None) -> str:
    """A ``table`` environment; what to load is said in a comment above it."""
    made = grid(table)
    fit = _fit(made)
    top, middle, bottom = _rules(table)
    lines = [
        *_preface(table, made, fit),
        r"\begin{table}[htbp]",
        r"\centering",
        *fit.commands,
        r"\begin{threeparttable}",
        *([rf"\caption{{{escape(table.title)}}}"] if table.title else []),
        *([rf"\label{{{label}}}"] if label else []),
        rf"\begin{{tabular}}{{@{{}}l*{{{len(made.labels)}}}{{c}}@{{}}}}",
        top,
        *_head(table, made, fit),
        middle,
        *_body(made, table, fit),
        bottom,
        r"\end{tabular}",
        *_notes(made),
        r"\end{threeparttable}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    text = _SUPERSCRIPTS.sub(lambda found: "\0" + found[0] + "\1", " ".join(text.split()))
    return "".join(_sign(sign) for sign in text)


def _sign(sign: str) -> str:
    if sign == "\0":
        return r"\textsuperscript{"
    if sign == "\1":
        return "}"
    if sign in _RAISED:
        return _sign(_RAISED[sign])
    if sign in _GREEK:
        return rf"$\{_GREEK[sign]}$"
    return _SPECIAL.get(sign, sign)


def _rules(table: Table) -> tuple[str, str, str]:
    if table.style == "three_line":
        return r"\toprule[1.5pt]", r"\midrule[0.75pt]", r"\bottomrule[1.5pt]"
    return r"\toprule", r"\midrule", r"\bottomrule"


def _preface(table: Table, made: Grid, fit: Fit) -> list[str]:
    printed = "".join([table.title, made.note, *made.labels, *(line.label for line in made.lines)])
    lines = [r"% \usepackage{booktabs,threeparttable}"]
    if table.lang == "zh" or _CHINESE.search(printed):
        lines.append(r"% Chinese text: \usepackage{ctex}, compiled with XeLaTeX or LuaLaTeX, in UTF-8.")
    if not fit.fits:
        lines.append(r"% It may be wider than a page: put it into \begin{landscape}, from \usepackage{pdflscape}.")
    return lines


def _fit(made: Grid) -> Fit:
    """The largest type in which the table is no wider than the page; the smallest where there is none."""
    least, most = LABEL_ROOM
    for size, place, between in SIZES:
        for head in HEAD_ROOMS:
            columns = sum(_width(made, i, head) * place + 2 * between for i in range(len(made.labels)))
            room = int((PAGE - columns) / place)
            if room >= min(least, max(width(line.label) for line in made.lines)):
                return Fit(size, between, max(1, min(most, room)), head)
    return Fit(size, between, least, head, fits=False)


def _width(made: Grid, column: int, room: int) -> int:
    """Places that a column takes when its heads and words are folded to ``room``."""
    heads = [head for level in made.spanners for head in level if head.start <= column < head.stop]
    words = [line.cells[column].text for line in made.lines if line.cells and line.cells[column].point is None]
    words = [word for word in words if not word.startswith("[")]
    shares = [-(-_widest(head.text, room * (head.stop - head.start)) // (head.stop - head.start)) for head in heads]
    signs = sum(0.6 for sign in "".join(made.align(column)) if sign in "×\u2212")  # wider than a digit
    return max(
        made.need(column) + math.ceil(signs), *shares, *(_widest(word, room) for word in (*words, made.labels[column]))
    )


def _widest(text: str, room: int) -> int:
    return max(width(line) for line in fold(text, room))


def _head(table: Table, made: Grid, fit: Fit) -> list[str]:
    lines = []
    for level in made.spanners:
        cells = [_spanner(head, fit.head) for head in level]
        lines.append(" & ".join(["", *cells]).strip() + r" \\")
        lines.append(" ".join(rf"\cmidrule(lr){{{h.start + 2}-{h.stop + 1}}}" for h in level if h.text))
    labels = [_stacked(label, fit.head) for label in made.labels]
    return [*lines, " & ".join([escape(table.stub), *labels]) + r" \\"]


def _spanner(head: Head, room: int) -> str:
    columns = head.stop - head.start
    return rf"\multicolumn{{{columns}}}{{c}}{{{_stacked(head.text, room * columns)}}}"


def _stacked(text: str, room: int) -> str:
    lines = [escape(line) for line in fold(text, room)]
    return lines[0] if len(lines) == 1 else r"\shortstack{" + r"\\".join(lines) + "}"


def _body(made: Grid, table: Table, fit: Fit) -> list[str]:
    out = []
    for line, label in zip(made.lines, fold_labels(made.lines, fit.label), strict=True):
        if line.opens_block and table.style == "journal":
            out.append(r"\midrule")
        out += _line(line, label, made, fit.head)
    return out


def _line(line: Line, label: list[str], made: Grid, room: int) -> list[str]:
    if line.kind == "panel":
        return [rf"\multicolumn{{{len(made.labels) + 1}}}{{@{{}}l}}{{\textit{{{escape(line.label)}}}}} \\"]
    *early, last = [escape(part) for part in label]
    cells = [_cell(cell, made.align(i), room) for i, cell in enumerate(line.cells)]
    return [*(rf"{part} \\" for part in early), " & ".join([last, *cells]) + r" \\"]


def _cell(cell: Printed, room: tuple[str, str], words: int) -> str:
    text = escape(cell.text)
    if cell.point is None:
        return text if text.startswith("[") else _stacked(cell.text, words)
    left, right = room[0][: len(room[0]) - len(cell.left)], room[1][len(cell.right) :]
    return _phantom(left) + text + _phantom(right)


def _phantom(text: str) -> str:
    """The room that a text takes."""
    return rf"\phantom{{{escape(text)}}}" if text else ""


def _notes(made: Grid) -> list[str]:
    if not made.note:
        return []
    opening = rf"\textit{{{escape(made.note_word.strip())}}}" + (" " if made.note_word.endswith(" ") else "")
    return [
        r"\begin{tablenotes}[flushleft]",
        r"\footnotesize",
        rf"\item {opening}{escape(made.note)}",
        r"\end{tablenotes}",
    ]
