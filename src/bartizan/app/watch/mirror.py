"""What a source holds now, kept small: each object as compressed JSON, with what checks across objects compare.

From it any object is judged again when the object, a rule, a waiver or its
neighbours change, without asking the source. Who holds it says what is
judged; the mirror only remembers what was said.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections import defaultdict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import orjson

from bartizan.app.judge import observers
from bartizan.engines.posture.reading import placed
from bartizan.findings.lifecycle import ObjectKey, key_of
from bartizan.model.resource import Resource, ResourceId, controller_of, labels_of, metadata_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.posture import CrossCheck
    from bartizan.engines.posture.facts import Fact, Observe
    from bartizan.model.resource import Lines

_LEVEL: Final = 1
"""Of compression: level 6 takes three times as long for a tenth less."""


class Entry:
    """One object. `raw` is what the rules said of it by itself, `told` a mark of what its store was told last.

    One that is `stale` is there as it was when it could be read last.
    """

    __slots__ = ("controller", "digest", "lines", "packed", "raw", "source", "stale", "told", "version")

    def __init__(self, resource: Resource, text: bytes) -> None:
        self.version = resource.id.version
        self.packed = zlib.compress(text, _LEVEL)
        self.digest = blake2b(text, digest_size=8).digest()
        self.controller = controller_of(resource.body)
        self.source = resource.source
        self.lines: Lines | None = resource.lines
        self.stale = False
        self.raw = b""
        self.told = 0


class Mirror:
    """The objects of one source, by key."""

    def __init__(self) -> None:
        self.entries: dict[ObjectKey, Entry] = {}
        self.by_kind: defaultdict[str, set[ObjectKey]] = defaultdict(set)
        self.by_namespace: defaultdict[str, set[ObjectKey]] = defaultdict(set)
        self.namespaces: dict[str, JsonObject] = {}
        """The metadata of namespaces: rules and teams ask for it."""
        self.children: defaultdict[ObjectKey, set[ObjectKey]] = defaultdict(set)
        self.facts = Facts(())

    def __len__(self) -> int:
        return len(self.entries)

    def put(self, resource: Resource) -> ObjectKey | None:
        """Take an object over. Returns its key where it is new or another than before."""
        key = _interned(key_of(resource.id))
        text = _text(resource.body)
        old = self.entries.get(key)
        entry = Entry(resource, text)
        if old is not None:
            if old.digest == entry.digest and old.version == entry.version:
                old.lines, old.source = entry.lines, entry.source
                was_stale, old.stale = old.stale, False
                return key if was_stale else None
            self._unlink(key, old)
            entry.raw, entry.told = old.raw, old.told
        self.entries[key] = entry
        self.by_kind[key.kind].add(key)
        self.by_namespace[key.namespace].add(key)
        above = self.parent(key, entry)
        if above is not None:
            self.children[above].add(key)
        if key.kind == "Namespace" and not key.group:
            self.namespaces[key.name] = metadata_of(resource.body)
        self.facts.put(key, resource)
        return key

    def drop(self, key: ObjectKey) -> bool:
        """Forget an object. Returns whether it was there."""
        entry = self.entries.pop(key, None)
        if entry is None:
            return False
        self.by_kind[key.kind].discard(key)
        self.by_namespace[key.namespace].discard(key)
        self._unlink(key, entry)
        if key.kind == "Namespace" and not key.group:
            self.namespaces.pop(key.name, None)
        self.facts.drop(key)
        return True

    def resource(self, key: ObjectKey) -> Resource:
        """The object, as it was put there."""
        return unpack(key, self.entries[key])

    def id_of(self, key: ObjectKey) -> ResourceId:
        """The identity of an object; of one that is not there, without its version."""
        entry = self.entries.get(key)
        return ResourceId(key.group, entry.version if entry else "", key.kind, key.namespace, key.name)

    def of_kinds(self, kinds: Iterable[str] | None) -> set[ObjectKey]:
        """The keys of all objects of kinds; `None` is all there are."""
        if kinds is None:
            return set(self.entries)
        return {key for kind in kinds for key in self.by_kind.get(kind, ())}

    def observe(self, checks: Sequence[CrossCheck]) -> None:
        """Keep what these checks compare, from now on and of all that is there."""
        facts = Facts(checks)
        if facts.groups == self.facts.groups:
            return
        self.facts = facts
        for kind in facts.kinds:
            for key in self.by_kind.get(kind, ()):
                facts.put(key, self.resource(key))

    def labels(self) -> dict[str, dict[str, str]]:
        """The labels of namespaces, by their names."""
        return {name: labels_of({"metadata": metadata}) for name, metadata in self.namespaces.items()}

    def team_of(self, key: ObjectKey, body: JsonObject, label: str) -> str:
        """Whose an object is: the word of its own label or annotation, else of its namespace's."""
        for metadata in (metadata_of(body), self.namespaces.get(key.namespace) or {}):
            for pairs in (metadata.get("labels"), metadata.get("annotations")):
                word = pairs.get(label) if isinstance(pairs, dict) else None
                if isinstance(word, str) and word:
                    return word
        return ""

    def parent(self, key: ObjectKey, entry: Entry) -> ObjectKey | None:
        """What minds an object, whether it is there or not. A controller's group is not written with it."""
        if entry.controller is None:
            return None
        return ObjectKey("", entry.controller[0], key.namespace, entry.controller[1])

    def above(self, key: ObjectKey) -> list[Entry]:
        """The controllers of an object that are there, up to the last; none where they go round in a circle."""
        found: list[Entry] = []
        here, seen = key, {_groupless(key)}
        while (entry := self.entries.get(here)) is not None:
            parent = self.parent(here, entry)
            if parent is None:
                break
            if parent in seen:
                return []
            seen.add(parent)
            known = self.find(parent)
            if known is None:
                break
            found.append(self.entries[known])
            here = known
        return found

    def find(self, parent: ObjectKey) -> ObjectKey | None:
        """The object of a kind, namespace and name, whatever its group."""
        for group in _GROUPS.get(parent.kind, ("",)):
            key = parent._replace(group=group)
            if key in self.entries:
                return key
        return next((key for key in self._of_other_groups(parent) if key in self.entries), None)

    def below(self, key: ObjectKey) -> set[ObjectKey]:
        """What an object minds, itself."""
        return self.children.get(_groupless(key), set())

    def _of_other_groups(self, parent: ObjectKey) -> Iterator[ObjectKey]:
        if parent.kind in _GROUPS:
            return
        groups = {key.group for key in self.by_kind.get(parent.kind, ())}
        yield from (parent._replace(group=group) for group in groups)

    def _unlink(self, key: ObjectKey, entry: Entry) -> None:
        above = self.parent(key, entry)
        if above is not None:
            mine = self.children.get(above)
            if mine is not None:
                mine.discard(key)
                if not mine:
                    del self.children[above]


_GROUPS: Final = {
    **dict.fromkeys(("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"), ("apps",)),
    **dict.fromkeys(("Job", "CronJob"), ("batch",)),
    **dict.fromkeys(("Node", "ReplicationController", "Service"), ("",)),
}


class Facts:
    """What checks across objects compare, by namespace: of each object one packed list of what is observed of it.

    No check compares objects of two namespaces, so that a change is compared
    with its neighbours alone. A Namespace is its own neighbour.
    """

    def __init__(self, checks: Sequence[CrossCheck]) -> None:
        self.groups: list[tuple[Observe, frozenset[str]]] = observers(checks)
        self.kinds = frozenset(kind for _, kinds in self.groups for kind in kinds)
        self.changed: set[str] = set()
        """Namespaces in which something was put or dropped, since somebody emptied it."""
        self._numbers = {observe: number for number, (observe, _) in enumerate(self.groups)}
        self._held: defaultdict[str, dict[ObjectKey, bytes | list[Any]]] = defaultdict(dict)

    def put(self, key: ObjectKey, resource: Resource) -> None:
        """Observe an object."""
        if key.kind not in self.kinds:
            return
        facts = []
        for number, (observe, kinds) in enumerate(self.groups):
            fact = observe(resource) if key.kind in kinds else None
            if fact is not None:
                facts.append((number, fact))
        place = place_of(key)
        held = self._held[place]
        packed = _packed(facts) if facts else None
        if held.get(key) != packed:
            self.changed.add(place)
            if packed is None:
                del held[key]
            else:
                held[key] = packed

    def drop(self, key: ObjectKey) -> None:
        """Forget an object."""
        place = place_of(key)
        if self._held[place].pop(key, None) is not None:
            self.changed.add(place)

    def of(self, place: str) -> Compared:
        """All facts of a namespace."""
        found: list[list[tuple[ObjectKey, Fact]]] = [[] for _ in self.groups]
        held = self._held.get(place, {})
        for key in sorted(held):
            packed = held[key]
            for number, fact in msgspec.msgpack.decode(packed) if isinstance(packed, bytes) else packed:
                found[number].append((key, fact))
        return Compared(found, self._numbers)

    @property
    def places(self) -> set[str]:
        """Every namespace with facts."""
        return {place for place, held in self._held.items() if held}


class Compared(NamedTuple):
    """The facts of one namespace, by what is observed."""

    found: list[list[tuple[ObjectKey, Fact]]]
    numbers: Mapping[Observe, int]

    def by(self, check: CrossCheck) -> list[tuple[ObjectKey, Fact]]:
        """What a check compares, in order."""
        return [pair for pair in self.found[self.numbers[check.observe]] if pair[0].kind in check.kinds]


def _packed(facts: list[tuple[int, Fact]]) -> bytes | list[Any]:
    """Facts as bytes, a tenth of what they take as objects."""
    try:
        return msgspec.msgpack.encode(facts)
    except (OverflowError, UnicodeEncodeError):  # from a file: an integer beyond 64 bits, half a surrogate pair
        return facts


def place_of(key: ObjectKey) -> str:
    """The namespace whose neighbours an object is compared with."""
    return key.name if key.kind == "Namespace" and not key.group else placed(key.namespace)


def unpack(key: ObjectKey, entry: Entry) -> Resource:
    """The object of an entry."""
    body = _body(zlib.decompress(entry.packed))
    uid = metadata_of(body).get("uid")
    rid = ResourceId(key.group, entry.version, key.kind, key.namespace, key.name)
    return Resource(rid, body, uid if isinstance(uid, str) else "", entry.source, entry.lines)


def _text(body: JsonObject) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # from a file: half a surrogate pair, or an integer beyond 64 bits
        return json.dumps(body, separators=(",", ":")).encode()


def _body(text: bytes) -> JsonObject:
    try:
        body: JsonObject = orjson.loads(text)
    except orjson.JSONDecodeError:
        body = json.loads(text)
    return body


def _interned(key: ObjectKey) -> ObjectKey:
    """The key with one string for all objects of a kind and namespace: there are many of both."""
    return ObjectKey(_intern(key.group), _intern(key.kind), _intern(key.namespace), key.name)


_intern: Final = sys.intern


def _groupless(key: ObjectKey) -> ObjectKey:
    return key._replace(group="")
