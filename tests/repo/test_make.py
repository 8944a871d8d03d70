"""The Makefile and the CI script: what a person meets first."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

PROMISED = {"env", "dev", "run", "test", "faults", "bench", "peers", "sbom", "lock", "help"}


def make(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the checkout, without what an outer make handed down."""
    surroundings = {
        name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"
    }
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=root, env=surroundings, check=False, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """An empty, executable shell script to stand in for a Python."""
    path = tmp_path / "python3"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_help_lists_every_target(root: Path) -> None:
    rules = re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE)

    listed = re.findall(r"^  make (\S+) +\S", make(root, "help").stdout, re.MULTILINE)

    assert set(rules) >= PROMISED
    assert sorted(listed) == sorted(rules)


def test_every_target_that_makes_no_file_is_phony(root: Path) -> None:
    text = (root / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)

    assert phony
    assert sorted(phony[1].split()) == sorted(re.findall(r"^([a-z]+):", text, re.MULTILINE))


def test_make_without_a_target_only_explains(root: Path) -> None:
    assert make(root).stdout == make(root, "help").stdout


def test_a_python_without_venv_gets_told_the_remedy(root: Path, tmp_path: Path, script: Path) -> None:
    script.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n')

    done = make(root, "env", f"PYTHON={script}", f"VENV={tmp_path / 'venv'}")

    assert done.returncode != 0
    assert "Install python3-venv (Debian, Ubuntu: apt-get install python3-venv)" in done.stderr


def test_a_python_that_is_too_old_gets_told_which_is_needed(root: Path, tmp_path: Path, script: Path) -> None:
    script.write_text("#!/bin/sh\nexit 1\n")

    done = make(root, "env", f"PYTHON={script}", f"VENV={tmp_path / 'venv'}")

    assert done.returncode != 0
    assert "older than Python 3.11. Install a newer one or name it: make env PYTHON=" in done.stderr


def test_a_machine_without_a_new_enough_python_gets_told_what_to_install(root: Path, tmp_path: Path) -> None:
    done = make(root, "env", "PYTHON=", f"VENV={tmp_path / 'venv'}")

    assert done.returncode != 0
    assert "needs Python 3.11 or newer and found none. Install it" in done.stderr


def test_packages_are_installed_by_hash_and_as_wheels_only(root: Path, tmp_path: Path) -> None:
    planned = make(root, "--dry-run", "--always-make", "dev", f"VENV={tmp_path / 'venv'}").stdout
    installs = [line for line in planned.splitlines() if " pip " in line and " install " in line]

    assert len(installs) == 3
    for line in installs:
        offline = "--no-index --no-deps --no-build-isolation -e ." in line
        locked = "--require-hashes --only-binary :all: -r requirements" in line
        assert offline != locked, line


def test_test_runs_every_check_before_the_tests(root: Path) -> None:
    planned = make(root, "--dry-run", "test").stdout
    steps = ["ruff format --check", "ruff check", "mypy", "lint-imports", 'pytest -m "not faults"']
    places = [planned.find(step) for step in steps]

    assert -1 not in places
    assert places == sorted(places)


def test_the_ci_script_is_executable_and_parses(root: Path) -> None:
    path = root / ".ci" / "run"
    checked = subprocess.run(["bash", "-n", str(path)], check=False, capture_output=True, text=True, timeout=10)

    assert checked.stderr == ""
    assert path.stat().st_mode & stat.S_IXUSR
    assert "\nset -euo pipefail\n" in path.read_text()
