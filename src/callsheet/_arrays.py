"""NumPy values as data, and back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def write_numpy(x: Any, numpy: Any) -> tuple[str, Any] | None:
    """A dtype, scalar or array as a tag and JSON data; None where it is none of these, or holds objects.

    A subclass, as masked arrays have, would come back as a plain array.
    """
    if isinstance(x, numpy.dtype):
        of = x.str if x.names is None else _dtype_of(x.descr)
        return ("dtype", [of]) if _same_dtype(of, x, numpy) else None
    if isinstance(x, numpy.generic) and x.dtype.kind not in "OV" and x.dtype.itemsize:
        return "scalar", [x.dtype.str, base64_text(_canonical(x, numpy).tobytes())]
    if type(x) is numpy.ndarray and x.dtype.kind not in "OV" and x.dtype.itemsize:
        return "array", [x.dtype.str, list(x.shape), base64_text(_canonical(x, numpy).tobytes())]
    return None


def _same_dtype(of: Any, x: Any, numpy: Any) -> bool:
    try:
        return bool(numpy.dtype(dtype_spec(of)) == x)
    except (TypeError, ValueError):
        return False


def _canonical(x: Any, numpy: Any) -> Any:
    """As in `_write_float`."""
    if x.dtype.kind not in "fc":
        return x
    made = numpy.array(x, order="C")
    parts = made.reshape(-1)
    for part in (parts.real, parts.imag) if x.dtype.kind == "c" else (parts,):
        part[part == 0] = 0
        part[numpy.isnan(part)] = numpy.nan
    return made


def dtype_spec(of: Any) -> Any:
    """What `numpy.dtype` takes, from the lists that JSON has: fields are tuples, and so are shapes."""
    if isinstance(of, str):
        return of
    return [(name, dtype_spec(form), *map(tuple, shape)) for name, form, *shape in of]


def _dtype_of(descr: Any) -> Any:
    if isinstance(descr, str):
        return descr
    return [
        [list(name) if isinstance(name, tuple) else name, _dtype_of(form), *map(list, shape)]
        for name, form, *shape in descr
    ]


def base64_text(x: bytes) -> str:
    from base64 import b64encode

    return b64encode(x).decode()
