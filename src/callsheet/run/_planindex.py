"""Where the trials of a plan stand: a record of fixed size for each place of the sweep, after one for the plan."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """Where a drawn trial stands in its plan.

    Attributes:
        start: Where its line starts, in bytes.
        length: How long that is.
        digest: Of the header's line and its own.
        key: What stands for its identity.
    """

    start: int
    length: int
    digest: bytes
    key: bytes

    def pack(self) -> bytes:
        """Its bytes, all of the same number, with a sum that tells a half-written one."""
        said = _BODY.pack(self.start, self.length, self.digest, self.key)
        return _SUM.pack(zlib.crc32(said)) + said

    @classmethod
    def unpack(cls, raw: bytes) -> Record | None:
        """The record of some bytes; None where they are none."""
        if len(raw) != SIZE or not any(raw) or _SUM.unpack_from(raw)[0] != zlib.crc32(raw[_SUM.size :]):
            return None
        return cls(*_BODY.unpack_from(raw, _SUM.size))


_SUM = struct.Struct("<I")
_BODY = struct.Struct("<QI16s16s")
_MAGIC = b"callsheet plan 1"

SIZE = _SUM.size + _BODY.size
"""Bytes of a record."""

_HEAD = struct.Struct(f"<16s16s{SIZE - 32}s")


def head(header: bytes) -> bytes:
    """The first record of a plan, of its header's line."""
    return _HEAD.pack(_MAGIC, hashlib.sha256(header).digest()[:16], b"")
