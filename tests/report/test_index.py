from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from econ.report import index

VOID = {"meta", "br", "path", "use", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; refuses tags that do not close in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.text, self._open = [], [], [], []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def text(built):
    return (built.project.reports / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def page(text):
    return Page(text)


def test_every_item_of_every_study_is_there_in_both_languages(page):
    for study in ("alpha", "beta"):
        for name in ("reading", "mean", "picture"):
            assert {f"{study}-{name}-en", f"{study}-{name}-zh"} <= set(page.ids)
    words = " ".join(page.text)
    assert all(
        each in words for each in ("Study alpha", "研究 alpha", "What beta is about.", "Mean drawn", "均值 drawn")
    )
    assert sum(tag == "svg" for tag, _ in page.tags) == 4
    assert ("strong", {}) in page.tags


def test_nothing_is_fetched(page, text):
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "data", "action"):
            assert not urlsplit(attributes.get(name) or "").scheme
        assert name != "srcset"
    assert "@import" not in text
    assert "url(" not in text.replace("url(#", "")


def test_links_lead_somewhere_and_identifiers_are_unique(page, built):
    assert len(page.ids) == len(set(page.ids))
    links = [attributes["href"] for tag, attributes in page.tags if tag in ("a", "use")]
    assert len(links) > 20
    for link in links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert (built.project.reports / link).is_file()


def test_english_without_script_and_a_switch_with_it(page, text):
    assert page.tags[0][0] == "html"
    assert page.tags[0][1] == {"lang": "en", "data-show": "en"}
    assert '[data-show="en"] body [data-lang="zh"]' in text
    switch = next(attributes for _, attributes in page.tags if attributes.get("class") == "switch")
    assert "hidden" in switch


def test_where_the_numbers_come_from(page):
    words = " ".join(page.text)
    assert "datasets/two/two.csv" in words
    assert "Yearbook" in words
    assert "numpy" in words


def test_drawings_share_no_identifiers_and_no_styles():
    drawing = '<?xml version="1.0"?>\n<svg width="9"><metadata>x\ny</metadata><style type="text/css">*{a:b}</style>'
    drawing += '<clipPath id="c"/><g clip-path="url(#c)"><use xlink:href="#d"/></g></svg>\n'
    assert index.inline_svg(drawing, "p", "A & B") == (
        '<svg id="p-drawing" role="img" aria-label="A &amp; B" width="9">'
        '<style type="text/css">#p-drawing *{a:b}</style>'
        '<clipPath id="p-c"/><g clip-path="url(#p-c)"><use xlink:href="#p-d"/></g></svg>'
    )


def test_on_a_small_screen_drawings_keep_a_legible_width_and_scroll(text):
    assert ".sheet { overflow-x: auto; }" in text
    assert ".sheet > svg { max-width: max(100%, 34rem);" in text


def test_texts_are_escaped(toy):
    toy.edit("scripts/alpha.py", '"Study alpha"', '"A <b>bold</b> & title"')
    toy.edit("scripts/alpha.py", "The mean is", "<script>alert(1)</script> The mean is")
    toy.build("alpha")
    text = (toy.project.reports / "index.html").read_text(encoding="utf-8")
    assert "A &lt;b&gt;bold&lt;/b&gt; &amp; title" in text
    assert "<script>alert" not in text


def test_a_project_without_reports(toy):
    assert "No study has been built yet" in index.page(toy.project.reports, [])
    Page(index.page(toy.project.reports, []))
