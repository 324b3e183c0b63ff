"""What the project is built, measured and documented with."""
