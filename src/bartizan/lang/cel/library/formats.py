"""Named formats of Kubernetes' fields: `format.dns1123Label().validate(text)` is nothing where the text is one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.library.urls import url_problem
from bartizan.lang.cel.types import STRING, Type, list_of, optional_of
from bartizan.lang.cel.values import NONE, Optional

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FORMAT: Final = Type("kubernetes.NamedFormat")
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_OLD_LABEL: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WORD: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})")
_TIME: Final = re.compile(r"(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|([+-]\d{2}:\d{2}))", re.ASCII)
_SUBDOMAIN_CHARS: Final = 253
_LABEL_CHARS: Final = 63
_ENDS: Final = "and must start and end with an alphanumeric character"


@dataclass(frozen=True, slots=True)
class Format:
    """A named format; `problems` says why a text is not of it."""

    name: str
    problems: Callable[[str], list[str]] = field(compare=False)
    type_name: ClassVar[str] = "kubernetes.NamedFormat"


def _said(said: str, pattern: str, *examples: str) -> str:
    """What the API server says of a text that a pattern does not match."""
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{said} (e.g. {shown}regex used for validation is '{pattern}')"


def _pattern(pattern: str, most: int, problem: str, *, unit: str = "characters") -> Callable[[str], list[str]]:
    compiled = re.compile(pattern, re.ASCII)

    def problems(text: str) -> list[str]:
        found = [] if len(text.encode()) <= most else [f"must be no more than {most} {unit}"]
        return found if compiled.fullmatch(text) else [*found, problem]

    return problems


def _prefix(problems: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """For a text that more will be put behind, so that it may end in a dash."""
    # with a dash the server looks at the text without its last two characters
    return lambda text: problems(f"{text[:-2]}a" if text.endswith("-") and len(text) > 1 else text)


def _tested(test: Callable[[str], object], problem: str) -> Callable[[str], list[str]]:
    def problems(text: str) -> list[str]:
        try:
            return [] if test(text) else [problem]
        except ValueError:
            return [problem]

    return problems


_LABEL_SAID: Final = f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ENDS}"
_SUBDOMAIN_SAID: Final = (
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_ENDS}"
)
_OLD_LABEL_SAID: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character"
)
_NAME_SAID: Final = f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}"
_VALUE_SAID: Final = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS}"
)
_NAMES: Final = ("MyName", "my.name", "123-abc")
_MATCHES_SUBDOMAIN: Final = re.compile(_SUBDOMAIN, re.ASCII).fullmatch
_DNS1123_LABEL: Final = _pattern(_LABEL, _LABEL_CHARS, _said(_LABEL_SAID, _LABEL, "my-name", "123-abc"))
_DNS1123_SUBDOMAIN: Final = _pattern(_SUBDOMAIN, _SUBDOMAIN_CHARS, _said(_SUBDOMAIN_SAID, _SUBDOMAIN, "example.com"))
_DNS1035_LABEL: Final = _pattern(_OLD_LABEL, _LABEL_CHARS, _said(_OLD_LABEL_SAID, _OLD_LABEL, "my-name", "abc-123"))
_NAME_PART: Final = _pattern(_WORD, _LABEL_CHARS, _said(_NAME_SAID, _WORD, *_NAMES), unit="bytes")
_LABEL_VALUE: Final = _pattern(
    rf"({_WORD})?",
    _LABEL_CHARS,
    _said(_VALUE_SAID, f"({_WORD})?", "MyValue", "my_value", "12345"),
    unit="bytes",
)


def _label(text: str) -> list[str]:
    problems = _DNS1123_LABEL(text)
    if problems and _MATCHES_SUBDOMAIN(text) and "." in text:
        problems[-1] = "must not contain dots"
    return problems


def _qualified(text: str) -> list[str]:
    *prefix, name = text.split("/")
    if len(prefix) > 1:
        said = "a valid label key must consist of alphanumeric characters, '-', '_' or '.', " + _ENDS
        return [
            _said(said, _WORD, *_NAMES) + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    found: list[str] = []
    if prefix:
        of_prefix = _DNS1123_SUBDOMAIN(prefix[0]) if prefix[0] else ["must be non-empty"]
        found += [f"prefix part {problem}" for problem in of_prefix]
    if not name:
        found.append("name part must be non-empty")
    return found + [f"name part {problem}" for problem in _NAME_PART(name)]


def _uri(text: str) -> list[str]:
    problem = url_problem(text)
    return [problem] if problem else []


def _is_date(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-" and bool(date.fromisoformat(text))


def _is_datetime(text: str) -> bool:
    day, mark, rest = text.lower().partition("t")
    match = _TIME.fullmatch(rest.split("t")[0]) if mark and _is_date(day) else None
    return match is not None and match[1] <= "23" and match[2] <= "59" and match[3] <= "59"


_FORMATS: Final = {
    name: Format(name, problems)
    for name, problems in {
        "dns1123Label": _label,
        "dns1123Subdomain": _DNS1123_SUBDOMAIN,
        "dns1035Label": _DNS1035_LABEL,
        "qualifiedName": _qualified,
        "dns1123LabelPrefix": _prefix(_label),
        "dns1123SubdomainPrefix": _prefix(_DNS1123_SUBDOMAIN),
        "dns1035LabelPrefix": _prefix(_DNS1035_LABEL),
        "labelValue": _LABEL_VALUE,
        "uri": _uri,
        "uuid": _tested(_UUID.fullmatch, "does not match the UUID format"),
        "byte": _tested(_BASE64.fullmatch, "invalid base64"),
        "date": _tested(_is_date, "invalid date"),
        "datetime": _tested(_is_datetime, "invalid datetime"),
    }.items()
}


def _validate(held: Format, text: str) -> Optional:
    problems = held.problems(text)
    return Optional(problems) if problems else NONE


def _named(name: str) -> Optional:
    return Optional(_FORMATS[name]) if name in _FORMATS else NONE


def _constant(held: Format) -> tuple[Overload, ...]:
    return (Overload((), _FORMAT, lambda: held),)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    **{f"format.{name}": _constant(held) for name, held in _FORMATS.items()},
    "format.named": (Overload((STRING,), optional_of(_FORMAT), _named),),
    "validate": (Overload((_FORMAT, STRING), optional_of(list_of(STRING)), _validate, member=True),),
}
