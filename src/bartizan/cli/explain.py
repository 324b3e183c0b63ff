"""`bartizan explain`: why a rule said what it said of a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bartizan.app.explain.explain import Explained, ExplainInputs, Explanations, explain_inputs, sources
from bartizan.cli.options import FILES_OR_DASH, KNOWN, declare
from bartizan.cli.terminal import piped, results, wants_color, width
from bartizan.outputs.explanation import Place, as_json, page, render
from bartizan.outputs.text import one_line, to_json

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO


@click.command(short_help="Show why a rule decided as it did, value by value.")
@click.argument("policy")
@click.argument("paths", nargs=-1, type=FILES_OR_DASH)
@click.option("--rule", default="", help="Only this rule of the policy.")
@click.option("--resource", default="", metavar="[KIND/][NAMESPACE/]NAME", help="Only this resource.")
@declare(KNOWN)
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

    Exit codes: 0 explained, 2 bad input, or no such rule or resource, 3 the world could not
    be read.
    """
    inputs = ExplainInputs(policy=policy, paths=paths, stdin=piped(paths), **options)
    out = results()
    if source:
        _write_sources(inputs)
        return
    found = explain_inputs(inputs)
    if output == "json":
        click.echo(to_json([as_json(item.root, _places(item)) for item in found.explained]))
    else:
        _write_trees(found, out, everything=everything)


def _places(item: Explained) -> list[Place]:
    both = (("policy", item.in_policy), ("resource", item.in_resource))
    return [Place(what, quoted.at, quoted.text) for what, quoted in both if quoted is not None]


def _write_trees(found: Explanations, out: TextIO, *, everything: bool) -> None:
    sheet = page(color=wants_color(), width=width(), everything=everything)
    for number, item in enumerate(found.explained):
        if number:
            click.echo()
        render(item.root, _places(item), out, sheet, briefly=len(found.explained) > 1)
    if found.left_out:
        click.echo(f"\nNot about these resources: {', '.join(found.left_out)}. Name one with --rule to see why.")


def _write_sources(inputs: ExplainInputs) -> None:
    rule = ""
    for piece in sources(inputs):
        if piece.rule != rule:
            rule = piece.rule
            click.echo(f"# rule {one_line(rule)}\n")
        click.echo(f"# {one_line(piece.title)}\n\n{piece.source}")
