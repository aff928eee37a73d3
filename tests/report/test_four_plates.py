"""The study of the four plates: what its reader is told in either language."""

import re
from pathlib import Path

import pandas as pd
import pytest

import econ
from econ.options import Lang
from econ.report.study import load_script

STUDY = load_script(Path(__file__).parents[2] / "scripts" / "four_plates.py")


@pytest.fixture
def claims() -> pd.DataFrame:
    return econ.load_frame("published_claims").assign(computed=1.0, verdict="differs")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_two_rows_read_the_same(claims: pd.DataFrame, lang: Lang) -> None:
    told = STUDY.describe(claims, lang)
    assert not told.duplicated(["claim", "region", "period"]).any()


def test_chinese_prose_is_chinese(claims: pd.DataFrame) -> None:
    plates = pd.DataFrame(
        {"plate": ["East"], "invention_applications_share": [0.6], "invention_applications_growth": [50.0]}
    )
    text = STUDY.reading(plates, claims, "zh")
    assert "国家自主创新示范区数（原文）：27/1" in text
    assert not re.search("[A-Za-z]{3,} [A-Za-z]", text)
    assert not re.search("[:;,] ", text)
    assert "National Innovation Demonstration Zones as printed: 27 / 1" in STUDY.reading(plates, claims, "en")
