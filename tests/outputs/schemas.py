"""The schemas that reports must fit: our own, and the official one of SARIF 2.1.0."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator
from tests.conformance import ROOT, missing

_LOCKED = Path(__file__).parent / "npm"
_SCHEMA = Path("node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json")


@cache
def report_schema() -> dict[str, Any]:
    """The schema of our JSON report."""
    schema: dict[str, Any] = json.loads((ROOT / "src/bartizan/outputs/report.schema.json").read_text())
    return schema


def sarif_schema() -> Draft4Validator:
    """The official schema; skips the test where it is not and cannot be had, or fails where all is required."""
    folder = _install()
    if isinstance(folder, str):
        missing(folder)
    return _validator(folder / _SCHEMA)


@cache
def _validator(file: Path) -> Draft4Validator:
    return Draft4Validator(json.loads(file.read_text()))


@cache
def _install() -> Path | str:
    """Install the locked packages into the user's cache, once a lock file; says why where that fails."""
    lock = (_LOCKED / "package-lock.json").read_bytes()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "bartizan" / f"npm-{sha256(lock).hexdigest()[:12]}"
    if (folder / _SCHEMA).is_file():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        return "the schema of SARIF is in an npm package, and npm is not here"
    made = folder.with_name(f"{folder.name}.{os.getpid()}")  # two workers may come here at once
    shutil.copytree(_LOCKED, made, dirs_exist_ok=True)
    quiet = ["--ignore-scripts", "--omit=peer", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = subprocess.run([npm, "ci", *quiet], cwd=made, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        shutil.rmtree(made)
        return f"npm could not install the schema of SARIF: {done.stderr.strip()[-200:]}"
    if folder.exists():
        shutil.rmtree(made)
    else:
        made.rename(folder)
    return folder
