import pytest

from econ.report.labels import COLUMNS, FUNCTIONS, STATISTICS, WORDS, Vocabulary, split_outside, text, unit_words

KNOWN = {
    "gdp": {"label": "GDP per head", "label_zh": "人均GDP", "unit": "yuan, current prices"},
    "treated": {"label": "Pilot", "label_zh": "试点"},
    "patents": {"label": "Patents"},
}
EN, ZH = Vocabulary("en", {}, KNOWN), Vocabulary("zh", {}, KNOWN)


@pytest.mark.parametrize(
    ("term", "en", "zh"),
    [
        ("gdp", "GDP per head", "人均GDP"),
        ("patents", "Patents", "Patents"),
        ("unknown", "unknown", "unknown"),
        ("log(gdp)", "GDP per head (log)", "人均GDP（对数）"),
        ("np.log(gdp)", "GDP per head (log)", "人均GDP（对数）"),
        ("lag(gdp, 2)", "GDP per head, lag 2", "人均GDP（滞后2期）"),
        ("lag(log(gdp), 1)", "GDP per head (log), lag 1", "人均GDP（对数）（滞后1期）"),
        ("lead(gdp)", "GDP per head, lead 1", "人均GDP（提前1期）"),
        ("d(gdp)", "Δ GDP per head", "Δ人均GDP"),
        ("I(gdp ** 2)", "GDP per head squared", "人均GDP的平方"),
        ("gdp^3", "GDP per head to the power 3", "人均GDP的3次方"),
        ("gdp:patents", "GDP per head × Patents", "人均GDP × Patents"),
        ("year::2014:treated", "Year = 2014 × Pilot", "年份 = 2014 × 试点"),
        ("event_time::-2", "Event time = −2", "相对时间 = −2"),
        ("plate::West:log(gdp)", "Plate = West × GDP per head (log)", "板块 = West × 人均GDP（对数）"),
        ("Intercept", "Constant", "常数项"),
        ("spline(gdp, 3)", "spline(GDP per head, 3)", "spline(人均GDP, 3)"),
    ],
)
def test_terms(term: str, en: str, zh: str) -> None:
    assert (EN.term(term), ZH.term(term)) == (en, zh)


def test_given_labels_win_for_columns_and_whole_terms() -> None:
    words = Vocabulary("zh", {"gdp": {"en": "Output", "zh": "产出"}, "log(gdp)": "ln Y"}, KNOWN)
    assert (words.term("gdp"), words.term("log(gdp)"), words.term("lag(gdp, 1)")) == ("产出", "ln Y", "产出（滞后1期）")


def test_outcomes_carry_their_unit_unless_transformed() -> None:
    assert EN.outcome("gdp") == "GDP per head, yuan, current prices"
    assert ZH.outcome("gdp") == "人均GDP（元，当年价格）"
    assert EN.outcome("log(gdp)") == "GDP per head (log)"
    assert Vocabulary("en", {"y": {"en": "Output", "zh": "产出", "unit": "yuan"}}).outcome("y") == "Output, yuan"


def test_fixed_effects() -> None:
    assert EN.fixed_effect("province") == ["Province fixed effects"]
    assert ZH.fixed_effect("province^year") == ["省份 × 年份固定效应"]
    assert EN.fixed_effect("province[gdp]") == ["Province fixed effects", "Province-specific slopes of GDP per head"]
    assert EN.fixed_effect("province[[gdp]]") == ["Province-specific slopes of GDP per head"]


def test_rows_left_out() -> None:
    reasons = {"missing gdp": 1200, "singleton province": 3, "other reason": 1, "zero weight": 0}
    assert EN.dropped(reasons) == "1,200 missing GDP per head, 3 singletons of Province, 1 other reason"
    assert ZH.dropped(reasons) == "人均GDP缺失1,200行、省份单点组3行、1 other reason"


def test_statistics_and_tests_about_a_column() -> None:
    assert EN.statistic("n_obs") == "Observations" and ZH.statistic("n_obs") == "样本量"
    assert EN.statistic("f_first_stage: treated") == "First-stage F: Pilot"
    assert EN.statistic("my_number") == "my_number"


def test_every_word_exists_in_both_languages_with_the_same_blanks() -> None:
    for table in (WORDS, STATISTICS, COLUMNS, FUNCTIONS):
        for name, words in table.items():
            assert set(words) == {"en", "zh"}, name
            assert words["en"].count("{") == words["zh"].count("{"), name


def test_text_falls_back_to_the_other_language() -> None:
    assert text({"zh": "产出"}, "en") == "产出"
    assert text({}, "en") == ""
    assert unit_words("yuan, odd unit", "zh") == "元，odd unit"


def test_split_outside() -> None:
    assert split_outside("year::2014:f(a:b)", ":") == ["year::2014", "f(a:b)"]
    assert split_outside("lag(x, 1), 2", ",") == ["lag(x, 1)", "2"]
