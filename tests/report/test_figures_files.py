"""Figures as files: the same bytes on every run, the shipped font and no other."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import pandas as pd
import pytest
from matplotlib import font_manager
from matplotlib.text import Text

from econ.errors import DataError, OptionError
from econ.report.figures import Plot, coefficient_plot, line_plot
from econ.report.figures.fonts import FONT, check_glyphs, wrap
from econ.report.figures.style import house
from econ.report.figures.words import PHRASES, VALUES_ZH
from econ.report.labels import STATISTICS, WORDS

FRAME = pd.DataFrame({"term": ["研发强度", "x"], "estimate": [1.0, 2.0], "ci_low": [0.5, 1.0], "ci_high": [1.5, 3.0]})
AGAIN = """
import hashlib, sys, pandas as pd
from pathlib import Path
from econ.report.figures import coefficient_plot
frame = pd.DataFrame({"term": ["研发强度", "x"], "estimate": [1.0, 2.0], "ci_low": [0.5, 1.0], "ci_high": [1.5, 3.0]})
plot = coefficient_plot(frame, title="研发与专利", notes=["模拟数据。"], lang="zh")
for kind in ("svg", "pdf", "png"):
    path = plot.save(Path(sys.argv[1]) / f"again.{kind}")
    print(kind, hashlib.sha256(path.read_bytes()).hexdigest())
"""


def draw() -> Plot:
    return coefficient_plot(FRAME, title="研发与专利", notes=["模拟数据。"], lang="zh")


def digests(folder: Path, plot: Plot) -> str:
    lines = []
    for kind in ("svg", "pdf", "png"):
        path = plot.save(folder / f"figure.{kind}")
        lines.append(f"{kind} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    return "\n".join(lines)


def test_files_have_the_same_bytes_in_another_process_with_another_hash_seed_and_locale(tmp_path: Path) -> None:
    first = digests(tmp_path, draw())
    assert digests(tmp_path, draw()) == first
    environment = os.environ | {"PYTHONHASHSEED": "4242", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "TZ": "Pacific/Apia"}
    script = tmp_path / "again.py"
    script.write_text(AGAIN, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, tmp_path], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == first
    assert not done.stderr


def test_the_order_of_saving_does_not_matter(tmp_path: Path) -> None:
    path = pd.DataFrame({"year": [2000, 2001, 2002], "y": [1.0, 3.0, 7.0]})
    first, second = line_plot(path, "y"), line_plot(path, "y")
    png, svg = first.save(tmp_path / "a.png").read_bytes(), first.save(tmp_path / "a.svg").read_bytes()
    assert second.save(tmp_path / "b.svg").read_bytes() == svg
    assert second.save(tmp_path / "b.png").read_bytes() == png
    assert first.save(tmp_path / "c.png", dpi=50).read_bytes() != png
    assert first.save(tmp_path / "c.svg").read_bytes() == svg


@pytest.mark.parametrize("dpi", [72, 300])
def test_long_labels_are_inside_the_picture_at_every_resolution(dpi: int) -> None:
    names = [
        "地方财政科学技术支出（对数）（滞后1期）",
        "Local budget expenditure on science and technology (log), lag 1",
    ]
    plot = coefficient_plot(FRAME.assign(term=names), lang="zh")
    plot.figure.set_dpi(dpi)
    with house():
        plot.figure.draw_without_rendering()
        box, edge = plot.figure.get_tightbbox(), plot.figure.bbox_inches
    assert box.x0 > edge.x0
    assert box.x1 < edge.x1


def test_files_do_not_depend_on_the_users_settings(tmp_path: Path) -> None:
    first = digests(tmp_path, draw())
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 30, "svg.fonttype": "none", "savefig.dpi": 10}):
        assert digests(tmp_path, draw()) == first


def test_files_carry_no_date_and_no_program(tmp_path: Path) -> None:
    for kind in ("svg", "pdf", "png"):
        content = draw().save(tmp_path / f"f.{kind}").read_bytes()
        for word in (b"CreationDate", b"dc:date", b"Matplotlib", b"Software"):
            assert word not in content


def test_only_the_three_formats_are_written(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.svg, \.pdf or \.png"):
        draw().save(tmp_path / "figure.jpg")


def test_notebooks_get_both_pictures() -> None:
    plot = draw()
    assert plot._repr_png_().startswith(b"\x89PNG")
    assert plot._repr_svg_().startswith("<svg")
    assert repr(plot) == "Plot('研发与专利', 2 rows: term, estimate, ci_low, ci_high, model, label)"


def test_every_text_is_in_the_shipped_font_which_is_not_registered() -> None:
    before = {entry.fname for entry in font_manager.fontManager.ttflist}
    plot = draw()
    fonts = {text.get_fontproperties().get_file() for text in plot.figure.findobj(Text) if text.get_text()}
    assert fonts == {str(FONT)}
    assert {entry.fname for entry in font_manager.fontManager.ttflist} == before


def test_the_font_has_every_word_of_the_package() -> None:
    for text in ["".join(words.values()) for words in (*PHRASES.values(), *WORDS.values(), *STATISTICS.values())]:
        check_glyphs(text)
    check_glyphs("".join(VALUES_ZH.values()) + "亳州衢州泸州濮阳漯河儋州圳莞β̂"[:-1] + "≤≥±×–—“”’−²√Σσ")


def test_the_font_has_every_character_of_the_shipped_data() -> None:
    for path in sorted(Path(__file__).parents[2].glob("datasets/*/*.csv")):
        content = path.read_text(encoding="utf-8")
        check_glyphs("".join(sorted({char for char in content if ord(char) > 0x2E80})))


def test_a_character_the_font_lacks_is_named_with_its_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'龘' \(U\+9F98\).*'龘龘集团'"):
        coefficient_plot(FRAME, title="龘龘集团")
    with pytest.raises(DataError, match="U\\+1F600"):
        coefficient_plot(FRAME.assign(term=["\N{GRINNING FACE}", "x"]))
    plot = draw()
    plot.ax.set_title("龘", fontproperties=plot.ax.xaxis.label.get_fontproperties())
    with pytest.raises(DataError, match="U\\+9F98"):
        plot.save(tmp_path / "late.png")


def test_the_licence_ships_next_to_the_font() -> None:
    licence = (FONT.parent / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "Reserved Font Name 'Source'" in licence
    assert font_manager.get_font(FONT).family_name == "Regional Sans SC"


def test_lines_break_at_spaces_and_between_chinese_characters() -> None:
    figure = draw().figure
    lines = wrap(figure, "一二三四五六七八九十。GDP per head of the population", 10, 1.0).split("\n")
    assert "".join(lines).replace(" ", "") == "一二三四五六七八九十。GDPperheadofthepopulation"
    assert len(lines) > 2
    assert not any(line.startswith("。") for line in lines)
    assert all(word in " ".join(lines) for word in ("GDP", "population"))
