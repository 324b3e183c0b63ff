"""Text: comparing, cutting, replacing, matching, and image references."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.base.image import parse_image
from bartizan.base.json import number_text
from bartizan.base.regex import compile_regex
from bartizan.base.semver import parse_range, parse_version
from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.random_text import random_text
from bartizan.lang.jmespath.library.signature import (
    ARRAY,
    BOOLEAN,
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
_PRIVATE_NETWORKS: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else number_text(value)


def _upper(text: str) -> str:
    """Upper case letter by letter, as Go has it: `ß` stays, where Python writes `SS`."""
    if text.isascii():
        return text.upper()
    return "".join(next((new for new in (old.upper(), old.title()) if len(new) == 1), old) for old in text)


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(letter.lower()[0] for letter in text)


def _folded(text: str) -> str:
    """Text with letters made equal whose single-letter cases are."""
    if text.isascii():
        return text.lower()
    return "".join(new if len(new := old.casefold()) == 1 else old.lower()[-1:] for old in text)


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
        raise JmesPathError(f"`to_boolean` takes `true` or `false`, not `{text[:200]}`")
    return folded == "true"


def _truncate(text: str, length: float) -> str:
    return text[: max(0, int(length))]


def _path_canonicalize(path: str) -> str:
    clean = posixpath.normpath(path) if path else ""
    return clean[1:] if clean.startswith("//") else clean


def _compare(left: str, right: str) -> int:
    return (left > right) - (left < right)


def _semver_compare(version: str, wanted: str) -> bool:
    """Whether a version is in a range; what is no version is in none."""
    try:
        accepts = parse_range(wanted)
    except SpecError as error:
        raise JmesPathError(error.message) from error
    parsed = parse_version(version)
    return parsed is not None and accepts(parsed)


def _image_normalize(text: str) -> str:
    image = parse_image(text)
    if image is None:
        raise JmesPathError(f"`image_normalize` takes an image reference, not `{text[:200]}`")
    return image.reference


def _is_external_url(text: str) -> bool:
    """Whether a URL's host is off this machine and outside the private networks, as far as its text says.

    The peer asks the resolver for names; a policy here asks nobody, so a
    name other than `localhost` is external.
    """
    import ipaddress
    from urllib.parse import urlsplit

    try:
        host = urlsplit(text).hostname
    except ValueError as error:
        raise JmesPathError(f"`is_external_url` takes a URL, not `{text[:200]}`: {error}") from error
    if not host:
        raise JmesPathError(f"`is_external_url` takes a URL with a host, not `{text[:200]}`")
    if host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return True
    mapped = getattr(address, "ipv4_mapped", None)
    address = address if mapped is None else mapped
    private = any(address in ipaddress.ip_network(network) for network in _PRIVATE_NETWORKS)
    return not (private or address.is_loopback)


def _random(ambient: Ambient) -> Callable[[str], str]:
    return lambda pattern: random_text(pattern, ambient.random)


def ambient_functions(ambient: Ambient) -> Mapping[str, Function]:
    """The functions that need chance."""
    return table(
        define(
            "random",
            _random(ambient),
            STRING,
            gives=STRING,
            doc="A text by chance that a regular expression matches.",
            example=("random('[a-a]{3}')", "aaa"),
        )
    )


FUNCTIONS: Final = table(
    define(
        "compare",
        _compare,
        STRING,
        STRING,
        gives=NUMBER,
        doc="-1, 0 or 1, as the first text comes before the second, is equal to it, or comes after it.",
        example=("compare('a', 'b')", -1),
    ),
    define(
        "equal_fold",
        lambda left, right: _folded(left) == _folded(right),
        STRING,
        STRING,
        gives=BOOLEAN,
        doc="Whether two texts are equal but for capitals.",
        example=("equal_fold('Pod', 'POD')", True),
    ),
    define(
        "replace",
        _replace,
        STRING,
        STRING,
        STRING,
        NUMBER,
        gives=STRING,
        doc="A text with its first so many occurrences of a part replaced, or with all for -1.",
        example=("replace('a-b-c', '-', '.', `1`)", "a.b-c"),
    ),
    define(
        "replace_all",
        lambda text, old, new: text.replace(old, new),
        STRING,
        STRING,
        STRING,
        gives=STRING,
        doc="A text with every occurrence of a part replaced.",
        example=("replace_all('a-b-c', '-', '.')", "a.b.c"),
    ),
    define(
        "to_upper",
        _upper,
        STRING,
        gives=STRING,
        doc="A text in capitals.",
        example=("to_upper('pod')", "POD"),
    ),
    define(
        "to_lower",
        _lower,
        STRING,
        gives=STRING,
        doc="A text without capitals.",
        example=("to_lower('Pod')", "pod"),
    ),
    define(
        "trim",
        lambda text, cut: text.strip(cut) if cut else text,
        STRING,
        STRING,
        gives=STRING,
        doc="A text without the characters of the second at its two ends.",
        example=("trim('--app-', '-')", "app"),
    ),
    define(
        "trim_prefix",
        _trim_prefix,
        STRING,
        STRING,
        gives=STRING,
        doc="A text without what it begins with, if it does.",
        example=("trim_prefix('v1.35', 'v')", "1.35"),
    ),
    define(
        "split",
        _split,
        STRING,
        STRING,
        gives=ARRAY,
        doc="The parts of a text between separators.",
        example=("split('a/b', '/')", ["a", "b"]),
    ),
    define(
        "regex_match",
        _regex_match,
        STRING,
        TEXT_OR_NUMBER,
        gives=BOOLEAN,
        doc="Whether a regular expression (RE2) is found anywhere in a text.",
        example=("regex_match('^v[0-9]+$', 'v12')", True),
    ),
    define(
        "regex_replace_all",
        _regex_replace_all,
        STRING,
        TEXT_OR_NUMBER,
        TEXT_OR_NUMBER,
        gives=STRING,
        doc="A text with every match of a regular expression replaced; `$1` stands for a group.",
        example=("regex_replace_all('([a-z])1', 'a1b1', '${1}2')", "a2b2"),
    ),
    define(
        "regex_replace_all_literal",
        _regex_replace_all_literal,
        STRING,
        TEXT_OR_NUMBER,
        TEXT_OR_NUMBER,
        gives=STRING,
        doc="A text with every match of a regular expression replaced by a text that is taken as it is.",
        example=("regex_replace_all_literal('[0-9]', 'a1b2', '$1')", "a$1b$1"),
    ),
    define(
        "pattern_match",
        _pattern_match,
        STRING,
        TEXT_OR_NUMBER,
        gives=BOOLEAN,
        doc="Whether a text matches a pattern with the wildcards `*` and `?`.",
        example=("pattern_match('app-*', 'app-1')", True),
    ),
    define(
        "label_match",
        _label_match,
        OBJECT,
        OBJECT,
        gives=BOOLEAN,
        doc="Whether every label of the first object stands in the second with the same value.",
        example=('label_match(`{"a": "1"}`, `{"a": "1", "b": "2"}`)', True),
    ),
    define(
        "to_boolean",
        _to_boolean,
        STRING,
        gives=BOOLEAN,
        doc="The truth that a text writes, whatever its capitals.",
        example=("to_boolean('True')", True),
    ),
    define(
        "truncate",
        _truncate,
        STRING,
        NUMBER,
        gives=STRING,
        doc="The first so many characters of a text.",
        example=("truncate('deployment', `6`)", "deploy"),
    ),
    define(
        "path_canonicalize",
        _path_canonicalize,
        STRING,
        gives=STRING,
        doc="A path without `.`, `..` and doubled slashes.",
        example=("path_canonicalize('/var//run/../lib')", "/var/lib"),
    ),
    define(
        "semver_compare",
        _semver_compare,
        STRING,
        STRING,
        gives=BOOLEAN,
        doc="Whether a version is in a range.",
        example=("semver_compare('1.35.4', '>=1.30.0')", True),
    ),
    define(
        "image_normalize",
        _image_normalize,
        STRING,
        gives=STRING,
        doc="An image reference with its registry and its tag written out.",
        example=("image_normalize('nginx')", "docker.io/nginx:latest"),
    ),
    define(
        "is_external_url",
        _is_external_url,
        STRING,
        gives=BOOLEAN,
        doc="Whether a URL leads off this machine and out of the private networks.",
        example=("is_external_url('http://10.0.0.1/')", False),
    ),
)
