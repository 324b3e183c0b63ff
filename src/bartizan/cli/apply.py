"""`bartizan apply`: what policies make of resources, as admission would apply them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bartizan.app.apply import apply_policies, total
from bartizan.app.apply_inputs import ApplyInputs, Folder, read_apply_inputs
from bartizan.cli.progress import progress
from bartizan.outputs.text import one_line, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.app.apply import ApplyBatch, Said
    from bartizan.model.report import Problem

_FILE: Final = click.Path(path_type=Path)
_SHOWN: Final = 3
"""Resources named of those that a rule said the same of."""
_WORDS: Final = ("pass", "fail", "warn", "error", "skip")


@click.command()
@click.argument("policies", nargs=-1, required=True, type=_FILE)
@click.option("-r", "--resource", "paths", multiple=True, type=_FILE, help="Resources: files, folders, or `-`.")
@click.option("--cluster", is_flag=True, help="Take the resources of the cluster that kubectl talks to.")
@click.option("--context", help="Take the resources of the cluster of this kubeconfig context.")
@click.option("--kubeconfig", type=_FILE, help="Use this kubeconfig file.")
@click.option("-n", "--namespace", multiple=True, help="Cluster: only this namespace.")
@click.option("--kind", multiple=True, help="Cluster: only this kind or resource, such as Deployment or pods.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Value of a variable, for every policy.")
@click.option("-f", "--values", type=_FILE, help="Values file that answers what policies look up.")
@click.option("--registry", is_flag=True, help="Ask registries about images, to verify them and to pin digests.")
@click.option("-u", "--user-info", type=_FILE, help="UserInfo file: who is taken to make the request.")
@click.option("-e", "--exception", "exceptions", multiple=True, type=_FILE, help="PolicyExceptions: files or folders.")
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
@click.option("--to", "folder", type=_FILE, help="Write each object that came out to a file of its own here, as YAML.")
@click.option("--all", "everything", is_flag=True, help="Also write what stayed as it was, and tell what passed.")
@click.option("--workers", type=click.IntRange(0, 64), default=0, help="Processes; 0 is one a core.")
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
      helm template . | bartizan apply policies/ -r - --set request.operation=UPDATE

    Exit codes: 0 nothing objected, 1 a rule failed or broke, 2 bad input, 3 the world could not be read.
    """
    stdin = sys.stdin.buffer.read() if Path("-") in options["paths"] else None
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    if folder is not None:
        options["form"] = "yaml"
    inputs = ApplyInputs(**options, stdin=stdin, color=color)
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # a text file, always
    files = Folder(folder) if folder else None
    with progress("applying") as told:
        whole = total(apply_policies(read_apply_inputs(inputs, told)), lambda batch: _show(batch, files))
    sys.stdout.flush()
    for line in _told(whole.said):
        print(line, file=sys.stderr)
    for problem in whole.problems:
        print(_problem(problem), file=sys.stderr)
    print(_summary(whole), file=sys.stderr)
    sys.exit(_exit_code(whole))


def _show(batch: ApplyBatch, files: Folder | None) -> None:
    for item in batch.written:
        if files is not None:
            files.write(item)
        else:
            sys.stdout.write(item.text)


def _told(said: list[Said]) -> Iterator[str]:
    """What rules said, once for all resources that they said the same of."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for item in said:
        alike.setdefault((item.result, item.policy, item.rule, item.message), []).append(item.resource)
    for (result, policy, rule, message), resources in alike.items():
        yield f"{result:5} {printable(policy)}/{printable(rule)}: {one_line(message)}"
        shown = ", ".join(printable(resource) for resource in resources[:_SHOWN])
        more = f" and {len(resources) - _SHOWN:,} more" if len(resources) > _SHOWN else ""
        yield f"      {shown}{more}"


def _problem(problem: Problem) -> str:
    place = f"{printable(str(problem.at))}: " if problem.at else ""
    hint = f"\n  hint: {printable(problem.hint)}" if problem.hint else ""
    return f"error: {place}{one_line(problem.message)}{hint}"


def _summary(whole: ApplyBatch) -> str:
    """One line, so that a log ends with it."""
    verbs = ", ".join(f"{number:,} {verb}" for verb, number in sorted(whole.verbs.items())) or "nothing changed"
    results = ", ".join(f"{word} {whole.counts.get(word, 0):,}" for word in _WORDS)
    return f"{plural(whole.resources, 'resource')}: {verbs}; {results}"


def _exit_code(whole: ApplyBatch) -> int:
    """Bad input counts before what rules said: a run that could not read everything has not said all."""
    kinds = {problem.kind for problem in whole.problems}
    if kinds:
        return 2 if "input" in kinds else 3
    return 1 if whole.counts.get("fail") or whole.counts.get("error") else 0
