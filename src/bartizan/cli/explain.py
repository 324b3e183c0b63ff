"""`bartizan explain`: why a rule said what it said of a resource."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from bartizan.app.explain.explain import Explained, ExplainInputs, Explanations, explain_inputs, sources
from bartizan.outputs.explanation import Place, as_json, page, render
from bartizan.outputs.text import one_line, to_json

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("policy")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--rule", default="", help="Only this rule of the policy.")
@click.option("--resource", default="", metavar="[KIND/][NAMESPACE/]NAME", help="Only this resource.")
@click.option("--values", type=_FILE, help="Values file that answers what the policy looks up.")
@click.option("--user-info", type=_FILE, help="UserInfo file: who is taken to create the resource.")
@click.option("--exception", multiple=True, type=_FILE, help="PolicyExceptions: files or folders.")
@click.option("--all", "everything", is_flag=True, help="Unfold what held, too.")
@click.option("--source", is_flag=True, help="Print the Python that is generated for the policy instead.")
@click.option(
    "-o", "--output", type=click.Choice(["tree", "json"]), default="tree", show_default=True, help="How to write it."
)
def explain(
    policy: str, paths: tuple[Path, ...], *, everything: bool, source: bool, output: str, **options: Any
) -> None:
    """Show why the rules of POLICY (a file, or the id of a built-in check) decide as they do on resources in PATHS.

    Every part of a rule is shown with the value it met: what it matches, its
    context, its conditions down to each sub-expression, its patterns down to
    each operand. What decided is in bold; what only held is folded.

    \b
    Examples:
      bartizan explain policies/require-probes.yaml k8s/api.yaml
      bartizan explain writable-root k8s/ --resource Deployment/shop/api
      bartizan explain policies/limits.yaml k8s/api.yaml --rule memory --all
      bartizan explain policies/require-probes.yaml --source

    Exit codes: 0 explained, 2 bad input, or no such rule or resource.
    """
    stdin = sys.stdin.buffer.read() if Path("-") in paths else None
    inputs = ExplainInputs(policy=policy, paths=paths, stdin=stdin, **options)
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # a text file, always
    if source:
        _write_sources(inputs)
        return
    found = explain_inputs(inputs)
    if output == "json":
        click.echo(to_json([as_json(item.root, _places(item)) for item in found.explained]))
    else:
        _write_trees(found, everything=everything)


def _places(item: Explained) -> list[Place]:
    both = (("policy", item.in_policy), ("resource", item.in_resource))
    return [Place(what, quoted.at, quoted.text) for what, quoted in both if quoted is not None]


def _write_trees(found: Explanations, *, everything: bool) -> None:
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if is_terminal else 100
    sheet = page(color=is_terminal and not os.environ.get("NO_COLOR"), width=width, everything=everything)
    for number, item in enumerate(found.explained):
        if number:
            click.echo()
        render(item.root, _places(item), sys.stdout, sheet, briefly=len(found.explained) > 1)
    if found.left_out:
        click.echo(f"\nNot about these resources: {', '.join(found.left_out)}. Name one with --rule to see why.")


def _write_sources(inputs: ExplainInputs) -> None:
    rule = ""
    for piece in sources(inputs):
        if piece.rule != rule:
            rule = piece.rule
            click.echo(f"# rule {one_line(rule)}\n")
        click.echo(f"# {one_line(piece.title)}\n\n{piece.source}")
