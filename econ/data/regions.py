"""The provinces of China: one code for every usual spelling, and a clear refusal of everything else.

Nothing is matched by likeness: a value is an exact known spelling, or it is refused with the nearest ones named. Shanxi
(14) and Shaanxi (61) are told apart; a spelling that could be either is refused.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.data.cards import load_frame
from econ.data.region_names import CITIES, CORPS, GROUPS, OUTSIDE, PROVINCES, TOTALS, Region
from econ.errors import DataError
from econ.linear.fit import IntArray
from econ.options import RegionName, check_word

Kind = Literal["province", "outside", "total", "group", "city", "corps", "ambiguous", "missing", "unknown"]

SHOWN = 5  # values quoted in an error message
BY_CODE = {region.code: region for region in (*PROVINCES, *OUTSIDE)}
MAINLAND = frozenset(region.code for region in PROVINCES)


@dataclass(frozen=True)
class Recognised:
    """What a value is; ``code`` for a province-level unit."""

    kind: Kind
    code: int | None = None


def regions(*, mainland: bool = True) -> pd.DataFrame:
    """The province-level units, one row each, in the order of their codes.

    Columns: ``code`` (GB/T 2260), ``province`` (English), ``name_zh``, ``name_zh_full``, ``iso``, ``plate`` (East,
    Central, West, Northeast), ``half`` (North, South), ``capital``, ``lon``, ``lat`` (of the capital), ``area`` (km2).
    ``mainland=False`` adds Taiwan, Hong Kong and Macao, whose plate, half, capital, position and area are missing.

    Examples
    --------
    >>> import econ
    >>> econ.regions().groupby("plate").size().to_dict()
    {'Central': 6, 'East': 10, 'Northeast': 3, 'West': 12}
    """
    frame = load_frame("regions").rename(columns={"capital_lon": "lon", "capital_lat": "lat", "area_km2": "area"})
    if mainland:
        return frame
    outside = [
        {"code": r.code, "province": r.en, "name_zh": r.zh, "name_zh_full": r.zh_full, "iso": f"CN-{r.iso}"}
        for r in OUTSIDE
    ]
    return pd.concat([frame, pd.DataFrame(outside)], ignore_index=True)


def region_code(values: Iterable[Any] | str | int, *, mainland: bool = True) -> IntArray:
    """GB/T 2260 codes (two digits) of province names or codes in any usual spelling.

    Accepted: short, full and one-character Chinese names, English and pinyin names with or without "Province" and the
    like, ISO 3166-2 and GB letter codes, 2-, 4-, 6- and 12-digit codes of provinces, bilingual cells whose two names
    agree; spaces inside names, full-width and traditional characters and trailing footnote marks are seen through.

    Parameters
    ----------
    values : (N,) names or codes; a single one counts as N = 1.
    mainland : refuse Taiwan (71), Hong Kong (81) and Macao (82), which the shipped data sets do not cover.

    Raises
    ------
    DataError : for totals, groups of provinces, cities, the Xinjiang Production and Construction Corps, spellings that
        could be either Shanxi or Shaanxi, missing and unknown values; the rows are named.

    Examples
    --------
    >>> region_code(["广 西", "Guangxi Zhuang Autonomous Region", "CN-GX", 450000, "陕西", "Shanxi"])
    array([45, 45, 45, 45, 61, 14])
    """
    given = [values] if isinstance(values, str | int) else list(values)
    found = recognise(given)
    wrong = [i for i, r in enumerate(found) if r.code is None or (mainland and r.kind == "outside")]
    if wrong:
        raise DataError(_refusal(given, found, wrong))
    return np.array([r.code for r in found], dtype=np.intp)


def standard_names(values: Iterable[Any] | str | int, to: RegionName = "en", *, mainland: bool = True) -> NDArray[Any]:
    """Province names in one spelling: ``to="en"`` (Guangxi), ``"zh"`` (广西) or ``"code"`` (45). See ``region_code``.

    Examples
    --------
    >>> standard_names(["内 蒙 古", "陕西省", 14]).tolist()
    ['Inner Mongolia', 'Shaanxi', 'Shanxi']
    """
    check_word(to, RegionName, "to")
    codes = region_code(values, mainland=mainland)
    return codes if to == "code" else np.array([getattr(BY_CODE[code], to) for code in codes], dtype=object)


def province_of(city_codes: Iterable[int | str]) -> IntArray:
    """Province codes (N,) of city, prefecture or county codes of GB/T 2260: their first two digits.

    Examples
    --------
    >>> province_of([440300, "4201", 610113])
    array([44, 42, 61])
    """
    given = list(city_codes)
    digits = [_digits(value) for value in given]
    wrong = [i for i, text in enumerate(digits) if text is None or not _is_area_code(text)]
    if wrong:
        shown = "; ".join(f"row {i}: {given[i]!r}" for i in wrong[:SHOWN])
        raise DataError(
            f"{len(wrong)} values are no area codes of GB/T 2260 ({shown}); give codes of 4 or 6 digits such as "
            "440300, the first two being a province."
        )
    return np.array([int(text[:2]) for text in digits if text], dtype=np.intp)


def recognise(values: Iterable[Any]) -> list[Recognised]:
    """What each value is; nothing is refused. Readers use it to leave out and report rows of totals and groups."""
    return [_recognise(value if isinstance(value, str) else _as_text(value)) for value in values]


# ---- one value


def _as_text(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    return str(value)


@lru_cache(maxsize=4096)
def _recognise(value: str) -> Recognised:
    text = _clean(value)
    if not text:
        return Recognised("missing")
    if digits := _digits(text):
        return _from_digits(digits)
    text = FOOTNOTE.sub("", text).strip()
    chinese = "".join(CHINESE.findall(text))
    latin = CHINESE.sub(" ", text).strip()
    if not re.search(r"[^\W\d_]", latin):
        return _from_chinese(text)
    if not chinese:
        return _from_latin(latin, numbered=bool(re.search(r"\d", _clean(value).removeprefix(text))))
    both = {_from_chinese(chinese), _from_latin(latin, numbered=False)}
    return both.pop() if len(both) == 1 else Recognised("ambiguous")


FOOTNOTE = re.compile(r"(?:\s*(?:[*†‡§#^]|[(\[]\s*(?:注\s*)?\d{0,2}\s*[)\]]|(?<!\d)\d{1,2}\s*\)?))+$")
CHINESE = re.compile(r"[\u3400-\u9fff]+")
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u00ad"))
TRADITIONAL = str.maketrans(
    "東遼寧龍蘇廣慶貴雲陝肅內灣門國區總計維爾壯港臺", "东辽宁龙苏广庆贵云陕肃内湾门国区总计维尔壮港台"
)


def _clean(value: str) -> str:
    return unicodedata.normalize("NFKC", value).translate(INVISIBLE).strip()


def _digits(value: Any) -> str | None:
    match = re.fullmatch(r"(\d+)(?:\.0+)?", _clean(str(value)))
    return match[1] if match else None


def _from_digits(digits: str) -> Recognised:
    if not _is_area_code(digits):
        return Recognised("unknown")
    return Recognised("city") if digits[2:].strip("0") else _region(int(digits[:2]))


def _is_area_code(digits: str) -> bool:
    return len(digits) in (2, 4, 6, 12) and int(digits[:2]) in BY_CODE


def _from_chinese(text: str) -> Recognised:
    key = re.sub(r"[\s·]", "", text).translate(TRADITIONAL)
    key = re.sub(r"\((省|市|自治区)\)$", r"\1", key)
    found = SPELLINGS.get(key)
    if found is None and key.endswith("地区"):
        found = SPELLINGS.get(key.removesuffix("地区"))
        found = found if found is not None and found.kind == "group" else None
    if found is None and key.endswith(("市", "州", "盟", "地区", "县", "区", "旗")):
        return Recognised("city")
    return found or Recognised("unknown")


def _from_latin(text: str, numbered: bool) -> Recognised:
    if iso := re.fullmatch(r"(?:[Cc][Nn]-)([A-Za-z]{2}|\d\d)|([A-Z]{2})", text):
        return ISO.get((iso[1] or iso[2]).upper(), Recognised("unknown"))
    spelt = unicodedata.normalize("NFC", text.casefold())
    found = SPELLINGS.get(re.sub(r"\s", "", spelt))
    if found is not None:
        unsure = found.code == SHANXI and (numbered or re.search(r"shan\s+xi", spelt))
        return Recognised("ambiguous") if unsure else found
    plain = "".join(c for c in unicodedata.normalize("NFD", spelt) if not unicodedata.combining(c))
    key = re.sub(r"[\s'’`.\-]", "", plain)
    found = SPELLINGS.get(key)
    if found is not None and found.code in (SHANXI, SHAANXI):
        return Recognised("ambiguous")
    if found is None and key.endswith(("city", "shi", "prefecture", "league", "county", "district")):
        return Recognised("city")
    return found or Recognised("unknown")


# ---- the table of spellings

SHANXI, SHAANXI = 14, 61
LATIN_SUFFIXES = {
    "province": ("", "province", "sheng"),
    "municipality": ("", "municipality", "city", "shi"),
    "region": ("", "autonomousregion", "zizhiqu", "ar", "province"),
}
CHINESE_SUFFIXES = {"province": ("", "省"), "municipality": ("", "市"), "region": ("", "自治区", "省")}


def _region(code: int) -> Recognised:
    return Recognised("province" if code in MAINLAND else "outside", code)


def _spellings_of(region: Region) -> set[str]:
    latin = {region.en.lower().replace(" ", ""), *region.latin}
    return {
        *(name + suffix for name in latin for suffix in LATIN_SUFFIXES[region.suffix]),
        *(name + suffix for name in (region.zh, *region.chinese) for suffix in CHINESE_SUFFIXES[region.suffix]),
        region.zh_full,
        *region.abbreviations,
    }


def _table() -> dict[str, Recognised]:
    words = {
        **dict.fromkeys(TOTALS, Recognised("total")),
        **dict.fromkeys(GROUPS, Recognised("group")),
        **dict.fromkeys(CORPS, Recognised("corps")),
        **dict.fromkeys(CITIES, Recognised("city")),
    }
    latin_groups = [name for name in GROUPS if name.isascii()]
    words |= {name + suffix: Recognised("group") for name in latin_groups for suffix in ("region", "regions", "area")}
    for region in BY_CODE.values():
        words |= dict.fromkeys(_spellings_of(region), _region(region.code))
    return words


SPELLINGS = _table()
ISO = {key: _region(r.code) for r in BY_CODE.values() for key in (r.iso, str(r.code))}


# ---- refusals

REASONS = {
    "outside": "not among the 31 provinces of the shipped data; mainland=False lets it pass",
    "total": "a national total",
    "group": "a group of provinces, or an amount of none",
    "city": "a city, prefecture or county; its code goes through econ.data.regions.province_of",
    "corps": "the Xinjiang Production and Construction Corps, which is not Xinjiang",
    "ambiguous": "could be more than one province",
    "missing": "missing",
    "unknown": "unknown",
}


def _refusal(values: list[Any], found: list[Recognised], wrong: list[int]) -> str:
    rows: dict[str, list[int]] = {}
    for i in wrong:
        rows.setdefault(repr(values[i]), []).append(i)
    shown = [_describe(values[at[0]], found[at[0]], at) for at in list(rows.values())[:SHOWN]]
    more = f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return (
        f"{len(wrong)} of {len(values)} values are no provinces: {'; '.join(shown)}{more}. "
        "Correct the names, or leave these rows out; econ.regions() lists the names."
    )


def _describe(value: Any, found: Recognised, rows: list[int]) -> str:
    where = f"row {rows[0]}" if len(rows) == 1 else f"rows {rows[0]}, ... ({len(rows)} times)"
    reason = REASONS[found.kind]
    near = get_close_matches(re.sub(r"[\W\d]", "", str(value).casefold()), list(SPELLINGS), n=3, cutoff=0.6)
    codes = {code for word in near if (code := SPELLINGS[word].code)}
    if codes and found.kind in ("unknown", "city", "ambiguous"):
        reason += f"; nearest: {', '.join(f'{BY_CODE[code].en} {BY_CODE[code].zh}' for code in sorted(codes))}"
    return f"{where} {value!r} ({reason})"
