"""A study's script as text: what it declares, and which of its lines each half depends on, without running it.

The estimation half is every top-level statement reached from ``estimate`` (and ``DATASETS``) through the names it uses;
the rendering half is everything reached from ``render``, ``TITLE`` and ``ABSTRACT``, with the module's docstring. A
half's digest is taken over the syntax tree of these statements, so comments, layout and docstrings of functions do not
count. Modules beside the script that a half imports count as a whole.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from econ.errors import StudyError
from econ.options import Lang

ESTIMATION_ROOTS = ("estimate", "DATASETS")
RENDERING_ROOTS = ("render", "TITLE", "ABSTRACT", "DATASETS")


@dataclass(frozen=True)
class Script:
    """What a study declares, read from its source.

    Attributes
    ----------
    title, abstract : by language
    datasets : names of the data sets that the study reads
    parameters : literal constants that the estimation half uses, such as ``SEED``
    halves : ``"estimation"`` and ``"rendering"`` -> {part of the source -> digest}
    """

    name: str
    path: Path
    title: Mapping[Lang, str]
    abstract: Mapping[Lang, str]
    datasets: tuple[str, ...]
    parameters: Mapping[str, Any]
    halves: Mapping[str, Mapping[str, str]]


def read_script(path: Path) -> Script:
    """Read a study without running it."""
    module = _parse(path)
    bound = _bindings(module.body)
    missing = [name for name in ("TITLE", "DATASETS", "estimate", "render") if name not in bound]
    if missing:
        raise StudyError(
            f"{path.name} lacks {', '.join(missing)}; a study has TITLE, DATASETS, estimate() and render()."
        )
    constants = _constants(module.body)
    docstring = ast.get_docstring(module) or ""
    _drop_docstrings(module)
    datasets = constants.get("DATASETS")
    if not isinstance(datasets, tuple | list) or not all(isinstance(name, str) for name in datasets):
        raise StudyError(
            f"DATASETS in {path.name} must be a tuple of names written out, such as ('provinces', 'regions')."
        )
    estimation = _reachable(module.body, ESTIMATION_ROOTS)
    rendering = _reachable(module.body, RENDERING_ROOTS)
    return Script(
        name=path.stem,
        path=path,
        title=_by_language(constants.get("TITLE"), "TITLE", path),
        abstract=_by_language(constants.get("ABSTRACT", {"en": docstring}), "ABSTRACT", path),
        datasets=tuple(datasets),
        parameters={
            name: value
            for statement in estimation
            for name in _bound_names(statement)
            if (value := constants.get(name)) is not None and name != "DATASETS" and name.isupper()
        },
        halves={
            "estimation": _digests(estimation, path),
            "rendering": _digests(rendering, path) | {"docstring": _digest(docstring)},
        },
    )


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        raise StudyError(f"{path.name}, line {error.lineno}: {error.msg}; correct the script.") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path.name} is not UTF-8 text ({error}); save it as UTF-8.") from error


def _by_language(value: Any, name: str, path: Path) -> dict[Lang, str]:
    if isinstance(value, str):
        value = {"en": value}
    if not isinstance(value, dict) or not all(isinstance(value.get(lang, ""), str) for lang in ("en", "zh")):
        raise StudyError(f'{name} in {path.name} must be written out as {{"en": "...", "zh": "..."}}.')
    english = str(value.get("en", ""))
    return {"en": english, "zh": str(value.get("zh", english))}


def _constants(body: Iterable[ast.stmt]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            try:
                value = ast.literal_eval(statement.value)
            except ValueError:
                continue
            values.update(dict.fromkeys(_bound_names(statement), value))
    return values


def _bindings(body: Iterable[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """Name -> top-level statements that bind it or change it in place."""
    bound: dict[str, list[ast.stmt]] = {}
    for statement in _counted(body):
        for name in _bound_names(statement):
            bound.setdefault(name, []).append(statement)
    return bound


def _counted(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if not (isinstance(statement, ast.If) and "__name__" in _used_names(statement.test)):
            yield statement


def _bound_names(statement: ast.stmt) -> set[str]:
    """Names that a top-level statement defines, or may change in place (``X["a"] = 1``, ``X.update(...)``)."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    if isinstance(statement, ast.Expr):
        return _used_names(statement)
    names: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            names |= _used_names(node.value)
        elif isinstance(node, ast.Expr) and node is not statement:
            names |= _used_names(node)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= _bound_names(node)
    return names


def _used_names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _reachable(body: list[ast.stmt], roots: Iterable[str]) -> list[ast.stmt]:
    """Top-level statements that the roots depend on, in source order; bare calls of imported functions always count."""
    bound = _bindings(body)
    imports = [each for each in body if isinstance(each, ast.Import | ast.ImportFrom)]
    imported = {name for each in imports for name in _bound_names(each)}
    effects = [each for each in _counted(body) if isinstance(each, ast.Expr) and _root_name(each.value) in imported]
    wanted = {id(each) for each in effects}
    queue = [*roots, *(name for each in effects for name in _used_names(each))]
    seen: set[str] = set()
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        for statement in bound.get(name, ()):
            if name not in imported or statement in imports:
                wanted.add(id(statement))
                queue.extend(_used_names(statement))
    return [each for each in body if id(each) in wanted]


def _root_name(node: ast.AST) -> str | None:
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _digests(statements: Iterable[ast.stmt], path: Path) -> dict[str, str]:
    """Part of the source -> digest: one entry per top-level name, and one per sibling module that is imported."""
    digests: dict[str, str] = {}
    for statement in statements:
        for sibling in _siblings(statement, path.parent, seen={path}):
            digests[sibling.name] = _module_digest(sibling)
        label = ", ".join(sorted(_bound_names(statement)))
        digests[label] = _digest(digests.get(label, "") + ast.dump(statement))
    return digests


def _siblings(statement: ast.stmt, folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Modules beside the script that a statement imports, and what these import."""
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom) and statement.module:
        names = [statement.module]
    else:
        return
    for name in names:
        sibling = folder / f"{name.split('.')[0]}.py"
        if sibling.is_file() and sibling not in seen:
            seen.add(sibling)
            yield sibling
            for nested in _parse(sibling).body:
                yield from _siblings(nested, folder, seen)


def _module_digest(path: Path) -> str:
    module = _parse(path)
    _drop_docstrings(module)
    return _digest(ast.dump(module))


def _drop_docstrings(module: ast.Module) -> None:
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
