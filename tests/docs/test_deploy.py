"""What we tell people to apply is as we tell people to have it."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from tests.cli.command import bartizan

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_our_manifests_have_no_findings() -> None:
    done = bartizan("scan", DEPLOY, "--pod-security", "restricted", "-o", "json")
    assert (done.code, json.loads(done.out)["findings"]) == (0, [])
    done = bartizan("scan", DEPLOY)
    assert done.code == 0, done.out


def test_their_commands_have_options_that_exist() -> None:
    documents = yaml.safe_load_all((DEPLOY / "plane.yaml").read_text())
    commands = [
        container["args"]
        for document in documents
        if document["kind"] == "Deployment"
        for container in document["spec"]["template"]["spec"]["containers"]
    ]
    assert len(commands) == 2
    for command, *options in commands:
        told = bartizan(command, "--help").out
        assert all(option.partition("=")[0] in told for option in options)
