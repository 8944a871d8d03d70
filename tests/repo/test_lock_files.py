"""The lock files: every package pinned and hashed, no place named to fetch it from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)")


def entries(path: Path) -> list[str]:
    """The lock's entries, each on one line with its hashes; a peer that has no wheel says so, a lock must not."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "--no-binary "))]


def pins(path: Path) -> dict[str, set[str]]:
    """The locked versions of each package; more than one where Python versions or systems differ."""
    found: dict[str, set[str]] = {}
    for line in entries(path):
        match = PIN.match(line)
        assert match, f"{path.name}: {line[:60]} is not pinned"
        found.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_address(root: Path, name: str) -> None:
    text = (root / name).read_text()

    options = ("--index", "--extra-index", "find-links", "--trusted-host", "--no-binary")
    for forbidden in (*options, "://", " @ ", "file:", "www."):
        assert forbidden not in text, f"{name} contains {forbidden}"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(root: Path, name: str) -> None:
    lines = entries(root / name)

    assert len(lines) > 30
    assert [line[:60] for line in lines if not re.search(r"--hash=sha256:[0-9a-f]{64}", line)] == []


def test_every_dependency_of_the_project_is_locked_within_its_range(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = [wanted for group in project["optional-dependencies"].values() for wanted in group]
    cases = [
        ("requirements.lock", project["dependencies"]),
        ("requirements-dev.lock", project["dependencies"] + extras),
    ]

    for name, wanted in cases:
        locked = pins(root / name)
        for requirement in map(Requirement, wanted):
            versions = locked.get(canonicalize_name(requirement.name), set())
            assert versions, f"{name} lacks {requirement.name}; run make lock"
            assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions}"


def test_the_tests_run_with_the_versions_that_ship(root: Path) -> None:
    shipped, tested = pins(root / "requirements.lock"), pins(root / "requirements-dev.lock")

    assert {name: tested.get(name) for name in shipped} == shipped


def test_what_builds_the_hub_is_locked_too(root: Path) -> None:
    assert {"hatchling", "editables"} <= pins(root / "requirements.lock").keys()


def test_every_peer_is_pinned(root: Path) -> None:
    lists = sorted((root / "tests" / "peers").glob("*.txt"))

    assert [path.stem for path in lists if path.stem in {"mock-edi", "tryton"}] == ["mock-edi", "tryton"]
    for path in lists:
        assert "://" not in path.read_text()
        assert pins(path)
