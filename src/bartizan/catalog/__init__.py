"""Our knowledge as data: one YAML file a check, and its loader."""

from bartizan.catalog.loader import (
    Catalog,
    CheckSpec,
    Control,
    Example,
    Framework,
    Remediation,
    export_fix,
    export_policy,
    join,
    load_catalog,
)

__all__ = [
    "Catalog",
    "CheckSpec",
    "Control",
    "Example",
    "Framework",
    "Remediation",
    "export_fix",
    "export_policy",
    "join",
    "load_catalog",
]
