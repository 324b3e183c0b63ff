"""Write `engines/policy/mutation/merge_keys_table.py` from what a real API server says of its kinds.

`python tools/merge_keys.py` starts the control plane of the tests, reads its
OpenAPI document, and keeps the lists that merge by a key and the way to them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.controlplane import start  # noqa: E402 (found from the root, which the line above adds)

TARGET = ROOT / "src/bartizan/engines/policy/mutation/merge_keys_table.py"
_REF = "#/definitions/"
Fields = dict[str, tuple[str, list[str] | None]]


def definitions() -> dict[str, Any]:
    """The definitions of the OpenAPI document of a running API server."""
    with tempfile.TemporaryDirectory() as folder:
        plane = start.start(Path(folder))
        try:
            found: dict[str, Any] = json.loads(plane.run("get", "--raw", "/openapi/v2"))["definitions"]
        finally:
            plane.stop()
    return found


def fields_of(definition: dict[str, Any]) -> Fields:
    """The fields of a definition that lead anywhere: the definition below, and the keys a list merges by.

    `None` in place of keys is for what is no merging list; no keys at all is a list of plain values that merges.
    """
    fields: Fields = {}
    for name, schema in definition.get("properties", {}).items():
        items = schema.get("items") or {}
        below = (schema.get("$ref") or items.get("$ref") or "").removeprefix(_REF)
        strategy = schema.get("x-kubernetes-patch-strategy", "").split(",")
        keys = None
        if "merge" in strategy and schema.get("type") == "array":
            single = schema.get("x-kubernetes-patch-merge-key")
            keys = schema.get("x-kubernetes-list-map-keys") or ([single] if single else [])
        if below or keys is not None:
            fields[name] = (below, keys)
    return fields


def pruned(table: dict[str, Fields]) -> dict[str, Fields]:
    """Without the definitions below which no list merges."""
    useful = {name for name, fields in table.items() if any(keys is not None for _, keys in fields.values())}
    while True:
        more = {
            name
            for name, fields in table.items()
            if name not in useful and any(below in useful for below, _ in fields.values())
        }
        if not more:
            break
        useful |= more
    return {
        name: {
            field: (below if below in useful else "", keys)
            for field, (below, keys) in fields.items()
            if keys is not None or below in useful
        }
        for name, fields in table.items()
        if name in useful
    }


def short(names: list[str]) -> dict[str, str]:
    """Names without their packages where one is enough, as generated code should be readable."""
    last: dict[str, list[str]] = {}
    for name in names:
        last.setdefault(name.rpartition(".")[2], []).append(name)
    return {
        name: tail if len(same) == 1 else ".".join(name.split(".")[-3:]) for tail, same in last.items() for name in same
    }


def page(found: dict[str, Any]) -> str:
    """The module's text."""
    table = pruned({name: fields_of(definition) for name, definition in found.items()})
    names = short(list(table))
    kinds: dict[str, str] = {}
    for name in table:
        for gvk in found[name].get("x-kubernetes-group-version-kind") or ():
            if len(found[name]["x-kubernetes-group-version-kind"]) == 1:
                key = (
                    f"{gvk['group']}/{gvk['version']}/{gvk['kind']}"
                    if gvk["group"]
                    else f"{gvk['version']}/{gvk['kind']}"
                )
                kinds[key] = names[name]
    lines = [
        '"""Which lists of the built-in kinds merge, and by which keys. Written by `tools/merge_keys.py`."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "KINDS: Final[dict[str, str]] = {",
        *(f'    "{key}": "{kinds[key]}",' for key in sorted(kinds)),
        "}",
        '"""The definition of a kind, by `group/version/Kind`."""',
        "",
        "DEFINITIONS: Final[dict[str, dict[str, tuple[str, tuple[str, ...] | None]]]] = {",
    ]
    for name in sorted(table, key=lambda name: names[name]):
        lines.append(f'    "{names[name]}": {{')
        for field, (below, keys) in sorted(table[name].items()):
            shown = None if keys is None else tuple(keys)
            lines.append(f'        "{field}": ({names.get(below, "")!r}, {shown!r}),'.replace("'", '"'))
        lines.append("    },")
    lines += [
        "}",
        '"""Fields that lead to a merging list: the definition of what is below (or none), and the keys of the list.',
        "",
        "`None` for keys: this is no merging list. No keys: a list of plain values that merges.",
        '"""',
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    TARGET.write_text(page(definitions()))
