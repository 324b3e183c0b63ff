"""One renderer a file: what people and programs read."""
