import re


def test_x(signed_in, world):
    del world
    b = signed_in()
    for q in ("", "?cluster=one&team=payments&framework=pss", "?q=roo&severity=high&only=failing&order=name"):
        page = b.get("/policies" + q)
    print(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)[-3000:])
    b.get("/policies/writable-root")
    b.get("/policies/writable-root?as=yaml")
    b.get("/policies/nope/x", 404)
    page = b.get("/policies/roots?cluster=one")
    print(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)[-8000:])
