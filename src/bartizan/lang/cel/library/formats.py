"""Named formats of Kubernetes' fields: `format.dns1123Label().validate(text)` is nothing where the text is one."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.kubernetes import parse_url
from bartizan.lang.cel.library.times import parse_timestamp
from bartizan.lang.cel.types import STRING, Type, list_of, optional_of
from bartizan.lang.cel.values import NONE, Optional

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FORMAT: Final = Type("kubernetes.NamedFormat")
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_WORD: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_SUBDOMAIN_CHARS: Final = 253
_LABEL_CHARS: Final = 63


@dataclass(frozen=True, slots=True)
class Format:
    """A named format; `problems` says why a text is not of it."""

    name: str
    problems: Callable[[str], list[str]] = field(compare=False)
    type_name: ClassVar[str] = "kubernetes.NamedFormat"


def _pattern(pattern: str, most: int, problem: str, *, prefix: bool = False) -> Callable[[str], list[str]]:
    compiled = re.compile(pattern, re.ASCII)

    def problems(text: str) -> list[str]:
        # a prefix may end in a dash: more will be put behind it
        whole = f"{text[:-1]}a" if prefix and text.endswith("-") and len(text) > 1 else text
        found = [] if len(text) <= most else [f"must be no more than {most} characters"]
        return found if compiled.fullmatch(whole) else [*found, problem]

    return problems


def _tested(test: Callable[[str], object], problem: str) -> Callable[[str], list[str]]:
    def problems(text: str) -> list[str]:
        try:
            return [] if test(text) else [problem]
        except (CelError, ValueError, binascii.Error):
            return [problem]

    return problems


_NAME_PART: Final = _pattern(
    _WORD, _LABEL_CHARS, "must be letters, digits, `-`, `_` and `.`, a letter or digit at its ends"
)
_LABEL_PROBLEM: Final = "must be lower-case letters, digits and `-`, a letter or digit at its ends"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_SUBDOMAIN_PROBLEM: Final = "must be labels of lower-case letters, digits and `-`, with `.` between them"
_DNS1035_PROBLEM: Final = "must be lower-case letters, digits and `-`, a letter first and a letter or digit last"
_PREFIX_OF: Final = _pattern(_SUBDOMAIN, _SUBDOMAIN_CHARS, _SUBDOMAIN_PROBLEM)


def _qualified(text: str) -> list[str]:
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return ["must have one `/` at most"]
    return ([f"prefix part {item}" for item in _PREFIX_OF(prefix)] if slash else []) + [
        f"name part {item}" for item in _NAME_PART(name)
    ]


_FORMATS: Final = {
    name: Format(name, problems)
    for name, problems in {
        "dns1123Label": _pattern(_LABEL, _LABEL_CHARS, _LABEL_PROBLEM),
        "dns1123Subdomain": _PREFIX_OF,
        "dns1035Label": _pattern("[a-z]([-a-z0-9]*[a-z0-9])?", _LABEL_CHARS, _DNS1035_PROBLEM),
        "qualifiedName": _qualified,
        "dns1123LabelPrefix": _pattern(_LABEL, _LABEL_CHARS, _LABEL_PROBLEM, prefix=True),
        "dns1123SubdomainPrefix": _pattern(_SUBDOMAIN, _SUBDOMAIN_CHARS, _SUBDOMAIN_PROBLEM, prefix=True),
        "dns1035LabelPrefix": _pattern("[a-z]([-a-z0-9]*[a-z0-9])?", _LABEL_CHARS, _DNS1035_PROBLEM, prefix=True),
        "labelValue": lambda text: _NAME_PART(text) if text else [],
        "uri": _tested(parse_url, "is no absolute URL or path"),
        "uuid": _tested(_UUID.fullmatch, "does not match the UUID format"),
        "byte": _tested(lambda text: base64.b64decode(text, validate=True) is not None and text, "invalid base64"),
        "date": _tested(lambda text: len(text) == 10 and date.fromisoformat(text), "invalid date"),
        "datetime": _tested(parse_timestamp, "invalid datetime"),
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
