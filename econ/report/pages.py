"""The files of one report: each item in every format and language, and the whole in Markdown in reading order."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from econ.errors import MissingPackageError
from econ.options import Lang
from econ.report.carried import with_carried
from econ.report.script import Script
from econ.report.study import LANGS, Item, Results, TableLike, run_rendering
from econ.report.tables import Table

FIGURE_FILES = ("svg", "pdf", "png")
README: Mapping[Lang, str] = {"en": "README.md", "zh": "README.zh.md"}
OTHER: Mapping[Lang, tuple[Lang, str]] = {"en": ("zh", "中文"), "zh": ("en", "English")}


def write_items(
    script: Script, values: Mapping[str, Any], folder: Path, notes: list[str]
) -> dict[Lang, list[dict[str, Any]]]:
    """Render a study in every language; returns, by language, name, kind, title, caption and files of each item.

    A format whose package is not installed is left out, and ``notes`` says which extra installs it.
    """
    listed: dict[Lang, list[dict[str, Any]]] = {}
    for lang in LANGS:
        items = [_carrying(item, lang) for item in run_rendering(script.path, Results(values), lang)]
        listed[lang] = [
            {
                "name": item.name,
                "kind": item.kind,
                "title": item.title,
                "caption": item.caption,
                "files": _write(item, folder, lang, notes),
            }
            for item in items
        ]
        (folder / README[lang]).write_text(_readme(script, items, lang), encoding="utf-8", newline="\n")
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    return listed


def _carrying(item: Item, lang: Lang) -> Item:
    """An item with what the study must say: in a table's notes, in a figure's, else in the caption."""
    if isinstance(item.content, Table):
        return replace(item, content=replace(item.content, notes=with_carried(item.content.notes, lang)))
    if item.kind == "text":
        return item
    said = tuple(getattr(item.content, "notes", ()))
    added = with_carried((*said, *([item.caption] if item.caption else [])), lang)[len(said) :]
    return replace(item, caption=(" " if lang == "en" else "").join(added))


def _write(item: Item, folder: Path, lang: Lang, notes: list[str]) -> list[str]:
    content, stem = item.content, f"{item.name}.{lang}"
    texts: dict[str, str] = {}
    writers: dict[str, Callable[[Path], Any]] = {}
    if isinstance(content, str):
        texts = {"md": content}
    elif isinstance(content, TableLike):
        texts = {"md": content.markdown(), "html": content.html(), "tex": content.latex()}
        writers = {"docx": content.docx, "xlsx": content.xlsx}
    else:
        writers = dict.fromkeys(FIGURE_FILES, content.save)
    for suffix, text in texts.items():
        (folder / f"{stem}.{suffix}").write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")
    for suffix, write in writers.items():
        try:
            write(folder / f"{stem}.{suffix}")
        except MissingPackageError as error:
            note = f".{suffix} files are left out: {error}"
            if note not in notes:
                notes.append(note)
    return [f"{stem}.{suffix}" for suffix in (*texts, *writers) if (folder / f"{stem}.{suffix}").is_file()]


def _readme(script: Script, items: list[Item], lang: Lang) -> str:
    other, words = OTHER[lang]
    parts = [f"# {script.title[lang]}", f"[{words}]({README[other]})", script.abstract[lang]]
    parts += [_markdown(item, lang) for item in items]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _markdown(item: Item, lang: Lang) -> str:
    if isinstance(item.content, str):
        return item.content
    if isinstance(item.content, TableLike):
        return item.content.markdown()
    alt = re.sub(r"[\[\]]", "", item.title or item.caption or item.name)
    caption = f"\n\n*{item.caption}*" if item.caption else ""
    return f"![{alt}]({item.name}.{lang}.svg){caption}"
