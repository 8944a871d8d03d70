"""What others wrote lies here byte for byte as they published it, named and hashed, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "hub/web/static/vendor", ROOT / "tests/browser/vendor"]


@pytest.mark.parametrize("folder", FOLDERS, ids=["console", "browser tests"])
def test_every_vendored_file_is_the_one_that_the_lock_names(folder: Path) -> None:
    listed = tomllib.loads((folder / "vendor.lock").read_text())["file"]

    wrong = [
        each["file"]
        for each in listed
        if each["sha384"]
        != "sha384-" + base64.b64encode(hashlib.sha384((folder / each["file"]).read_bytes()).digest()).decode()
    ]
    assert wrong == []
    assert all(each["name"] and each["version"] and each["licence"] for each in listed)
    others = {path.name for path in folder.iterdir()} - {each["file"] for each in listed}
    assert {name for name in others if not name.endswith(".LICENSE")} == {"vendor.lock"}
