"""A progress bar for repeated estimation, on standard error and only where someone watches."""

from collections.abc import Iterable
from typing import TypeVar

from rich.console import Console
from rich.progress import track as rich_track

Item = TypeVar("Item")


def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterable[Item]:
    """The items, with a bar that goes away when they are used up; nothing is written outside a terminal or notebook."""
    console = Console(stderr=True)
    silent = not (console.is_terminal or console.is_jupyter)
    return rich_track(items, label, total, console=console, transient=True, disable=silent)
