"""A real registry of images for tests: the distribution project's, with whatever lock on its door."""
