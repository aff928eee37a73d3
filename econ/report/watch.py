"""Which data files a study opens, so that none is read that its dependencies do not name."""

import contextlib
import functools
import os
import sys
from collections.abc import Collection, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from econ.errors import StudyError

_opened: ContextVar[set[str] | None] = ContextVar("_opened", default=None)


@contextlib.contextmanager
def only_data_of(named: Collection[str], folders: Collection[Path], advice: str) -> Iterator[None]:
    """Refuse, at the end of the block, data sets whose files were opened in it and that are not ``named``.

    Parameters
    ----------
    folders : folders that hold data sets, one folder each; their cards may be read freely.
    advice : what to do about it, for the message.
    """
    _listen()
    files: set[str] = set()
    token = _opened.set(files)
    try:
        yield
    finally:
        _opened.reset(token)
    read = {name for file in files for name in _dataset(Path(file), folders)} - set(named)
    if read:
        raise StudyError(f"It reads the data of {', '.join(map(repr, sorted(read)))}; {advice}")


def _dataset(file: Path, folders: Collection[Path]) -> Iterator[str]:
    for folder in folders:
        path = Path(os.path.abspath(file))
        if path.is_relative_to(folder) and path.suffix != ".json" and len(path.relative_to(folder).parts) > 1:
            yield path.relative_to(folder).parts[0]


@functools.cache
def _listen() -> None:
    """Install the hook, which Python keeps until it ends; it does nothing outside ``only_data_of``."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        files = _opened.get()
        if files is not None and isinstance(arguments[0], str | bytes | os.PathLike):
            files.add(os.fsdecode(arguments[0]))
