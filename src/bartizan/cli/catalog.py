"""`bartizan catalog`: the built-in checks, to read and to take away."""

from __future__ import annotations

import sys

import click

from bartizan.app.selection import CheckSelection, select
from bartizan.base.errors import SpecError
from bartizan.catalog import CheckSpec, export_fix, export_policy, load_catalog
from bartizan.cli.options import SEVERITIES
from bartizan.model.severity import Severity
from bartizan.outputs.yaml import lines


@click.group()
def catalog() -> None:
    """List, explain and export the built-in checks.

    \b
    Examples:
      bartizan catalog list --severity high
      bartizan catalog show writable-root
      bartizan catalog export writable-root > writable-root.yaml

    Exit codes: 0 shown, 2 no such check or framework.
    """


@catalog.command("list")
@click.option("--framework", multiple=True, help="Only checks of this framework; see `bartizan catalog frameworks`.")
@click.option("--severity", type=click.Choice(SEVERITIES), default="info", help="Only checks at least this severe.")
def list_checks(framework: tuple[str, ...], severity: str) -> None:
    """List checks: id, severity, title."""
    chosen = select(CheckSelection(frameworks=framework, severity=Severity[severity.upper()]))
    width = max((len(check.id) for check in chosen), default=0)
    for check in chosen:
        click.echo(f"{check.id:{width}}  {check.severity:8}  {check.title}")


@catalog.command()
def frameworks() -> None:
    """List frameworks: how many checks serve each, and how many of its controls a person must attest."""
    held = load_catalog().frameworks.values()
    width = max(len(framework.id) for framework in held)
    for framework in held:
        manual = sum(1 for control in framework.controls.values() if control.manual)
        click.echo(f"{framework.id:{width}}  {len(framework.checks):3} checks  {manual:3} manual  {framework.title}")


@catalog.command()
@click.argument("check")
def show(check: str) -> None:
    """Explain CHECK: why it matters, how to mend it, and examples of both sides."""
    spec = select(CheckSelection(names=(check,)))[0]
    click.echo(_page(spec))


@catalog.command()
@click.argument("checks", nargs=-1)
@click.option("--framework", multiple=True, help="Every check of this framework.")
@click.option("--fix", "fixes", is_flag=True, help="Write the policies that mend what the checks find.")
def export(checks: tuple[str, ...], framework: tuple[str, ...], *, fixes: bool) -> None:
    """Write CHECKS (or all) as ClusterPolicies that you can copy and change.

    With --fix these are policies that mutate: at admission, or in your files
    by `bartizan fix -p`. Checks that no machine can mend have none.
    """
    chosen = select(CheckSelection(names=checks, frameworks=framework))
    policies = [export_fix(spec) if fixes else export_policy(spec) for spec in chosen]
    written = [policy for policy in policies if policy is not None]
    if checks and not written:
        raise SpecError(f"no fix for `{', '.join(checks)}`", hint="Mend it by hand; `bartizan catalog show` says how.")
    for number, policy in enumerate(written):
        sys.stdout.write("---\n" if number else "")
        sys.stdout.writelines(f"{line}\n" for line in lines(policy))


def _page(spec: CheckSpec) -> str:
    good = ", ".join(example.name for example in spec.examples if example.expect == "pass")
    bad = ", ".join(example.name for example in spec.examples if example.expect == "fail")
    return "\n".join(
        (
            f"{spec.id}: {spec.title}",
            f"severity {spec.severity} · {spec.category} · {', '.join(spec.frameworks)}",
            "",
            " ".join(spec.why.split()),
            "",
            f"Fix: {' '.join(spec.fix.split())}",
            _automatic(spec),
            "",
            f"Passes: {good}",
            f"Fails:  {bad}",
        )
    )


def _automatic(spec: CheckSpec) -> str:
    """Whether and how `bartizan fix` mends what the check finds."""
    remediation = spec.remediation
    if remediation is None:
        return "     By hand: it takes knowledge of the program."
    if remediation.risk == "none":
        return "     `bartizan fix` does it."
    warning = " ".join(remediation.warning.split())
    return f"     `bartizan fix --check {spec.id}` does it. Mind: {warning}"
