import re

from bartizan.findings.score import recompute


def test_x(signed_in, world):
    del world
    b = signed_in()
    for q in (
        "",
        "?cluster=one&team=payments&framework=pss",
        "?from=2026-03-01&to=2026-03-03",
        "?from=2026-03-01&to=2026-03-02&cause=findings",
    ):
        page = b.get("/trends/why" + q)
        j = b.get("/trends/why.json" + q)
        assert recompute(j.encode()).decode() == j
    print(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)[-9000:])
