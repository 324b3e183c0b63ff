"""`generate` of a rule: what it wants, the labels that hold it together, and what becomes of it later."""
