"""`make run`: the plane, with the example application as what is to be deployed, and live clusters where they can be.

The control planes are those of the tests: built once by `make tools`, started
here on free ports with the examples in them, and stopped with the plane.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import gobuild  # noqa: E402 (found from the root, which the line above adds)

CLUSTERS = ("shop-east", "shop-west")


def live(stack: ExitStack) -> list[dict[str, object]]:
    """Start control planes with the examples in them; none where they are not built."""
    if gobuild.find("kubernetes") is None or gobuild.find("etcd") is None:
        print("No control plane is built (`make tools`, with Go): the plane starts with the examples alone.")
        return []
    from tests.controlplane.start import start  # the tests' own recipe, with what only they need

    members: list[dict[str, object]] = []
    for name in CLUSTERS:
        print(f"starting the control plane of {name}")
        cluster = start(Path(mkdtemp(prefix=f"bartizan-{name}-")))
        stack.callback(cluster.stop)
        cluster.run("create", "namespace", "shop")
        # what the examples get wrong on purpose, a server may refuse: the rest is applied
        arguments = ["apply", "--recursive", "--validate=false", "-f", str(ROOT / "examples")]
        subprocess.run(
            [str(cluster.kubectl), f"--kubeconfig={cluster.kubeconfig}", *arguments], capture_output=True, check=False
        )
        members.append({"name": name, "kubeconfig": str(cluster.kubeconfig), "labels": {"env": "live"}})
    return members


def main() -> int:
    """Start everything; returns when the plane is stopped."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--listen", default="127.0.0.1:8420", help="where to serve")
    options.add_argument("--data", type=Path, default=ROOT / ".run", help="folder for the database")
    given = options.parse_args()
    with ExitStack() as stack:
        given.data.mkdir(parents=True, exist_ok=True)
        examples = {"name": "examples", "folder": str(ROOT / "examples"), "labels": {"env": "to be deployed"}}
        settings = given.data / "plane.json"  # JSON is YAML
        settings.write_text(json.dumps({"clusters": [examples, *live(stack)], "interval_s": 300}))
        program = Path(sys.executable).with_name("bartizan")
        command = [str(program), "up", "--config", str(settings), "--data", str(given.data), "--listen", given.listen]
        try:
            return subprocess.run(command, check=False).returncode
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
