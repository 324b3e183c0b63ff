"""Random calls of every function that policies may use, with fit and unfit arguments.

The functions are those that we declare for a ValidatingPolicy, so a new one is
asked about without a word here. Each policy fails, and its message is the
value of one expression: so values and the texts of errors are compared alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.cel.vocabulary import vocabulary_for
from bartizan.lang.cel.types import BOOL, DOUBLE, DYN, INT, STRING, Type, is_variable
from tools.differential.cel_asking import Asked, differences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from bartizan.lang.cel import Overload

    Document = dict[str, Any]

_TEXTS: Final = (
    *("", "a", "abc", "a,b,c", " x ", "Hello World", "äöü", "日本", "1", "-7", "1.5", "true", "%s", "a\\nb"),
    *("1Mi", "100m", "1.5Gi", "0", "-2k", "1e3", "1E", "10.0.0.1", "::1", "fe80::1", "::ffff:1.2.3.4", "10.0.0.0/8"),
    *("10.0.0.1/8", "2001:db8::/32", "1.2.3", "v1.2.3", "1.0.0-rc.1+b", "http://a.example:80/p?q=1&q=2", "/x/y?z"),
    *("https://[::1]:8/a%20b", "1h", "90s", "1.5h", "-3ms", "2024-02-29T12:30:45Z", "2024-02-29T12:30:45.5+02:00"),
    *("nginx", "nginx:1.27", "ghcr.io/a/b@sha256:" + "0" * 64, "a/B:c", "localhost:5000/x:y", "YWJj", "YWJ", "a b"),
    *("system:serviceaccount:ns:sa", "system:serviceaccount:x", '{"a": 1}', "[1, 2.5, null]", "a: [1, 2]", "a: b: c"),
    *("[a-z]+", "(a)(b)?", "(", "^a$", "my-name", "My_Name", "dns1123Label", "uuid", "-x", "a" * 64, "Europe/Berlin"),
)
_NUMBERS: Final = ("0", "1", "-1", "2", "3", "7", "63", "64", "100", "9223372036854775807", "-9223372036854775808")
_PLAIN: Final = {
    "int": _NUMBERS,
    "uint": ("0u", "1u", "3u", "64u", "18446744073709551615u"),
    "double": ("0.0", "1.5", "-2.5", "0.1", "1e300", "-0.0", "1e-7", "100.0", "double('NaN')", "double('Infinity')"),
    "bool": ("true", "false"),
    "bytes": ("b''", "b'abc'", "b'\\xff\\x00'", "bytes('äö')"),
    "null_type": ("null",),
    "google.protobuf.Timestamp": (
        *("timestamp('2024-02-29T12:30:45Z')", "timestamp('1970-01-01T00:00:00.123456789Z')", "timestamp(0)"),
        *("timestamp('9999-12-31T23:59:59Z')", "timestamp('0001-01-01T00:00:00Z')"),
    ),
    "google.protobuf.Duration": ("duration('1h30m')", "duration('-1.5s')", "duration('0s')", "duration('1ms')"),
    "kubernetes.Quantity": ("quantity('1Mi')", "quantity('1.5')", "quantity('-100m')", "quantity('0')"),
    "net.IP": ("ip('10.0.0.1')", "ip('::1')", "ip('fe80::1')", "ip('224.0.0.1')"),
    "net.CIDR": ("cidr('10.0.0.0/8')", "cidr('::/0')", "cidr('10.1.2.3/16')"),
    "kubernetes.URL": ("url('https://a.example:80/p?q=1&q=2')", "url('/x')", "url('http://[::1]:8/a%20b?c')"),
    "kubernetes.Semver": ("semver('1.2.3')", "semver('2.0.0-rc.1')", "semver('v1.2', true)"),
    "kubernetes.NamedFormat": ("format.dns1123Label()", "format.uri()", "format.date()", "format.labelValue()"),
    "kyverno.image": ("image('nginx')", "image('ghcr.io/a/b:c')", "image('x@sha256:" + "0" * 64 + "')"),
    "user.ServiceAccount": ("parseServiceAccount('system:serviceaccount:ns:sa')",),
    "json.Json": ("json",),
    "yaml.Yaml": ("yaml",),
    "type": ("int", "string", "type(1.5)"),
}
_OBJECTS: Final = (
    *("object", "object.data", "object.data.a", "object.metadata", "object.spec", "object.spec.list", "object.spec.g"),
    *("object.spec.f", "object.spec.none", "object.spec.maps", "object.spec.deep", "object.missing", "object.spec.t"),
)
_RESOURCE: Final = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "one", "namespace": "shop", "labels": {"app": "web"}},
    "data": {"a": "1", "b": "1Mi"},
    "spec": {
        "list": ["x", "y", "x"],
        "g": -2.5,
        "f": 1.5,
        "none": None,
        "t": True,
        "maps": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}, {"name": "a"}],
        "deep": {"x": {"y": [0.5, 2.5, "z", None]}},
    },
}
_INFIX: Final = {
    **{f"_{sign}_": sign for sign in ("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%")},
    "@in": "in",
}
_ELSEWHERE: Final = frozenset({"http.Context", "resource.Context", "globalcontext.Context", "imagedata.Context"})
"""Types whose functions ask the world."""
_OTHER_EDITION: Final = (("duration", (INT,)),)
"""What the API server has, and not the peer, which is built with a later edition of the language."""
_OPAQUE: Final = frozenset(kind for kind in _PLAIN if kind.partition(".")[0] in ("kubernetes", "kyverno", "user"))
_LOOPS: Final = (
    *("{0}.all(x, {1})", "{0}.exists(x, {1})", "{0}.exists_one(x, {1})", "{0}.filter(x, {1}).size()"),
    *("{0}.map(x, {2})", "{0}.map(x, {1}, {2})", "{0}.transformList(i, x, {2})", "{0}.all(i, x, {1})"),
    *("{0}.transformMap(i, x, {2})", "{0}.sortBy(x, {2})", "{0}.exists(i, x, {1})", "{0}.existsOne(i, x, {1})"),
    *("{0}.transformMapEntry(i, x, {{x: i}})", "{0}.transformList(i, x, {1}, {2})"),
)


def compare(chance: Random, number: int, shown: int) -> int:
    """Ask about four times `number` expressions; how many answers differ."""
    writer = Writer(chance)
    policies = [_policy(index, writer.question()) for index in range(number * 4)]
    return differences("cel-expressions", Asked(policies, [_RESOURCE]), shown, same=same_text)[1]


def same_text(peer: str, here: str) -> bool:
    """Whether two messages are the same, but for the order of keys, which is a matter of chance for the peer.

    Where the peer ends in an error of its own, any error will do.
    """
    if "internal error" in peer or "*ext.nativeObj" in peer:
        return "failed to evaluate" in here
    return peer == here or (": [" in peer and sorted(peer) == sorted(here))


def _policy(index: int, expression: str) -> Document:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]
    validation = {"expression": "false", "messageExpression": expression}
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ValidatingPolicy",
        "metadata": {"name": f"p{index:04}"},
        "spec": {"matchConstraints": {"resourceRules": rules}, "validations": [validation]},
    }


class Writer:
    """Writes random expressions, of the functions of one kind of policy."""

    def __init__(self, chance: Random, kind: str = "ValidatingPolicy") -> None:
        self._chance = chance
        self._calls: dict[str, list[tuple[str, Overload]]] = {}
        for name, overloads in vocabulary_for(kind).functions.items():
            fit = [one for one in overloads if not one.ambient and not _names(one.parameters) & _ELSEWHERE]
            if fit and name != "@sortBy":
                self._calls[name] = [(name, one) for one in fit if (name, one.parameters) not in _OTHER_EDITION]
        self._giving: dict[str, list[tuple[str, Overload]]] = {}
        for calls in self._calls.values():
            for name, one in calls:
                self._giving.setdefault(one.result.name, []).append((name, one))

    def question(self) -> str:
        """An expression that gives text, or fails."""
        chance = self._chance
        if chance.random() < 0.2:
            return f"'%s'.format([{self._loop()}])"
        name, overload = chance.choice(self._calls[chance.choice(list(self._calls))])
        return self._as_text(self._call(name, overload, 2), overload.result)

    def _as_text(self, expression: str, kind: Type) -> str:
        if kind.name == "optional_type":
            return f"[{expression}].map(o, o.hasValue() ? '%s'.format([dyn(o.value())]) : 'none')[0]"
        if kind == STRING:
            return expression
        if kind.name in ("net.IP", "net.CIDR"):
            return f"string({expression})"
        if kind.name == "kubernetes.Quantity":
            return f"string({expression}.asApproximateFloat())"
        if kind.name in _OPAQUE or kind.name.endswith("GroupVersionResource"):
            return f"string(type({expression}))"
        return f"'%s'.format([{expression}])"

    def _loop(self) -> str:
        chance = self._chance
        over = self._value(Type("list", (chance.choice([INT, STRING, DYN, BOOL, DOUBLE]),)), 1)
        if chance.random() < 0.3:
            over = chance.choice(["object.data", "object.spec.list", "object.spec.maps", "{'a': 1, 'b': 2}", "{}"])
        condition = chance.choice(["x == 1", "x > 1", "x != 'a'", "x", "x.startsWith('a')", "size(x) > 0", "1/x > 0"])
        made = chance.choice(["x", "[x]", "x + x", "string(x)", "x.name", "size(x)", "10 / x", "type(x)"])
        return chance.choice(_LOOPS).format(over, condition, made)

    def _call(self, name: str, overload: Overload, depth: int) -> str:
        bound: dict[str, Type] = {}
        arguments = [self._value(self._bind(kind, bound), depth - 1) for kind in overload.parameters]
        if self._chance.random() < 0.02 and len(arguments) > 1:
            arguments.pop()
        if name in _INFIX and len(arguments) == 2:
            return f"({arguments[0]} {_INFIX[name]} {arguments[1]})"
        if name in ("-_", "!_"):
            return f"{name[0]}({arguments[0]})"
        if name in ("_[_]", "_[?_]") and len(arguments) == 2:
            return f"{arguments[0]}[{'?' if '?' in name else ''}{arguments[1]}]"
        if overload.member and arguments:
            return f"{arguments[0]}.{name}({', '.join(arguments[1:])})"
        return f"{name if name.isidentifier() or '.' in name else 'size'}({', '.join(arguments)})"

    def _bind(self, kind: Type, bound: dict[str, Type]) -> Type:
        if is_variable(kind):
            if kind.name not in bound:
                bound[kind.name] = self._chance.choice([INT, STRING, BOOL, DOUBLE, DYN])
            return bound[kind.name]
        return Type(kind.name, tuple(self._bind(part, bound) for part in kind.parameters))

    def _value(self, kind: Type, depth: int) -> str:
        chance = self._chance
        roll = chance.random()
        if roll < 0.05:  # one of another type, which is found out when it runs
            return f"dyn({self._plain(Type(chance.choice(list(_PLAIN))), 0)})"
        if roll < 0.06:  # one of another type, which is found out before
            return self._plain(Type(chance.choice(list(_PLAIN))), 0)
        if roll < 0.14:
            return chance.choice(_OBJECTS)
        if roll < 0.4 and depth > 0 and kind.name in self._giving:
            return self._call(*chance.choice(self._giving[kind.name]), depth)
        return self._plain(kind, depth)

    def _plain(self, kind: Type, depth: int) -> str:
        chance = self._chance
        parts = kind.parameters
        match kind.name:
            case "string":
                return _quoted(chance.choice(_TEXTS))
            case "list":
                return f"[{', '.join(self._value(parts[0], depth - 1) for _ in range(chance.choice([0, 1, 2, 3])))}]"
            case "map":
                keys = chance.sample(("'a'", "'b'", "'name'"), chance.choice([0, 1, 2]))
                if parts[0] == INT:
                    keys = chance.sample(("1", "2"), 1)
                return "{" + ", ".join(f"{key}: {self._value(parts[1], depth - 1)}" for key in keys) + "}"
            case "optional_type":
                return (
                    f"optional.of({self._value(parts[0], depth - 1)})" if chance.random() < 0.8 else "optional.none()"
                )
            case "dyn":
                return f"dyn({self._plain(chance.choice([INT, STRING, BOOL, DOUBLE]), depth)})"
            case name:
                return chance.choice(_PLAIN[name]) if name in _PLAIN else "object"


def _names(kinds: Sequence[Type]) -> set[str]:
    return {kind.name for kind in kinds}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "\\'") + "'"
