"""Nodes to Python source: one function without calls or allocations on the way to success.

Inside the function a failure returns at once; a condition that does not
hold goes on to the next element of the list it stands in, or returns when
it stands in none. Patterns that only decide something (under a conditional
or an existence anchor) become predicates of their own, and those whose
skipping is weighed against what stands beside them (under an equality
anchor, or in a list of lists) become parts that say why.

The traced mode is the same code with a note of every key and element it
comes to, and of every way out; `Spot` is what such a note is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.base import pointer, wildcard
from bartizan.base.generated import Source
from bartizan.lang.overlay.mismatch import Mismatch, below, failed
from bartizan.lang.overlay.nodes import (
    Anchor,
    EachNode,
    Entry,
    MapNode,
    Node,
    PositionsNode,
    ScalarNode,
    can_skip,
    tracked,
)
from bartizan.lang.overlay.scalar import compile_scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bartizan.base.json import Json

_MAX_LOOPS: Final = 12  # nested loops before a predicate of its own is begun: Python allows 20 nested blocks


def _first_key(matches: Callable[[str], bool], keys: Iterable[Any]) -> Any:
    """The first key that a wildcard matches, or one that is never there."""
    return next((key for key in keys if isinstance(key, str) and matches(key)), None)


NAMES: Final = {
    "Mismatch": Mismatch,
    "failed": failed,
    "below": below,
    "first_key": _first_key,
    "dict": dict,
    "list": list,
    "len": len,
    "str": str,
    "enumerate": enumerate,
}
"""All a generated pattern can reach; builtins are not."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One key, element or position of a pattern, for the traced mode; `parent` is the number of the one around it."""

    number: int
    parent: int
    label: str
    """The key as written; empty for elements and for the whole."""
    anchor: Anchor
    node: Node
    step: str = ""
    """The part of a pointer that a key stands for; empty where the value says, as in a list."""


class _Place(NamedTuple):
    """Where code is being written: the path so far, and what failing and skipping look like here."""

    path: tuple[str, ...]
    """Python expressions for the parts of the pointer, joined by `+`."""
    deciding: bool
    """Whether a failure just returns False."""
    loop: str = ""
    """The flag to set before `continue`, inside a list."""
    loops: int = 0
    spot: int = 0
    """What the traced mode notes here."""

    def below(self, key: str, spot: int) -> _Place:
        return self._replace(path=(*self.path, repr("/" + pointer.escape(key))), spot=spot)

    def element(self, index: str, flag: str, spot: int) -> _Place:
        return self._replace(path=(*self.path, "'/'", f"str({index})"), loop=flag, loops=self.loops + 1, spot=spot)

    @property
    def pointer(self) -> str:
        return " + ".join(self.path) or "''"


def emit(node: Node) -> tuple[str, dict[str, Any]]:
    """Write `def check(value)` and the constants it needs."""
    emitter = _Emitter(tracks=any(True for _ in tracked(node)))
    emitter.entry(node)
    return "\n\n".join(emitter.source.functions) + "\n", emitter.source.constants


def emit_traced(node: Node) -> tuple[str, dict[str, Any], list[Spot]]:
    """Write `def check(value, trace)`, the constants it needs, and what the numbers in its notes stand for."""
    spots: list[Spot] = []
    emitter = _Emitter(tracks=any(True for _ in tracked(node)), spots=spots)
    emitter.entry(node)
    return "\n\n".join(emitter.source.functions) + "\n", emitter.source.constants, spots


class _Emitter:
    """The walk over one tree, and the source written so far."""

    def __init__(self, *, tracks: bool, spots: list[Spot] | None = None) -> None:
        self.source = Source()
        self._tracks = tracks
        self._spots = spots
        self._more = ("" if not tracks else ", seen") + ("" if spots is None else ", trace")

    def entry(self, node: Node) -> None:
        """Write the function that callers see."""
        if self._tracks:
            self.source.line("seen = {}")
        spot = self._spot(-1, node)
        self._note(f"whole({spot}, value)")
        self._node(node, "value", _Place((), deciding=False))
        self._note(f"held({spot})")
        self.source.line("return None")
        parameters = "value" if self._spots is None else "value, trace"
        self.source.functions.append("\n".join([f"def check({parameters}):", *self.source.lines]))

    def _predicate(self, node: Node, spot: int) -> str:
        """Write a function that says whether `node` matches; returns its name."""
        return self._function("matches", node, spot, deciding=True)

    def _part(self, node: Node, spot: int) -> str:
        """Write a function that says why `node` does not match; returns its name."""
        return self._function("part", node, spot, deciding=False)

    def _function(self, prefix: str, node: Node, spot: int, *, deciding: bool) -> str:
        name = self.source.name(prefix)
        with self.source.body() as lines:
            self._node(node, "value", _Place((), deciding=deciding, spot=spot))
            self.source.line("return True" if deciding else "return None")
        self.source.functions.append("\n".join([f"def {name}(value{self._more}):", *lines]))
        return name

    def _call(self, function: str, value: str) -> str:
        return f"{function}({value}{self._more})"

    # notes, in the traced mode only

    def _spot(self, parent: int, node: Node, *, label: str = "", anchor: Anchor = Anchor.NONE, step: str = "") -> int:
        if self._spots is None:
            return 0
        self._spots.append(Spot(len(self._spots), parent, label, anchor, node, step))
        return len(self._spots) - 1

    def _key_spot(self, entry: Entry, place: _Place) -> int:
        step = f"/{pointer.escape(entry.key)}"
        return self._spot(place.spot, entry.child, label=entry.raw, anchor=entry.anchor, step=step)

    def _note(self, call: str) -> None:
        if self._spots is not None:
            self.source.line(f"trace.{call}")

    # ways out

    def _fail(self, place: _Place, value: str, wanted: Json) -> None:
        self._note(f"failed({place.spot})")
        if place.deciding:
            self.source.line("return False")
            return
        pattern = self._literal(wanted)
        arguments = f"{place.pointer}, {value}, {pattern}"
        self.source.line(f"return failed(seen, {arguments})" if self._tracks else f"return Mismatch({arguments})")

    def _skip(self, place: _Place, reason: str, *, is_global: bool = False) -> None:
        """The pattern is not about this element, or where there is no list not about this value."""
        self._note(f"skipped({place.spot}, {reason!r})")
        if place.loop:
            self.source.line(f"{place.loop} = True")
            self.source.line("continue")
        elif place.deciding:
            self.source.line("return False")
        else:
            self.source.line(f"return Mismatch({place.pointer}, None, None, {reason!r}, True, False, {is_global})")

    def _literal(self, value: Json) -> str:
        return repr(value) if value is None or isinstance(value, bool | int | str) else self.source.constant(value)

    # nodes

    def _node(self, node: Node, value: str, place: _Place) -> None:
        match node:
            case MapNode():
                self._map(node, value, place)
            case EachNode():
                self._each(node, value, place)
            case PositionsNode():
                self._positions(node, value, place)
            case ScalarNode():
                self._scalar(node, value, place)

    def _map(self, node: MapNode, value: str, place: _Place) -> None:
        self.source.line(f"if {value}.__class__ is not dict:")
        self._indented(lambda: self._fail(place, value, node.pattern))
        for entry in (*node.anchors, *node.plain):
            if entry.anchor in (Anchor.CONDITIONAL, Anchor.EXISTENCE):
                raw = repr(entry.raw)
                self.source.line(f"seen[{raw}] = seen.get({raw}, False) or {entry.key!r} in {value}")
        # what a condition deep under an equality anchor leaves out is no skip where another anchor applied
        soft = [entry for entry in node.anchors if entry.anchor is Anchor.EQUALITY and can_skip(entry.child)]
        applied = self.source.name("applied") if soft and len(soft) == len(node.anchors) else ""
        if applied:
            self.source.line(f"{applied} = False")
        for entry in node.anchors:
            if entry in soft:
                self._weighed(entry, value, place, applied)
            else:
                self._entry(entry, value, place)
        if applied:
            self.source.line(f"if not {applied}:")
            self._indented(lambda: self._skip(place, "no condition under its anchors holds"))
        for entry in node.plain:
            self._entry(entry, value, place)

    def _weighed(self, entry: Entry, value: str, place: _Place, applied: str) -> None:
        """An equality anchor whose child may skip, which counts only where no anchor beside it applied."""
        key, found, spot = repr(entry.key), self.source.name("m"), self._key_spot(entry, place)
        self._note(f"key({spot}, {value}, {key})")
        part = self._part(entry.child, spot)
        self.source.line(f"{found} = {self._call(part, f'{value}[{key}]')} if {key} in {value} else None")
        self._note(f"weighed({spot}, {found})")
        self.source.line(f"if {found} is not None:")
        self.source.depth += 1
        self.source.line(f"if not {found}.skip:")
        self._indented(lambda: self._pass_on(found, place.below(entry.key, spot)))
        self.source.line(f"if {found}.is_global:")
        self._indented(lambda: self._skip(place, f"a global condition under {entry.raw} does not hold"))
        self.source.depth -= 1
        if applied:
            self.source.line("else:")
            self.source.line(f"    {applied} = True")

    def _pass_on(self, found: str, place: _Place) -> None:
        """A failure that a part has found."""
        self.source.line("return False" if place.deciding else f"return below({place.pointer}, {found})")

    def _entry(self, entry: Entry, value: str, place: _Place) -> None:
        key = repr(entry.key)
        if entry.wild:
            key = self.source.name("k")
            matches = self.source.constant(wildcard.matcher(entry.key))
            self.source.line(f"{key} = first_key({matches}, {value})")
        spot = self._key_spot(entry, place)
        self._note(f"key({spot}, {value}, {key})")
        below = place.below(entry.key, spot)
        match entry.anchor:
            case Anchor.NONE:
                self._plain(entry, f"{value}.get({key})", below)
            case Anchor.EQUALITY:
                self._present(key, value, lambda item: self._node(entry.child, item, below))
            case Anchor.NEGATION:
                self.source.line(f"if {key} in {value}:")
                self._indented(lambda: self._negated(below, f"{value}[{key}]"))
            case Anchor.EXISTENCE:
                self._present(key, value, lambda item: self._exists(entry.child, item, below))
            case Anchor.CONDITIONAL:
                self.source.line(f"if {key} not in {value}:")
                self._indented(lambda: self._unmet(spot, place, f"condition {entry.raw}: there is no such key"))
                self._condition(entry, f"{value}[{key}]", place, spot)
            case Anchor.GLOBAL:
                self._present(key, value, lambda item: self._condition(entry, item, place, spot))
        self._note(f"held({spot})")

    def _unmet(self, spot: int, place: _Place, reason: str, *, is_global: bool = False) -> None:
        """A condition that does not hold: the map it stands in is not meant."""
        self._note(f"failed({spot})")
        self._skip(place, reason, is_global=is_global)

    def _plain(self, entry: Entry, found: str, below: _Place) -> None:
        if isinstance(entry.child, ScalarNode) and entry.child.pattern == "*" and not entry.child.in_list:
            self.source.line(f"if {found} is None:")
            self._indented(lambda: self._fail(below, "None", "*"))
            return
        name = self.source.name("v")
        self.source.line(f"{name} = {found}")
        self._node(entry.child, name, below)

    def _present(self, key: str, value: str, write: Callable[[str], None]) -> None:
        name = self.source.name("v")
        self.source.line(f"if {key} in {value}:")
        self.source.depth += 1
        self.source.line(f"{name} = {value}[{key}]")
        write(name)
        self.source.depth -= 1

    def _indented(self, write: Callable[[], None]) -> None:
        self.source.depth += 1
        write()
        self.source.depth -= 1

    def _negated(self, place: _Place, value: str) -> None:
        self._note(f"failed({place.spot})")
        if place.deciding:
            self.source.line("return False")
        else:
            self.source.line(f"return Mismatch({place.pointer}, {value}, None, 'must not be there')")

    def _condition(self, entry: Entry, value: str, place: _Place, spot: int) -> None:
        if isinstance(entry.child, ScalarNode) and not entry.child.in_list:
            holds = self._matches(entry.child, value)
        else:
            holds = self._call(self._predicate(entry.child, spot), value)
        self.source.line(f"if not ({holds}):")
        reason, is_global = f"condition {entry.raw} does not hold", entry.anchor is Anchor.GLOBAL
        self._indented(lambda: self._unmet(spot, place, reason, is_global=is_global))

    def _exists(self, node: Node, value: str, place: _Place) -> None:
        self.source.line(f"if {value}.__class__ is not list:")
        self._indented(lambda: self._fail(place, value, "a list"))
        patterns = node.children if isinstance(node, PositionsNode) else ()
        for child in patterns:
            spot, item = self._spot(place.spot, child), self.source.name("e")
            predicate = self._predicate(child, spot)
            self.source.line(f"for {item} in {value}:")
            self.source.depth += 1
            self._note(f"element({spot}, {item})")
            self.source.line(f"if {self._call(predicate, item)}:")
            self._indented(lambda spot=spot: self._note(f"held({spot})"))  # type: ignore[misc]  # bound now, in a loop
            self.source.line("    break")
            self.source.depth -= 1
            self.source.line("else:")
            wanted = child.pattern
            self._indented(lambda wanted=wanted: self._fail(place, value, wanted))  # type: ignore[misc]  # bound now, in a loop

    def _each(self, node: EachNode, value: str, place: _Place) -> None:
        self.source.line(f"if {value}.__class__ is not list:")
        self._indented(lambda: self._fail(place, value, node.pattern))
        spot = self._spot(place.spot, node.child)
        if place.loops >= _MAX_LOOPS:
            predicate, deep = self._predicate(node.child, spot), self.source.name("e")
            self.source.line(f"for {deep} in {value}:")
            self.source.depth += 1
            self._note(f"element({spot}, {deep})")
            self.source.line(f"if not {self._call(predicate, deep)}:")
            self._indented(lambda: self._fail(place, value, node.pattern))
            self._note(f"held({spot})")
            self.source.depth -= 1
            return
        item, index, flag, applied = (
            self.source.name("e"),
            self.source.name("i"),
            self.source.name("skipped"),
            self.source.name("applied"),
        )
        lines = self.source.lines
        self.source.lines = []
        self.source.depth += 1
        self._note(f"element({spot}, {item})")
        self._node(node.child, item, place.element(index, flag, spot))
        self._note(f"held({spot})")
        self.source.depth -= 1
        body, self.source.lines = self.source.lines, lines
        skips = any(f"{flag} = True" in line for line in body)
        indexed = any(f"str({index})" in line for line in body)
        if skips:
            self.source.line(f"{flag} = {applied} = False")
        self.source.line(f"for {index}, {item} in enumerate({value}):" if indexed else f"for {item} in {value}:")
        self.source.lines += body
        if skips:
            self.source.line(f"    {applied} = True")
            self.source.line(f"if {flag} and not {applied}:")
            self._indented(lambda: self._skip(place, "no element of the list meets the conditions"))

    def _positions(self, node: PositionsNode, value: str, place: _Place) -> None:
        count = len(node.children)
        self.source.line(f"if {value}.__class__ is not list:")
        self._indented(lambda: self._fail(place, value, node.pattern))
        self.source.line(f"if len({value}) < {count}:")
        self._indented(lambda: self._too_short(place, value, count))
        applied = self.source.name("applied") if all(can_skip(child) for child in node.children) else ""
        if applied:
            self.source.line(f"{applied} = False")
        for number, child in enumerate(node.children):
            name = self.source.name("v")
            spot = self._spot(place.spot, child)
            below = place.below(str(number), spot)
            self.source.line(f"{name} = {value}[{number}]")
            self._note(f"element({spot}, {name}, {number})")
            if can_skip(child):
                self.source.line(f"{name} = {self._call(self._part(child, spot), name)}")
                self._note(f"weighed({spot}, {name})")
                self.source.line(f"if {name} is not None and not {name}.skip:")
                self._indented(lambda name=name, below=below: self._pass_on(name, below))  # type: ignore[misc]  # bound now, in a loop
                if applied:
                    self.source.line(f"{applied} = {applied} or {name} is None")
            else:
                self._node(child, name, below)
                self._note(f"held({spot})")
        if applied:
            self.source.line(f"if not {applied}:")
            self._indented(lambda: self._skip(place, "no element of the list meets the conditions"))

    def _too_short(self, place: _Place, value: str, count: int) -> None:
        """Kyverno cannot judge a list of lists that is shorter than its pattern."""
        self._note(f"failed({place.spot})")
        if place.deciding:
            self.source.line("return False")
        else:
            reason = f"the list is shorter than the {count} of its pattern"
            self.source.line(f"return Mismatch({place.pointer}, {value}, None, {reason!r}, False, True)")

    def _scalar(self, node: ScalarNode, value: str, place: _Place) -> None:
        if node.in_list:
            self.source.line(f"if {value}.__class__ is not list or not ({self._matches(node, value)}):")
        else:
            self.source.line(f"if not ({self._matches(node, value)}):")
        self._indented(lambda: self._fail(place, value, node.pattern))

    def _matches(self, node: ScalarNode, value: str) -> str:
        """An expression for whether a leaf matches, its commonest way first and inline."""
        pattern = node.pattern
        test = self.source.constant(compile_scalar(pattern), "test")
        if isinstance(pattern, bool) or pattern is None:
            return f"{value} is {pattern} or {test}({value})"
        return f"{test}({value})"
