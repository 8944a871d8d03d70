"""The production shape: docker-compose.yml, the image and nginx agree with each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

HUB_SERVICES = {"upgrade", "web", "events", "worker", "worker-bulk", "schedule"}
OTHER_SERVICES = {"nginx", "postgres", "redis"}
LANES = {"realtime", "document", "bulk", "sweep"}


@pytest.fixture(scope="module")
def services(root: Path) -> dict[str, Any]:
    """The services of docker-compose.yml by name."""
    parsed: dict[str, Any] = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    return parsed


def test_every_process_of_production_is_there(services: dict[str, Any]) -> None:
    assert services.keys() == HUB_SERVICES | OTHER_SERVICES


def test_every_lasting_service_has_a_health_check_and_comes_back(services: dict[str, Any]) -> None:
    for name in services.keys() - {"upgrade"}:
        assert services[name]["healthcheck"]["test"], name
        assert services[name]["restart"] == "unless-stopped", name


def test_readiness_is_asked_at_health_ready(services: dict[str, Any]) -> None:
    for name in ("nginx", "web", "events"):
        assert "http://127.0.0.1:8080/health/ready" in " ".join(services[name]["healthcheck"]["test"]), name


def test_the_commands_are_the_ones_of_the_command_line(services: dict[str, Any]) -> None:
    assert {name: services[name]["command"] for name in HUB_SERVICES} == {
        "upgrade": ["db", "upgrade"],
        "web": ["web", "--host", "0.0.0.0"],
        "events": ["events", "--host", "0.0.0.0"],
        "worker": ["worker", "--lanes", "realtime,document"],
        "worker-bulk": ["worker", "--lanes", "bulk,sweep"],
        "schedule": ["schedule"],
    }


def test_every_lane_has_a_worker_and_web_and_orders_have_two(services: dict[str, Any]) -> None:
    lanes = [lane for name in ("worker", "worker-bulk") for lane in services[name]["command"][2].split(",")]

    assert sorted(lanes) == sorted(LANES)
    assert services["web"]["deploy"] == {"replicas": 2}
    assert services["worker"]["deploy"] == {"replicas": 2}
    assert "deploy" not in services["schedule"]


def test_nothing_starts_before_the_tables_are_there(services: dict[str, Any]) -> None:
    for name in HUB_SERVICES - {"upgrade"}:
        assert services[name]["depends_on"]["upgrade"] == {"condition": "service_completed_successfully"}, name
    assert services["upgrade"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_secrets_come_from_files_and_only_nginx_is_published(services: dict[str, Any]) -> None:
    assert [name for name in services if services[name].get("ports")] == ["nginx"]
    assert services["nginx"]["ports"] == ["${HUB_PUBLISH:-127.0.0.1:8080}:8080"]
    for name in HUB_SERVICES:
        assert services[name]["environment"]["HUB_MASTER_KEY_FILE"] == "/run/secrets/master_key"
        assert services[name]["secrets"] == ["master_key"]
    password = services["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert password.startswith("${HUB_DATABASE_PASSWORD:?")
    assert services["web"]["environment"]["HUB_DATABASE_URL"] == f"postgresql://hub:{password}@postgres:5432/hub"


def test_the_database_answers_only_after_the_disk_has_it(services: dict[str, Any]) -> None:
    assert services["postgres"]["image"].startswith("postgres:16")
    assert services["redis"]["image"].startswith("redis:7")
    assert "synchronous_commit=on" in services["postgres"]["command"]
    assert "fsync=on" in services["postgres"]["command"]


def test_nginx_sends_requests_to_services_that_exist(root: Path, services: dict[str, Any]) -> None:
    text = (root / "config" / "nginx.conf").read_text()
    upstreams = re.findall(r"server (\S+):8080 resolve", text)

    assert sorted(upstreams) == ["events", "web"]
    assert services.keys() >= set(upstreams)
    assert set(re.findall(r"proxy_pass http://(\w+);", text)) == {"events", "web"}
    assert text.count("{") == text.count("}")


def test_nginx_keeps_slow_clients_and_floods_from_the_hub(root: Path) -> None:
    text = (root / "config" / "nginx.conf").read_text()

    for directive in (
        "client_header_timeout", "client_body_timeout", "send_timeout", "client_max_body_size", "limit_conn clients",
        "limit_req zone=intake", "limit_req_status 429", "proxy_request_buffering on",
    ):  # fmt: skip
        assert directive in text


def test_the_image_installs_by_hash_and_runs_as_nobody_special(root: Path) -> None:
    text = (root / "Dockerfile").read_text()

    assert "--require-hashes --only-binary :all: -r requirements.lock" in text
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["python:3.13-slim", "python:3.13-slim"]
    assert re.search(r"^USER hub$", text, re.MULTILINE)
    assert "://" not in text


def compose() -> list[str]:
    """Whichever Compose is here: the plug-in, or the program of its own that Debian has."""
    for command in (["docker", "compose"], ["docker-compose"]):
        tried = [*command, "version"]
        if shutil.which(command[0]) and subprocess.run(tried, check=False, capture_output=True).returncode == 0:
            return command
    pytest.skip("no Compose is installed; the other tests here read the file as YAML")


def test_docker_compose_accepts_the_file(root: Path) -> None:
    surroundings = {**os.environ, "HUB_DATABASE_PASSWORD": "only-for-this-test"}
    checked = subprocess.run(
        [*compose(), "--file", "docker-compose.yml", "config", "--quiet"],
        cwd=root, env=surroundings, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert checked.stderr == ""
    assert checked.returncode == 0
