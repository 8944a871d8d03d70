"""connector new and test: what is written passes the contract at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.codecs.plain_json import CODEC as JSON
from hub.testing.mapping_contract import decoder, run_case
from hub.translate import mapfile

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that stands in for a checkout, with a fresh connector in it."""
    done = CliRunner().invoke(main, ["connector", "new", "acme_shop", "--into", str(tmp_path)], prog_name="hub")
    assert done.exit_code == 0, done.output
    (tmp_path / "connectors" / "__init__.py").write_text('"""Connectors."""\n')
    return tmp_path


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{ROOT}", "HUB_VAR": str(checkout / "var")}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=checkout, env=environment, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def test_a_new_connector_passes_the_contract_and_its_own_tests(checkout: Path) -> None:
    done = run(checkout, "hub.cli", "connector", "test", "acme_shop")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_its_mapping_gives_what_its_sample_expects(checkout: Path) -> None:
    root = checkout / "mappings"
    mapping = mapfile.load([root], "acme_shop/order.in")

    came, expected = run_case(root, [root], mapping.name, mapping.tests[0], decoder((JSON,)))

    assert came == expected


def test_its_code_is_formatted_and_typed(checkout: Path) -> None:
    settings = ("--config", str(ROOT / "pyproject.toml"))

    for command in (("format", "--check"), ("check", "--ignore", "I001", "--extend-per-file-ignores", "**/tests/**:D")):
        done = run(checkout, "ruff", *command, *settings, ".")
        assert done.returncode == 0, done.stdout


def test_a_broken_connector_fails_its_test(checkout: Path) -> None:
    file = checkout / "connectors" / "acme_shop" / "__init__.py"
    file.write_text(file.read_text().replace('pulls=("order",),', ""))

    done = run(checkout, "hub.cli", "connector", "test", "acme_shop")

    assert done.returncode == 1
    assert "test_what_it_declares_it_can_do" in done.stdout


def test_a_connector_that_is_there_is_not_overwritten(checkout: Path) -> None:
    done = run(checkout, "hub.cli", "connector", "new", "acme_shop")

    assert done.returncode == 1
    assert "connectors/acme_shop/__init__.py: is there already" in done.stderr


def test_a_name_that_is_no_name_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["connector", "new", "../evil", "--into", str(tmp_path)], prog_name="hub")

    assert done.exit_code == 1
    assert "must be small letters" in done.stderr
    assert list(tmp_path.iterdir()) == []
