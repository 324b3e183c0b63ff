"""One evaluation of a CEL expression, beside the three libraries for Python.

Each library evaluates the same expressions on objects that it has not seen:
decoded JSON, made anew, so that a library which converts it pays for that as
it would in an admission controller. Their environment is made here, by pip.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
PEERS = {
    "cel-expr-python": "cel-expr-python==0.1.3",
    "cel": "common-expression-language==0.10.0",
    "celpy": "cel-python==0.5.0",
}
_NAMES = {
    "ours": "bartizan",
    "cel-expr-python": "cel-expr-python 0.1.3",
    "cel": "common-expression-language 0.10.0",
    "celpy": "cel-python 0.5.0",
}
EXPRESSIONS = {
    "a comparison": "object.spec.replicas > 1",
    "fields and `&&`": "object.metadata.namespace == 'shop' && object.spec.replicas <= 5 && object.kind != 'Pod'",
    "presence": "has(object.spec.template.spec.securityContext) && !has(object.spec.paused)",
    "every container": "object.spec.template.spec.containers.all(c, c.image.startsWith('registry.example.com/'))",
    "loops within loops": "object.spec.template.spec.containers.all(c, c.ports.all(p, p.containerPort >= 1024))",
    "a list made of another": "object.spec.template.spec.containers.filter(c, c.name != 'log').map(c, c.name) != []",
    "a pattern": "object.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "a key of a map": "'app' in object.metadata.labels && object.metadata.labels['app'] == object.metadata.name",
    "arithmetic and a ternary": "(object.spec.replicas * 2 + 1 > 6 ? object.spec.replicas : 0) == 3",
}
OBJECT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", "tier": "front"}},
    "spec": {
        "replicas": 3,
        "template": {
            "spec": {
                "securityContext": {"runAsNonRoot": True},
                "containers": [
                    {
                        "name": name,
                        "image": f"registry.example.com/shop/{name}:1.4.2",
                        "ports": [{"containerPort": 8080}, {"containerPort": 9090}],
                        "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}},
                    }
                    for name in ("web", "cache", "log")
                ],
            }
        },
    },
}


def report(work: Path) -> list[str]:
    """Time every library; lines of Markdown."""
    python = _environment(work / "cel-peers")
    asked = json.dumps({"expressions": list(EXPRESSIONS.values()), "object": json.dumps(OBJECT)})
    found = {name: _answers(sys.executable if name == "ours" else str(python), name, asked) for name in _NAMES}
    lines = [
        f"## A CEL expression on a new object of {len(json.dumps(OBJECT)):,} bytes",
        "",
        "| expression | " + " | ".join(_NAMES.values()) + " | ratio to the best |",
        "|---|" + "---|" * (len(_NAMES) + 1),
    ]
    ratios = []
    for place, kind in enumerate(EXPRESSIONS):
        row = {name: answers[place] for name, answers in found.items()}
        others = [spent for name, (value, spent) in row.items() if spent and name != "ours" and value == row["ours"][0]]
        own = row["ours"][1]
        if own is None or not others:
            raise RuntimeError(f"{kind}: {row}")
        ratios.append(min(others) / own)
        cells = [_cell(*answer, row["ours"][0]) for answer in row.values()]
        lines.append(f"| {kind} | {' | '.join(cells)} | **{ratios[-1]:.0f}** |")
    return [*lines, "", f"Microseconds. The least of the ratios: **{min(ratios):.0f}**.", ""]


def _cell(value: str, spent: float | None, wanted: str) -> str:
    if spent is None:
        return "an error"
    return f"{spent:.2f}" if value == wanted else f"{spent:.2f}, another value"


def _environment(folder: Path) -> Path:
    """A Python that has the peers."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS.values()], check=True)
    return python


def _answers(python: str, name: str, asked: str) -> list[tuple[str, float | None]]:
    environment = {**os.environ, "PYTHONPATH": str(_HERE.parent / "src")}
    done = subprocess.run(
        [python, str(_HERE / "cel_worker.py"), name],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return [(value, spent) for value, spent in json.loads(done.stdout)]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        print("\n".join(report(Path(scratch))))
