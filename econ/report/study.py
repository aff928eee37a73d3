"""What a study is: a script with an estimation half and a rendering half that meet only in estimates.json.

::

    \"\"\"One paragraph that the report opens with.\"\"\"

    import econ

    TITLE = {"en": "Growth and patents", "zh": "增长与专利"}
    DATASETS = ("provinces",)                                  # every data set that either half reads
    ABSTRACT = {"en": "...", "zh": "..."}                      # optional; the docstring where it is left out

    def estimate():                                            # knows no label and no language
        panel = econ.load("provinces")
        return {"growth": econ.feols(panel, "gdp_growth ~ patents | province + year")}

    def render(results, lang):                                 # never loads data, never estimates
        yield econ.report.item("reading", "A paragraph in *Markdown*.")
        yield econ.report.item("growth", econ.report.table([results["growth"]], lang=lang))

    if __name__ == "__main__":
        econ.report.run(__file__)
"""

import contextlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, runtime_checkable

from econ.errors import StudyError
from econ.options import Lang

if TYPE_CHECKING:
    import pandas as pd

    from econ.estimate import Estimate

LANGS: tuple[Lang, ...] = ("en", "zh")

Kind = Literal["text", "table", "figure"]
T = TypeVar("T")


@runtime_checkable
class TableLike(Protocol):
    """What the report needs of a table; ``econ.report.Table`` has it."""

    def html(self) -> str: ...
    def latex(self) -> str: ...
    def markdown(self) -> str: ...
    def docx(self, path: Path, /) -> Any: ...
    def xlsx(self, path: Path, /) -> Any: ...


@runtime_checkable
class PlotLike(Protocol):
    """What the report needs of a figure; ``econ.report.Plot`` has it."""

    def save(self, path: Path, /) -> Any: ...


@dataclass(frozen=True)
class Item:
    """One piece of a report: a paragraph in Markdown, a table or a figure, under a name that becomes its file name."""

    name: str
    content: str | TableLike | PlotLike
    caption: str = ""

    @property
    def title(self) -> str:
        """The title of the table or figure; empty where it has none."""
        return str(getattr(self.content, "title", "")) if self.kind != "text" else ""

    @property
    def kind(self) -> Kind:
        """Whether the content is text, a table or a figure."""
        if isinstance(self.content, str):
            return "text"
        return "table" if isinstance(self.content, TableLike) else "figure"


def item(name: str, content: str | TableLike | PlotLike, caption: str = "") -> Item:
    """One piece of a report, to be yielded by ``render``.

    Parameters
    ----------
    name : lower-case letters, digits, ``_`` and ``-``; unique within the study, because files are named after it.
    content : a string (a paragraph in Markdown), an ``econ.report.Table``, or an ``econ.report.Plot``.
    caption : a sentence under a figure; tables carry their own title and notes.

    Examples
    --------
    >>> from econ.report.study import item
    >>> item("reading", "Patents and growth move *together*.").kind
    'text'
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise StudyError(
            f"item name {name!r} cannot name a file; use lower-case letters, digits, '_' and '-', such as 'growth_2'."
        )
    if not isinstance(content, str | TableLike | PlotLike):
        raise StudyError(
            f"item {name!r} holds a {type(content).__name__}; give a string of Markdown, a Table, or a Plot."
        )
    return Item(name, content, caption)


class Results(Mapping[str, Any]):
    """What ``estimate()`` returned, read back from estimates.json; the only thing ``render`` sees."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            have = ", ".join(map(repr, self._values)) or "nothing"
            raise StudyError(f"estimate() returned no {name!r}; it returned {have}.")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def estimate(self, name: str) -> "Estimate":
        """An entry that must be an ``Estimate``."""
        from econ.estimate import Estimate

        return self._typed(name, Estimate)

    def frame(self, name: str) -> "pd.DataFrame":
        """An entry that must be a data frame."""
        import pandas as pd

        return self._typed(name, pd.DataFrame)

    def _typed(self, name: str, kind: type[T]) -> T:
        value = self[name]
        if not isinstance(value, kind):
            raise StudyError(f"{name!r} is a {type(value).__name__}, not the {kind.__name__} that is asked for.")
        return value


def run(script: str | Path) -> None:
    """Build the study of a script and say where its report is; what ``python scripts/<study>.py`` does.

    Only stale halves are run, exactly as ``econ build <study>`` does. The process ends with that command's exit code.
    """
    from econ import cli
    from econ.report.project import project_of

    path = Path(script).resolve()
    with contextlib.chdir(project_of(path).root):
        code = cli.main(["build", path.stem])
    sys.exit(code)


def load_script(path: Path) -> ModuleType:
    """Run a study's script as a module; its own folder is importable meanwhile."""
    spec = importlib.util.spec_from_file_location(f"econ_study_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise StudyError(f"{path} cannot be imported as a Python script.")
    module = importlib.util.module_from_spec(spec)
    with _importable(path.parent):
        spec.loader.exec_module(module)
    return module


def run_estimation(script: Path) -> dict[str, Any]:
    """Call ``estimate()`` and check what it returns."""
    with _importable(script.parent):
        values = load_script(script).estimate()
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise StudyError(
            f"estimate() returned a {type(values).__name__}; return a dict of names to estimates, frames and numbers."
        )
    return dict(values)


def run_rendering(script: Path, results: Results, lang: Lang) -> list[Item]:
    """Call ``render(results, lang)`` and check that what it yields are items with names of their own."""
    with _importable(script.parent):
        yielded: Iterable[Item] = load_script(script).render(results, lang)
        items = list(yielded)
    seen: set[str] = set()
    for each in items:
        if not isinstance(each, Item):
            raise StudyError(f"render() yielded a {type(each).__name__}; yield econ.report.item(name, content).")
        if each.name in seen:
            raise StudyError(f"render() yielded two items named {each.name!r}; give each its own name.")
        seen.add(each.name)
    return items


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    before = set(sys.modules)
    sys.path.insert(0, os.fspath(folder))
    try:
        yield
    finally:
        sys.path.remove(os.fspath(folder))
        for name in set(sys.modules) - before:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(os.fspath(folder) + os.sep):
                del sys.modules[name]
