"""Text: comparing, cutting, replacing, matching, and image references."""

from __future__ import annotations

import posixpath
import re
import string
from typing import TYPE_CHECKING, Any, Final

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.base.image import parse_image
from bartizan.base.json import to_text
from bartizan.base.regex import compile_regex
from bartizan.base.semver import parse_range, parse_version
from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.signature import (
    NUMBER,
    OBJECT,
    STRING,
    TEXT_OR_NUMBER,
    Ambient,
    define,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.jmespath.library.signature import Function

_REFERENCE: Final = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)
_MAX_RANDOM_CHARS: Final = 4096  # one random text; a pattern that asks for more is a mistake or an attack
_OPEN_REPEAT: Final = 10  # how often `*` and `+` repeat at most in a random text


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else to_text(value)


def _replace(text: str, old: str, new: str, most: float) -> str:
    return text.replace(old, new, -1 if most < 0 else int(most))


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _trim_prefix(text: str, prefix: str) -> str:
    return text.removeprefix(prefix)


def _regex(pattern: str) -> Any:
    try:
        return compile_regex(pattern)
    except SpecError as error:
        raise JmesPathError(error.message) from error


def _regex_match(pattern: str, value: float | str) -> bool:
    return _regex(pattern).search(_text(value)) is not None


def _regex_replace_all(pattern: str, value: float | str, replacement: float | str) -> str:
    template = _text(replacement)
    return str(_regex(pattern).sub(lambda match: _expand(template, match), _text(value)))


def _regex_replace_all_literal(pattern: str, value: float | str, replacement: float | str) -> str:
    literal = _text(replacement)
    return str(_regex(pattern).sub(lambda _match: literal, _text(value)))


def _expand(template: str, match: Any) -> str:
    """Fill a replacement as Go does: `$1`, `${name}`, `$$`; a group that is not there is empty."""

    def group(reference: re.Match[str]) -> str:
        name = reference.group(1) or reference.group(2)
        if name is None:
            return "$"
        try:
            found = match.group(int(name) if name.isdecimal() else name)
        except (IndexError, KeyError):
            return ""
        return found or ""

    return _REFERENCE.sub(group, template)


def _pattern_match(pattern: str, value: float | str) -> bool:
    return wildcard.match(pattern, _text(value))


def _label_match(selector: dict[str, Any], labels: dict[str, Any]) -> bool:
    return all(key in labels and labels[key] == value for key, value in selector.items())


def _to_boolean(text: str) -> bool:
    folded = text.lower()
    if folded not in ("true", "false"):
        raise JmesPathError(f"`to_boolean` takes `true` or `false`, not `{text}`")
    return folded == "true"


def _truncate(text: str, length: float) -> str:
    return text[: max(0, int(length))]


def _path_canonicalize(path: str) -> str:
    clean = posixpath.normpath(path) if path else "."
    return clean[1:] if clean.startswith("//") else clean


def _compare(left: str, right: str) -> int:
    return (left > right) - (left < right)


def _semver_compare(version: str, wanted: str) -> bool:
    parsed = parse_version(version)
    if parsed is None:
        raise JmesPathError(f"`semver_compare` takes a version such as `1.2.3`, not `{version}`")
    try:
        return parse_range(wanted)(parsed)
    except SpecError as error:
        raise JmesPathError(error.message) from error


def _image_normalize(text: str) -> str:
    image = parse_image(text)
    if image is None:
        raise JmesPathError(f"`image_normalize` takes an image reference, not `{text[:200]}`")
    return image.reference


def _is_external_url(text: str) -> bool:
    """Whether a URL's host is not on this machine or a private network, as far as its text says.

    Names are not resolved: this function has no network. Left out on
    purpose: `localhost` and address literals are recognised, other names are external.
    """
    import ipaddress
    from urllib.parse import urlsplit

    try:
        host = urlsplit(text).hostname or ""
    except ValueError as error:
        raise JmesPathError(f"`is_external_url` takes a URL, not `{text[:200]}`") from error
    if host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return True
    return not (address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified)


def _random(ambient: Ambient) -> Callable[[str], str]:
    """Text that a regular expression matches, made by chance."""

    def pick(items: str) -> str:
        return items[int(ambient.random() * len(items))]

    def count(least: int, most: int) -> int:
        top = min(most, max(least, _OPEN_REPEAT))
        return least + int(ambient.random() * (top - least + 1))

    def generate(pattern: str) -> str:
        # Python's own parser reads the pattern; nothing is matched with it, so its speed is no danger
        from re import _parser as parser  # type: ignore[attr-defined]  # the tree has no public name

        try:
            tree = parser.parse(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise JmesPathError(f"`random` takes a regular expression, not `{pattern[:200]}`: {error}") from error
        return _generate(tree, pick, count)

    return generate


def _generate(  # noqa: C901 (one case an operation)
    tree: Any, pick: Callable[[str], str], count: Callable[[int, int], int]
) -> str:
    made: list[str] = []
    for operation, argument in tree:
        if sum(map(len, made)) > _MAX_RANDOM_CHARS:
            raise JmesPathError(f"`random` makes at most {_MAX_RANDOM_CHARS} characters")
        match str(operation):
            case "LITERAL":
                made.append(chr(argument))
            case "ANY":
                made.append(pick(string.ascii_letters + string.digits))
            case "IN" | "NOT_LITERAL":
                chosen = argument if str(operation) == "IN" else [("NEGATE", None), ("LITERAL", argument)]
                made.append(pick(_characters(chosen)))
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, part = argument
                if int(least) > _MAX_RANDOM_CHARS:
                    raise JmesPathError(f"`random` makes at most {_MAX_RANDOM_CHARS} characters")
                made += [_generate(part, pick, count) for _ in range(count(int(least), int(most)))]
            case "SUBPATTERN":
                made.append(_generate(argument[-1], pick, count))
            case "BRANCH":
                branches = argument[1]
                chosen_branch = branches[ord(pick("".join(map(chr, range(len(branches))))))]
                made.append(_generate(chosen_branch, pick, count))
            case "AT":
                pass
            case other:
                raise JmesPathError(f"`random` cannot make text for `{other.lower()}`")
    return "".join(made)


def _characters(items: Any) -> str:
    """The printable characters a class stands for."""
    chosen: set[str] = set()
    negated = False
    for operation, argument in items:
        match str(operation):
            case "NEGATE":
                negated = True
            case "LITERAL":
                chosen.add(chr(argument))
            case "RANGE":
                low, high = argument
                chosen.update(map(chr, range(low, min(high, low + 0xFFFF) + 1)))
            case "CATEGORY":
                chosen.update(_CATEGORIES.get(str(argument), ""))
            case other:
                raise JmesPathError(f"`random` cannot make text for `{other.lower()}`")
    letters = string.ascii_letters + string.digits + string.punctuation
    return "".join(sorted(set(letters) - chosen if negated else chosen)) or "x"


_CATEGORIES: Final = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.ascii_letters + string.digits + "_",
    "CATEGORY_SPACE": " \t",
}


def ambient_functions(ambient: Ambient) -> Mapping[str, Function]:
    """The functions that need chance."""
    return table(define("random", _random(ambient), STRING))


FUNCTIONS: Final = table(
    define("compare", _compare, STRING, STRING),
    define("equal_fold", lambda left, right: left.casefold() == right.casefold(), STRING, STRING),
    define("replace", _replace, STRING, STRING, STRING, NUMBER),
    define("replace_all", lambda text, old, new: text.replace(old, new), STRING, STRING, STRING),
    define("to_upper", str.upper, STRING),
    define("to_lower", str.lower, STRING),
    define("trim", lambda text, cut: text.strip(cut) if cut else text, STRING, STRING),
    define("trim_prefix", _trim_prefix, STRING, STRING),
    define("split", _split, STRING, STRING),
    define("regex_match", _regex_match, STRING, TEXT_OR_NUMBER),
    define("regex_replace_all", _regex_replace_all, STRING, TEXT_OR_NUMBER, TEXT_OR_NUMBER),
    define("regex_replace_all_literal", _regex_replace_all_literal, STRING, TEXT_OR_NUMBER, TEXT_OR_NUMBER),
    define("pattern_match", _pattern_match, STRING, TEXT_OR_NUMBER),
    define("label_match", _label_match, OBJECT, OBJECT),
    define("to_boolean", _to_boolean, STRING),
    define("truncate", _truncate, STRING, NUMBER),
    define("path_canonicalize", _path_canonicalize, STRING),
    define("semver_compare", _semver_compare, STRING, STRING),
    define("image_normalize", _image_normalize, STRING),
    define("is_external_url", _is_external_url, STRING),
)
