"""The resources of a run, found before anything is read: files in pieces, then all that is not in files.

With several workers, processes are forked after the policies are compiled
and are handed numbers of pieces; what comes back are rows of plain values.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from bartizan.app.parallel import share
from bartizan.model.report import Problem
from bartizan.model.resource import labels_of
from bartizan.sources.manifests import PIECE_BYTES, SUFFIXES, Piece, cut, find, mentions, read_bytes, read_piece
from bartizan.sources.rendered import deployed, kustomize_command, read_chart, read_kustomization

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.resource import Resource

Result = TypeVar("Result", bound=msgspec.Struct)
Progress = Callable[[int, int], None]
"""Told how much is done, and of how much."""
_STDIN: Final = "standard input"
_PARALLEL_BYTES: Final = 256 << 10
"""Below this a second process costs more than it saves."""
_PIECE_BYTES: Final = 128 << 10
"""Pieces of files where several processes share the work: small enough that they end together."""


@dataclass(frozen=True, slots=True)
class Live:
    """A cluster as a source: its name, its resources, its namespaces' labels, and answers to what policies ask."""

    name: str
    resources: Callable[[], Iterable[Resource | Problem]]
    namespaces: Callable[[], dict[str, dict[str, str]]]
    lookup: Lookup
    close: Callable[[], None]
    definitions: Callable[[], Iterable[Resource | Problem]] = tuple
    """Its CustomResourceDefinitions, whatever else is selected."""


class Supply:
    """Where resources come from. `problems` are what could not be found."""

    def __init__(self, paths: Sequence[Path], stdin: bytes | None, live: Live | None, workers: int) -> None:
        folders = any(path.is_dir() for path in paths)
        found = find(paths, render_kustomizations=folders and kustomize_command() is not None)
        self.problems = list(found.problems)
        self.pieces: list[Piece] = []
        self.workers = workers or (os.cpu_count() or 1)
        for item in cut(found.files, _PIECE_BYTES if self.workers > 1 else PIECE_BYTES):
            if isinstance(item, Problem):
                self.problems.append(item)
            else:
                self.pieces.append(item)
        self._charts = found.charts
        self._kustomizations = deployed(found.kustomizations, paths)
        self._built: list[Resource | Problem] | None = None
        self._stdin = stdin
        self._live = live

    def _others(self) -> Iterator[Resource | Problem]:
        """What is not in files: standard input, rendered folders, a cluster."""
        yield from self._rendered()
        if self._live is not None:
            yield from self._live.resources()

    def _rendered(self) -> Iterator[Resource | Problem]:
        if self._stdin is not None:
            yield from read_bytes(self._stdin, _STDIN)
        yield from self._from_folders()

    def _from_folders(self) -> list[Resource | Problem]:
        """What folders render to. Programs do that, in seconds, so it is kept."""
        if self._built is None:
            self._built = [item for chart in self._charts for item in read_chart(chart)]
            self._built += [item for folder in self._kustomizations for item in read_kustomization(folder)]
        return self._built

    def of_kind(self, kind: str) -> Iterator[Resource | Problem]:
        """The resources of a kind that is rare, without reading the rest; what is broken is for others to tell.

        A chart's own definitions, which are not rendered, are among them.
        """
        word = kind.encode()
        for piece in self.pieces:
            if mentions(piece, word):
                yield from _only(kind, read_piece(piece))
        if self._stdin is not None and word in self._stdin:
            yield from _only(kind, read_bytes(self._stdin, _STDIN))
        yield from _only(kind, self._from_folders())
        for chart in self._charts:
            files = sorted(file for file in chart.glob("**/crds/**/*") if file.suffix in SUFFIXES and file.is_file())
            for item in cut((file, False) for file in files):
                if isinstance(item, Problem):
                    yield item
                elif mentions(item, word):
                    yield from (
                        found for found in read_piece(item) if isinstance(found, Problem) or found.id.kind == kind
                    )

    def everything(self) -> Iterator[Resource | Problem]:
        """All of it, in order, whatever else is asked of it."""
        for piece in self.pieces:
            yield from read_piece(piece)
        yield from self._others()

    def namespace_labels(self) -> dict[str, dict[str, str]]:
        """Labels of namespaces, from the cluster or from the manifests."""
        if self._live:
            return self._live.namespaces()
        found: dict[str, dict[str, str]] = {}
        for piece in self.pieces:
            for item in read_piece(piece):
                if not isinstance(item, Problem) and item.id.kind == "Namespace":
                    found[item.id.name] = labels_of(item.body)
        return found

    def batches(
        self, work: Callable[[Iterable[Resource | Problem]], Result], kind: type[Result], progress: Progress
    ) -> Iterator[Result]:
        """What `work` makes of everything, of one `kind`, in order; processes share the files where that pays."""
        groups = self._groups()
        sizes = [sum(piece.end - piece.start for piece in group) for group in groups]
        total, done = max(sum(sizes), 1), 0

        def work_on(number: int) -> Result:
            nonlocal done
            batch = work(item for piece in groups[number] for item in read_piece(piece))
            done += sizes[number]
            progress(done, total)
            return batch

        alone = self.workers < 2 or len(groups) < 2 or total < _PARALLEL_BYTES
        yield from map(work_on, range(len(groups))) if alone else share(work_on, len(groups), self.workers, kind)
        yield work(self._others())

    def _groups(self) -> list[list[Piece]]:
        """Pieces in groups of like size: enough for every worker to have some, and for progress to be seen."""
        if not self.pieces:
            return []
        size = max(sum(piece.end - piece.start for piece in self.pieces) // (self.workers * 4), 64 << 10)
        groups: list[list[Piece]] = [[]]
        held = 0
        for piece in self.pieces:
            if held >= size:
                groups.append([])
                held = 0
            groups[-1].append(piece)
            held += piece.end - piece.start
        return groups


def _only(kind: str, items: Iterable[Resource | Problem]) -> Iterator[Resource]:
    return (item for item in items if not isinstance(item, Problem) and item.id.kind == kind)
