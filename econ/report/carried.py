"""What every table and figure of a study says of its simulated data sets, whatever its script did with the data."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from econ.options import Lang
from econ.text import Text

WORDS: Text = {"en": "The study draws on {} ({}).", "zh": "本研究使用数据集{}（{}）。"}


@dataclass(frozen=True)
class Carried:
    """A note of a data set's card."""

    dataset: str
    note: Text


_CARRIED: ContextVar[tuple[Carried, ...]] = ContextVar("carried", default=())


@contextmanager
def carrying(notes: Sequence[Carried]) -> Iterator[None]:
    """What is made meanwhile says these notes."""
    token = _CARRIED.set(tuple(notes))
    try:
        yield
    finally:
        _CARRIED.reset(token)


def with_carried(notes: tuple[str, ...], lang: Lang) -> tuple[str, ...]:
    """The notes, and those carried ones that they do not say yet."""
    said = " ".join(notes).lower()
    each = [(carried.dataset, carried.note[lang].rstrip(".。")) for carried in _CARRIED.get()]
    added = [(name, note[:1].lower() + note[1:]) for name, note in each if note.lower() not in said]
    return (*notes, *(WORDS[lang].format(name, note) for name, note in added))
