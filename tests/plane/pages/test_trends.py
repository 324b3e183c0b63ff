def test_x(signed_in, world):
    del world
    b = signed_in()
    page = b.get("/trends")
    import re

    print(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)[-6000:])
    page = b.get("/trends?days=90&cluster=one&team=payments&framework=pss")
    page = b.get("/trends?days=365&namespace=shop&framework=kubernetes-checklist")
