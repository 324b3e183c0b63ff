"""Ask the peer its own command-line tests, and write down which expectations it fails itself when it is offline.

`python tools/peer_cli.py` builds the peer, runs every folder of the suite
`kyverno-cli`, and writes `tests/cases/kyverno/peer_cli.yaml`, which the
conformance page is judged by.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conformance import find_conformance  # noqa: E402 (found from the root, which the line above adds)

from tools import gobuild  # noqa: E402

TARGET: Final = ROOT / "tests/cases/kyverno/peer_cli.yaml"
_HEAD: Final = "# Written by tools/peer_cli.py: what `kyverno test` 1.19.1 fails itself, offline, of its own tests.\n"


def rows(program: Path, folder: Path) -> list[dict[str, Any]] | str:
    """The peer's rows for one folder, or what it says where it gives none."""
    command = [str(program), "test", str(folder), "--remove-color", "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    start = done.stdout.find("\n[\n")
    if start < 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
        return said[0] if said else ""
    found: list[dict[str, Any]] = json.JSONDecoder().raw_decode(done.stdout[start + 1 :])[0]
    return found


def main() -> None:
    """Run every folder and write what fails."""
    suite = find_conformance("kyverno-cli")
    if suite is None:
        sys.exit("the conformance suite `kyverno-cli` is not there: set BARTIZAN_CONFORMANCE")
    program = gobuild.ensure("kyverno")["kyverno"]
    failing: dict[str, Any] = {}
    for file in sorted(suite.rglob("kyverno-test.yaml")):
        name = str(file.parent.relative_to(suite))
        answer = rows(program, file.parent)
        if isinstance(answer, str):
            if answer:
                failing[name] = answer.replace(str(suite), "")
            continue
        failed = sorted(
            {
                f"{row['POLICY']} {row['RULE']} {row['RESOURCE'].rpartition('/')[2]}"
                for row in answer
                if row["RESULT"] == "Fail"
            }
        )
        if failed:
            failing[name] = failed
        print(name, len(answer), len(failed), file=sys.stderr)
    TARGET.write_text(_HEAD + yaml.safe_dump(failing, width=120))


if __name__ == "__main__":
    main()
