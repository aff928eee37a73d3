"""A table in LaTeX, with the rules of booktabs and the notes of threeparttable.

Decimal points are aligned by invisible digits (``\\phantom``), so booktabs and threeparttable are all that is needed.
"""

import re

from econ.report.numbers import Printed
from econ.report.render.grid import Grid, Head, Line, fold, fold_labels, grid, width
from econ.report.tables import Table

LINE_ROOM = 90  # places across a page
LABEL_ROOM = (24, 42)
HEAD_ROOM = 16

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


def render(table: Table, label: str | None = None) -> str:
    """A ``table`` environment; what to load is said in a comment above it."""
    made = grid(table)
    top, middle, bottom = _rules(table)
    lines = [
        *_preface(table, made),
        r"\begin{table}[htbp]",
        r"\centering",
        r"\begin{threeparttable}",
        *([rf"\caption{{{escape(table.title)}}}"] if table.title else []),
        *([rf"\label{{{label}}}"] if label else []),
        rf"\begin{{tabular}}{{@{{}}l*{{{len(made.labels)}}}{{c}}@{{}}}}",
        top,
        *_head(table, made),
        middle,
        *_body(made, table),
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


def _preface(table: Table, made: Grid) -> list[str]:
    printed = "".join([table.title, made.note, *made.labels, *(line.label for line in made.lines)])
    lines = [r"% \usepackage{booktabs,threeparttable}"]
    if table.lang == "zh" or _CHINESE.search(printed):
        lines.append(r"% Chinese text: \usepackage{ctex}, compiled with XeLaTeX or LuaLaTeX, in UTF-8.")
    return lines


def _head(table: Table, made: Grid) -> list[str]:
    lines = []
    for level in made.spanners:
        cells = [_spanner(head) for head in level]
        lines.append(" & ".join(["", *cells]).strip() + r" \\")
        lines.append(" ".join(rf"\cmidrule(lr){{{h.start + 2}-{h.stop + 1}}}" for h in level if h.text))
    labels = [_stacked(label, HEAD_ROOM) for label in made.labels]
    return [*lines, " & ".join([escape(table.stub), *labels]) + r" \\"]


def _spanner(head: Head) -> str:
    columns = head.stop - head.start
    return rf"\multicolumn{{{columns}}}{{c}}{{{_stacked(head.text, HEAD_ROOM * columns)}}}"


def _stacked(text: str, room: int) -> str:
    lines = [escape(line) for line in fold(text, room)]
    return lines[0] if len(lines) == 1 else r"\shortstack{" + r"\\".join(lines) + "}"


def _body(made: Grid, table: Table) -> list[str]:
    out = []
    for line, label in zip(made.lines, fold_labels(made.lines, _label_room(made)), strict=True):
        if line.opens_block and table.style == "journal":
            out.append(r"\midrule")
        out += _line(line, label, made)
    return out


def _label_room(made: Grid) -> int:
    columns = sum(max(made.need(i), width(made.labels[i])) + 2 for i in range(len(made.labels)))
    least, most = LABEL_ROOM
    return max(least, min(most, LINE_ROOM - columns))


def _line(line: Line, label: list[str], made: Grid) -> list[str]:
    if line.kind == "panel":
        return [rf"\multicolumn{{{len(made.labels) + 1}}}{{@{{}}l}}{{\textit{{{escape(line.label)}}}}} \\"]
    *early, last = [escape(part) for part in label]
    cells = [_cell(cell, made.align(i)) for i, cell in enumerate(line.cells)]
    return [*(rf"{part} \\" for part in early), " & ".join([last, *cells]) + r" \\"]


def _cell(cell: Printed, room: tuple[str, str]) -> str:
    text = escape(cell.text)
    if cell.point is None:
        return text if text.startswith("[") else _stacked(cell.text, HEAD_ROOM)
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
