"""Write `engines/policy/mutation/structured_table.py` from what a real API server says of its kinds.

`python tools/structured_types.py` starts the control plane of the tests, reads
its OpenAPI documents, and keeps what a structured merge asks of a type: which
fields there are, which plain values fit, and how lists and maps merge.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from textwrap import wrap
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.controlplane import start  # noqa: E402 (found from the root, which the line above adds)

from tools.merge_keys import short  # noqa: E402

TARGET = ROOT / "src/bartizan/engines/policy/mutation/structured_table.py"
_WIDTH = 116
_RAW = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_SCALARS = {"integer": "n", "number": "n", "boolean": "b"}
Schemas = dict[str, dict[str, Any]]


def schemas() -> Schemas:
    """The schemas of all kinds of a running API server."""
    found: Schemas = {}
    with tempfile.TemporaryDirectory() as folder:
        plane = start.start(Path(folder))
        try:
            for path, entry in json.loads(plane.run("get", "--raw", "/openapi/v3"))["paths"].items():
                if path.startswith(("api/", "apis/")):
                    page = json.loads(plane.run("get", "--raw", entry["serverRelativeURL"]))
                    found |= page.get("components", {}).get("schemas", {})
        finally:
            plane.stop()
    return found


class Writer:
    """Writes types in short; `needed` are the names of those that it came by."""

    def __init__(self, found: Schemas) -> None:
        self.found = found
        self.names = short(sorted(found))
        self.needed: list[str] = []
        self.keys = {key for schema in found.values() for key in _keys(schema)}

    def type(self, schema: dict[str, Any]) -> str:
        """A type where it is used, as `structured_types.py` reads it."""
        ref = schema.get("$ref") or (schema.get("allOf") or [{}])[0].get("$ref") or ""
        if ref:
            relation = {"atomic": "!", "granular": "~"}.get(schema.get("x-kubernetes-map-type", ""), "")
            return self.named(ref.rpartition("/")[2]) + relation
        kind = schema.get("type")
        if kind == "array":
            return self._list(schema) + self.type(schema["items"])
        if kind == "object":
            more = schema.get("additionalProperties")
            atomic = "!" if schema.get("x-kubernetes-map-type") == "atomic" else ""
            return f"{{{atomic}}}" + (self.type(more) if isinstance(more, dict) else "*")
        if kind == "string":
            return "s" if schema.get("format", "byte") == "byte" else "u"
        return _SCALARS.get(kind or "", "*")

    def named(self, name: str) -> str:
        """A definition: by its name where it has fields, else what it stands for."""
        schema = self.found[name]
        if name == _RAW:
            return "?"
        if name == _QUANTITY:
            return "u"
        if "properties" not in schema:
            return self.type(schema)
        if name not in self.needed:
            self.needed.append(name)
        return self.names[name]

    def definition(self, name: str) -> str:
        """The line of a definition: its name, with `!` if it is one value, and its fields."""
        schema = self.found[name]
        atomic = "!" if schema.get("x-kubernetes-map-type") == "atomic" else ""
        fields = []
        for field, below in sorted(schema["properties"].items()):
            written = f"{field}:{self.type(below)}"
            default = below.get("default", {})
            if field in self.keys and default != {}:
                written += f"={json.dumps(default)}"
            fields.append(written)
        return f"{self.names[name]}{atomic} {' '.join(fields)}"

    def _list(self, schema: dict[str, Any]) -> str:
        relation = schema.get("x-kubernetes-list-type")
        if relation is None and "merge" in schema.get("x-kubernetes-patch-strategy", ""):
            keys = [schema["x-kubernetes-patch-merge-key"]] if "x-kubernetes-patch-merge-key" in schema else []
            relation = "map" if keys else "set"
        else:
            keys = schema.get("x-kubernetes-list-map-keys", [])
        return {"set": "[=]", "map": f"[{','.join(keys)}]"}.get(relation or "", "[]")


def _keys(schema: dict[str, Any]) -> list[str]:
    keys = []
    for field in schema.get("properties", {}).values():
        keys += [*field.get("x-kubernetes-list-map-keys", ()), field.get("x-kubernetes-patch-merge-key", "")]
    return keys


def page(found: Schemas) -> str:
    """The module's text."""
    writer = Writer(found)
    kinds: dict[str, str] = {}
    for name, schema in sorted(found.items()):
        known = schema.get("x-kubernetes-group-version-kind") or []
        if len(known) == 1 and not known[0]["kind"].endswith("List") and "properties" in schema:
            one = known[0]
            kinds["/".join(filter(None, (one["group"], one["version"], one["kind"])))] = writer.named(name)
    lines: dict[str, str] = {}
    for name in writer.needed:  # grows as it is read
        lines[writer.names[name]] = writer.definition(name)
    return "\n".join(
        [
            '"""The types of the built-in kinds for a structured merge. Written by `tools/structured_types.py`."""',
            "",
            "from __future__ import annotations",
            "",
            "from typing import Final",
            "",
            'KINDS: Final = """\\',
            *(f"{kind} {kinds[kind]}" for kind in sorted(kinds)),
            '"""',
            '"""The definition of a kind, by `group/version/Kind`."""',
            "",
            'DEFINITIONS: Final = """\\',
            *(
                line
                for name in sorted(lines)
                for line in wrap(
                    lines[name], _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
                )
            ),
            '"""',
            '"""A definition a line, with its fields and their types; an indented line goes on with the one before.',
            "",
            "`s` string, `n` number, `b` boolean, `u` any plain value, `*` anything, `?` anything, as one value,",
            "`[]x` list that is one value, `[=]x` set, `[key]x` list merged by keys, `{}x` map, `{!}x` map that is one",
            "value; a name with `!` is one value and with `~` merges, whatever the definition says. `=` is what a key",
            "is where it is left out.",
            '"""',
            "",
        ]
    )


if __name__ == "__main__":
    TARGET.write_text(page(schemas()))
