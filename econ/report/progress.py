"""What a build says while it runs: a live row per study on a terminal, a plain line per study elsewhere."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Rows
    from rich.progress import TaskID

    from econ.report.build import Outcome


class Progress:
    """A context in which ``report`` is told of each study as it starts (``stale``) and ends; all on standard error."""

    def __init__(self) -> None:
        self._rows: Rows | None = None
        self._ids: dict[str, TaskID] = {}

    def report(self, outcome: "Outcome") -> None:
        """Show that a study has started or ended."""
        if not sys.stderr.isatty():
            if outcome.state == "stale":
                tasks = " and ".join(outcome.why)
                first = next(iter(outcome.why.values()))
                print(f"{outcome.name}: {tasks} ({'; '.join(first[:3])})", file=sys.stderr, flush=True)
            return
        rows = self._rows or self._start()
        if outcome.state == "stale":
            self._ids[outcome.name] = rows.add_task(outcome.name, total=None, words=" and ".join(outcome.why))
        elif outcome.name in self._ids:
            rows.update(self._ids[outcome.name], total=1, completed=1, words=outcome.state)

    def _start(self) -> "Rows":
        from rich.console import Console
        from rich.progress import Progress as Rows
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
        )
        self._rows = Rows(*columns, console=Console(stderr=True), transient=True)
        self._rows.start()
        return self._rows

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rows:
            self._rows.stop()
