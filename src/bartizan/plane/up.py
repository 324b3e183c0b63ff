"""`bartizan up`: the plane on a laptop, with nothing to set up; the same program serves a company."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

if TYPE_CHECKING:
    from bartizan.app.settings import Settings

_PATH: Final = click.Path(path_type=Path)


@click.command(short_help="Start the plane: a fleet, watched all the time, in a browser.")
@click.argument("folders", nargs=-1, type=_PATH)
@click.option("--config", type=_PATH, envvar="BARTIZAN_CONFIG", help="Settings of the plane, as YAML.")
@click.option("--context", multiple=True, help="Watch the cluster of this kubeconfig context.")
@click.option("--kubeconfig", type=_PATH, help="Use this kubeconfig file.")
@click.option("-p", "--policy", multiple=True, type=_PATH, help="Policies you have: files or folders.")
@click.option("--listen", default="127.0.0.1:8420", show_default=True, metavar="HOST:PORT", help="Where to serve.")
@click.option("--data", type=_PATH, help="Folder for the database and keys.  [default: ~/.local/share/bartizan]")
@click.option("--database", help="Another store, such as postgresql://user@host/name.  [env: BARTIZAN_DATABASE_URL]")
@click.option("--tls-cert", type=_PATH, help="Serve HTTPS with this certificate.")
@click.option("--tls-key", type=_PATH, help="And this key.")
@click.option("--no-watch", is_flag=True, help="Serve pages only; workers elsewhere watch and send.")
def up(folders: tuple[Path, ...], **given: Any) -> None:
    """Start the plane and watch FOLDERS of manifests and the clusters that are named.

    History is kept in SQLite; give PostgreSQL's URL to serve a company. The
    command prints a link that signs you in.

    \b
    Examples:
      bartizan up k8s/                      manifests, again whenever they change
      bartizan up --context prod            a live cluster, read-only
      bartizan up --config plane.yaml       a fleet, as a file says
      BARTIZAN_DATABASE_URL=postgresql://bartizan@db/plane bartizan up --config plane.yaml
    """
    from bartizan.app.settings import address_of
    from bartizan.plane.serving import Serving, serve

    host, port = address_of(given["listen"])
    settings = _with_options(folders, given)
    tls = (given["tls_cert"], given["tls_key"]) if given["tls_cert"] else None
    wanted = Serving(host, port, given["data"], given["database"], tls, watches=not given["no_watch"])
    serve(settings, wanted, lambda: datetime.now(UTC), lambda words: click.echo(words, err=True))


def _with_options(folders: tuple[Path, ...], given: dict[str, Any]) -> Settings:
    """The settings of the file and, beside them, what the command line names."""
    from bartizan.app.settings import Member, read_settings

    settings = read_settings(given["config"])
    kubeconfig = str(given["kubeconfig"] or "")
    members = [*settings.clusters, *(Member(folder=str(folder)) for folder in folders)]
    members += [Member(context=name, kubeconfig=kubeconfig) for name in given["context"]]
    if kubeconfig and not given["context"]:
        members.append(Member(kubeconfig=kubeconfig))
    policies = (*settings.policies, *map(str, given["policy"]))
    return msgspec.structs.replace(settings, clusters=tuple(members), policies=policies)
