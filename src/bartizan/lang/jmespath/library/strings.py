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
    return table(define("random", _random(ambient), STRING))


FUNCTIONS: Final = table(
    define("compare", _compare, STRING, STRING),
    define("equal_fold", lambda left, right: _folded(left) == _folded(right), STRING, STRING),
    define("replace", _replace, STRING, STRING, STRING, NUMBER),
    define("replace_all", lambda text, old, new: text.replace(old, new), STRING, STRING, STRING),
    define("to_upper", _upper, STRING),
    define("to_lower", _lower, STRING),
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
