"""Bytes to text: UTF-8, UTF-16 or GB18030, decoded strictly; text that was garbled before is refused."""

import codecs
import re
from collections.abc import Iterable

from econ.errors import DataError

NON_ASCII = re.compile(r"[^\x00-\x7f]+")
HANZI = re.compile(r"[\u3400-\u9fff]+")
RARE = 0.2  # share of characters outside GB 2312 above which GB18030 is not believed
LOST = ("\ufffd", "锟斤拷")  # the replacement character, and its bytes read as GBK


def decode(raw: bytes, what: str) -> tuple[str, str]:
    """Text and the name of its encoding; ``what`` names the file in messages.

    Tried in this order, each strictly: UTF-16 if there is a byte-order mark, UTF-8, GB18030. Bytes of other encodings
    are often valid GB18030 by accident, as rare characters; it is believed where most characters belong to GB 2312.
    Conversely one or two Chinese characters in GB18030 may happen to be valid UTF-8, which then wins.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text, encoding = _strictly(raw, "utf-16"), "UTF-16"
    elif (text := _strictly(raw, "utf-8-sig")) is not None:
        encoding = "UTF-8"
    else:
        text, encoding = _strictly(raw, "gb18030"), "GB18030"
        text = text if text is not None and is_plausible_chinese(text) else None
    if text is None or "\0" in text:
        raise DataError(f"{what} is neither UTF-8, UTF-16 with a byte-order mark, nor GB18030; save it as UTF-8.")
    refuse_garbled([text], what)
    return text, encoding


def _strictly(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def is_plausible_chinese(text: str) -> bool:
    """Whether most characters beyond ASCII belong to GB 2312, as those of simplified Chinese text do."""
    characters = "".join(NON_ASCII.findall(text))
    known = len(characters.encode("gb2312", errors="ignore")) // 2
    return len(characters) - known <= RARE * len(characters)


def refuse_garbled(texts: Iterable[str], what: str) -> None:
    """Refuse text with lost characters, or in which UTF-8 or GBK bytes were once read as another encoding."""
    for text in texts:
        for mark in LOST:
            if mark in text:
                near = text[max(0, text.index(mark) - 10) :][:20].split("\n")[0]
                raise DataError(f"{what} holds lost characters ({near!r}), beyond repair: get the original file.")
        for run in set(NON_ASCII.findall(text)):
            if meant := _meant(run):
                raise DataError(
                    f"{what} holds garbled text: {run[:12]!r} was {meant[:12]!r} before it was read in a wrong "
                    "encoding. Get the original file, or repair the text and save it as UTF-8."
                )


def _meant(run: str) -> str | None:
    """What a run of characters beyond ASCII was before it was garbled; None for sound text."""
    if HANZI.match(run) and len(run) >= 3:
        return _reread(run, "gb18030", "utf-8")
    if ord(run[0]) > 0xFF or len(run) < 4:
        return None
    return _reread(run, "cp1252", "utf-8") or _reread(run, "latin-1", "utf-8") or _reread(run, "latin-1", "gb2312")


def _reread(run: str, written: str, meant: str) -> str | None:
    """``run`` put back into bytes and read as it was meant, if that gives Chinese throughout; its end may be cut."""
    try:
        text = codecs.getincrementaldecoder(meant)().decode(run.encode(written))
    except UnicodeError:
        return None
    return text if len(text) >= 2 and HANZI.fullmatch(text) else None


def decode_field(raw: bytes, encoding: str) -> tuple[str, bool]:
    """Text of a field of fixed width, and whether its last character was cut off and left out; strict otherwise."""
    decoder = codecs.getincrementaldecoder(encoding)()
    text = decoder.decode(raw)
    return text, bool(decoder.getstate()[0])
