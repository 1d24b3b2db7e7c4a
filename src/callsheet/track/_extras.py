"""What is said where a client is not installed."""

from __future__ import annotations

from callsheet.errors import CallsheetError, Fault


def missing(package: str, extra: str, error: ImportError) -> CallsheetError:
    """The error for a client that cannot be imported."""
    advice = [f"pip install 'callsheet[{extra}]'"]
    if (error.name or "").partition(".")[0] == package:
        return CallsheetError(Fault("", f"{package} is not installed", advice=advice))
    return CallsheetError(Fault("", f"{package} cannot be imported: {error}", advice=advice))
