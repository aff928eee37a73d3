from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand_made import BASE, POISSON, TWO_WAY, estimate
from hypothesis import given
from hypothesis import strategies as st

from econ.errors import DataError, OptionError
from econ.report.frames import DataColumn, data_table
from econ.report.regression import table
from econ.report.tables import Coefficient, Column, Number, Row, Section, Table


def row(made: Table, label: str, panel: int = 0) -> Row:
    return next(row for row in made.panels[panel].rows if row.label == label)


def labels(made: Table, panel: int = 0) -> list[str]:
    return [row.label for row in made.panels[panel].rows]


# ---- structure


def test_rows_in_order() -> None:
    assert labels(table([BASE, TWO_WAY])) == [
        *("R&D", "Grants (log)", "Year = 2014 × Pilot", "Province fixed effects", "Year fixed effects"),
        *("Standard errors", "Observations", "Units", "Clusters (Province)", "Clusters (Year)", "R²", "Within R²"),
    ]


def test_cells_keep_the_numbers() -> None:
    cell = row(table([BASE]), "R&D").cells[0]
    assert isinstance(cell, Coefficient)
    assert (cell.estimate, cell.std_error) == (0.0426, pytest.approx(0.0171))
    assert cell.p_value == pytest.approx(BASE.p_value[0])
    assert row(table([BASE]), "Observations").cells == (Number(12345.0, "integer", 0),)


def test_a_term_that_a_column_lacks_is_empty_and_a_statistic_it_lacks_is_missing() -> None:
    made = table([BASE, POISSON])
    assert row(made, "Grants (log)").cells[1] == ""
    assert row(made, "R²").cells[1] is None
    assert row(made, "Clusters").cells[1] is None
    assert row(made, "Year fixed effects").cells == ("Yes", "No")


def test_spanners_name_the_outcomes() -> None:
    assert [column.spanners for column in table([BASE, POISSON]).columns] == [
        ("GDP per head, yuan",),
        ("Grants, items",),
    ]
    assert table([BASE], headers=["FE"]).columns == (Column("(1)", ("GDP per head, yuan", "FE")),)


def test_equal_covariances_need_no_row() -> None:
    assert "Standard errors" not in labels(table([BASE, BASE]))
    assert row(table([BASE, POISSON]), "Standard errors").cells == ("Clustered: Province", "Homoskedastic")


def test_tests_are_reported_by_p_value_and_instruments_by_their_strength() -> None:
    made = table([POISSON], stats=["hansen", "f_first_stage", "sargan"])
    assert row(made, "Hansen test, p-value").cells == (Number(0.2, "p_value", 3),)
    assert row(made, "First-stage F").cells == (Number(25.5, "number", 3),)
    assert row(made, "Sargan test, p-value").cells == (None,)
    assert any("Sargan test: not computed: exactly identified." in note for note in made.notes)


def test_panels_stack_estimates_with_the_same_columns() -> None:
    made = table(panels={"A": [BASE], "B": [POISSON]}, labels={"A": {"en": "Output", "zh": "产出"}}, lang="zh")
    assert [panel.title for panel in made.panels] == ["产出", "B"]
    assert row(made, "被解释变量", 1).cells == ("授权量（件）",)
    assert "产出：标准误按省份（31 个聚类）聚类，CR1；t(30)。B：同方差标准误。" in made.notes


def test_the_constant_comes_last() -> None:
    assert labels(table([estimate({"Intercept": (1, 1), "rd": (1, 1)}), BASE]))[:3] == [
        "R&D",
        "Grants (log)",
        "Constant",
    ]


def test_keep_orders_and_drop_removes() -> None:
    made = table([BASE, TWO_WAY], keep=["year::*", "rd"])
    assert labels(made)[:2] == ["Year = 2014 × Pilot", "R&D"]
    assert "R&D" not in labels(table([BASE], drop=["rd"]))
    bracketed = estimate({"x[1]": (1, 1), "x1": (1, 1)})
    assert labels(table([bracketed], keep=["x[1]"]))[0] == "x[1]"


# ---- notes


def test_notes_say_shared_things_once_and_name_columns_for_the_rest() -> None:
    made = table([BASE, TWO_WAY, POISSON])
    assert made.notes == (
        "Standard errors in parentheses.",
        "(1), (2): Standard errors clustered by province (31 clusters), CR1; t(30). (3): Standard errors under "
        "homoskedasticity.",
        "Estimator: (1), (2): OLS with fixed effects; (3): Poisson.",
        "Data: provinces.",
        "Rows left out: (1): 12 missing R&D.",
        "Simulated data.",
        "(3): Levels beyond 5 are binned.",
        "Sargan test: (3): not computed: exactly identified.",
        "A dash (–) marks a statistic not defined for that column.",
        "* p < 0.1, ** p < 0.05, *** p < 0.01.",
    )


def test_notes_name_weights_offset_and_instruments() -> None:
    labels = {"z": {"en": "Distance", "zh": "距离"}}
    spec = dict(BASE.spec) | {"weights": "treated", "offset": "log(grants)"}
    iv = replace(BASE, spec=spec | {"offset": None, "endogenous": ["rd"], "instruments": ["z", "lag(rd, 1)"]})
    notes = table([BASE, replace(BASE, spec=spec), iv], labels=labels).notes
    assert "Instrumented: (3): R&D; instruments: Distance, R&D, lag 1." in notes
    assert "Weights: (2), (3): Pilot." in notes and "Offset: (2): Grants (log)." in notes
    notes = table([iv], labels=labels, lang="zh").notes
    assert "内生变量：研发投入；工具变量：距离、研发投入（滞后1期）。" in notes and "权重：试点。" in notes
    assert not any(word in note for word in ("Weights", "Offset", "Instrument") for note in table([BASE]).notes)


def test_notes_in_chinese() -> None:
    assert table([BASE], lang="zh", notes=[{"en": "More.", "zh": "更多。"}]).notes == (
        "括号内为标准误。",
        "标准误按省份（31 个聚类）聚类，CR1；t(30)。",
        "估计方法：固定效应模型。",
        "数据：provinces。",
        "剔除的观测：研发投入缺失12行。",
        "模拟数据。",
        "*、**、***分别表示在10%、5%、1%的水平上显著。",
        "更多。",
    )


@pytest.mark.parametrize(
    ("parentheses", "note"),
    [
        ("statistic", "t statistics in parentheses."),
        ("p_value", "p-values in parentheses."),
        ("interval", "90% confidence intervals in brackets."),
    ],
)
def test_notes_say_what_the_parentheses_hold(parentheses: str, note: str) -> None:
    assert table([BASE], parentheses=parentheses, level=0.9).notes[0] == note  # type: ignore[arg-type]


def test_normal_statistics_are_called_z_and_a_run_of_columns_is_shortened() -> None:
    assert table([POISSON], parentheses="statistic").notes[0] == "z statistics in parentheses."
    assert "Estimator: (1)–(3): OLS with fixed effects; (4): Poisson." in table([BASE, BASE, TWO_WAY, POISSON]).notes


def test_stars_are_a_choice() -> None:
    assert table([BASE], stars=[0.01, 0.05]).stars == (0.05, 0.01)
    assert table([BASE], stars=[0.05], lang="zh").notes[-1] == "*表示在5%的水平上显著。"
    assert not any("*" in note for note in table([BASE], stars=False).notes)


# ---- refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: table([]), "got no estimates"),
        (lambda: table(BASE), r"write table\(\[estimate\]\)"),
        (lambda: table([BASE, pd.DataFrame()]), "got a DataFrame; for a data frame use report.data_table"),
        (lambda: table([BASE], panels={"A": [BASE]}), "not both"),
        (lambda: table(panels={"A": [BASE], "B": []}), "got no estimates"),
        (lambda: table(panels={"A": [BASE], "B": [BASE, BASE]}), "same number of estimates"),
        (lambda: table([BASE], lang="eng"), "Did you mean 'en'"),
        (lambda: table([BASE], style="threeline"), "Did you mean 'three_line'"),
        (lambda: table([BASE], parentheses="std_err"), "Did you mean 'std_error'"),
        (lambda: table([BASE], stats=["n_ob"]), "Did you mean 'n_obs'"),
        (lambda: table([BASE], stats="r2"), r"give a list: stats=\['r2'\]"),
        (lambda: table([BASE], keep="log(x)"), r"give a list: keep=\['log\(x\)'\]"),
        (lambda: table([BASE], drop="rd"), r"give a list: drop="),
        (lambda: table([BASE], headers="FE"), r"give a list: headers="),
        (lambda: table([BASE], notes={"en": "a", "zh": "b"}), r"give a list: notes="),
        (lambda: data_table(pd.DataFrame({"a": [1]}), notes="a"), r"give a list: notes="),
        (lambda: table([BASE], stars=0.05), r"stars=0.05 is no list; give True, False or"),
        (lambda: table([BASE], digits=-1), "digits=-1"),
        (lambda: data_table(pd.DataFrame({"a": [1]}), digits=-1), "digits=-1"),
        (lambda: DataColumn("A", digits=1.5), "digits=1.5"),  # type: ignore[arg-type]
        (lambda: replace(table([BASE]), digits=True), "digits=True"),
        (lambda: table([BASE], keep=["rdd"]), "No term fits 'rdd'; there are terms such as 'rd'"),
        (lambda: table([BASE], headers=["a", "b"]), "2 names for 1 columns"),
        (lambda: table([BASE], stars=[5]), "level=5"),
        (lambda: data_table(pd.DataFrame({"a": [1]}), columns={"b": "B"}), "has no column 'b'"),
        (lambda: data_table(pd.DataFrame()), "at least one of each"),
        (lambda: data_table(pd.DataFrame({"plate": [1]}), rows="plat"), "Did you mean 'plate'"),
        (lambda: DataColumn("A", format="percentage"), "Did you mean 'percent'"),  # type: ignore[arg-type]
    ],
)
def test_refusals_say_what_to_do(call, message) -> None:
    with pytest.raises(OptionError, match=message):
        call()


def test_a_row_must_fill_the_columns() -> None:
    with pytest.raises(DataError, match="has 2 cells, the table has 1 columns"):
        Table("", (Column("a"),), (Section((Row("text", "r", ("1", "2")),)),))


# ---- JSON

cells = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.builds(Number, st.floats(allow_nan=False), st.sampled_from(["number", "integer", "percent"]), st.integers(0, 6)),
    st.builds(Coefficient, st.floats(allow_nan=False), *[st.none() | st.floats(allow_nan=False)] * 5),
)


@given(st.lists(cells, min_size=1, max_size=4), st.text(max_size=9), st.sampled_from(["en", "zh"]))
def test_json_round_trip_is_exact(values, words, lang) -> None:
    made = Table(
        title=words,
        columns=tuple(Column(words, (words,)) for _ in values),
        panels=(Section((Row("statistic", words, tuple(values)),), words),),
        notes=(words,),
        lang=lang,
        stars=(0.1, 0.05),
    )
    assert Table.from_json(made.to_json()) == made


def test_json_of_something_else_is_refused() -> None:
    with pytest.raises(DataError, match=r"write it with this version's Table\.to_json"):
        Table.from_json('{"a": 1}')


# ---- data frames


def test_a_frame_prints_with_spanners_panels_and_missing_values() -> None:
    frame = pd.DataFrame(
        {"half": ["East", "West"], "plate": ["A", "B"], "n": [601312, 8021], "s": [0.5, np.nan], "g": [-0.04, 1.0]}
    )
    made = data_table(
        frame,
        lang="zh",
        rows="plate",
        panels="half",
        columns={
            "n": DataColumn({"en": "Items", "zh": "件数"}, {"en": "2015", "zh": "2015年"}),
            "s": DataColumn("Share", ("a", "b"), "percent", 1),
            "g": "Growth",
        },
        notes=["n"],
    )
    assert made.columns == (Column("件数", ("2015年",)), Column("Share", ("a", "b")), Column("Growth"))
    assert [panel.title for panel in made.panels] == ["East", "West"]
    assert made.panels[1].rows[0].cells == (Number(8021.0, "integer", 0), None, Number(1.0, "number", 3))
    assert made.notes == ("n", "–表示数据缺失。")


def test_a_frame_alone_prints_under_its_own_names() -> None:
    frame = pd.DataFrame([[1.5, "x"]], index=["r"], columns=pd.MultiIndex.from_tuples([("2015", "a"), ("2015", "b")]))
    made = data_table(frame)
    assert made.columns == (Column("a", ("2015",)), Column("b", ("2015",)))
    assert made.panels[0].rows == (Row("text", "r", (Number(1.5, "number", 3), "x")),)
    assert made.notes == ()
