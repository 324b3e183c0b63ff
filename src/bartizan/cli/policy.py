"""`bartizan policy`: what is wrong with policies before they run."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bartizan.app.policy_check import LEVELS, as_report, check_policies, render_json, render_text, rule_list
from bartizan.cli.options import CLUSTER, cluster_of, declare
from bartizan.outputs.formats import FORMATS

if TYPE_CHECKING:
    from bartizan.engines.policy.dialects.kyverno.lint import Level


@click.group(short_help="Say what is wrong with policies before they run.")
def policy() -> None:
    """Look after policies.

    \b
    Example:
      bartizan policy check policies/
    """


@policy.command(short_help="Say what is wrong with policies and exceptions.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--strict", is_flag=True, help="Exit 1 for warnings too.")
@click.option("--level", type=click.Choice(LEVELS), default="note", show_default=True, help="Only remarks this grave.")
@click.option("--ignore", multiple=True, metavar="RULE", help="Leave out what this rule says; may recur.")
@click.option("--list", "lists", is_flag=True, help="List the rules, each with its reason.")
@click.option(
    "--openapi",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="OpenAPI v3 documents or CustomResourceDefinitions: files or folders that say what fields kinds have.",
)
@declare(CLUSTER)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json", "sarif", "github"]), default="text", show_default=True
)
def check(*, paths: tuple[Path, ...], strict: bool, level: Level, lists: bool, output: str, **given: Any) -> None:
    """Say what is wrong with the policies, exceptions and bindings at PATHS, before they run.

    Kyverno's kinds, classic and in CEL, and Kubernetes' own.

    An error: it will not run, or never does what it says. A warning: it is
    hardly meant so. A note: worth knowing. Nothing is run, and no resources
    are needed. Expressions in CEL are checked against the fields of the kinds
    that a policy names, where OpenAPI documents, a cluster, or definitions
    among the files say what these are.

    \b
    Examples:
      bartizan policy check policies/
      bartizan policy check policies/ --strict -o github
      bartizan policy check policies/ --context prod
      bartizan policy check --list

    Exit codes: 0 no errors, 1 errors (with --strict warnings too), 2 nothing to look at, 3 no answer from the cluster.
    """
    if lists:
        sys.stdout.writelines(rule_list())
        return
    if not paths:
        raise click.UsageError("no policies named\n  hint: Name a file or a folder, or look at --list.")
    checked = check_policies(
        paths, least=level, ignored=given["ignore"], openapi=given["openapi"], cluster=cluster_of(given)
    )
    if output == "text":
        sys.stdout.writelines(render_text(checked))
    elif output == "json":
        sys.stdout.write(render_json(checked))
    else:
        FORMATS[output].render(as_report(checked, paths, datetime.now().astimezone()), sys.stdout)
    sys.exit(1 if checked.count("error") or (strict and checked.count("warning")) else 0)
