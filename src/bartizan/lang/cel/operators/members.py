"""Members of lists, maps, objects and optionals: asked for, gone through, and put into what is written out."""

from __future__ import annotations

from typing import Any

from bartizan.lang.cel.errors import CelError, no_such_key, no_such_overload
from bartizan.lang.cel.operators.equality import equal
from bartizan.lang.cel.values import (
    BOOL_KEYS,
    INT_MAX,
    KEY_CLASSES,
    NONE,
    Optional,
    UInt,
    from_key,
    key_of,
    name_of,
    type_name,
)


def index(container: Any, key: Any) -> Any:
    """A member of a list by place, or of a map by key; of an optional, an optional."""
    if container.__class__ is list:
        place = _place(key)
        if not 0 <= place < len(container):
            raise CelError(f"index out of bounds: {place}")
        return container[place]
    if container.__class__ is Optional:
        return optional_index(container, key)
    if isinstance(container, dict):
        if key.__class__ not in KEY_CLASSES and key.__class__ is not float:
            raise no_such_overload()
        if key.__class__ is bool:
            key = BOOL_KEYS[key]
        if key not in container:
            raise no_such_key(shown(key))
        return container[key]
    raise no_such_key(shown(key)) if key.__class__ in KEY_CLASSES else no_such_overload()


def _place(key: Any) -> int:
    if key.__class__ is int:
        return int(key)
    if key.__class__ is UInt:
        if key > INT_MAX:
            raise CelError(f"unsupported index value {int(key)} in list")
        return int(key)
    if key.__class__ is float:
        if not key.is_integer():
            raise CelError(f"unsupported index value {key} in list")
        return int(key)
    raise CelError(f"unsupported index type '{type_name(key.__class__)}' in list")


def shown(value: Any) -> str:
    """A key as errors show it."""
    value = from_key(value)
    return str(value).lower() if value.__class__ is bool else str(int(value)) if value.__class__ is UInt else str(value)


def field(operand: Any, name: str) -> Any:
    """A field of an object that may be an optional, or not even an object."""
    if isinstance(operand, dict):
        if name not in operand:
            raise no_such_key(name)
        return operand[name]
    if operand.__class__ is Optional:
        if operand.present and not _may_have(operand.value):
            raise no_such_key(name)
        return optional_field(operand, name)
    if operand.__class__ is list:
        raise CelError("unsupported index type 'string' in list")
    if hasattr(operand, "has_field"):
        return operand[name]
    raise no_such_key(name)


def _may_have(value: Any) -> bool:
    """Whether a value is of a kind that is asked for fields, if only to fail as lists do."""
    return isinstance(value, (dict, list, Optional)) or hasattr(value, "has_field")


def has(operand: Any, name: str) -> bool:
    """Whether an object has a field; what is no object has none, but a list is an error."""
    if isinstance(operand, dict):
        return name in operand
    if operand.__class__ is Optional:
        return bool(operand.present) and has(operand.value, name)
    if operand.__class__ is list:
        raise CelError("unsupported index type 'string' in list")
    has_field = getattr(operand, "has_field", None)  # of an object that is no map
    return has_field is not None and bool(has_field(name))


def optional_field(operand: Any, name: str) -> Optional:
    """`operand.?name`: nothing where there is no such field."""
    if operand.__class__ is dict:
        return Optional(operand[name]) if name in operand else NONE
    if operand.__class__ is Optional:
        if not operand.present:
            return NONE
        operand = operand.value
    return Optional(operand[name]) if has(operand, name) else NONE


def optional_index(container: Any, key: Any) -> Optional:
    """`container[?key]`: nothing where there is no such member."""
    if container.__class__ is Optional:
        if not container.present:
            return NONE
        container = container.value
    if container.__class__ is list:
        place = _place(key)
        return Optional(container[place]) if 0 <= place < len(container) else NONE
    if isinstance(container, dict):
        if key.__class__ not in KEY_CLASSES and key.__class__ is not float:
            raise no_such_overload()
        key = key_of(key)
        return Optional(container[key]) if key in container else NONE
    if key.__class__ not in KEY_CLASSES and key.__class__ is not float:
        raise no_such_overload()
    return NONE


def contains(item: Any, container: Any) -> bool:
    """`item in container`: among the members of a list or the keys of a map."""
    if container.__class__ is list:
        return any(equal(item, member) for member in container)
    if isinstance(container, dict):
        if item.__class__ is bool:
            item = BOOL_KEYS[item]
        return item.__class__.__hash__ is not None and item in container
    raise no_such_overload()


def members(value: Any) -> Any:
    """What a macro with one variable goes through: members, or the keys of a map."""
    if value.__class__ is list:
        return value
    if isinstance(value, dict):
        return [from_key(key) for key in value]
    raise CelError(f"got '{_range_name(value)}', expected iterable type")


def pairs(value: Any) -> list[tuple[Any, Any]]:
    """What a macro with two variables goes through: places and members, or keys and values."""
    if value.__class__ is list:
        return list(enumerate(value))
    if isinstance(value, dict):
        return [(from_key(key), item) for key, item in value.items()]
    raise CelError(f"unsupported comprehension range type: {_range_name(value)}")


def _range_name(value: Any) -> str:
    """How the reference calls a type here, by the name that it has in its own source."""
    if value.__class__ is Optional:
        return "*types.Optional"
    name = name_of(value)
    last = name.rpartition(".")[2]
    if name.startswith(("kubernetes.", "net.")):
        return f"cel.{last}"
    return f"types.{'Null' if name == 'null_type' else last.capitalize()}"


def put(made: dict[Any, Any], key: Any, value: Any) -> None:
    """Add an entry of a map that is written out, which must be new."""
    if key.__class__ not in KEY_CLASSES:
        raise CelError("unsupported key type")
    place = key_of(key)
    if place in made:
        raise CelError(f"repeated key: {shown(key)}")
    made[place] = value


def put_over(made: dict[Any, Any], key: Any, value: Any) -> None:
    """Add an entry of a map that is written out, instead of one that has its key."""
    if key.__class__ not in KEY_CLASSES and key.__class__ is not float:
        raise CelError("unsupported key type")
    made[key_of(key)] = value


def insert(made: dict[Any, Any], key: Any, value: Any) -> None:
    """Add an entry to a map that a macro collects, where it must be new."""
    if key.__class__ not in KEY_CLASSES:
        raise CelError("unsupported key type")
    place = key_of(key)
    if place in made:
        raise CelError(f"insert failed: key {shown(key)} already exists")
    made[place] = value


def insert_all(made: dict[Any, Any], entries: Any) -> None:
    """Add the entries of a map, which must all be new."""
    if not isinstance(entries, dict):
        raise no_such_overload()
    for key, value in entries.items():
        insert(made, from_key(key), value)


def held(optional: Any) -> Any:
    """An optional member of what is written out, which must be an optional."""
    if optional.__class__ is not Optional:
        raise no_such_overload()
    return optional
