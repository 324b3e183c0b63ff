"""Where an image's registry is: Docker Hub's names, and who may be talked to without TLS.

This is the only layer that knows that `docker.io/nginx` is
`index.docker.io/library/nginx`: policies see what was written.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from bartizan.base.image import Image

DOCKER_HUB: Final = "index.docker.io"
_HUB_NAMES: Final = frozenset({"docker.io", DOCKER_HUB, "registry-1.docker.io"})


class Place(NamedTuple):
    """A repository: the host that is asked, and the repository's name there."""

    host: str
    repository: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}"


def locate(image: Image) -> Place:
    """Where an image is asked for."""
    if image.registry in _HUB_NAMES:
        return Place(DOCKER_HUB, image.path if "/" in image.path else f"library/{image.path}")
    return Place(image.registry, image.path)


def is_local(host: str) -> bool:
    """Whether a `host[:port]` is this machine, so that nobody listens in between."""
    name = host.rpartition("]")[0][1:] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def schemes(host: str, *, insecure: bool) -> tuple[str, ...]:
    """The ways to talk to a host, in order.

    This machine is plain HTTP unless it wants TLS; one that is declared
    insecure is TLS unless it has none, as for the peer; all others are TLS.
    """
    if is_local(host):
        return ("http", "https")
    return ("https", "http") if insecure else ("https",)
