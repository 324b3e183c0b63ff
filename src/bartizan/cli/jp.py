"""`bartizan jp`: expressions tried, taken apart and looked up."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from bartizan.app import jp as expressions
from bartizan.cli.options import FILES_OR_DASH
from bartizan.outputs.text import printable
from bartizan.outputs.value import write_value


@click.group(short_help="Try the expressions of policies.")
def jp() -> None:
    """Try the expressions of policies: what stands between `{{` and `}}`, in Kyverno's dialect of JMESPath.

    \b
    Examples:
      bartizan jp query -i pod.yaml 'spec.containers[].image'
      bartizan jp parse 'metadata.name | truncate(@, `9`)'
      bartizan jp function truncate

    Exit codes: 0 answered, 2 an expression or an input that is not what it must be.
    """


@jp.command()
@click.argument("expression", nargs=-1)
@click.option(
    "-i", "--input", "source", type=FILES_OR_DASH, help="YAML or JSON to ask; standard input without it, or for `-`."
)
@click.option("-q", "--query", "files", multiple=True, type=FILES_OR_DASH, help="Read an expression from this file.")
@click.option("-c", "--compact", is_flag=True, help="JSON on one line.")
@click.option("-u", "--unquoted", is_flag=True, help="A result that is a text is printed without quotes.")
@click.option("-o", "--output", type=click.Choice(["json", "yaml"]), default="json", show_default=True)
def query(
    *,
    expression: tuple[str, ...],
    source: Path | None,
    files: tuple[Path, ...],
    compact: bool,
    unquoted: bool,
    output: str,
) -> None:
    """Ask every EXPRESSION of an input, and print what each gives.

    A key that is not there is an error, as it is in a policy; `||` gives
    another value for it. With several expressions each result stands below
    its expression. Without any, the expression is read from standard input.

    \b
    Examples:
      bartizan jp query -i pod.yaml "metadata.labels.team || 'none'"
      kubectl get pod web -o yaml | bartizan jp query -u metadata.name
      bartizan jp query -i pod.yaml -q images.jmespath -o yaml
    """
    if source in (None, Path("-")) and not expression and not files:
        hint = "Type an expression, or name the input with -i."
        raise click.UsageError(f"standard input cannot be both the expression and its input\n  hint: {hint}")
    asked = expressions.read_expressions(expression, files, _stdin)
    value = expressions.read_input(source, _stdin)
    failed = False
    for answer in expressions.query(asked, value):
        if len(asked) > 1:
            click.echo(f"# {printable(answer.expression)}")
        if answer.error:
            failed = True
            sys.stdout.flush()
            click.echo(f"error: {answer.error}", err=True)
        else:
            click.echo(write_value(answer.value, output, compact=compact, unquoted=unquoted))
    sys.exit(2 if failed else 0)


@jp.command()
@click.argument("expression", nargs=-1)
@click.option("-f", "--file", "files", multiple=True, type=FILES_OR_DASH, help="Read an expression from this file.")
@click.option("-o", "--output", type=click.Choice(["tree", "json"]), default="tree", show_default=True)
def parse(*, expression: tuple[str, ...], files: tuple[Path, ...], output: str) -> None:
    """Show how every EXPRESSION is read: its syntax tree, or an error with the place.

    Without any, the expression is read from standard input.
    """
    asked = expressions.read_expressions(expression, files, _stdin)
    for text in asked:
        node = expressions.tree(text)
        if len(asked) > 1:
            click.echo(f"# {printable(text)}")
        if output == "json":
            click.echo(orjson.dumps(node, option=orjson.OPT_INDENT_2).decode())
        else:
            click.echo("\n".join(expressions.tree_lines(node)))


@jp.command()
@click.argument("name", nargs=-1)
def function(name: tuple[str, ...]) -> None:
    """List the functions, or explain those of these NAMEs with an example."""
    found = expressions.functions(name)
    width = min(44, max(len(item.call_shape) for item in found))
    for item in found:
        if not name:
            click.echo(f"{item.call_shape:{width}}  {item.doc}")
            continue
        example, value = item.example
        click.echo(f"{item.call_shape} -> {item.value_type}\n  {item.doc}\n  example: {example}")
        click.echo(f"  gives:   {write_value(value, 'json', compact=True, unquoted=False)}\n")


def _stdin() -> bytes:
    if sys.stdin.isatty():
        click.echo("reading from the terminal; end with Ctrl-D", err=True)
    return sys.stdin.buffer.read()
