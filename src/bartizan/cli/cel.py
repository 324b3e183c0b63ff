"""`bartizan cel`: an expression of policies tried on a file, with its type, its cost and the value of every part."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from bartizan.cli.options import FILE, FILES_OR_DASH
from bartizan.cli.terminal import results, wants_color, width
from bartizan.outputs.text import printable

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Try a CEL expression on a file, part by part.")
@click.argument("given", nargs=-1, metavar="[EXPRESSION] [PATHS]...")
@click.option("-f", "--file", type=FILES_OR_DASH, help="Read the expression from this file; `-` is standard input.")
@click.option("--old", type=FILE, help="The object as it was: `oldObject`, for a change.")
@click.option("--params", type=FILE, help="The policy's parameters: `params`.")
@click.option("--namespace-object", "namespace", type=FILE, help="The object's namespace: `namespaceObject`.")
@click.option("--request", type=FILE, help="An admission request or review: `request`.")
@click.option("--user", default="", help="Who asks: `request.userInfo.username`.")
@click.option("--group", "groups", multiple=True, help="A group of who asks: `request.userInfo.groups`.")
@click.option(
    "--variable", "variables", multiple=True, metavar="NAME=EXPRESSION", help="What `variables.NAME` stands for."
)
@click.option("-t", "--type", "wants_type", is_flag=True, help="Say the type that the expression has.")
@click.option("-c", "--cost", "wants_cost", is_flag=True, help="Say what it costs, as the API server counts it.")
@click.option("--trace", "wants_trace", is_flag=True, help="Show what every part gave, and which decided.")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
def cel(*, given: tuple[str, ...], file: Path | None, **options: Any) -> None:
    """Evaluate EXPRESSION on every document in PATHS, with the names that admission policies have.

    The document is `object`; `-` reads it from standard input, and without
    PATHS there is none. In the traced tree `>` marks the way to what decided
    and `·` what was not asked, because something else had decided already.

    \b
    Examples:
      bartizan cel 'object.spec.replicas > 1' deployment.yaml
      bartizan cel --trace 'object.spec.containers.all(c, has(c.resources))' pod.yaml
      bartizan cel --old before.yaml 'object.spec.size >= oldObject.spec.size' after.yaml
      bartizan cel -f rule.cel --params limits.yaml --cost k8s/*.yaml
      kubectl get pod web -o yaml | bartizan cel 'object.metadata.labels' -
      bartizan cel --type 'quantity("1Gi").asInteger()'

    Exit codes: 0 evaluated, 2 an expression or an input that is not what it must be.
    """
    from pathlib import Path

    from bartizan.app import cel as expressions  # late: `--help` needs none of what it brings

    text, paths = _told(given, file)
    if file is not None:
        text = expressions.read_expression(file, sys.stdin.buffer.read)
    wants = expressions.Wants(options.pop("wants_type"), options.pop("wants_cost"), options.pop("wants_trace"))
    output = options.pop("output")
    around = expressions.Around(**options)
    asked = expressions.ask(text, around.variables)
    if wants == (True, False, False) and not paths:
        click.echo(str(asked.expression.type))
        return
    found = list(expressions.answers(asked, [Path(path) for path in paths], around, sys.stdin.buffer.read))
    if output == "text":
        lines = expressions.text_lines(asked, found, wants, width=width(), color=wants_color())
    else:
        lines = expressions.plain_lines(asked, found, wants, output)
    out = results()
    out.writelines(f"{line}\n" for line in lines)
    out.flush()
    for answer in found:
        if answer.error:
            click.echo(f"error: {f'{printable(answer.name)}: ' if len(found) > 1 else ''}{answer.error}", err=True)
    sys.exit(2 if any(answer.error for answer in found) else 0)


def _told(given: tuple[str, ...], file: Path | None) -> tuple[str, tuple[str, ...]]:
    """The expression that was typed, if any, and the paths."""
    if file is not None:
        return "", given
    if not given:
        raise click.UsageError("no expression\n  hint: Type one, or name its file with -f.")
    return given[0], given[1:]
