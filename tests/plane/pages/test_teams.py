def test_x(signed_in, world):
    del world
    b = signed_in()
    b.get("/teams")
    page = b.get("/teams/data")
    b.get("/teams/nope", 404)
    print(page)
