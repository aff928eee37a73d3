import subprocess
import sys
from pathlib import Path

import pytest

import econ

ROOT = Path(econ.__file__).parents[1]
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "linearmodels",
    "matplotlib",
    "seaborn",
    "formulaic",
    "great_tables",
    "pytask",
    "rich",
)


def loaded_after(code: str, cwd: Path = ROOT) -> set[str]:
    """Which heavy packages a fresh Python has loaded after some code."""
    lines = [
        f"import sys; sys.path.insert(0, {str(ROOT)!r})",
        code,
        f"print('loaded', *(set({HEAVY!r}) & sys.modules.keys()))",
    ]
    arguments = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(arguments, cwd=cwd, capture_output=True, encoding="utf-8", check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("code", ["import econ", "import econ; dir(econ)", "import econ.cli; econ.cli._parser()"])
def test_importing_loads_nothing_heavy(code):
    assert loaded_after(code) == set()


def test_a_build_with_nothing_to_do_loads_no_library_of_numbers_or_figures(built):
    code = [
        "from pathlib import Path; from econ import cli; from econ.report import manifest",
        f"manifest.PACKAGE = Path({str(built.package)!r})",
        "assert cli.main(['build']) == 0",
    ]
    assert loaded_after("\n".join(code), built.root) == {"pytask", "rich"}
    built.edit("scripts/alpha.py", "2.0", "3.0")
    assert "numpy" in loaded_after("\n".join(code), built.root)


@pytest.mark.parametrize("name", econ.__all__)
def test_every_public_name_is_there(name):
    assert getattr(econ, name) is not None
    assert name in dir(econ)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="feol"):
        econ.feol
