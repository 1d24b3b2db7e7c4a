"""Specs in the manner of config_spec: functions with arguments as data, of which only the import changes."""

from __future__ import annotations

from ._form import FormError
from ._native import from_spec, read, to_spec
from ._spec import ImportFailure, Spec, asdict

__all__ = ["FormError", "ImportFailure", "Spec", "asdict", "from_spec", "read", "to_spec"]
