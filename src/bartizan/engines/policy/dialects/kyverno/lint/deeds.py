"""Rules about what mutate, generate and verifyImages do, or do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.pointer import escape
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kyverno.lint.patterns import read_key
from bartizan.engines.policy.dialects.kyverno.lint.view import mapping, placed, sequence, texts
from bartizan.engines.policy.dialects.kyverno.match import parse_kind
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView, RuleView

_PATCH_OPERATIONS: Final = ("add", "remove", "replace", "copy", "move", "test")
_WITH_VALUE: Final = ("add", "replace", "test")
_WITH_FROM: Final = ("copy", "move")
_JUDGING: Final = ("=(", "X(", "^(")
_OLD_ATTESTORS: Final = ("key", "issuer", "subject", "roots", "attestations")


def idle_patch(policy: PolicyView) -> Iterator[Said]:
    """Patches that change nothing, whatever they meet."""
    for rule in policy.rules:
        for at, patch in rule.patches():
            if isinstance(patch, dict) and not _changes(patch):
                hint = "Write what is to be set beside the conditions."
                yield Said(at, "this patch changes nothing: it has conditions only, or nothing at all", hint)
        ways = ("patchStrategicMerge", "patchesJson6902", "foreach")
        if rule.mutate and not any(rule.mutate.get(way) for way in ways):
            yield Said(f"{rule.at}/mutate", "`mutate` changes nothing", f"Write one of {', '.join(ways)}.")


def _changes(value: Json) -> bool:
    if isinstance(value, dict):
        return any(read_key(str(raw)).anchor not in ("(", "<(") and _changes(item) for raw, item in value.items())
    if isinstance(value, list):
        return any(map(_changes, value))
    return True


def judging_anchor(policy: PolicyView) -> Iterator[Said]:
    """Anchors in patches that only patterns have."""
    for rule in policy.rules:
        for at, patch in rule.patches():
            for pointer, raw in _raw_keys(patch, at):
                if read_key(raw).anchor in _JUDGING:
                    hint = "Patches have `(…)`, `<(…)` and `+(…)`."
                    yield Said(pointer, f"`{raw}` is for patterns, and would be a key of that name here", hint, raw)


def _raw_keys(value: Json, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for raw, item in value.items():
            where = f"{at}/{escape(str(raw))}"
            yield where, str(raw)
            yield from _raw_keys(item, where)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _raw_keys(item, f"{at}/{index}")


def bad_patch(policy: PolicyView) -> Iterator[Said]:
    """JSON patches that cannot be applied to anything."""
    for rule in policy.rules:
        for holder in rule.holders("mutate"):
            for step in placed(holder.body.get("patchesJson6902"), f"{holder.at}/patchesJson6902"):
                yield from _step(step.body, step.at)


def _step(step: JsonObject, at: str) -> Iterator[Said]:
    word, path = step.get("op"), step.get("path")
    if isinstance(word, str) and word not in _PATCH_OPERATIONS:
        yield Said(f"{at}/op", f"unknown operation `{word}`", did_you_mean(word, _PATCH_OPERATIONS), word)
    if isinstance(path, str) and path and not path.startswith(("/", "{{")):
        yield Said(f"{at}/path", f"path `{path}` does not begin with `/`", "Write it as `/metadata/labels/team`.", path)
    for field, words in (("value", _WITH_VALUE), ("from", _WITH_FROM)):
        if word in words and field not in step:
            yield Said(at, f"`{word}` without `{field}`", f"Write `{field}:` beside it.")


def self_trigger(policy: PolicyView) -> Iterator[Said]:
    """Generate rules that match what they generate, and are asked about it: each makes the next."""
    for rule in policy.rules:
        if rule.body.get("skipBackgroundRequests") is not False:
            continue  # it is not asked about what rules have made, and nothing can loop
        loops = [loop.body for loop in rule.loops() if "/generate/" in loop.at]
        for made in (rule.generate, *loops):
            kind = made.get("kind")
            if not isinstance(kind, str) or not made.get("name"):
                continue
            if _matches_made(rule, kind, made):
                message = f"this rule matches the kind that it generates, `{kind}`: what it makes triggers it again"
                hint = "Narrow `match`, or leave out `skipBackgroundRequests: false`."
                yield Said(f"{rule.at}/generate", message, hint)


def _matches_made(rule: RuleView, kind: str, made: JsonObject) -> bool:
    """Whether nothing but the kind keeps what is made from being a trigger."""
    if rule.body.get("preconditions") is not None or rule.body.get("exclude") is not None:
        return False
    name = made.get("name")
    for item in rule.filters("match"):
        kinds = [parse_kind(text).kind for text in texts(item.resources.get("kinds"))]
        narrowed = [key for key, value in item.resources.items() if value and key not in ("kinds", "operations")]
        if kind in kinds and not narrowed and not any(item.entry.get(f) for f in ("subjects", "roles", "clusterRoles")):
            # an object of one fixed name is made once; a name that is computed never ends
            return isinstance(name, str) and "{{" in name
    return False


def unattested_image(policy: PolicyView) -> Iterator[Said]:
    """Image verifications without anybody whose signature would do."""
    for rule in policy.rules:
        for item in rule.verify_images:
            body = item.body
            if body.get("attestors") or any(body.get(field) for field in _OLD_ATTESTORS):
                continue
            message = "no attestors: no signature is asked for, and only digests are looked up"
            yield Said(item.at, message, "Name keys, certificates or identities under `attestors`.")


def unnamed_image(policy: PolicyView) -> Iterator[Said]:
    """Image verifications that no image is meant by."""
    for rule in policy.rules:
        for item in rule.verify_images:
            if not texts(item.body.get("imageReferences")) and not item.body.get("image"):
                message = "no image is meant: `imageReferences` is missing or empty"
                yield Said(item.at, message, 'Write `imageReferences: ["registry.example.com/*"]`.')


def audited_digest(policy: PolicyView) -> Iterator[Said]:
    """Digests that are to be written where nothing is refused: the peer does not take such a policy."""
    for rule in policy.rules:
        for item in rule.verify_images:
            action = item.body.get("failureAction") or policy.spec.get("validationFailureAction") or "Audit"
            audits = isinstance(action, str) and action.lower() == "audit"
            if audits and item.body.get("mutateDigest") is not False and item.body.get("failureAction"):
                hint = "Write `mutateDigest: false`, or `failureAction: Enforce`."
                yield Said(item.at, "`mutateDigest` is on, which goes with `failureAction: Enforce` only", hint)


def empty_loop(policy: PolicyView) -> Iterator[Said]:
    """Loops that have nothing to do."""
    for rule in policy.rules:
        for deed in ("validate", "mutate"):
            if "foreach" in mapping(rule.body.get(deed)) and not sequence(mapping(rule.body.get(deed)).get("foreach")):
                yield Said(f"{rule.at}/{deed}/foreach", "`foreach` without a loop", "Write `- list: …` in it.")
