"""The documentation does what it says: the tutorial when typed, and command lines as far as their options."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.cli.command import ROOT

from bartizan.cli.main import cli

_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(bartizan [^`\n]*)`")
_PIPES = re.compile(r"\s(?:\||>|&&)\s(?=(?:[^']*'[^']*')*[^']*$)")
"""What comes between the programs of a line, outside of quotes: an expression may have it too."""
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def _commands() -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for page in _PAGES:
        text = page.read_text()
        lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
        for line in [*lines, *_INLINE.findall(text)]:
            for part in _PIPES.split(line.partition("  #")[0]):
                if part.strip().startswith("bartizan ") and "…" not in part:
                    found[page.name, part.strip()] = None
    return list(found)


@pytest.mark.parametrize(("page", "line"), _commands())
def test_every_command_line_has_options_that_exist(page: str, line: str) -> None:
    """Parsed and not run: the clusters and folders in them are the reader's."""
    words = shlex.split(line)[1:]
    command: click.Command = cli
    context = click.Context(cli, info_name="bartizan")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(context, words.pop(0))
        assert below is not None, f"{page}: no such command: {line}"
        command, context = below, click.Context(below, parent=context, info_name=below.name)
    command.make_parser(context).parse_args(words)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_tutorial_works_when_typed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    blocks = [block for block in _BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text()) if "make run" not in block]
    assert len(blocks) > 4
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    said = []
    for block in blocks:
        done = subprocess.run(
            ["bash", "-c", block],
            cwd=tmp_path,
            env={**os.environ, "PATH": programs},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        assert "error:" not in done.stderr
        said.append(done)
    baseline = next(done for done, block in zip(said, blocks, strict=True) if "--baseline" in block)
    assert baseline.returncode == 0, "nothing is new"
    waived = next(done for done, block in zip(said, blocks, strict=True) if "--waivers" in block)
    assert "waived" in waived.stdout


def test_the_fix_in_the_tutorial_mends_the_finding(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    tls = re.search(r"```yaml\nspec:\n(  tls:\n.*?)```", text, re.DOTALL)
    assert tls is not None
    shutil.copytree(ROOT / "examples" / "web", tmp_path / "web")
    command = [str(Path(sys.executable).with_name("bartizan")), "scan", "web", "--check", "plain-ingress"]
    before = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    file = tmp_path / "web" / "deployment.yaml"
    head, kind, rest = file.read_text().partition("kind: Ingress\n")
    assert kind, "the tutorial says that the Ingress is there"
    file.write_text(head + kind + rest.replace("\nspec:\n", f"\nspec:\n{tls[1]}", 1))
    after = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (before.returncode, after.returncode) == (1, 0)


def test_the_picture_in_the_readme_is_true(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "k8s")
    picture = re.search(
        r"^```text\n\$ bartizan (.*?)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert picture is not None
    program = str(Path(sys.executable).with_name("bartizan"))
    done = subprocess.run([program, *picture[1].split()], cwd=tmp_path, capture_output=True, text=True, check=False)
    shown = [line.rstrip() for line in picture[2].splitlines() if line.strip() != "…"]
    assert set(shown) <= {line.rstrip() for line in done.stdout.splitlines()}
