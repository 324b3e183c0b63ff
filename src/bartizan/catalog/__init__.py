"""Our knowledge as data: one YAML file a check, and its loader."""
