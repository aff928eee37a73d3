"""Text for readers exists in English and Chinese: ``{"en": ..., "zh": ...}``."""

from collections.abc import Mapping

from econ.errors import OptionError

Text = Mapping[str, str]


def as_text(words: str | Text) -> dict[str, str]:
    """Both languages of a text; a plain string stands for both."""
    if isinstance(words, str):
        return {"en": words, "zh": words}
    if set(words) != {"en", "zh"}:
        raise OptionError(f"A text has the languages en and zh; got {sorted(words)}.")
    return dict(words)
