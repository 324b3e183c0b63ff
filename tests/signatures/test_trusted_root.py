"""The trusted root from a copy of a TUF repository, whose signatures must hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib.signer import CryptoSigner
from tests.signatures.cast import cast
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from bartizan.app.images.trusted_root import trusted_root
from bartizan.base.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path


def repository(folder: Path, *, expired: bool = False) -> None:
    """A TUF repository that holds the test's trusted root."""
    signer = CryptoSigner(ed25519.Ed25519PrivateKey.generate())
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=-1 if expired else 1)
    content = json.dumps(cast().sigstore.trusted_root()).encode()
    (folder / "targets").mkdir(parents=True)
    name = f"{sha256(content).hexdigest()}.trusted_root.json"
    (folder / "targets" / name).write_bytes(content)
    root = Root(expires=end, consistent_snapshot=True)
    for role in ("root", "timestamp", "snapshot", "targets"):
        root.add_key(signer.public_key, role)
    targets = Targets(expires=end, targets={"trusted_root.json": TargetFile.from_data("trusted_root.json", content)})
    snapshot = Snapshot(expires=end, meta={"targets.json": MetaFile(1)})
    signed: dict[str, Any] = {
        "1.root.json": root,
        "1.targets.json": targets,
        "1.snapshot.json": snapshot,
        "timestamp.json": Timestamp(expires=end, snapshot_meta=MetaFile(1)),
    }
    for file, part in signed.items():
        metadata = Metadata(part)
        metadata.sign(signer)
        metadata.to_file(str(folder / file))


def read(folder: Path) -> Any:
    """The root that the folder leads to."""
    return trusted_root({"BARTIZAN_TRUSTED_ROOT": str(folder)})


def test_a_copy_of_a_repository_leads_to_its_root(tmp_path: Path) -> None:
    repository(tmp_path)
    assert read(tmp_path) == cast().sigstore.trusted_root()


def test_a_target_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    repository(tmp_path)
    (target,) = (tmp_path / "targets").iterdir()
    target.write_bytes(target.read_bytes().replace(b"example.com", b"example.net"))
    with pytest.raises(SpecError, match="is not to be trusted"):
        read(tmp_path)


def test_metadata_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    repository(tmp_path)
    path = tmp_path / "1.targets.json"
    path.write_text(path.read_text().replace('"length":', '"length": 1').replace("1  ", "1"))
    with pytest.raises(SpecError, match="is not to be trusted"):
        read(tmp_path)


def test_a_repository_that_has_expired_is_refused(tmp_path: Path) -> None:
    repository(tmp_path, expired=True)
    with pytest.raises(SpecError, match="is not to be trusted"):
        read(tmp_path)


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is no TUF repository"):
        read(tmp_path)


def test_a_file_that_is_no_root_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "root.json"
    path.write_text("{")
    with pytest.raises(SpecError, match="is no trusted root"):
        read(path)
    with pytest.raises(SpecError):
        read(tmp_path / "missing.json")
