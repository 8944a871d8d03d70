"""Settings of the process and of connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from hub.domain.errors import Paused, Rejected
from hub.domain.secret import Secret
from hub.settings import HubSettings, SettingField, describe_settings, hub_settings, read_settings, revealer


@dataclass(frozen=True, kw_only=True)
class Settings:
    token: Annotated[Secret, "API token, from Acme > Settings > Apps"]
    shop: Annotated[str, "The shop's name in its address"]
    base_url: Annotated[str, "Change this only for the sandbox"] = "https://api.acme.example/v2"
    page_size: Annotated[int, "Orders per page"] = 50
    fee: Annotated[Decimal, "Their share per order"] = Decimal("0.5")
    live: Annotated[bool, "Off for the sandbox"] = True
    mode: Annotated[Literal["pull", "push"], "Who calls whom"] = "pull"
    topics: Annotated[tuple[str, ...], "What to listen to"] = ("orders",)
    extra: Annotated[Mapping[str, str], "More header fields"] = field(default_factory=dict)
    proxy_password: Annotated[Secret | None, "Password of the proxy, if there is one"] = None
    note: Annotated[str | None, "For people"] = None


def never(reference: str) -> str:
    raise AssertionError(f"revealed {reference}")


def problems(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(Rejected) as caught:
        read_settings(Settings, data, never)
    return [(problem.code, problem.path) for problem in caught.value.problems]


def test_a_table_becomes_settings_with_defaults() -> None:
    settings = read_settings(Settings, {"token": "env:ACME_TOKEN", "shop": "one", "topics": ["a", "b"]}, never)
    assert (settings.shop, settings.page_size, settings.topics) == ("one", 50, ("a", "b"))
    assert settings.proxy_password is None


def test_texts_of_a_form_become_their_types() -> None:
    form = {"token": "vault:acme", "shop": "one", "page_size": "20", "fee": "1.25", "live": "false", "note": ""}
    settings = read_settings(Settings, {**form, "proxy_password": ""}, never)
    assert (settings.page_size, settings.fee, settings.live, settings.note) == (20, Decimal("1.25"), False, None)


def test_every_problem_is_named_at_once() -> None:
    found = problems({"token": "env:X", "page_size": "many", "mode": "both", "colour": "red"})
    assert found == [
        ("missing", "settings.shop"),
        ("invalid", "settings.page_size"),
        ("invalid", "settings.mode"),
        ("unknown", "settings.colour"),
    ]


def test_a_problem_carries_the_help_of_its_field() -> None:
    with pytest.raises(Rejected, match="is missing: API token, from Acme > Settings > Apps"):
        read_settings(Settings, {"shop": "one"}, never)


@pytest.mark.parametrize("given", ["s3cret-in-plain-text", "env:", "", 7, None, "http://x"])
def test_a_secret_in_plain_text_is_refused_and_not_repeated(given: Any) -> None:
    with pytest.raises(Rejected, match="must be a reference") as caught:
        read_settings(Settings, {"shop": "one", "token": given}, never)
    assert "s3cret" not in str(caught.value)


def test_a_secret_is_looked_up_when_it_is_used() -> None:
    values = {"env:ACME_TOKEN": "first"}
    settings = read_settings(Settings, {"token": "env:ACME_TOKEN", "shop": "one"}, values.__getitem__)
    assert settings.token.reveal() == "first"
    values["env:ACME_TOKEN"] = "second"
    assert settings.token.reveal() == "second"
    assert "ACME" not in f"{settings.token} {settings.token!r}"


def test_a_rule_over_several_fields_is_a_problem_of_the_settings() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Ranged:
        low: int = 0
        high: int = 0

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low must not be above high")

    with pytest.raises(Rejected, match="settings: low must not be above high"):
        read_settings(Ranged, {"low": 2, "high": 1}, never)


def test_settings_are_described_for_a_form() -> None:
    described = {one.name: one for one in describe_settings(Settings)}
    assert list(described)[:2] == ["token", "shop"]
    assert described["token"] == SettingField(
        name="token", kind="secret", help="API token, from Acme > Settings > Apps", required=True
    )
    assert described["mode"].choices == ("pull", "push")
    assert {name: one.kind for name, one in described.items()} == {
        "token": "secret", "shop": "text", "base_url": "text", "page_size": "integer", "fee": "number",
        "live": "yes_no", "mode": "choice", "topics": "list", "extra": "table", "proxy_password": "secret",
        "note": "text",
    }  # fmt: skip
    assert described["base_url"].default == "https://api.acme.example/v2"
    assert described["extra"].default == {}


def test_references_are_revealed_from_environment_file_and_vault(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from file\n")
    reveal = revealer({"A": "from environment"}, vault={"acme": "from vault"}.get)
    assert reveal("env:A") == "from environment"
    assert reveal(f"file:{tmp_path}/token") == "from file"
    assert reveal("vault:acme") == "from vault"


def test_a_plugin_is_asked_for_a_reference_first() -> None:
    reveal = revealer({"A": "from environment"}, asked_first={"env:A": "from plug-in"}.get)
    assert reveal("env:A") == "from plug-in"


@pytest.mark.parametrize("reference", ["env:MISSING", "env:EMPTY", "file:/nowhere", "vault:none", "ftp:x", "x"])
def test_a_secret_that_is_not_there_pauses_the_connection(reference: str) -> None:
    with pytest.raises(Paused, match="not there or empty"):
        revealer({"EMPTY": ""})(reference)


def test_a_process_runs_without_any_variable() -> None:
    settings = hub_settings({"PATH": "/bin"})
    assert settings == HubSettings()
    assert settings.database == "sqlite:///var/hub.db"
    assert settings.key_file == Path("var/master.key")
    assert settings.port == 8080


def test_the_environment_sets_the_process() -> None:
    settings = hub_settings(
        {
            "HUB_DATABASE_URL": "postgresql://db/hub", "HUB_REDIS_URL": "redis://cache/0", "HUB_CONFIG": "/etc/hub",
            "HUB_VAR": "/data", "HUB_MASTER_KEY_FILE": "/run/key", "HUB_PORT": "0", "HUB_CRASH_AT": "work.claimed",
            "HUB_ROOTS": "/exchange:/more", "HUB_ALLOW_NETWORKS": "10.0.0.0/8, 127.0.0.1", "HUB_PLUGINS": "",
            "HUB_HOST": "0.0.0.0", "HUB_PUBLIC_URL": "https://Hub.example/", "HUB_SECOND_FACTOR": "owner,admin",
            "HUB_PROXIED": "yes",
            "HUB_OIDC_ISSUER": "https://login.example", "HUB_OIDC_CLIENT_ID": "hub",
            "HUB_OIDC_CLIENT_SECRET": "vault:oidc", "HUB_OIDC_ALLOW": "company.example", "HUB_OIDC_ROLE": "support",
            "HUB_OIDC_GROUPS": "hub admins=admin, ops=operator",
        }
    )  # fmt: skip
    assert settings == HubSettings(
        database_url="postgresql://db/hub", redis_url="redis://cache/0", config=Path("/etc/hub"), var=Path("/data"),
        master_key_file=Path("/run/key"), port=0, crash_at="work.claimed", roots=(Path("/exchange"), Path("/more")),
        allow_networks=("10.0.0.0/8", "127.0.0.1/32"), plugins=(), host="0.0.0.0",
        public_url="https://hub.example", proxied=True, second_factor=("owner", "admin"), oidc_issuer="https://login.example",
        oidc_client_id="hub", oidc_client_secret="vault:oidc", oidc_allow=("company.example",), oidc_role="support",
        oidc_groups={"hub admins": "admin", "ops": "operator"},
    )  # fmt: skip
    assert settings.sign_in.rp_id == "hub.example"
    assert settings.sign_in.oidc is not None
    assert settings.sign_in.oidc.networks == ("10.0.0.0/8", "127.0.0.1/32")


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"HUB_PUBLIC_URL": "http://hub.example"}, "HUB_PUBLIC_URL"),
        ({"HUB_PUBLIC_URL": "https://hub.example/console"}, "HUB_PUBLIC_URL"),
        ({"HUB_PROXIED": "nginx"}, "HUB_PROXIED"),
        ({"HUB_SECOND_FACTOR": "owner,boss"}, "HUB_SECOND_FACTOR"),
        ({"HUB_OIDC_CLIENT_SECRET": "in plain text"}, "HUB_OIDC_CLIENT_SECRET"),
        ({"HUB_OIDC_GROUPS": "everybody"}, "HUB_OIDC_GROUPS"),
        ({"HUB_OIDC_GROUPS": "everybody=partner"}, "HUB_OIDC_GROUPS"),
        ({"HUB_OIDC_ISSUER": "login.example"}, "HUB_OIDC_ISSUER"),
        ({"HUB_OIDC_ISSUER": "https://l.example", "HUB_PUBLIC_URL": "https://h.example"}, "HUB_OIDC_CLIENT_ID"),
        ({"HUB_OIDC_ISSUER": "https://l.example", "HUB_OIDC_CLIENT_ID": "hub"}, "HUB_PUBLIC_URL"),
    ],
)
def test_a_way_to_sign_in_that_cannot_work_is_refused_at_the_start(environ: dict[str, str], named: str) -> None:
    with pytest.raises(Rejected) as caught:
        hub_settings(environ)
    assert [problem.path for problem in caught.value.problems] == [named]


def test_wrong_variables_are_all_named() -> None:
    with pytest.raises(Rejected) as caught:
        hub_settings({"HUB_PORT": "http", "HUB_ALLOW_NETWORKS": "here", "HUB_ROOTS": "relative"})
    assert {problem.path for problem in caught.value.problems} == {"HUB_PORT", "HUB_ALLOW_NETWORKS", "HUB_ROOTS"}
