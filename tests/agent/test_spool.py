"""The spool is a list that survives: what it said is kept is there, in order, whatever happened to the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bartizan.agent.spool import Spool, SpoolFullError
from bartizan.base.errors import StoreError

_ROOT = Path(__file__).parents[2]
_PAYLOADS = st.binary(max_size=300)


def _all(spool: Spool) -> list[bytes]:
    records = [spool.get(number) for number in range(spool.first, spool.next)]
    assert all(record is not None for record in records)
    return [record.payload for record in records if record is not None]


class _Spools(RuleBasedStateMachine):
    """A spool beside a list, with restarts whenever."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.spool = Spool(Path(self.folder.name), bound=8192, segment=700)
        self.name = self.spool.name
        self.kept: list[bytes] = []
        self.sent = 0

    @rule(payload=_PAYLOADS)
    def append(self, payload: bytes) -> None:
        before = self.spool.next
        try:
            assert self.spool.append(payload, 5, self.name) == before
        except SpoolFullError:
            assert self.spool.is_full
            assert self.spool.next == before
        else:
            self.kept.append(payload)

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        last = data.draw(st.integers(self.sent, len(self.kept)))
        assert self.spool.go_on_from(last)
        self.sent = last

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = Spool(Path(self.folder.name), bound=8192, segment=700)
        assert not self.spool.damaged

    @rule(junk=st.binary(min_size=1, max_size=40))
    def power_cut(self, junk: bytes) -> None:
        """The beginning of a record that was never acknowledged is at the end of the last file."""
        self.spool.close()
        last = max(Path(self.folder.name).glob("*/*.records"))
        with last.open("ab") as file:
            file.write(b"brt1" + junk)
        self.restart()

    @rule()
    def begin_anew(self) -> None:
        self.spool.renew()
        assert self.spool.name != self.name
        self.name, self.kept, self.sent = self.spool.name, [], 0

    @rule(far=st.integers(1, 5))
    def refuse_what_never_was(self, far: int) -> None:
        assert not self.spool.go_on_from(len(self.kept) + far)

    @invariant()
    def holds_what_was_kept(self) -> None:
        assert self.spool.name == self.name
        assert self.spool.next == len(self.kept) + 1
        assert self.spool.first <= self.sent + 1
        assert _all(self.spool) == self.kept[self.spool.first - 1 :]
        assert self.spool.bytes <= 8192
        assert self.spool.bytes == sum(path.stat().st_size for path in Path(self.folder.name).glob("*/*.records"))

    def teardown(self) -> None:
        self.spool.close()
        self.folder.cleanup()


TestSpools = _Spools.TestCase
TestSpools.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_a_record_cut_anywhere_is_none_and_those_before_it_are_whole(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "whole")
    payloads = [b"first", b"the second", b"third" * 9]
    ends = []
    file = next((tmp_path / "whole" / spool.name).glob("*.records"))
    for payload in payloads:
        spool.append(payload, 1)
        ends.append(file.stat().st_size)
    spool.close()
    content = file.read_bytes()
    for size in range(len(content)):
        os.truncate(file, 0)
        file.write_bytes(content[:size])
        again = Spool(tmp_path / "whole")
        assert not again.damaged
        assert _all(again) == payloads[: sum(end <= size for end in ends)]
        again.append(b"more", 2)
        assert _all(again)[-1] == b"more"
        again.close()


@given(place=st.integers(0, 150), flip=st.integers(1, 255))
def test_a_record_that_was_damaged_ends_the_spool_and_is_never_sent(place: int, flip: int) -> None:
    with TemporaryDirectory() as folder:
        spool = Spool(Path(folder))
        name = spool.name
        payloads = [b"a" * 40, b"b" * 40, b"c" * 40]
        for payload in payloads:
            spool.append(payload, 1)
        spool.close()
        file = next(Path(folder).glob("*/*.records"))
        content = bytearray(file.read_bytes())
        content[place] ^= flip
        file.write_bytes(content)
        again = Spool(Path(folder))
        found = _all(again)
        assert found == payloads[: len(found)]
        is_last = place >= 2 * len(content) // 3  # as a torn end
        assert (again.name == name) == is_last
        assert bool(again.damaged) != is_last
        again.close()


def test_what_the_disk_refuses_is_not_kept_and_leaves_nothing(tmp_path: Path) -> None:
    """With a limit on the size of files, as a full disk has one."""
    code = """
import resource, signal, sys
from pathlib import Path
from bartizan.agent.spool import Spool
from bartizan.base.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
spool = Spool(Path(sys.argv[1]))
spool.append(b"a" * 500, 1)
try:
    spool.append(b"b" * 700, 1)
except StoreError as error:
    print(error.message)
spool.append(b"c" * 100, 1)
"""
    environment = {**os.environ, "PYTHONPATH": str(_ROOT / "src")}
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "cannot keep reports: file too large" in done.stdout
    spool = Spool(tmp_path)
    assert _all(spool) == [b"a" * 500, b"c" * 100]
    spool.close()


def test_a_process_killed_while_it_appends_has_kept_what_it_said(tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from bartizan.agent.spool import Spool
spool = Spool(Path(sys.argv[1]), segment=20000)
while True:
    number = spool.append(b"%d " % spool.next * 200, 1)
    os.write(1, b"%d\\n" % number)
"""
    environment = {**os.environ, "PYTHONPATH": str(_ROOT / "src")}
    told = 0
    for wanted in (20, 50, 90):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], env=environment, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            while told < wanted:
                told = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split()
        told = int(rest[-1]) if rest else told
        spool = Spool(tmp_path)
        assert not spool.damaged
        assert told <= spool.next - 1 <= told + 1
        assert _all(spool) == [b"%d " % number * 200 for number in range(1, spool.next)]
        spool.close()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot keep reports"):
        Spool(tmp_path / "file")
