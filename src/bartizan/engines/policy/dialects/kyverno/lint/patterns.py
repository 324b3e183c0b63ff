"""Rules about patterns: what can never match, and what never decides anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base import wildcard
from bartizan.base.json import to_text
from bartizan.base.pointer import escape
from bartizan.engines.policy.dialects.kyverno.lint.amounts import why_never
from bartizan.engines.policy.dialects.kyverno.lint.view import sequence
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView

_KEY: Final = re.compile(r"^([<=X^+]?\()(.+)\)$", re.DOTALL)
_DIGIT: Final = re.compile(r"[0-9*?]")
_CONDITIONS: Final = ("(", "<(")
_TEXT_MAPS: Final = frozenset({"labels", "annotations", "matchLabels", "nodeSelector"})
_TRUTHS: Final = frozenset(
    {
        "allowPrivilegeEscalation",
        "automountServiceAccountToken",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "privileged",
        "readOnlyRootFilesystem",
        "runAsNonRoot",
        "shareProcessNamespace",
    }
)
"""Fields that are true or false wherever they stand."""
_NUMBERS: Final = frozenset(
    {
        "backoffLimit",
        "containerPort",
        "fsGroup",
        "hostPort",
        "minReadySeconds",
        "nodePort",
        "replicas",
        "revisionHistoryLimit",
        "runAsGroup",
        "runAsUser",
        "terminationGracePeriodSeconds",
    }
)
"""Fields that are numbers wherever they stand."""
_ALWAYS_THERE: Final = frozenset({"spec", "metadata", "template", "jobTemplate", "containers"})
"""Fields that whatever a pattern mentions them for cannot be without."""
_NOTHING: Final = (None, "", "null", "*", "?*")


class Key(NamedTuple):
    """A key of a pattern: its anchor as it is written, and the name under it."""

    anchor: str
    name: str


def read_key(raw: str) -> Key:
    """Take a key apart."""
    match = _KEY.match(raw.strip())
    return Key(match.group(1), match.group(2)) if match else Key("", raw)


def impossible_amount(policy: PolicyView) -> Iterator[Said]:
    """Leaves that no value can match, such as `>5 & <3`."""
    for _, pointer, value, _ in _leaves(policy):
        if isinstance(value, str) and "{{" not in value and "$(" not in value:
            reason = why_never(value)
            if reason:
                yield Said(pointer, f"`{value}` matches nothing: {reason}", "Turn it round, or write `|`.", value)


def impossible_type(policy: PolicyView) -> Iterator[Said]:
    """Leaves of a type that the field never has."""
    for path, pointer, value, _ in _leaves(policy):
        if len(path) >= 2 and path[-2] in _TEXT_MAPS and isinstance(value, bool):
            text = to_text(value)
            message = f"`{path[-1]}` of `{path[-2]}` is a text, and never matches the truth value {text}"
            yield Said(pointer, message, f'Write `"{text}"`, in quotes.')
        elif path and path[-1] in _TRUTHS and not _may_be_truth(value):
            message = f"`{path[-1]}` is true or false, and never matches `{to_text(value).strip(chr(34))}`"
            yield Said(pointer, message, "Write `true` or `false`.")
        elif path and path[-1] in _NUMBERS and not _may_be_number(value):
            message = f"`{path[-1]}` is a number, and never matches `{to_text(value).strip(chr(34))}`"
            yield Said(pointer, message, "Write a number, or a range such as `1-10`.")


def _may_be_number(value: Json) -> bool:
    if isinstance(value, bool):
        return False
    if not isinstance(value, str) or "{{" in value or "$(" in value:
        return True
    parts = [part.strip(" ") for choice in value.split("|") for part in choice.split("&")]
    # a text without a digit and without a wildcard is how no number is written; an operator is somebody else's
    return any(part.startswith(("!", "<", ">")) or not part or _DIGIT.search(part) for part in parts)


def _may_be_truth(value: Json) -> bool:
    if isinstance(value, bool) or value is None:
        return True
    if not isinstance(value, str):
        return False
    if "{{" in value or "$(" in value:
        return True
    parts = [part.strip(" ") for choice in value.split("|") for part in choice.split("&")]
    return any(
        part.startswith("!") or any(wildcard.match(part, truth) for truth in ("true", "false")) for part in parts
    )


def lost_value(policy: PolicyView) -> Iterator[Said]:
    """Values under `X(…)`, which only asks that the key is absent."""
    for pointer, raw, value in _keys(policy):
        if read_key(raw).anchor == "X(" and value not in _NOTHING:
            message = f"what stands under `{raw}` is not looked at: the key must be absent"
            yield Said(pointer, message, 'Write `"null"`; to forbid one value write it with `!`.', raw)


def patching_anchor(policy: PolicyView) -> Iterator[Said]:
    """`+(…)` in a pattern, which is for patches, and here a key that no resource has."""
    for pointer, raw, _ in _keys(policy):
        if read_key(raw).anchor == "+(":
            hint = "Write the key without an anchor, or with `=(…)` where it may be absent."
            yield Said(pointer, f"`{raw}` is for patches, and matches no key here", hint, raw)


def contrary_keys(policy: PolicyView) -> Iterator[Said]:
    """A key that must be there and must not be."""
    for rule in policy.rules:
        for where, item in (found for at, pattern in rule.patterns() for found in _maps(pattern, at)):
            names: dict[str, list[str]] = {}
            for raw in item:
                names.setdefault(read_key(str(raw)).name, []).append(str(raw))
            yield from (said for name, raws in names.items() for said in _contrary(where, name, raws))


def _contrary(where: str, name: str, raws: list[str]) -> Iterator[Said]:
    anchors = {read_key(raw).anchor for raw in raws}
    if "X(" in anchors and anchors & {"", "(", "^("}:
        message = f"`{name}` must be absent and be there: nothing matches both"
        yield Said(f"{where}/{escape(raws[-1])}", message, "Leave one of them out.", raws[-1])
    elif anchors == {"", "=("}:
        message = f"`{name}` must be there, so that `=({name})` says nothing of its absence"
        at_anchor = f"{where}/{escape(f'=({name})')}"
        yield Said(at_anchor, message, "Leave one of them out.", f"=({name})", "warning")


def toothless_pattern(policy: PolicyView) -> Iterator[Said]:
    """Patterns of conditions only: whatever does not hold skips, and nothing ever fails."""
    for rule in policy.rules:
        for at, pattern in rule.patterns():
            if isinstance(pattern, dict) and pattern and not decides(pattern):
                message = "this pattern never fails: all it has are conditions, and none of what follows from them"
                hint = "Take the anchor from what is to be demanded, or ask in `preconditions`."
                yield Said(at, message, hint)


def decides(value: Json) -> bool:
    """Whether anything in a pattern can fail for a resource of the right shape."""
    if isinstance(value, dict):
        return not value or any(_entry_decides(read_key(str(raw)), item) for raw, item in value.items())
    return not isinstance(value, list) or not value or any(map(decides, value))


def _entry_decides(key: Key, item: Json) -> bool:
    if key.anchor in _CONDITIONS:
        return False
    # a plain key demands that there is something, unless there always is
    return key.anchor in ("X(", "^(") or (key.anchor == "" and key.name not in _ALWAYS_THERE) or decides(item)


def lost_element(policy: PolicyView) -> Iterator[Said]:
    """List patterns of several elements, of which only the first is asked, of every element."""
    for rule in policy.rules:
        for at, pattern in rule.patterns():
            yield from _lost(pattern, at, anchor="")


def _lost(value: Json, at: str, *, anchor: str) -> Iterator[Said]:
    if isinstance(value, dict):
        for raw, item in value.items():
            yield from _lost(item, f"{at}/{escape(str(raw))}", anchor=read_key(str(raw)).anchor)
    elif isinstance(value, list):
        if len(value) > 1 and anchor != "^(" and not isinstance(value[0], list):
            message = "only the first element of a list pattern is asked, of every element; the others are not"
            hint = "Write one element, with `|` for choices, or several rules."
            yield Said(f"{at}/1", message, hint)
        for index, item in enumerate(value):
            yield from _lost(item, f"{at}/{index}", anchor="")


def weaker_first(policy: PolicyView) -> Iterator[Said]:
    """Patterns of `anyPattern` that never count, because one before them asks for no more."""
    for rule in policy.rules:
        for holder in rule.holders("validate"):
            patterns, at = sequence(holder.body.get("anyPattern")), f"{holder.at}/anyPattern"
            for index, pattern in enumerate(patterns):
                before = next((place for place in range(index) if asks_no_more(patterns[place], pattern)), None)
                if before is not None:
                    message = (
                        f"this pattern never counts: the one at {before + 1} asks for no more, and stands before it"
                    )
                    yield Said(f"{at}/{index}", message, "Remove it, or the weaker one.")


def asks_no_more(weak: Json, strong: Json) -> bool:
    """Whether whatever matches `strong` matches `weak`: the same, or a part of it without anchors."""
    if weak == strong:
        return True
    if isinstance(weak, dict) and isinstance(strong, dict):
        if any(read_key(str(raw)).anchor in _CONDITIONS for raw in (*weak, *strong)):
            return False
        return all(key in strong and asks_no_more(item, strong[key]) for key, item in weak.items())
    if isinstance(weak, list) and isinstance(strong, list) and weak and strong:
        return asks_no_more(weak[0], strong[0])
    return False


def _leaves(policy: PolicyView) -> Iterator[tuple[tuple[str, ...], str, Json, str]]:
    """The leaves of every pattern: the names above each, its place, its value, and the anchor over it."""
    for rule in policy.rules:
        for at, pattern in rule.patterns():
            yield from _walk(pattern, at, (), "")


def _walk(value: Json, at: str, path: tuple[str, ...], anchor: str) -> Iterator[tuple[tuple[str, ...], str, Json, str]]:
    if isinstance(value, dict):
        for raw, item in value.items():
            key = read_key(str(raw))
            if key.anchor != "X(":
                yield from _walk(item, f"{at}/{escape(str(raw))}", (*path, key.name), key.anchor)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{at}/{index}", path, anchor)
    else:
        yield path, at, value, anchor


def _maps(value: Json, at: str) -> Iterator[tuple[str, dict[str, Json]]]:
    if isinstance(value, dict):
        yield at, value
        for raw, item in value.items():
            yield from _maps(item, f"{at}/{escape(str(raw))}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _maps(item, f"{at}/{index}")


def _keys(policy: PolicyView) -> Iterator[tuple[str, str, Json]]:
    for rule in policy.rules:
        for at, pattern in rule.patterns():
            for where, item in _maps(pattern, at):
                for raw, value in item.items():
                    yield f"{where}/{escape(str(raw))}", str(raw), value
