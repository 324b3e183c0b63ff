"""What we print for a cluster holds what we ask of others, and asks for no right it does not need."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from bartizan.agent.command import agent
from bartizan.cli.main import cli

if TYPE_CHECKING:
    from pathlib import Path

_IMAGE = f"registry.example/bartizan:1.0.0@sha256:{'a' * 64}"


def _manifests(*more: str, plane: str = "https://plane.example.com") -> str:
    arguments = ["manifests", "--plane", plane, "--name", "prod", "--image", _IMAGE, *more]
    return CliRunner().invoke(agent, arguments, catch_exceptions=False).output


def _roles(text: str) -> list[dict[str, Any]]:
    return [rule for one in yaml.safe_load_all(text) if one["kind"] == "ClusterRole" for rule in one["rules"]]


@pytest.mark.parametrize("more", [(), ("--ca", "--also", "widgets.example.com", "--namespace", "watch")])
def test_our_manifests_pass_our_checks(tmp_path: Path, more: tuple[str, ...]) -> None:
    (tmp_path / "agent.yaml").write_text(_manifests(*more))
    found = CliRunner().invoke(cli, ["scan", str(tmp_path), "--pod-security", "restricted", "-o", "json"])
    report = json.loads(found.stdout)
    assert not report["findings"]
    assert found.exit_code == 0


def test_the_role_reads_and_names_what_it_reads() -> None:
    rules = _roles(_manifests())
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    named = [name for rule in rules for name in rule.get("resources", ())]
    assert "*" not in named
    assert "secrets" not in named
    assert "secrets" in str(_roles(_manifests("--secrets")))
    assert {"apiGroups": ["example.com"], "resources": ["widgets"], "verbs": ["get", "list", "watch"]} in _roles(
        _manifests("--also", "widgets.example.com")
    )


def test_an_address_that_is_not_encrypted_is_refused() -> None:
    from bartizan.base.errors import SpecError

    with pytest.raises(SpecError, match="not encrypted"):
        _manifests(plane="http://plane.example.com")
