import re


def test_x(signed_in, world):
    del world
    b = signed_in()
    for q in (
        "",
        "?here=one&there=two",
        "?here=one&namespace=shop",
        "?here=one&then=2026-03-01",
    ):
        page = b.get("/compare" + q)
    print(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)[-5000:])
    b.get("/compare?here=nope", 404)
    b.get("/compare?here=one&at=nope", 400)
