"""Image references, by cases and laws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bartizan.base.image import parse_image

CASES = yaml.safe_load((Path(__file__).parent.parent / "cases" / "images" / "references.yaml").read_text())
COMPONENTS = st.from_regex(r"\A[a-z0-9]+([._-][a-z0-9]+)?\Z")
REGISTRIES = st.sampled_from(["docker.io", "ghcr.io", "localhost", "localhost:5000", "[::1]:5000", "UPPER", "a_b.c"])
DIGESTS = st.one_of(st.just(""), st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}"))
TAGS = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}\Z")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_reference(case: dict[str, Any]) -> None:
    found = parse_image(case["text"])
    parts = [found.registry, found.path, found.tag, found.digest] if found else None
    assert parts == case.get("parts")


@given(REGISTRIES, st.lists(COMPONENTS, min_size=1, max_size=4), TAGS, DIGESTS)
def test_what_is_written_is_what_is_read(registry: str, path: list[str], tag: str, digest: str) -> None:
    """A reference put together from its parts is taken apart into them."""
    found = parse_image(f"{registry}/{'/'.join(path)}:{tag}{f'@{digest}' if digest else ''}")
    assert found is not None
    assert (found.registry, found.path, found.name, found.tag, found.digest) == (
        registry,
        "/".join(path),
        path[-1],
        tag,
        digest,
    )


@given(st.text(max_size=300))
def test_a_reference_reads_back_as_itself(text: str) -> None:
    """Whatever is a reference is one again, and the same, when it is written out whole."""
    found = parse_image(text)
    if found is not None:
        assert parse_image(found.reference) is not None
        again = parse_image(found.reference)
        assert again is not None
        assert (again.registry, again.path, again.digest) == (found.registry, found.path, found.digest)
