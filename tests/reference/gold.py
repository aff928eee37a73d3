"""Published and other software's numbers, kept beside the repository under the licences of their sources."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

GOLD = Path(os.environ.get("ECON_GOLD", Path(__file__).parents[2].parent / "shared" / "gold"))


@cache
def _entries(collection: str) -> dict[str, dict[str, Any]]:
    path = GOLD / f"{collection}.json"
    if not path.exists():
        pytest.skip(f"the reference values {path} are not here; set ECON_GOLD to their folder")
    return {entry["id"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))}


def values(collection: str, name: str) -> dict[str, Any]:
    """The numbers of one entry of ``growth.json``, ``did.json`` or ``convergence.json``."""
    entry = _entries(collection)[name]
    found: dict[str, Any] = entry.get("values", entry.get("value"))
    return found


def data(name: str) -> pd.DataFrame:
    """A data file by its plain name, compressed or not."""
    path = GOLD / "data" / name
    path = path if path.exists() else path.with_name(f"{name}.gz")
    if not path.exists():
        pytest.skip(f"the reference data {path} are not here; set ECON_GOLD to their folder")
    return pd.read_csv(path)
