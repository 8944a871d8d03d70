"""What lies in the repository: known places, small files, short functions, no machine's paths, no secrets."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

LONGEST_FILE = 400
LONGEST_FUNCTION = 40

TOP_LEVEL = {
    ".ci", ".dockerignore", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "Dockerfile", "LICENSE",
    "Makefile", "README.md", "config", "connectors", "docker-compose.yml", "hub", "mappings", "pyproject.toml",
    "requirements-dev.lock", "requirements.lock", "tests",
}  # fmt: skip

# Written with brackets so that this file does not match itself.
MACHINE_PATHS = re.compile(rb"(?<![\w.*$}])(?:/[h]ome/|/[U]sers/|/[r]oot/|/[w]ork/|/[o]pt/wheels|[C]:\\[U]sers)")
SECRETS = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}"),
    "an AWS access key": re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})"),
    "a Slack token": re.compile(rb"\bxox[abprs]-[A-Za-z0-9-]{20}"),
    "a Stripe live key": re.compile(rb"\b[sr]k_live_[A-Za-z0-9]{20}"),
    "a Shopify token": re.compile(rb"\bshp(?:at|ca|pa|ss)_[0-9a-f]{32}"),
    "a Google key": re.compile(rb"\bAIza[0-9A-Za-z_-]{35}"),
    "an npm or PyPI token": re.compile(rb"\b(?:npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{40})"),
    "a password in an address": re.compile(rb"[a-z]://[A-Za-z0-9_.-]+:(?!\$|\{|<|%|xxx)[A-Za-z0-9]{20,}@"),
}
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


@pytest.fixture(scope="module")
def product_code(root: Path, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """The Python files of the product."""
    places = (root / "hub", root / "connectors", root / "mappings")
    return tuple(path for path in files if path.suffix == ".py" and any(place in path.parents for place in places))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file as (where, lines)."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{path}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def test_the_top_level_holds_only_what_belongs_there(root: Path, files: tuple[Path, ...]) -> None:
    assert sorted({path.relative_to(root).parts[0] for path in files} - TOP_LEVEL) == []


def test_no_file_of_the_product_is_longer_than_400_lines(product_code: tuple[Path, ...]) -> None:
    lengths = {str(path): len(path.read_text().splitlines()) for path in product_code}

    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_of_the_product_is_longer_than_40_lines(product_code: tuple[Path, ...]) -> None:
    lengths = dict(item for path in product_code for item in functions(path))

    assert lengths
    assert {where: lines for where, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_no_file_names_a_path_of_somebodys_machine(root: Path, files: tuple[Path, ...]) -> None:
    found = [
        f"{path.relative_to(root)}: {match[0].decode()}"
        for path in files
        if (match := MACHINE_PATHS.search(path.read_bytes()))
    ]

    assert found == []


def test_no_file_holds_a_secret(root: Path, files: tuple[Path, ...]) -> None:
    found = [
        f"{path.relative_to(root)}: {what}"
        for path in files
        for what, pattern in SECRETS.items()
        if pattern.search(path.read_bytes())
    ]

    assert found == []


def test_no_file_is_kept_that_holds_secrets_by_its_name(root: Path, files: tuple[Path, ...]) -> None:
    names = {".env", "id_rsa", "id_ed25519", ".pypirc", ".netrc", "master.key"}

    assert [str(path.relative_to(root)) for path in files if path.name in names] == []


def test_the_licence_is_apache_2_unchanged(root: Path) -> None:
    assert hashlib.sha256((root / "LICENSE").read_bytes()).hexdigest() == APACHE_2


def test_the_changelog_has_a_place_for_what_comes_next(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text()

    assert text.startswith("# Changelog\n")
    assert "\n## [Unreleased]\n" in text
    assert re.search(r"^- \S.*\.$", text, re.MULTILINE)


@pytest.mark.parametrize("line", [b"cd /ho" + b"me/ann/hub", b"open('/wo" + b"rk/x')", b"C:\\Us" + b"ers\\ann"])
def test_the_search_for_machine_paths_finds_them(line: bytes) -> None:
    assert MACHINE_PATHS.search(line)


@pytest.mark.parametrize("line", [b"AKIA" + b"Q" * 16, b"shpat_" + b"0" * 32, b"redis://hub:" + b"a" * 24 + b"@cache"])
def test_the_search_for_secrets_finds_them(line: bytes) -> None:
    assert any(pattern.search(line) for pattern in SECRETS.values())
