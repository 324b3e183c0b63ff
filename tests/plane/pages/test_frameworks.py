def test_x(signed_in, world):
    del world
    b = signed_in()
    b.get("/frameworks?cluster=one&team=data")
    page = b.get("/frameworks/kubernetes-checklist")
    page = b.get("/frameworks/pss?cluster=one")
    assert b.post(
        "/frameworks/kubernetes-checklist/attest", control="image-scanning", percent="80", statement="s", evidence="e"
    ).endswith("#attestations")
    page = b.get("/frameworks/kubernetes-checklist")
    i = page.index("control-image-scanning")
    print(page[i : i + 600])
    b.post("/frameworks/kubernetes-checklist/withdraw", number="1")
    page = b.get("/frameworks/kubernetes-checklist")
    i = page.index("control-image-scanning")
    print(page[i : i + 600])
    b.get("/frameworks?cluster=nope", 404)
