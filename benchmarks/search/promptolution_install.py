"""Whether promptolution is there, asked without importing it."""

import importlib.metadata
import importlib.util

PACKAGE = "promptolution"


def is_installed() -> bool:
    """Say whether promptolution can be imported."""
    return importlib.util.find_spec(PACKAGE) is not None


def version() -> str | None:
    """Give the installed release, or None."""
    return importlib.metadata.version(PACKAGE) if is_installed() else None
