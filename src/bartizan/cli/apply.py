"""`bartizan apply`: what policies make of resources, as admission would apply them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from bartizan.app.apply import apply_policies, total
from bartizan.app.apply_inputs import ApplyInputs, read_apply_inputs
from bartizan.app.writing import Folder
from bartizan.cli.options import (
    CLUSTER,
    CLUSTER_PARTS,
    FILE,
    KNOWN,
    PAYLOADS,
    REGISTRY,
    WORKERS,
    cluster_of,
    declare,
    payloads_of,
)
from bartizan.cli.progress import progress
from bartizan.cli.terminal import piped, results, wants_color
from bartizan.model.report import exit_code_of
from bartizan.outputs.problems import problem_text
from bartizan.outputs.text import one_line, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from bartizan.app.apply import ApplyBatch, Said

_SHOWN: Final = 3
"""Resources named of those that a rule said the same of."""
_WORDS: Final = ("pass", "fail", "warn", "error", "skip")


@click.command(short_help="Show what policies make of resources.")
@click.argument("policies", nargs=-1, required=True, type=FILE)
@click.option("-r", "--resource", "paths", multiple=True, type=FILE, help="Resources: files, folders, or `-`.")
@declare(PAYLOADS, CLUSTER, CLUSTER_PARTS, KNOWN, REGISTRY)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Value of a variable, for every policy.")
@click.option("--operation", type=click.Choice(["CREATE", "UPDATE", "DELETE"]), help="Admission operation to play.")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["diff", "yaml", "json", "summary"]),
    default="diff",
    show_default=True,
    help="How to write what changed: differences, or the objects as they come out.",
)
@click.option("--to", "folder", type=FILE, help="Write each object that came out to a file of its own here, as YAML.")
@click.option("--all", "everything", is_flag=True, help="Also write what stayed as it was, and tell what passed.")
@declare(WORKERS)
def apply(*, folder: Path | None, **options: Any) -> None:
    """Apply the Kyverno policies in POLICIES to resources, as admission would.

    Rules that mutate run first, each on what the one before it left; then
    images are verified, then rules judge, then rules generate. What came out
    goes to standard output, what the rules said to standard error. Nothing
    is changed anywhere.

    \b
    Examples:
      bartizan apply policies/ -r k8s/
      bartizan apply add-labels.yaml -r k8s/ -o yaml | kubectl apply -f -
      bartizan apply policies/ -r k8s/ --to out/
      bartizan apply policies/ --cluster --namespace shop
      bartizan apply verify-images.yaml -r k8s/ --registry
      bartizan apply policies/ --envoy-payload request.json
      terraform show -json plan | bartizan apply policies/ --json -
      helm template . | bartizan apply policies/ -r - --set request.operation=UPDATE

    Exit codes: 0 nothing objected, 1 a rule failed or broke, 2 bad input, 3 the world could not be read.
    """
    if folder is not None:
        options["form"] = "yaml"
    payloads = payloads_of(options)
    stdin = piped((*options["paths"], *(item.path for item in payloads)))
    cluster = cluster_of(options)
    inputs = ApplyInputs(cluster=cluster, **options, payloads=payloads, stdin=stdin, color=wants_color())
    out = results()
    files = Folder(folder) if folder else None
    with progress("applying") as told:
        whole = total(apply_policies(read_apply_inputs(inputs, told)), lambda batch: _show(batch, files, out))
    out.flush()
    for line in _told(whole.said):
        print(line, file=sys.stderr)
    for problem in whole.problems:
        print(problem_text(problem), file=sys.stderr)
    print(_summary(whole), file=sys.stderr)
    sys.exit(_exit_code(whole))


def _show(batch: ApplyBatch, files: Folder | None, out: TextIO) -> None:
    for item in batch.written:
        if files is not None:
            files.write(item.name, item.text)
        else:
            out.write(item.text)


def _told(said: list[Said]) -> Iterator[str]:
    """What rules said, once for all resources that they said the same of."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for item in said:
        alike.setdefault((item.result, item.policy, item.rule, item.message), []).append(item.resource)
    for (result, policy, rule, message), resources in alike.items():
        name = f"{policy}/{rule}" if rule else policy
        yield f"{result:5} {printable(name)}: {one_line(message)}"
        shown = ", ".join(printable(resource) for resource in resources[:_SHOWN])
        more = f" and {len(resources) - _SHOWN:,} more" if len(resources) > _SHOWN else ""
        yield f"      {shown}{more}"


def _summary(whole: ApplyBatch) -> str:
    """One line, so that a log ends with it."""
    verbs = ", ".join(f"{number:,} {verb}" for verb, number in sorted(whole.verbs.items())) or "nothing changed"
    results = ", ".join(f"{word} {whole.counts.get(word, 0):,}" for word in _WORDS)
    return f"{plural(whole.resources, 'resource')}: {verbs}; {results}"


def _exit_code(whole: ApplyBatch) -> int:
    """What could not be read counts before what rules said: a run that read only a part has not said all."""
    if whole.problems:
        return exit_code_of(whole.problems)
    return 1 if whole.counts.get("fail") or whole.counts.get("error") else 0
