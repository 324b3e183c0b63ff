"""Options that several commands have, with one name and one meaning in all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.app.options import ClusterChoice
    from bartizan.app.payloads import Given
    from bartizan.model.request import Payload

    Option = Callable[[Any], Any]

FILE: Final = click.Path(path_type=Path)
FILES_OR_DASH: Final = click.Path(path_type=Path, allow_dash=True)
SEVERITIES: Final = [severity.label for severity in Severity]

CLUSTER: Final = (
    click.option("--cluster", is_flag=True, help="Take the cluster that kubectl talks to."),
    click.option("--context", help="Take the cluster of this kubeconfig context."),
    click.option("--kubeconfig", type=FILE, help="Use this kubeconfig file."),
    click.option("--in-cluster", is_flag=True, help="Take the cluster this runs in, by its service account."),
)
CLUSTER_PARTS: Final = (
    click.option("-n", "--namespace", multiple=True, help="Cluster: only this namespace."),
    click.option("--kind", multiple=True, help="Cluster: only this kind or resource, such as Deployment or pods."),
    click.option("-l", "--selector", default="", help="Cluster: only resources with these labels."),
)
CHECKS: Final = (
    click.option("--check", multiple=True, help="Only this built-in check; see `bartizan catalog list`."),
    click.option("--framework", multiple=True, help="Only the built-in checks of this framework."),
    click.option(
        "--severity",
        type=click.Choice(SEVERITIES),
        default="info",
        show_default=True,
        help="Only checks at least this severe.",
    ),
)
KNOWN: Final = (
    click.option("-f", "--values", type=FILE, help="Values file that answers what policies look up."),
    click.option("-u", "--user-info", type=FILE, help="UserInfo file: who is taken to make the request."),
    click.option("-e", "--exception", multiple=True, type=FILE, help="PolicyExceptions: files or folders."),
)
REGISTRY: Final = (
    click.option(
        "--registry",
        is_flag=True,
        help="Ask registries about images, where policies want to know; with what `docker login` left. "
        "A run on a cluster always may.",
    ),
)
PAYLOADS: Final = (
    click.option("--json", "json", multiple=True, type=FILES_OR_DASH, help="Any JSON, for policies of mode JSON."),
    click.option(
        "--http-payload", multiple=True, type=FILES_OR_DASH, help="An HTTP request as JSON, for policies of mode HTTP."
    ),
    click.option(
        "--envoy-payload", multiple=True, type=FILES_OR_DASH, help="Envoy's CheckRequest, for policies of mode Envoy."
    ),
)
WORKERS: Final = (click.option("--workers", type=click.IntRange(0, 64), default=0, help="Processes; 0 is one a core."),)


def cluster_of(given: dict[str, Any]) -> ClusterChoice:
    """Take the cluster's options out of all that were given."""
    from bartizan.app.options import ClusterChoice  # late: `--help` needs none of what it brings

    return ClusterChoice(
        current=given.pop("cluster"),
        context=given.pop("context"),
        kubeconfig=given.pop("kubeconfig"),
        in_cluster=given.pop("in_cluster"),
        namespaces=given.pop("namespace", ()),
        kinds=given.pop("kind", ()),
        selector=given.pop("selector", ""),
    )


def payloads_of(given: dict[str, Any]) -> tuple[Given, ...]:
    """Take the payloads out of all that was given."""
    from bartizan.app.payloads import Given  # late: as above

    names: dict[Payload, str] = {"json": "json", "http": "http_payload", "envoy": "envoy_payload"}
    return tuple(Given(kind, path) for kind, name in names.items() for path in given.pop(name))


def declare(*groups: tuple[Option, ...]) -> Option:
    """Declare groups of options, in this order in the help."""

    def add(command: Any) -> Any:
        for option in reversed([item for group in groups for item in group]):
            command = option(command)
        return command

    return add
