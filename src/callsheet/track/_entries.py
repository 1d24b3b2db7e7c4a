"""What is noted, in one form: numbers, params, images and histograms, whatever library they came from."""

from __future__ import annotations

import math
import struct
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

BINS = 64
"""Bins of a histogram."""


@dataclass(frozen=True)
class Moment:
    """When something was noted.

    Attributes:
        step: As it was given.
        count: How many of its kind and name were noted before without a step.
        time: Seconds since 1970.
    """

    step: int | None = None
    count: int = 0
    time: float = field(default_factory=time.time)

    @property
    def x(self) -> int:
        """Where on the x axis."""
        return self.count if self.step is None else self.step


@dataclass(frozen=True)
class Row:
    """Metrics of one call of `scalars`."""

    values: Mapping[str, float]
    at: Moment


@dataclass(frozen=True)
class Image:
    """An image.

    Attributes:
        height: In pixels.
        width: In pixels.
        channels: 1 grey, 3 red, green and blue, 4 with alpha.
        pixels: A byte for each channel of each pixel, row by row.
    """

    height: int
    width: int
    channels: int
    pixels: bytes = field(repr=False)

    def png(self) -> bytes:
        """The image as a PNG file (PNG specification, third edition, 5 and 11.2)."""
        stride = self.width * self.channels
        rows = (b"\0" + self.pixels[n * stride : (n + 1) * stride] for n in range(self.height))
        colour = {1: 0, 3: 2, 4: 6}[self.channels]
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, colour, 0, 0, 0)
        parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@dataclass(frozen=True)
class Histogram:
    """How values are spread.

    Attributes:
        edges: One more than counts, rising.
        counts: How many values lie between two edges.
        left_out: How many values were NaN or infinite.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    left_out: int = 0


def number_of(value: Any) -> float:
    """A value as a number: of Python, NumPy, torch or JAX.

    Raises:
        TypeError: It is none.

    >>> number_of(True), number_of(3), number_of(0.5)
    (1, 3, 0.5)
    """
    if hasattr(value, "item") and not isinstance(value, int | float):
        try:
            value = value.item()
        except (TypeError, ValueError, RuntimeError):
            raise TypeError(f"must be one number, found {_shown(value)}") from None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    raise TypeError(f"must be a number, found {_shown(value)}")


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if shape:
        return f"{type(value).__name__} of the shape {tuple(shape)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def flat(values: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    """The items of nested mappings, by names with dots.

    >>> dict(flat({"a": {"b": 1}, "c": 2}))
    {'a.b': 1, 'c': 2}
    """
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def param_of(value: Any) -> Any:
    """A value as a param: None, a bool, number or text as it is, anything else as the text that shows it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return param_of(value.item())
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)


def image_of(value: Any) -> Image:
    """An image from an array, tensor or nested list.

    Raises:
        TypeError: Its shape or its values are not those of an image.
    """
    value = _on_this_machine(value)
    shape: list[int] = list(getattr(value, "shape", ())) or _shape(value)
    if len(shape) == 2:
        shape.append(1)
    if len(shape) != 3 or shape[2] not in (1, 3, 4) or not shape[0] or not shape[1]:
        raise TypeError(f"an image has the shape (height, width) or (height, width, 3), found {tuple(shape)}")
    return Image(shape[0], shape[1], shape[2], _bytes_of(value))


def _shape(value: Any) -> list[int]:
    shape = []
    while isinstance(value, list | tuple):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def _bytes_of(value: Any) -> bytes:
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        kind = value.dtype.kind
        if kind == "f" and ((value >= 0) & (value <= 1)).all():
            return bytes((value * 255).round().astype("uint8").tobytes())
        if kind == "b":
            return bytes((value.astype("uint8") * 255).tobytes())
        if kind in "iu" and ((value >= 0) & (value <= 255)).all():
            return bytes(value.astype("uint8").tobytes())
        raise TypeError(f"an image has integers from 0 to 255 or floats from 0 to 1, found {_range_of(value)}")
    pixels = list(_leaves(value))
    if all(type(p) is int and 0 <= p <= 255 for p in pixels):
        return bytes(pixels)
    if all(isinstance(p, int | float) and 0 <= p <= 1 for p in pixels):
        return bytes(round(p * 255) for p in pixels)
    raise TypeError("an image has integers from 0 to 255 or floats from 0 to 1")


def _range_of(value: Any) -> str:
    return f"{value.dtype} from {value.min()} to {value.max()}"


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def histogram_of(value: Any) -> Histogram:
    """A histogram of an array, tensor or sequence of numbers, in bins of equal width.

    Raises:
        TypeError: It has no finite number.
    """
    value = _on_this_machine(value)
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        import numpy

        every = value.astype("float64").ravel()
        finite = every[numpy.isfinite(every)]
        if len(finite):
            low, high = _limits(float(finite.min()), float(finite.max()))
            counts, edges = numpy.histogram(finite, BINS, (low, high))
            return Histogram(tuple(edges.tolist()), tuple(counts.tolist()), len(every) - len(finite))
    else:
        numbers = [float(number_of(item)) for item in _leaves(list(value))]
        finite = [number for number in numbers if math.isfinite(number)]
        if finite:
            return _binned(finite, len(numbers) - len(finite))
    raise TypeError("a histogram needs at least one finite number")


def _binned(finite: list[float], left_out: int) -> Histogram:
    low, high = _limits(min(finite), max(finite))
    width = (high - low) / BINS
    counts = [0] * BINS
    for number in finite:
        counts[min(int((number - low) / width), BINS - 1)] += 1
    return Histogram((*(low + n * width for n in range(BINS)), high), tuple(counts), left_out)


def _limits(low: float, high: float) -> tuple[float, float]:
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def _on_this_machine(value: Any) -> Any:
    """A tensor of torch or JAX, wherever it lies, as an array of NumPy; all else as it is."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()
    elif hasattr(value, "__array__") and not hasattr(value, "tobytes"):
        value = value.__array__()
    return value
