"""Random objects for a schema: mostly what it wants, with near misses at every level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from random import Random

    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node

_ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    7,
    2**70,
    1.5,
    2.0,
    "",
    "x",
    "é\u2028<&>\"'\n",
    [],
    ["x"],
    {},
    {"a": 1},
)
_TEXTS: Final = (
    *("a", "ab", "abc", "abcd", "abcdefgh", "abcdefghijk", "small", "plain", "x", "y", "z", "root", "evil", "bad"),
    *("kube", "h1", "late", "x1", "12", "12%", "5", "1Gi", "500Mi", "2Gi", "1.2.3", "2.0.0", "v1", "TCP", "UDP"),
    *(
        "https://a.example/b",
        "http://a.example",
        "ftp://x",
        "/path",
        "x y",
        "10.0.0.1",
        "::1",
        "010.0.0.1",
        "fe80::1%a",
    ),
    *("2024-02-29", "2023-02-29", "2024-02-29T10:00:00Z", "2019-01-01T00:00:00.5+02:00", "2024-02-29T24:00:00Z"),
    *("1h", "1h30m", "2 days", "3 seconds", "1x", "0", "-5m", "YWJj", "YWJjZA==", "abc=", "a+b/", "Zm9v"),
)
_FORMATTED: Final = {
    "bsonobjectid": ("507f1f77bcf86cd799439011", "507f1f77"),
    "uri": (
        "https://a.example/b?c=d#e",
        "a.example",
        "/x",
        "mailto:a@b",
        "http://a b",
        "http://[::1]:80/",
        "%zz",
        "x:",
    ),
    "email": ("a@b.example", "A B <a@b>", "a@", "@b", "a b@c", "a.b+c@d-e.f", "a@[127.0.0.1]"),
    "hostname": ("a.example", "a_b.example", "-a.example", "localhost", "a..b", "é.example", "1.2", "a." + "b" * 64),
    "ipv4": ("1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.256", "::1", "::ffff:1.2.3.4"),
    "ipv6": ("::1", "fe80::1", "1.2.3.4", ":::", "::ffff:1.2.3.4", "1::2::3"),
    "cidr": ("10.0.0.0/8", "10.0.0.1/33", "::1/128", "10.0.0.0", "10.0.0.0/08", "010.0.0.0/8"),
    "mac": ("01:23:45:67:89:ab", "01-23-45-67-89-ab", "0123.4567.89ab", "01:23:45:67:89", "01:23-45:67:89:ab"),
    "uuid": ("123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000", "123e4567"),
    "uuid3": ("123e4567-e89b-32d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000"),
    "uuid4": ("123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-42d3-c456-426614174000"),
    "uuid5": ("123e4567-e89b-52d3-b456-426614174000", "123e4567-e89b-52d3-7456-426614174000"),
    "isbn": ("0321751043", "978-0321751041", "978-0321751042"),
    "isbn10": ("0321751043", "3 401 01319 X", "0321751044"),
    "isbn13": ("978-0321751041", "9780321751042"),
    "creditcard": ("4220-8554-2622-2389", "4220855426213389", ""),
    "ssn": ("111-11-1111", "111 11 1111", "111111111", "111-11-111"),
    "hexcolor": ("#FFF", "ffffff", "#ff", "#12345g"),
    "rgbcolor": ("rgb(1,2,255)", "rgb( 0 , 31 , 255 )", "rgb(1,2,256)", "rgb(01,2,3)"),
    "byte": ("YWJj", "YWI=", "YWI", "YW-_", ""),
    "date": ("2024-02-29", "2023-02-29", "2024-2-9", "2024-02-29T00:00:00Z"),
    "date-time": (
        *("2024-02-29T10:00:00Z", "2024-02-29t10:00:00z", "2024-02-29T10:00:00.123+02:00", "2024-02-29 10:00:00"),
        *("2024-02-29T10:00:60Z", "2024-02-29T10:00:00", "2018-01-01T00:00:00Z"),
    ),
    "duration": ("1h", "1h30m", "2 days", "3 weeks", "1 fortnight", "5", "-1s", "1.5h", "90 minutes"),
    "k8s-short-name": ("a-b", "-a", "A", "a.b", "a" * 64),
    "k8s-long-name": ("a.b", "a..b", "A.b", "a" * 254),
}
_SCALARS: Final[dict[str, tuple[Any, ...]]] = {
    "integer": (0, 1, 2, 3, 3, 4, 5, 5, 6, 7, 13, 1_000_000),
    "number": (0, 0.25, 0.3, 0.5, 1, 1.0, 2.5, 1e6, 1234567.5, 1e21, 0.75),
    "boolean": (True, False),
}
_KEYS: Final = ("a", "b", "x", "y", "name", "longer", "dots.in/it")


def random_value(chance: Random, node: Node, depth: int = 0) -> Any:
    """A value for a node of a schema."""
    if chance.random() < 0.07:
        return chance.choice(_ODD)
    kind = node.type
    if node.int_or_string:
        kind = chance.choice(("integer", "string"))
    if kind == "object":
        return _object(chance, node, depth)
    if kind == "array":
        count = chance.choice((0, 1, 1, 2, 2, 3, 4))
        items = [random_value(chance, node.items, depth + 1) for _ in range(count)] if node.items else []
        return [*items, items[0]] if items and chance.random() < 0.15 else items
    return _text(chance, node) if kind == "string" else chance.choice(_SCALARS.get(kind, _ODD))


def _text(chance: Random, node: Node) -> str:
    known = [item for item in node.limits.enum or () if isinstance(item, str)]
    if known and chance.random() < 0.7:
        return chance.choice(known)
    return chance.choice(_FORMATTED.get(node.format, _TEXTS) if chance.random() < 0.9 else _TEXTS)


def _object(chance: Random, node: Node, depth: int) -> dict[str, Any]:
    made = {
        name: random_value(chance, child, depth + 1)
        for name, child in node.properties.items()
        if chance.random() < (0.85 if name in node.limits.required else 0.5 if depth else 0.9)
    }
    if node.additional is not None:
        made |= {key: random_value(chance, node.additional, depth + 1) for key in chance.sample(_KEYS, 2)}
    if node.preserves or chance.random() < 0.1:
        made[chance.choice(("unknown", "a", "z"))] = chance.choice(_ODD)
    if node.embedded:
        made |= _resource(chance)
    return made


def _resource(chance: Random) -> dict[str, Any]:
    made = {
        "apiVersion": chance.choice(("v1", "apps/v1", "a/b/c", "", 5)),
        "kind": chance.choice(("Pod", "my_kind", "", "9x", True)),
        "metadata": {
            "name": chance.choice(("fine", "a/b", "..", "")),
            "labels": {chance.choice(("a", "a/b/c", "-x", "example.com/a")): chance.choice(("b", "b c", ""))},
        },
    }
    return {key: value for key, value in made.items() if chance.random() < 0.8}


def random_metadata(chance: Random, name: str) -> dict[str, Any]:
    """Metadata for an object of that name, now and then with something in it that may not be."""
    made: dict[str, Any] = {"name": name}
    if chance.random() < 0.15:
        made["labels"] = {
            chance.choice(("a", "/a", "example.com/", "a/b/c", "A_b")): chance.choice(("b", "-b", "x" * 64))
        }
    if chance.random() < 0.1:
        made["annotations"] = {chance.choice(("a", "B/C", "e.x/y z")): "text"}
    if chance.random() < 0.1:
        made["finalizers"] = [chance.choice(("example.com/a", "a b", "orphan"))]
    if chance.random() < 0.1:
        owner = {"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "1", "controller": True}
        made["ownerReferences"] = [owner, {**owner, chance.choice(("name", "uid", "kind")): ""}]
    return made


def sized(case: dict[str, Any]) -> dict[str, Any]:
    """The value of a case that says how long its lists are."""
    return {
        **{name: [0] * length for name, length in case.get("numbers", {}).items()},
        **{name: [[0] * length for length in lengths] for name, lengths in case.get("rows", {}).items()},
    }
