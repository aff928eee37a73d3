"""reports/index.html: every table and figure of every study on one page that needs no network and no server.

Figures are inline SVG, styles are inline; a few lines of script switch between English and Chinese, and without script
the page is English. It is made from the files of the reports alone.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from econ.options import Lang
from econ.report.project import Project
from econ.report.study import LANGS

WORDS: Mapping[str, Mapping[Lang, str]] = {
    "title": {"en": "Reports", "zh": "研究报告"},
    "contents": {"en": "Contents", "zh": "目录"},
    "files": {"en": "Files:", "zh": "文件："},
    "made": {"en": "Data, sample and software", "zh": "数据、样本与软件"},
    "data": {"en": "Data", "zh": "数据"},
    "sample": {"en": "Rows used", "zh": "所用观测"},
    "dropped": {"en": "dropped", "zh": "剔除"},
    "seed": {"en": "Random seed", "zh": "随机种子"},
    "software": {"en": "Software", "zh": "软件"},
    "whole": {"en": "Whole record: ", "zh": "完整记录："},
    "none": {"en": "No study has been built yet; run “econ build”.", "zh": "尚无研究报告；请运行“econ build”。"},
}
LANG_TAG: Mapping[Lang, str] = {"en": "en", "zh": "zh-CN"}
LANG_NAME: Mapping[Lang, str] = {"en": "English", "zh": "中文"}
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def write_index(project: Project) -> None:
    """Write the page beside its place and move it there."""
    runs = [
        json.loads(path.read_text(encoding="utf-8"))
        for name in project.studies()
        if (path := project.reports / name / "run.json").is_file()
    ]
    project.reports.mkdir(parents=True, exist_ok=True)
    part = project.reports / ".index.html.part"
    part.write_text(page(project.reports, runs), encoding="utf-8", newline="\n")
    os.replace(part, project.reports / "index.html")


def page(reports: Path, runs: list[dict[str, Any]]) -> str:
    """The whole page; ``runs`` are the run.json of the studies in reading order."""
    studies = "".join(_study(reports / run["study"], run) for run in runs) or f"<p>{_both('none')}</p>"
    buttons = "".join(
        f'<button type="button" data-choose="{lang}" lang="{LANG_TAG[lang]}">{word}</button>'
        for lang, word in LANG_NAME.items()
    )
    return f"""<!DOCTYPE html>
<html lang="en" data-show="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{WORDS["title"]["en"]} · {WORDS["title"]["zh"]}</title>
<style>
{STYLE}</style>
</head>
<body>
<header><h1>{_both("title")}</h1><div class="switch" role="group" aria-label="Language" hidden>{buttons}</div></header>
<div class="page">
<nav aria-label="Contents"><h2>{_both("contents")}</h2>
<ol>{"".join(_contents(run) for run in runs)}</ol></nav>
<main>
{studies}</main>
</div>
<script>
{SCRIPT}</script>
</body>
</html>
"""


def _contents(run: Mapping[str, Any]) -> str:
    inner = "".join(
        f'<li data-lang="{lang}"><a href="#{_anchor(run, item, lang)}">{escape(_label(item))}</a></li>'
        for lang in LANGS
        for item in run["items"][lang]
        if item["kind"] != "text"
    )
    return f'<li><a href="#{escape(run["study"])}">{_by_lang(run["title"])}</a><ul>{inner}</ul></li>'


def _study(folder: Path, run: Mapping[str, Any]) -> str:
    parts = [f'<section class="study" id="{escape(run["study"])}">\n<h2>{_by_lang(run["title"])}</h2>\n']
    for lang in LANGS:
        parts.append(f'<div data-lang="{lang}" lang="{LANG_TAG[lang]}">\n')
        parts.append(f'<div class="abstract">{_MARKDOWN.render(run["abstract"][lang])}</div>\n')
        parts.extend(_item(folder, run, item, lang) for item in run["items"][lang])
        parts.append(_made(folder, run, lang))
        parts.append("</div>\n")
    return "".join([*parts, "</section>\n"])


def _item(folder: Path, run: Mapping[str, Any], item: Mapping[str, Any], lang: Lang) -> str:
    files = {Path(file).suffix.lstrip("."): file for file in item["files"]}
    anchor = _anchor(run, item, lang)
    if item["kind"] == "text":
        return f'<div class="text" id="{anchor}">{_MARKDOWN.render(_read(folder / files["md"]))}</div>\n'
    caption = f"<figcaption>{_MARKDOWN.renderInline(item['caption'])}</figcaption>" if item["caption"] else ""
    if item["kind"] == "table":
        body = _read(folder / files["html"])
    else:
        body = inline_svg(_read(folder / files["svg"]), anchor, _label(item))
    links = " ".join(f'<a href="{folder.name}/{file}">{suffix}</a>' for suffix, file in files.items())
    return (
        f'<figure class="{item["kind"]}" id="{anchor}"><div class="sheet">{body}</div>{caption}'
        f'<p class="files">{WORDS["files"][lang]} {links}</p></figure>\n'
    )


def _made(folder: Path, run: Mapping[str, Any], lang: Lang) -> str:
    """Where the numbers come from, folded away: inputs with checksums, samples, seed, versions."""
    packages = {**run["rendering"]["packages"], **run["estimation"]["packages"]}
    rows = [(WORDS["data"][lang], _inputs(run["inputs"])), (WORDS["sample"][lang], _samples(run["samples"], lang))]
    if run["seed"] is not None:
        rows.append((WORDS["seed"][lang], str(run["seed"])))
    present = (f"{escape(name)} {escape(version)}" for name, version in sorted(packages.items()) if version != "absent")
    rows.append((WORDS["software"][lang], ", ".join(present)))
    body = "".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in rows if text)
    whole = f'<p>{WORDS["whole"][lang]}<a href="{folder.name}/run.json">run.json</a></p>'
    return f"<details><summary>{WORDS['made'][lang]}</summary><dl>{body}</dl>{whole}</details>\n"


def _inputs(inputs: Iterable[Mapping[str, Any]]) -> str:
    lines = (
        f"{escape(each['file'])} <code>{each['sha256'][:12]}</code> {escape('; '.join(each['source']))}"
        for each in inputs
    )
    return "<br>".join(lines)


def _samples(samples: Mapping[str, Mapping[str, Any]], lang: Lang) -> str:
    def line(name: str, sample: Mapping[str, Any]) -> str:
        dropped = ", ".join(f"{escape(reason)} {count:,}" for reason, count in sample["dropped"].items() if count)
        return f"{escape(name)} {sample['rows']:,}" + (f" ({WORDS['dropped'][lang]}: {dropped})" if dropped else "")

    return "<br>".join(line(name, sample) for name, sample in samples.items())


def inline_svg(drawing: str, prefix: str, name: str) -> str:
    """An SVG file as one element of a page: its identifiers and its style rule made its own, its metadata left out.

    ``name`` is what a screen reader says.
    """
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'\bid="|href="#|url\(#', lambda found: f"{found[0]}{prefix}-", drawing)
    drawing = re.sub(r"(<style[^>]*>\s*)\*\s*\{", rf"\1#{prefix}-drawing *{{", drawing)
    opening = f'<svg id="{prefix}-drawing" role="img" aria-label="{escape(name)}" '
    return drawing.replace("<svg ", opening, 1).strip()


def _label(item: Mapping[str, Any]) -> str:
    return str(item["title"] or item["caption"] or item["name"].replace("_", " "))


def _anchor(run: Mapping[str, Any], item: Mapping[str, Any], lang: Lang) -> str:
    return escape(f"{run['study']}-{item['name']}-{lang}")


def _both(word: str) -> str:
    return _by_lang(WORDS[word])


def _by_lang(words: Mapping[Lang, str]) -> str:
    return "".join(f'<span data-lang="{lang}" lang="{LANG_TAG[lang]}">{escape(words[lang])}</span>' for lang in LANGS)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


STYLE = """\
:root { color-scheme: light; --ink: #1b1f23; --soft: #57606a; --rule: #d8dee4; --link: #0a4d8c; --paper: #fff; }
* { box-sizing: border-box; }
body {
  margin: 0; background: #f6f7f8; color: var(--ink); line-height: 1.6;
  font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC",
    "Microsoft YaHei", sans-serif;
}
[data-show="en"] body [data-lang="zh"], [data-show="zh"] body [data-lang="en"] { display: none; }
a { color: var(--link); }
header {
  display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .6rem 1.5rem;
  background: var(--paper); border-bottom: 1px solid var(--rule); position: sticky; top: 0; z-index: 1;
}
header h1 { font-size: 1.1rem; margin: 0; }
.switch button {
  font: inherit; font-size: .9rem; padding: .15rem .7rem; cursor: pointer;
  color: var(--ink); background: var(--paper); border: 1px solid var(--rule);
}
.switch button[aria-pressed="true"] { background: var(--ink); color: var(--paper); border-color: var(--ink); }
.page {
  display: grid; grid-template-columns: 17rem minmax(0, 60rem); gap: 2.5rem; justify-content: center; padding: 1.5rem;
}
nav { position: sticky; top: 4.5rem; align-self: start; max-height: calc(100vh - 6rem); overflow-y: auto; }
nav { font-size: .88rem; line-height: 1.45; }
nav h2 { font-size: .95rem; margin: 0 0 .5rem; }
nav ol, nav ul { margin: 0; padding-left: 1.2rem; }
nav ol > li { margin-bottom: .6rem; }
nav ol > li > a { font-weight: 600; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
.study {
  background: var(--paper); border: 1px solid var(--rule); border-radius: 4px;
  padding: 1.2rem 2rem 1.6rem; margin-bottom: 2rem;
}
.study, figure, .text { scroll-margin-top: 4.5rem; }
.study h2 { margin: 0 0 .6rem; font-size: 1.5rem; line-height: 1.3; }
.abstract { color: var(--soft); border-left: 3px solid var(--rule); padding-left: 1rem; }
.abstract p, .text p { max-width: 44rem; }
.text table { border-collapse: collapse; }
.text td, .text th { padding: .2rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; }
figure { margin: 2rem 0; }
.sheet { overflow-x: auto; }
.sheet > svg { max-width: max(100%, 34rem); height: auto; display: block; margin: 0 auto; }
figcaption { font-size: .95rem; margin-top: .5rem; }
.files { font-size: .85rem; color: var(--soft); margin: .4rem 0 0; }
.files a { margin-right: .35rem; }
details {
  font-size: .88rem; color: var(--soft); border-top: 1px solid var(--rule); padding-top: .6rem; margin-top: 2rem;
}
summary { cursor: pointer; }
dt { font-weight: 600; color: var(--ink); margin-top: .5rem; }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 62rem) {
  .page { grid-template-columns: minmax(0, 1fr); padding: 1rem; gap: 1rem; }
  nav { position: static; max-height: none; }
  .study { padding: 1rem; }
}
@media print {
  body { background: none; }
  header { position: static; border: 0; padding: 0; }
  .switch, nav, .files, details { display: none; }
  .page { display: block; padding: 0; }
  .study { border: 0; padding: 0; break-before: page; }
  .study:first-child { break-before: auto; }
  figure { break-inside: avoid; }
  .sheet { overflow: visible; }
}
"""

SCRIPT = """\
(function () {
  var root = document.documentElement, box = document.querySelector(".switch");
  var buttons = box.querySelectorAll("button");
  function show(lang) {
    root.dataset.show = lang;
    root.lang = lang === "zh" ? "zh-CN" : "en";
    buttons.forEach(function (b) { b.setAttribute("aria-pressed", String(b.dataset.choose === lang)); });
    try { localStorage.setItem("econ-lang", lang); } catch (e) { /* a page opened from disk may have no storage */ }
  }
  buttons.forEach(function (b) { b.addEventListener("click", function () { show(b.dataset.choose); }); });
  var kept = null;
  try { kept = localStorage.getItem("econ-lang"); } catch (e) { /* as above */ }
  var named = /-(en|zh)$/.exec(location.hash);
  show(named ? named[1] : kept === "zh" ? "zh" : "en");
  box.hidden = false;
})();
"""
