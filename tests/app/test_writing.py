"""Files appear whole or not at all, and nobody who can write to their folder leads the writing elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bartizan.app.writing import Folder, replace_file, write_all, write_new, write_report
from bartizan.base.errors import SourceError, SpecError

if TYPE_CHECKING:
    from typing import TextIO


def test_a_report_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")

    def breaks(out: TextIO) -> None:
        out.write("half")
        raise SourceError("the world ended")

    with pytest.raises(SourceError, match="the world ended"):
        write_report(file, breaks)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_report_goes_through_a_link_to_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_report(link, lambda out: print("new", file=out))
    assert (link.is_symlink(), target.read_text()) == (True, "new\n")


def test_a_report_to_a_device_leaves_the_device_there() -> None:
    write_report(Path("/dev/null"), lambda out: print("new", file=out))
    assert Path("/dev/null").is_char_device()


def test_an_object_takes_the_place_of_a_link_and_not_of_what_it_names(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "pod-web.yaml").symlink_to(outside)
    Folder(folder).write("pod-web", "kind: Pod\n")
    assert (outside.read_text(), (folder / "pod-web.yaml").read_text()) == ("mine", "kind: Pod\n")


def test_objects_of_one_name_have_files_of_their_own_unless_they_are_the_same(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "deep" / "out")
    for text in ("a", "b", "a", "c", "b"):
        folder.write("pod-web", text)
    written = {file.name: file.read_text() for file in (tmp_path / "deep" / "out").iterdir()}
    assert written == {"pod-web.yaml": "a", "pod-web-2.yaml": "b", "pod-web-3.yaml": "c"}


def test_a_new_file_has_the_mode_that_the_user_gives_files(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    write_new(tmp_path / "new", "text", force=False)
    assert (tmp_path / "new").stat().st_mode == usual.stat().st_mode


def test_of_files_that_belong_together_none_is_written_where_one_is_there(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    with pytest.raises(SpecError, match="there is a file of that name"):
        write_all({tmp_path / "a": "1", tmp_path / "b": "2"}, force=False)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["mine"]


def test_a_text_that_no_encoder_takes_is_written_all_the_same(tmp_path: Path) -> None:
    write_new(tmp_path / "new", "half \ud800", force=False)
    assert (tmp_path / "new").read_text() == "half \\ud800"


def test_what_has_changed_since_it_was_read_stays(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"theirs")
    with pytest.raises(SourceError, match="has changed since it was read"):
        replace_file(file, b"read", b"fixed")
    assert file.read_bytes() == b"theirs"
