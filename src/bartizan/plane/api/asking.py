"""What a request says, read by the records that describe it: nothing is taken that they do not know."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec.inspect import Metadata, StructType, VarTupleType, type_info

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.plane.problem import RefusedError
from bartizan.stores.bulk import storable

if TYPE_CHECKING:
    from bartizan.plane.site import Asked

T = TypeVar("T", bound=msgspec.Struct)

_MOST: Final = 50
"""Values of one parameter, or fields of a question; the longest list of ours has seven."""
_SHOWN: Final = 60


def parameters_of(asked: Asked, record: type[T], in_path: tuple[str, ...]) -> T:
    """The parameters of a request.

    Raises:
        SpecError: one is unknown, given twice, or not what it must be.
    """
    lists, known = _fields(record)
    in_query = known - set(in_path)
    values: dict[str, Any] = {name: storable(str(asked.path[name])) for name in in_path}
    for name in asked.query:
        if name not in in_query:
            hint = did_you_mean(_short(name), in_query) if in_query else "This takes no parameters."
            raise SpecError(f"there is no parameter `{_short(name)}`", hint=hint)
        given = [storable(value) for value in asked.query.getlist(name)]
        if len(given) > _MOST or (name not in lists and len(given) > 1):
            raise SpecError(f"the parameter `{name}` is given {len(given)} times", hint="Give it once.")
        values[name] = given if name in lists else given[0]
    try:
        return msgspec.convert(values, record, strict=False)
    except msgspec.ValidationError as error:
        raise SpecError(f"a parameter is not what it must be: {_told(error)}", hint=_HINT) from error


def body_of(asked: Asked, record: type[T]) -> T:
    """The body of a request.

    Raises:
        SpecError: it is no JSON, or does not say what it must.
        RefusedError: it is of another type.
    """
    if not record.__struct_fields__:
        if asked.body.strip() not in (b"", b"{}"):
            raise SpecError("this takes no body", hint="Send none.")
        return record()
    kind = asked.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, f"a body of type `{_short(kind)}` is not read", hint="Send `application/json`.")
    try:
        return msgspec.convert(_clean(msgspec.json.decode(asked.body)), record)
    except msgspec.ValidationError as error:
        raise SpecError(f"the body does not say what it must: {_told(error)}", hint=_HINT) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise SpecError("the body is no JSON that can be read", hint=_HINT) from error


_HINT: Final = "See /api/v1/docs for what is taken."


@lru_cache(maxsize=256)
def _fields(record: type[msgspec.Struct]) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that may be given several times, and all."""
    info = type_info(record)
    if not isinstance(info, StructType):
        raise TypeError(record)
    lists = {one.encode_name for one in info.fields if isinstance(_bare(one.type), VarTupleType)}
    return frozenset(lists), frozenset(one.encode_name for one in info.fields)


def _bare(kind: Any) -> Any:
    return _bare(kind.type) if isinstance(kind, Metadata) else kind


def _clean(value: Any) -> Any:
    """Text as it can be kept; see `storable`."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): _clean(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def _told(error: msgspec.ValidationError) -> str:
    """What msgspec says, as a clause; the values in it are bounded."""
    text = str(error)
    clause = text if len(text) <= 300 else f"{text[:300]}…"
    return f"{clause[:1].lower()}{clause[1:]}"


def _short(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
