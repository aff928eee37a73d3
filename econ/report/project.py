"""Where a project keeps its studies, data sets, reports and build state."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from econ.errors import OptionError

PACKAGE = Path(__file__).resolve().parents[1]
SHIPPED = PACKAGE / "_shipped"
CARD = "datapackage.json"
_STUDY = re.compile(r"^(DATASETS\b|def estimate\b|def render\b)", re.MULTILINE)


@dataclass(frozen=True)
class Project:
    """Folders of a project.

    Attributes
    ----------
    root : where ``reports/`` and the build state ``.pytask/`` are written
    scripts : one file per study
    datasets : one folder per data set
    """

    root: Path
    scripts: Path
    datasets: Path

    @property
    def reports(self) -> Path:
        """One folder per study, and index.html."""
        return self.root / "reports"

    @property
    def state(self) -> Path:
        """What was built from what; safe to delete, then everything is built again."""
        return self.root / ".pytask"

    @property
    def dataset_folders(self) -> tuple[Path, ...]:
        """Folders that hold data sets: the project's own before the one that comes with econ."""
        return tuple(dict.fromkeys((self.datasets, shipped_folder() / "datasets")))

    def dataset_names(self) -> list[str]:
        """Names of the data sets, sorted."""
        return sorted({card.parent.name for folder in self.dataset_folders for card in folder.glob(f"*/{CARD}")})

    def studies(self) -> list[str]:
        """Names of the studies, sorted."""
        return [path.stem for path in study_files(self.scripts)]

    def choose(self, names: list[str]) -> list[str]:
        """The studies asked for, all where none is named; a name that is none is refused with the nearest."""
        known = self.studies()
        for name in names:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise OptionError(f"There is no study {name!r}; {self.scripts} has {', '.join(known) or 'none'}.{hint}")
        return list(dict.fromkeys(names)) or known

    def shown(self, path: Path) -> str:
        """A path as it reads from the root, the same on every machine."""
        for base in (self.root, SHIPPED, PACKAGE.parent):
            if path.is_relative_to(base):
                return path.relative_to(base).as_posix()
        return path.as_posix()


def find_project(folder: Path) -> Project:
    """The project of a folder: its own studies where it has ``scripts/``, and otherwise those that come with econ."""
    folder = folder.resolve()
    own = folder / "scripts"
    shipped = shipped_folder()
    datasets = folder / "datasets"
    return Project(
        root=folder,
        scripts=own if study_files(own) else shipped / "scripts",
        datasets=datasets if datasets.is_dir() else shipped / "datasets",
    )


def shipped_folder() -> Path:
    """What holds the scripts and data sets of econ itself: the package in a wheel, the folder above in a checkout."""
    return SHIPPED if SHIPPED.is_dir() else PACKAGE.parent


def project_of(script: Path) -> Project:
    """The project of a script: the folder above ``scripts/``, or the current one for a study that comes with econ."""
    return find_project(Path.cwd() if script.is_relative_to(SHIPPED) else script.parent.parent)


def study_files(folder: Path) -> list[Path]:
    """The scripts of a folder that are studies; what starts with an underscore, or defines no half, is a helper."""
    return [
        path
        for path in sorted(folder.glob("*.py"))
        if not path.name.startswith("_") and _STUDY.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
