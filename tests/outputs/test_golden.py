"""Every renderer, shown by one rich report."""

from __future__ import annotations

from io import StringIO

import pytest
from tests.golden.compare import assert_golden
from tests.outputs.sample import REPORT

from bartizan.outputs.formats import FORMATS
from bartizan.outputs.view import View

VIEWS = {
    "": View(),
    "-color": View(color=True),
    "-explain": View(explain=True),
    "-narrow": View(width=50),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_writes_its_golden_file(name: str, pytestconfig: pytest.Config) -> None:
    out = StringIO()
    FORMATS[name].render(REPORT, out)
    assert_golden(pytestconfig, f"report-{name}{FORMATS[name].extension}", out.getvalue())


@pytest.mark.parametrize("suffix", [suffix for suffix in VIEWS if suffix])
def test_the_terminal_page_follows_the_reader(suffix: str, pytestconfig: pytest.Config) -> None:
    out = StringIO()
    FORMATS["terminal"].render(REPORT, out, VIEWS[suffix])
    assert_golden(pytestconfig, f"report-terminal{suffix}.txt", out.getvalue())
