def test_x(signed_in, world):
    del world
    b = signed_in()
    for q in ("?cluster=one&team=data", "?days=7&namespace=shop", "?days=90"):
        page = b.get("/delivery" + q)
        print(b.get("/delivery.csv" + q))
        b.get("/delivery.json" + q)
    # print(re.sub(r"<svg.*?</svg>", "", page, flags=re.S)[-5000:])
