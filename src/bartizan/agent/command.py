"""`bartizan agent`: a cluster reports to a plane it can reach, and that need not reach it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from bartizan.agent.running import AgentSettings

_PATH: Final = click.Path(path_type=Path)
_INTERVAL: Final = click.IntRange(60, 7 * 86400)
_LEASE: Final = click.IntRange(5, 3600)
_HOURS: Final = click.FloatRange(0, 90 * 24, min_open=True)
_MIB: Final = click.IntRange(16, 1 << 20)
_ALIVE_S: Final = 120


@click.group(short_help="Report from inside a cluster to a plane elsewhere.")
def agent() -> None:
    """Let a cluster report by itself, from behind any firewall.

    \b
    Where the plane runs, or with POST /api/v1/join-tokens from anywhere:
      bartizan agent invite prod > join-token
    then, for the cluster:
      bartizan agent manifests --plane https://plane.example.com --name prod --image IMAGE | kubectl apply -f -
      kubectl -n bartizan create secret generic bartizan-agent-join --from-file=token=join-token
    """  # noqa: D301  click wants the control character, which a raw docstring cannot hold


@agent.command()
@click.option("--plane", required=True, metavar="URL", help="Where the plane is, as https://plane.example.com.")
@click.option(
    "--data", required=True, type=_PATH, help="Folder of its own: token, key and spool. Keep it over restarts."
)
@click.option("--name", default="", help="What the cluster is called in the fleet; needed to join.")
@click.option("--join-token-file", type=_PATH, help="Join with the token in this file, once.")
@click.option("--token-file", type=_PATH, help="Report with the token in this file, and never join or renew it.")
@click.option("--ca-file", type=_PATH, help="The plane's certificate authority, where the system does not know it.")
@click.option("--in-cluster", is_flag=True, help="Watch the cluster this runs in, by its service account.")
@click.option("--context", help="Watch the cluster of this kubeconfig context.")
@click.option("--kubeconfig", type=_PATH, help="Use this kubeconfig file.")
@click.option("-p", "--policy", multiple=True, type=_PATH, help="Policies you have: files or folders.")
@click.option("-e", "--exception", multiple=True, type=_PATH, help="PolicyExceptions: files or folders.")
@click.option("--pod-security", multiple=True, metavar="LEVEL", help="A level of the Pod Security Standards.")
@click.option("--check", multiple=True, help="Only this built-in check; see `bartizan catalog list`.")
@click.option("--framework", multiple=True, help="Only the built-in checks of this framework.")
@click.option("--no-checks", is_flag=True, help="None of the built-in checks.")
@click.option(
    "--interval",
    type=click.IntRange(60, 604800),
    default=3600,
    show_default=True,
    help="Seconds between whole checks, at most.",
)
@click.option(
    "--lease", type=click.IntRange(5, 3600), default=60, show_default=True, help="Seconds after which silence is late."
)
@click.option(
    "--spool",
    type=click.IntRange(16, 1 << 20),
    default=512,
    show_default=True,
    metavar="MIB",
    help="Room for reports that wait.",
)
@click.option("--plain-http", is_flag=True, help="Allow http://, where something else encrypts it.")
def run(**given: Any) -> None:
    """Watch a cluster, judge what is in it, and report to the plane until stopped.

    Reports wait on disk while the plane cannot be reached. Values of secrets
    are replaced by digests before they are written; the key stays here.

    \b
    Examples:
      bartizan agent run --in-cluster --plane https://plane.example.com --name prod --join-token-file join --data /data
      bartizan agent run --context prod --plane https://plane.example.com --token-file token --data ~/.agent

    Exit codes: 0 stopped, 2 bad input, 3 refused by the plane.
    """  # noqa: D301  as above
    import signal
    import threading

    from bartizan.agent.log import log_to_stderr
    from bartizan.agent.running import run as run_agent

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log_to_stderr()
    run_agent(_settings(given), stop)


def _settings(given: dict[str, Any]) -> AgentSettings:
    from bartizan.agent.running import AgentSettings
    from bartizan.app.options import ClusterChoice
    from bartizan.app.selection import CheckSelection
    from bartizan.app.watch.rules import RuleSettings

    if bool(given["join_token_file"]) and bool(given["token_file"]):
        raise click.UsageError("give one of --join-token-file and --token-file")
    checks = None if given["no_checks"] else CheckSelection(tuple(given["check"]), tuple(given["framework"]))
    return AgentSettings(
        given["plane"],
        given["data"],
        ClusterChoice(context=given["context"], kubeconfig=given["kubeconfig"], in_cluster=given["in_cluster"]),
        RuleSettings(checks, tuple(given["pod_security"]), tuple(given["policy"]), tuple(given["exception"])),
        given["name"],
        given["join_token_file"],
        given["token_file"],
        given["ca_file"],
        plain=given["plain_http"],
        interval_s=given["interval"],
        lease_s=given["lease"],
        bound=given["spool"] << 20,
    )


@agent.command()
@click.argument("name", default="")
@click.option(
    "--hours", type=click.FloatRange(0, 90 * 24, min_open=True), default=24, show_default=True, help="It lasts."
)
@click.option("--data", type=_PATH, help="Folder of the plane.  [default: ~/.local/share/bartizan]")
@click.option("--database", help="The plane's store, where it is elsewhere.  [env: BARTIZAN_DATABASE_URL]")
def invite(name: str, hours: float, data: Path | None, database: str | None) -> None:
    """Make a join token for the cluster NAME, or for any; where the plane runs. It works once.

    \b
    Examples:
      bartizan agent invite prod > join-token
      bartizan agent invite --database postgresql://bartizan@db/plane prod
    """  # noqa: D301  as above
    from datetime import UTC, datetime, timedelta
    from getpass import getuser

    from bartizan.app.reporting import joining
    from bartizan.app.settings import place
    from bartizan.stores.open import open_store

    store = open_store(place(data, database).database)
    try:
        now, lasts = datetime.now(UTC), timedelta(hours=hours)
        actor = f"{getuser()} (command line)"
        secret, made = store.write(lambda connection: joining.invite(connection, actor, now, name, lasts))
    finally:
        store.close()
    click.echo(secret)
    click.echo(f"a cluster may join with it once, until {made.ends_at:%Y-%m-%d %H:%M} UTC", err=True)


@agent.command()
@click.option("--data", required=True, type=_PATH, help="The folder of the agent.")
def alive(data: Path) -> None:
    """Exit with 0 where the agent of a folder runs, for probes; with 1 where it does not."""
    import time

    from bartizan.agent.running import ALIVE

    try:
        age_s = time.time() - (data / ALIVE).stat().st_mtime
    except OSError:
        age_s = float("inf")
    click.get_current_context().exit(0 if age_s < _ALIVE_S else 1)


@agent.command()
@click.option("--plane", required=True, metavar="URL", help="Where the plane is, as https://plane.example.com.")
@click.option("--name", required=True, help="What the cluster is called in the fleet.")
@click.option("--image", required=True, help="The image of bartizan, with its tag and digest.")
@click.option("--namespace", default="bartizan", show_default=True, help="Where the agent runs.")
@click.option("--secrets", is_flag=True, help="Let it read Secrets; their values never leave the cluster.")
@click.option("--also", multiple=True, metavar="RESOURCE.GROUP", help="Let it read these too, as widgets.example.com.")
@click.option("--disk", default="2Gi", show_default=True, help="Room for the spool.")
@click.option("--ca", is_flag=True, help="Trust the ConfigMap bartizan-agent-ca, of the key ca.crt.")
@click.option("--owner", default="platform", show_default=True, help="Whose the agent is, as its label says.")
def manifests(**given: Any) -> None:
    """Print what runs an agent in a cluster, to be applied or kept in Git.

    \b
    Examples:
      bartizan agent manifests --plane https://plane.example.com --name prod \\
          --image registry.example/bartizan:1.0@sha256:... | kubectl apply -f -
    """  # noqa: D301  as above
    from bartizan.agent.link import checked_url
    from bartizan.agent.manifests import Wanted
    from bartizan.agent.manifests import manifests as written
    from bartizan.base.errors import SpecError
    from bartizan.fleet.enrolment import name_problem

    given["plane"] = checked_url(given["plane"])
    problem = name_problem(given["name"])
    if problem:
        raise SpecError(problem, hint="Give the cluster another name.")
    click.echo(written(Wanted(**given)), nl=False)
