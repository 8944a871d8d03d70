"""`hub run` where the port is taken: it says so, and touches nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = {
            **os.environ,
            "HUB_VAR": str(tmp_path),
            "HUB_PORT": str(port),
            "HUB_CONFIG": str(ROOT / "config"),
        }
        environment.pop("HUB_DATABASE_URL", None)
        environment.pop("HUB_REDIS_URL", None)

        said = subprocess.run(
            [sys.executable, "-m", "hub.cli", "run", "--demo"],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert said.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in said.stderr
    assert "HUB_PORT" in said.stderr
    assert "Traceback" not in said.stderr
    assert not (tmp_path / "demo").exists()


def test_a_worker_on_tables_that_are_not_there_says_what_to_run(tmp_path: Path) -> None:
    environment = {**os.environ, "HUB_VAR": str(tmp_path), "HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}"}

    for verb in ("worker", "schedule", "events", "web"):
        said = subprocess.run(
            [sys.executable, "-m", "hub.cli", verb],
            cwd=ROOT, env={**environment, "HUB_PORT": "0"}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

        assert said.returncode == 1, verb
        assert "hub db upgrade" in said.stderr, verb
        assert "Traceback" not in said.stderr, verb
