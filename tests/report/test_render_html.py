import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from hand_made import AWKWARD, BASE, POISSON, TWO_WAY

from econ.options import Lang
from econ.report.frames import data_table
from econ.report.regression import table
from econ.report.tables import Table

VOID = {"meta", "br", "img", "hr"}


class Reader(HTMLParser):
    """Checks that elements nest, and gathers the texts of the table's cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if self.rows and ("td" in self.open or "th" in self.open):
            self.rows[-1][-1] += data.strip()


def made(lang: Lang = "en") -> Table:
    return table([BASE, TWO_WAY, POISSON], title={"en": "Growth & more", "zh": "增长"}, lang=lang)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_well_formed_and_self_contained(lang: Lang) -> None:
    text = made(lang).html()
    read = Reader(text)
    assert len(read.ids) == len(set(read.ids))
    assert not re.search(r"https?://|src=|@import|url\(", text)
    assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in text


def test_cells_as_text() -> None:
    rows = Reader(made().html()).rows
    assert ["Growth & more"] in rows
    assert ["R&D", "0.043**", "0.051", "0.00120***"] in rows
    assert ["", "(0.017)", "(0.041)", "(0.00040)"] in rows
    assert ["Grants (log)", "−1,234.568***", "", ""] in rows
    assert ["Observations", "12,345", "12,345", "12,345"] in rows
    assert rows[-1][0].startswith("Notes:")


def test_panels_are_rows_of_their_own() -> None:
    rows = Reader(table(panels={"A & B": [BASE], "C": [POISSON]}).html()).rows
    assert ["A & B", ""] in rows and ["C", ""] in rows


def test_awkward_text_is_escaped_once() -> None:
    odd = table([BASE], title=AWKWARD, labels={"rd": AWKWARD, "gdp": AWKWARD}, notes=[AWKWARD])
    rows = Reader(odd.html()).rows
    assert [AWKWARD] in rows
    assert [AWKWARD, "0.043**"] in rows
    assert AWKWARD in rows[-1][0]


def test_labels_stand_on_the_line_of_their_numbers_and_break_between_words() -> None:
    rules = re.findall(r"\.gt_(?:row|stub)[^{}]*\{[^{}]*\}", made("zh").html()[: made("zh").html().index("</style>")])
    own = " ".join(rules[-8:])
    assert "vertical-align: baseline" in own
    assert "vertical-align: top" not in own
    assert "word-break: keep-all" in own
    assert re.search(r"\.gt_stub \{ min-width: 8em", own)


def test_a_short_text_is_not_broken() -> None:
    frame = pd.DataFrame({"year": ["2015—2018"], "about": ["several words that may break"]})
    text = data_table(frame, rows=None).html()
    assert '<span class="n">2015—2018</span>' in text
    assert ">several words that may break</td>" in text


def test_two_tables_share_no_identifier() -> None:
    first, second = Reader(made("en").html()), Reader(made("zh").html())
    assert not set(first.ids) & set(second.ids)


def test_a_notebook_shows_the_html() -> None:
    assert made()._repr_html_() == made().html()


def test_digits_that_are_not_printed_move_no_byte() -> None:
    """Another machine's last bit is not another table."""
    frame = pd.DataFrame({"value": [0.1234, 0.5]}, index=["a", "b"])
    nearly, other = frame * (1 + 1e-15), frame + 0.01
    assert not frame.equals(nearly)
    shown = [data_table(each, columns={"value": "Value"}).html() for each in (frame, nearly, other)]
    assert shown[0] == shown[1] != shown[2]
