"""The functions of the language and its extensions, one module a family."""
