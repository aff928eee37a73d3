"""Estimates in panels and columns, and what can be said of several at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from econ.errors import OptionError
from econ.estimate import Estimate, Test
from econ.report.labels import Vocabulary, Words, word


@dataclass(frozen=True)
class Layout:
    """Panel title -> one estimate per column; a table without panels has the one title ""."""

    blocks: Mapping[str, Sequence[Estimate]]

    @property
    def estimates(self) -> list[Estimate]:
        return [estimate for block in self.blocks.values() for estimate in block]

    @property
    def n_columns(self) -> int:
        return len(next(iter(self.blocks.values())))

    def by_column(self, say: Callable[[Estimate], str], words: Vocabulary, between: str = "semicolon") -> str:
        """What ``say`` says of the estimates: once if it is the same for all, else after the columns it holds for."""
        said = {name: [say(estimate) for estimate in block] for name, block in self.blocks.items()}
        first = next(iter(said.values()))
        if all(texts == first for texts in said.values()):
            said = {"": first}
        values = list(dict.fromkeys(value for texts in said.values() for value in texts))
        if len(values) == 1:
            return values[0]
        parts = [_where(value, said, words) + word("colon", words.lang) + value for value in values if value]
        return word(between, words.lang).join(parts)


def _where(value: str, said: Mapping[str, Sequence[str]], words: Vocabulary) -> str:
    """The columns in which a value stands: ``(1), (3)``; a whole panel by its title."""
    places = []
    comma = word("comma", words.lang)
    for name, texts in said.items():
        numbers = [i for i, text in enumerate(texts, start=1) if text == value]
        title = words.column(name) if name else ""
        if numbers:
            whole = bool(title) and len(numbers) == len(texts)
            places.append(title if whole else f"{title} {comma.join(_ranges(numbers))}".strip())
    return comma.join(places)


def _ranges(numbers: Sequence[int]) -> list[str]:
    """Column numbers as they are written: ``(1)–(3)``, ``(5)``."""
    written = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [f"({number})" for _, number in run]
        written += [f"{members[0]}–{members[-1]}"] if len(members) > 2 else members
    return written


def arrange(
    estimates: Sequence[Estimate], panels: Mapping[str, Sequence[Estimate]] | None, headers: Sequence[Words]
) -> Layout:
    """Check what the caller gave, and stack it."""
    if isinstance(estimates, Estimate):
        raise OptionError("table() takes a list of estimates, got a single one; write table([estimate]).")
    if panels and len(estimates):
        raise OptionError("Give estimates or panels, not both; put every estimate into a panel.")
    blocks = {name: tuple(block) for name, block in panels.items()} if panels else {"": tuple(estimates)}
    if not all(blocks.values()):
        raise OptionError("table() got no estimates; give a list with at least one, in every panel.")
    for estimate in (estimate for block in blocks.values() for estimate in block):
        if not isinstance(estimate, Estimate):
            raise OptionError(
                f"table() takes estimates, got a {type(estimate).__name__}; for a data frame use report.data_table."
            )
    sizes = {name: len(block) for name, block in blocks.items()}
    if len(set(sizes.values())) > 1:
        raise OptionError(f"Panels must have the same number of estimates, got {sizes}.")
    layout = Layout(blocks)
    if headers and len(headers) != layout.n_columns:
        raise OptionError(f"headers has {len(headers)} names for {layout.n_columns} columns; give one per column.")
    return layout


def check_list(given: object, name: str) -> None:
    """Refuse a single text where several are expected: its letters would be taken one by one."""
    if isinstance(given, str | Mapping):
        raise OptionError(f"{name}={given!r} is one text; give a list: {name}=[{given!r}].")


def tested(estimate: Estimate, name: str) -> Test | None:
    """The specification test of that name, where the estimate has it."""
    return next((test for test in estimate.tests if test.name == name), None)
