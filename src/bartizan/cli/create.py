"""`bartizan create`: skeletons that are right as they are."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bartizan.cli.options import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

_DEEDS: Final = ("validate", "mutate", "generate", "verify-images", "cleanup")
_DAYS: Final = 90  # how long a waiver holds where nobody says: long enough to mend something, short enough to come back


def _writes(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every skeleton has."""
    to = click.option("-o", "--output", type=FILE, help="Write this file, whole or not at all.")
    force = click.option("--force", is_flag=True, help="Write over a file that is there.")
    return to(force(command))


def _write(text: str, output: Path | None, *, force: bool, beside: dict[Path, str] | None = None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    from bartizan.app.writing import write_all

    files = {**(beside or {}), output: text}
    write_all(files, force=force)
    for file in files:
        click.echo(f"wrote {file}", err=True)


@click.group(short_help="Begin a policy, a test, an exception and more.")
def create() -> None:
    """Begin a policy, a test, an exception, values, a user or a waiver from a skeleton that works.

    \b
    Examples:
      bartizan create policy validate --kind Pod > require-team-label.yaml
      bartizan create test --from policies/ --from pods.yaml -o kyverno-test.yaml
      bartizan create exception web --policy-rules require-team-label,require-team-label --any kind=Pod,name=web-*

    Exit codes: 0 written, 2 bad input, or a file that is there already, 3 a file that cannot be written.
    """


@create.command(short_help="Write a policy to begin with.")
@click.argument("deed", metavar="DEED", type=click.Choice(_DEEDS))
@click.option("-n", "--name", default="", help="Name of the policy, and of its rule.")
@click.option("--kind", "kinds", multiple=True, help="Kind that it is about, such as Pod; several may be given.")
@click.option("--namespace", default="", help="Make a policy of this namespace instead of the whole cluster.")
@click.option("--cel", is_flag=True, help="Write it in CEL: a ValidatingPolicy, MutatingPolicy and so on.")
@click.option("--enforce", is_flag=True, help="validate, verify-images: refuse instead of report.")
@click.option("--image", "images", multiple=True, help="verify-images: images, such as ghcr.io/me/*.")
@click.option("--key", type=click.File("r"), help="verify-images: file with the public key of the signer, in PEM.")
@click.option("--schedule", default="", help="cleanup: when, as cron has it, such as '0 3 * * *'.")
@_writes
def policy(*, key: Any, output: Path | None, force: bool, **wish: Any) -> None:
    """Write a policy that judges, changes, makes, verifies or deletes something.

    DEED is validate, mutate, generate, verify-images or cleanup.

    \b
    Examples:
      bartizan create policy validate --kind Deployment --enforce
      bartizan create policy mutate --cel
      bartizan create policy verify-images --image 'ghcr.io/me/*' --key cosign.pub
    """
    from bartizan.app.create.policies import PolicyWish, create_policy

    _write(create_policy(PolicyWish(key=key.read() if key else "", **wish)), output, force=force)


@create.command()
@click.option("-n", "--name", default="policies", show_default=True, help="Name of the test.")
@click.option("-p", "--policy", "policies", multiple=True, type=FILE, help="File with policies.")
@click.option("-r", "--resource", "resources", multiple=True, type=FILE, help="File with resources.")
@click.option("-e", "--exception", "exceptions", multiple=True, type=FILE, help="File with PolicyExceptions.")
@click.option("-f", "--values", type=FILE, help="Values file.")
@click.option("-u", "--user-info", "user", type=FILE, help="UserInfo file.")
@click.option("--pass", "passes", multiple=True, metavar="POLICY,RULE,RESOURCE[,NAMESPACE[,KIND]]", help="Must pass.")
@click.option("--fail", "fails", multiple=True, metavar="…", help="Must fail.")
@click.option("--skip", "skips", multiple=True, metavar="…", help="Must be skipped.")
@click.option(
    "--from",
    "sources",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Files or folders with policies and resources: run them, and expect what comes out.",
)
@_writes
def test(*, sources: tuple[Path, ...], output: Path | None, force: bool, **given: Any) -> None:
    """Write a kyverno-test.yaml.

    With --from, the policies are run on the resources, and the test expects
    what comes out: review it, for it says what is, not what should be.
    """
    from bartizan.app.create.tests import TestWish, create_test, expectation, observe, sort_files

    found = sort_files(sources) if sources else TestWish("", (), ())
    said = (("passes", "pass"), ("fails", "fail"), ("skips", "skip"))
    expected = tuple(expectation(text, result) for option, result in said for text in given.pop(option))
    wish = TestWish(
        name=given["name"],
        policies=found.policies + given["policies"],
        resources=found.resources + given["resources"],
        exceptions=found.exceptions + given["exceptions"],
        values=given["values"],
        user=given["user"],
    )
    notes: tuple[str, ...] = ()
    if sources:
        wish, notes = observe(wish)
    wish = wish._replace(expected=wish.expected + expected)
    beside = {output.parent / name: text for name, text in wish.beside} if output else {}
    _write(create_test(wish, output.parent if output else Path()), output, force=force, beside=beside)
    if wish.beside and not output:
        click.echo("note: what mutate rules make of resources is written beside the test, with --output only", err=True)
    for note in notes:
        click.echo(f"note: a test cannot pin this down: {note}", err=True)


@create.command()
@click.argument("name", default="exception")
@click.option("--namespace", default="default", show_default=True, help="Namespace of the exception.")
@click.option("--policy-rules", multiple=True, metavar="POLICY,RULE[,RULE…]", help="Whom it lets off; may recur.")
@click.option("--any", "any_of", multiple=True, metavar="kind=…,name=…", help="A filter of which one must hold.")
@click.option("--all", "all_of", multiple=True, metavar="kind=…,name=…", help="A filter of which all must hold.")
@click.option("-b", "--background/--no-background", default=True, help="Whether it counts in scans too.")
@_writes
def exception(*, output: Path | None, force: bool, **wish: Any) -> None:
    """Write a PolicyException. Filters have kind, name, namespace and operation, each as often as needed."""
    from bartizan.app.create.documents import ExceptionWish, create_exception

    _write(create_exception(ExceptionWish(**wish)), output, force=force)


@create.command()
@click.option("-g", "--global", "everywhere", multiple=True, metavar="KEY=VALUE", help="A variable for all policies.")
@click.option("-n", "--ns-selector", "namespaces", multiple=True, metavar="NAMESPACE,KEY=VALUE", help="Labels of one.")
@click.option("--rule", "rules", multiple=True, metavar="POLICY,RULE,KEY=VALUE", help="Variables of a rule.")
@click.option("--resource", "resources", multiple=True, metavar="POLICY,RESOURCE,KEY=VALUE", help="And of a resource.")
@_writes
def values(*, output: Path | None, force: bool, **wish: Any) -> None:
    """Write a values file, which answers what policies look up."""
    from bartizan.app.create.documents import ValuesWish, create_values

    _write(create_values(ValuesWish(**wish)), output, force=force)


@create.command("user-info")
@click.option("-u", "--username", default="", help="Name of the user.")
@click.option("-g", "--group", "groups", multiple=True, help="A group.")
@click.option("-r", "--role", "roles", multiple=True, metavar="NAMESPACE:ROLE", help="A role.")
@click.option("-c", "--cluster-role", "cluster_roles", multiple=True, help="A cluster role.")
@_writes
def user_info(*, output: Path | None, force: bool, **wish: Any) -> None:
    """Write a UserInfo file: who is taken to ask."""
    from bartizan.app.create.documents import UserWish, create_user_info

    _write(create_user_info(UserWish(**wish)), output, force=force)


@create.command()
@click.argument("name", default="accepted-1")
@click.option("--reason", default="Say here why this is acceptable.", help="Why it is acceptable.")
@click.option("--owner", default="the team that answers for it", help="Who answers for it.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help=f"Last day on which it holds; in {_DAYS} days if not given.",
)
@click.option(
    "--policy", default="", help="Only findings of this policy or check; wildcards may be used, here and below."
)
@click.option("--rule", default="", help="Only of this rule.")
@click.option("--kind", default="", help="Only on this kind.")
@click.option("--namespace", default="", help="Only in this namespace.")
@click.option("--resource", default="", help="Only on resources of this name.")
@click.option("--path", default="", help="Only in files of this name.")
@click.option("--fingerprint", default="", help="Only this one, by its fingerprint in a report.")
@_writes
def waiver(
    *, name: str, reason: str, owner: str, until: datetime | None, output: Path | None, force: bool, **selectors: str
) -> None:
    """Write a waiver file: findings that are accepted, with a reason, an owner and an end."""
    from bartizan.app.create.documents import WaiverWish, create_waiver

    end = until.date() if until else _today() + timedelta(days=_DAYS)
    selectors["name"] = selectors.pop("resource")
    _write(create_waiver(WaiverWish(name, reason, owner, end, selectors)), output, force=force)


def _today() -> date:
    return datetime.now().astimezone().date()
