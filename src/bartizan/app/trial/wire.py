"""What the plane and its confined processes say to each other: frames of MessagePack over a pipe."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T", bound=msgspec.Struct)

POLICY_BYTES: Final = 256 << 10
"""The longest policy that is tried; the longest of the public libraries has 40 KiB."""
RESOURCE_BYTES: Final = 1 << 20
ANSWER_BYTES: Final = 16 << 20
"""What a process may say at a time: of all else it is cut off."""
_HEAD: Final = 4


class Told(msgspec.Struct, frozen=True):
    """Something wrong, or to be known, with its place; `of` says in which of the two texts. Line 0 is none."""

    message: str
    hint: str = ""
    of: str = "policy"
    line: int = 0
    column: int = 0
    excerpt: str = ""


class Try(msgspec.Struct, frozen=True):
    """A policy's text, and an object's. `namespace_labels` are of the object's namespace, where they are known."""

    policy: str
    resource: str
    namespace_labels: dict[str, str] = {}


class Changed(msgspec.Struct, frozen=True):
    """An object that a rule changes or makes, as the difference between before and after, a line each."""

    name: str
    lines: list[str]


class Said(msgspec.Struct, frozen=True):
    """What one rule says of the object, and why.

    `result` is one of the five words, `change`, or `silent` where the rule
    gives no answer. `line` is of the object's text and `policy_line` of the
    policy's; 0 is none. `tree` is the trace, a line each.
    """

    rule: str
    does: str
    action: str
    result: str
    message: str
    pointer: str
    line: int
    policy_line: int
    reasons: list[str]
    tree: list[str]
    changes: list[Changed]


class Tried(msgspec.Struct, frozen=True):
    """All that came of trying. `others` are rules that are for other kinds, by name."""

    resource: str = ""
    rules: list[Said] = []
    others: list[str] = []
    problems: list[Told] = []
    notes: list[Told] = []


class Rule(msgspec.Struct, frozen=True):
    """One rule of a policy that is judged over the inventory."""

    name: str
    does: str
    severity: int


class Begin(msgspec.Struct, frozen=True):
    """A policy's text, to be judged over what follows."""

    policy: str


class Begun(msgspec.Struct, frozen=True):
    """The rules of that policy. `kinds` is nothing where one of them may mean any kind."""

    rules: list[Rule] = []
    kinds: list[str] | None = None
    wants_namespaces: bool = False
    problems: list[Told] = []
    notes: list[Told] = []


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One object, as the store has its body, and the labels of its namespace."""

    body: bytes
    namespace_labels: dict[str, str] = {}


class Piece(msgspec.Struct, frozen=True):
    """Some objects, to be judged."""

    items: list[Item]


class Judged(msgspec.Struct, frozen=True):
    """What the rules say of a piece: a byte a rule for each object, and why, by object and rule, where it is no pass.

    A byte is a number of `model.ledger.Verdict`, or `CHANGE`; `REFUSED` is added where admission would refuse.
    """

    verdicts: list[bytes]
    why: list[tuple[int, int, str]]


CHANGE: Final = 9
"""The rule changes the object, or makes others."""
REFUSED: Final = 0x10


class Bug(msgspec.Struct, frozen=True):
    """The process met what it did not expect: how, for the log."""

    text: str


class Spent(msgspec.Struct, frozen=True):
    """The process ran out of what it was given: `time` or `memory`."""

    what: str


Answer: TypeAlias = Tried | Begun | Judged | Bug | Spent
_ANSWERS: Final[dict[str, type[Answer]]] = {kind.__name__: kind for kind in (Tried, Begun, Judged, Bug, Spent)}
_ENCODER: Final = msgspec.msgpack.Encoder()


class _Tagged(msgspec.Struct, frozen=True, array_like=True):
    """A message with the name of its kind."""

    kind: str
    body: msgspec.Raw


def packed(message: msgspec.Struct) -> bytes:
    """A message as a frame."""
    return framed(_ENCODER.encode(_Tagged(type(message).__name__, msgspec.Raw(_ENCODER.encode(message)))))


def framed(body: bytes) -> bytes:
    """A frame of a body that was read from another."""
    return len(body).to_bytes(_HEAD) + body


def unpacked(body: bytes, kind: type[T]) -> T:
    """The message of that kind in a frame's body.

    Raises:
        ValueError: it is another, or malformed.
    """
    tagged = msgspec.msgpack.decode(body, type=_Tagged)
    if tagged.kind != kind.__name__:
        raise ValueError(f"`{tagged.kind}` where `{kind.__name__}` is wanted")
    return msgspec.msgpack.decode(tagged.body, type=kind)


def answer_in(body: bytes) -> Answer:
    """The answer in a frame's body.

    Raises:
        ValueError: it is none, or malformed.
    """
    tagged = msgspec.msgpack.decode(body, type=_Tagged)
    if tagged.kind not in _ANSWERS:
        raise ValueError(f"`{tagged.kind}` is no answer")
    return msgspec.msgpack.decode(tagged.body, type=_ANSWERS[tagged.kind])


def write(descriptor: int, frame: bytes) -> None:
    """Write a frame whole.

    Raises:
        OSError: nobody reads.
    """
    view = memoryview(frame)
    while view:
        view = view[os.write(descriptor, view) :]


def read(descriptor: int, remaining: Callable[[], float] | None = None, most: int = ANSWER_BYTES) -> bytes:
    """Read the body of a frame, within the seconds that are `remaining`; empty where nobody writes any more.

    Raises:
        TimeoutError: it did not come in time.
        ValueError: it is longer than it may be.
    """
    head = _read(descriptor, _HEAD, remaining)
    if len(head) < _HEAD:
        return b""
    size = int.from_bytes(head)
    if size > most:
        raise ValueError("a message is too long")
    body = _read(descriptor, size, remaining)
    return body if len(body) == size else b""


def _read(descriptor: int, size: int, remaining: Callable[[], float] | None) -> bytes:
    parts, left = [], size
    while left:
        if remaining is not None and not _is_ready(descriptor, remaining()):
            raise TimeoutError
        part = os.read(descriptor, min(left, 1 << 20))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _is_ready(descriptor: int, seconds: float) -> bool:
    if seconds <= 0:
        return False
    poll = select.poll()  # a number beyond 1,023 is no matter to it
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
