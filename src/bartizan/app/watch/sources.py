"""Where a member's objects come from: a folder, a Git checkout, or a cluster by its kubeconfig context.

A source says what it could not list. What that was is unknown then, and
nothing of it is gone.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

import msgspec

from bartizan.app.given_world import GivenWorld
from bartizan.app.images.registry import RegistryLookup
from bartizan.app.live import ClusterLookup
from bartizan.app.supply import Supply
from bartizan.app.watch.marks import files_mark
from bartizan.base.errors import SourceError
from bartizan.base.location import Location
from bartizan.findings.lifecycle import ObjectKey, key_of
from bartizan.model.report import Problem
from bartizan.model.resource import Resource
from bartizan.model.scoping import in_default_namespace
from bartizan.sources.cluster import connect
from bartizan.sources.cluster.discovery import NOISE, Kind, discover
from bartizan.sources.cluster.listing import list_kinds
from bartizan.sources.git import check_out, remote_revision, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.fleet import ClusterKind
    from bartizan.model.resource import Lines
    from bartizan.sources.cluster import Cluster


_FAR: Final = 30
"""How much more seldom a repository is asked than a folder is looked at."""


class Unlisted(NamedTuple):
    """A kind that could not be listed, as `Generation.unlisted` names it; `group/*` is all of a group."""

    listing: str


Item: TypeAlias = "Resource | Problem | Unlisted"


class Source(Protocol):
    """What a member's objects are read from."""

    name: str
    kind: ClusterKind

    @property
    def identity(self) -> str:
        """What tells it from every other, whatever it is called."""

    def list(self) -> Iterator[Item]:
        """Everything there is now.

        Raises:
            SourceError: the source is away; what came before is all that is known.
        """

    def version(self) -> str:
        """What runs there, for people."""

    def lookup(self, held: Callable[[], Iterable[Resource]]) -> Lookup:
        """Answers to what policies ask; `held` are the objects of the source as they were listed."""

    def mark(self) -> str:
        """What there is, as a text that is another where that is; cheap, and nothing where only a watch would tell.

        Raises:
            SourceError: the source is away.
        """

    def poll_s(self, often_s: float) -> float:
        """How long to wait between looks at the mark, where files are looked at every `often_s`."""

    def close(self) -> None:
        """End connections."""


class GitAddress(NamedTuple):
    """Where to check out from: a URL or a path, a branch or tag (nothing is the default branch), and a folder in it."""

    url: str
    ref: str = ""
    folder: str = ""


class FolderSource:
    """Manifests, charts and kustomizations in a folder: what is about to be deployed."""

    kind: ClusterKind = "folder"

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path.resolve()
        self.identity = f"folder:{self.path}"

    def list(self) -> Iterator[Item]:
        """Everything in the folder; a document that cannot be read is a problem, and the others are there."""
        self._look_at()
        # one process: this one has threads, and what has threads must not be forked
        supply = Supply((self.path,), None, None, 1)
        first: dict[ObjectKey, Resource] = {}
        for found in chain(supply.problems, supply.everything()):
            item = self._shown(found)
            if isinstance(item, Problem):
                yield item
                continue
            other = first.setdefault(key_of(item.id), item)
            yield item if other is item else _double(item, other)

    def _look_at(self) -> None:
        if not self.path.is_dir():
            raise SourceError(f"`{self.path}` is no folder", hint="Check the name and the permissions.")

    def _shown(self, item: Resource | Problem) -> Resource | Problem:
        """An item whose places are told from the folder on: where it stands on this machine is nobody's business."""
        if isinstance(item, Problem):
            at = self._within(item.at) if item.at else None
            return msgspec.structs.replace(item, at=at)
        lines = _Within(item.lines, self._within) if item.lines else None
        return Resource(item.id, item.body, item.uid, self._short(item.source), lines)

    def _within(self, at: Location) -> Location:
        return Location(self._short(at.file), at.line, at.column)

    def _short(self, file: str) -> str:
        root = str(self.path)
        if file.startswith(f"{root}/"):
            return file[len(root) + 1 :]
        return self.path.name + file[len(root) :] if file.startswith(root) else file

    def version(self) -> str:
        """Nothing: a folder is what it is."""
        return ""

    def lookup(self, held: Callable[[], Iterable[Resource]]) -> Lookup:
        """The manifests stand for the cluster they are meant for."""
        return GivenWorld(lambda: [in_default_namespace(item) for item in held()])

    def mark(self) -> str:
        """Names, sizes and times of all files."""
        self._look_at()
        return files_mark((self.path,))

    def poll_s(self, often_s: float) -> float:
        """As often as that."""
        return often_s

    def close(self) -> None:
        """Nothing is open."""


class _Within:
    """The places of a document, told from a folder on."""

    __slots__ = ("_lines", "_short")

    def __init__(self, lines: Lines, short: Callable[[Location], Location]) -> None:
        self._lines = lines
        self._short = short

    def locate(self, pointer: str) -> Location:
        """Where the key at a pointer stands."""
        return self._short(self._lines.locate(pointer))

    def quote(self, line: int) -> str:
        """The text of a line."""
        return self._lines.quote(line)


def _double(item: Resource, other: Resource) -> Problem:
    at, before = (one.lines.locate("/metadata/name") if one.lines else None for one in (item, other))
    hint = "Only the first is judged: keep variants in folders that are members of their own."
    return Problem("input", f"{item.id} is in `{before or other.source}` too", at, hint)


class GitSource:
    """A folder of a repository at a revision: what is about to be deployed from there."""

    kind: ClusterKind = "folder"

    def __init__(self, name: str, address: GitAddress, cache: Path) -> None:
        self.name = name
        self.address = address
        self.identity = f"git:{shown(address.url)}@{address.ref or 'HEAD'}/{address.folder}".rstrip("/")
        self.revision = ""
        """The commit that was read last."""
        mark = blake2b(f"{name}\0{address.url}\0{address.ref}".encode(), digest_size=8).hexdigest()
        self._checkout = cache / mark

    def list(self) -> Iterator[Item]:
        """Everything in the folder at the newest commit."""
        self.revision = check_out(self.address.url, self.address.ref, self._checkout)
        folder = (self._checkout / self.address.folder).resolve()
        if not folder.is_relative_to(self._checkout.resolve()) or not folder.is_dir():
            raise SourceError(
                f"`{self.address.folder}` is no folder of `{shown(self.address.url)}` at `{self.revision[:12]}`",
                hint="Name a folder of the repository.",
            )
        yield from FolderSource(self.name, folder).list()

    def version(self) -> str:
        """The commit, as people write it."""
        return self.revision[:12]

    def lookup(self, held: Callable[[], Iterable[Resource]]) -> Lookup:
        """The manifests stand for the cluster they are meant for."""
        return GivenWorld(lambda: [in_default_namespace(item) for item in held()])

    def mark(self) -> str:
        """The commit that is there now, without reading it."""
        return remote_revision(self.address.url, self.address.ref)

    def poll_s(self, often_s: float) -> float:
        """More seldom: it may be far away, and somebody else's."""
        return often_s * _FAR

    def close(self) -> None:
        """Nothing is open."""


class ContextSource:
    """A cluster, read by the credentials of a kubeconfig's context. Nothing is ever written there."""

    kind: ClusterKind = "context"

    def __init__(self, name: str, cluster: Cluster) -> None:
        self.name = name
        self.cluster = cluster
        self._identity = ""

    @property
    def identity(self) -> str:
        """The uid of the namespace `kube-system`, which nobody can change without making another cluster."""
        if not self._identity:
            found = self.cluster.get("/api/v1/namespaces/kube-system")
            self._identity = f"cluster:{found['metadata']['uid']}"
        return self._identity

    def list(self) -> Iterator[Item]:
        """Everything in the cluster but noise, kind by kind."""
        kinds: list[Kind] = []
        for found in discover(self.cluster):
            if isinstance(found, Problem):
                yield found
                yield Unlisted(stale_group(found))
            elif (found.group, found.plural) not in NOISE:
                kinds.append(found)
        for kind in kinds:
            failed = False
            for item in list_kinds(self.cluster, [kind]):
                failed = failed or isinstance(item, Problem)
                yield item
            if failed:
                yield Unlisted(listing_of(kind))

    def version(self) -> str:
        """The version of the API server."""
        found = self.cluster.get("/version")
        return str(found.get("gitVersion") or "") if isinstance(found, dict) else ""

    def lookup(self, held: Callable[[], Iterable[Resource]]) -> Lookup:
        """The API server itself, each question once a round; registries for images."""
        del held
        return RegistryLookup(ClusterLookup(self.cluster))

    def mark(self) -> str:
        """Nothing: a cluster is watched, or listed by a schedule."""
        return ""

    def poll_s(self, often_s: float) -> float:
        """As often as that."""
        return often_s

    def close(self) -> None:
        """End the connection."""
        self.cluster.close()


def context_source(name: str, *, kubeconfig: Path | None = None, context: str | None = None) -> ContextSource:
    """A cluster by its context.

    Raises:
        SpecError: the kubeconfig or the context is not what it must be.
    """
    return ContextSource(name, connect(context=context, kubeconfig=kubeconfig))


def listing_of(kind: Kind) -> str:
    """A kind as `Generation.unlisted` names it."""
    return f"{kind.group}/{kind.kind}" if kind.group else kind.kind


_QUOTED: Final = "`"


def stale_group(problem: Problem) -> str:
    """All of the group that a problem of discovery names, as `API group `group/version` is unknown for now`."""
    return f"{problem.message.split(_QUOTED)[1].rpartition('/')[0]}/*"
