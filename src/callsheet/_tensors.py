"""Files of tensors, safetensors' and torch's own: read by name without running what they say, and written."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re

from ._configfile import show_file
from ._storage import is_remote, read_bytes, suffix_of
from .errors import Fault, LoadError, WeightsError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Tensors = dict[str, Any]

INSTALL = "pip install 'callsheet[weights]'"
SAFETENSORS = ".safetensors"
_USUAL = (SAFETENSORS, ".pth", ".pt", ".ckpt", ".bin")
_SAFE_TORCH = "2.6"
"""Before it, a file could run code even through `weights_only=True` (CVE-2025-32434)."""

_LEGACY = b"\x6c\xfc\x9c\x46\xf9"
"""In the first bytes of what torch.save wrote before it wrote zip files."""


def import_torch() -> Any:
    """PyTorch.

    Raises:
        WeightsError: It is not installed.
    """
    try:
        import torch
    except ImportError:
        raise WeightsError(Fault("", "weights need PyTorch, which is not installed", advice=[INSTALL])) from None
    return torch


def read_tensors(path: str, *, entry: str | None = None) -> Tensors:
    """The tensors of a file by name, on the CPU.

    Args:
        path: Local, or wherever fsspec reaches.
        entry: Which state dict, in a file that holds several.

    Raises:
        WeightsError: There is no such file, it is damaged, or it holds something other than tensors.
    """
    shown = show_file(path)
    try:
        raw = read_bytes(path) if is_remote(path) else None
        head = raw[:32] if raw is not None else _first_bytes(path)
    except FileNotFoundError:
        raise _no_file(path) from None
    except LoadError as error:
        raise WeightsError(*error.faults) from None
    except OSError as error:
        raise WeightsError(Fault("", f"{shown} cannot be read: {error.strerror}")) from None
    if suffix_of(path) == SAFETENSORS or head[8:9] == b"{":
        if entry is not None:
            problem = f"{shown} holds tensors alone, and no entry {entry!r}"
            raise WeightsError(Fault("", problem, advice=["leave  entry=  out"]))
        return _read_safetensors(path, raw, shown)
    if head[:2] == b"PK" or (head[:1] == b"\x80" and _LEGACY in head):
        return _state_in(_read_torch(path if raw is None else io.BytesIO(raw), shown), entry, shown)
    advice = ["weights are a .safetensors file, or what torch.save made of a state dict"]
    if head[:1] == b"\x80":
        problem = (
            f"{shown} is a pickle that torch.save did not write; to read it is to run what it says, so it is not read"
        )
    else:
        problem = f"{shown} is no file of weights"
    raise WeightsError(Fault("", problem, advice=advice))


def _first_bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(32)


def _no_file(path: str) -> WeightsError:
    folder, name = os.path.split(path)
    names = os.listdir(folder) if not is_remote(path) and os.path.isdir(folder) else []
    close = nearest(name, [each for each in names if each.endswith(_USUAL)])
    advice = [f"did you mean  {show_file(os.path.join(folder, close[0]))}?"] if close else []
    return WeightsError(Fault("", f"there is no file {show_file(path)}", advice=advice))


# --- safetensors ------------------------------------------------------------------------------------------------------


def _safetensors() -> Any:
    import_torch()
    try:
        import safetensors.torch
    except ImportError:
        problem = "weights are kept as .safetensors, which needs a package of that name"
        raise WeightsError(Fault("", problem, advice=[INSTALL])) from None
    return safetensors


def _read_safetensors(path: str, raw: bytes | None, shown: str) -> Tensors:
    library = _safetensors()
    try:
        found: Tensors = library.torch.load_file(path) if raw is None else library.torch.load(raw)
    except (library.SafetensorError, OSError, ValueError, KeyError) as error:
        size = os.path.getsize(path) if raw is None else len(raw)
        advice = [f"it has {size:,} bytes: was it copied whole?"]
        raise WeightsError(Fault("", f"{shown} is damaged: {error}", advice=advice)) from None
    for name, kept in _metadata(path, raw).items():
        if name not in found and kept in found:
            found[name] = found[kept]  # one tensor of two names, which is written once
    return found


def _metadata(path: str, raw: bytes | None) -> dict[str, str]:
    """What else stands in the header of a file that was read already."""
    with io.BytesIO(raw) if raw is not None else open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        found: dict[str, str] = json.loads(file.read(size)).get("__metadata__", {})
    return found


def write_tensors(tensors: Tensors, shown: str) -> bytes:
    """A safetensors file; a tensor of several names is written once, the others stand in the header.

    Args:
        tensors: By name; each with data of its own, or the same tensor under several names.
        shown: The file's name, for errors.

    Raises:
        WeightsError: A tensor has no data, or a form that such a file does not know.
    """
    library = _safetensors()
    kept: dict[tuple[Any, ...], str] = {}
    written: Tensors = {}
    header: dict[str, str] = {"format": "pt"}
    faults: list[Fault] = []
    for name, tensor in tensors.items():
        if tensor.is_meta or str(tensor.layout) != "torch.strided":
            form = "is on the device meta and has no data" if tensor.is_meta else f"has the layout {tensor.layout}"
            faults.append(Fault(name, f"cannot be saved: it {form}"))
            continue
        place = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device)
        first = kept.setdefault(place, name) if tensor.numel() else name
        if first != name:
            header[name] = first
        else:
            written[name] = tensor.detach().cpu().clone().contiguous()
    if faults:
        raise WeightsError(*faults)
    try:
        content: bytes = library.torch.save(written, metadata=header)
    except (library.SafetensorError, ValueError, RuntimeError, KeyError) as error:
        raise WeightsError(Fault("", f"{shown} cannot be written: {error}")) from None
    return content


# --- torch ------------------------------------------------------------------------------------------------------------


def _read_torch(file: Any, shown: str) -> Any:
    torch = import_torch()
    if torch.__version__ < _SAFE_TORCH:
        problem = f"{shown} is a pickle, which PyTorch {torch.__version__} cannot read without running what it says"
        raise WeightsError(Fault("", problem, advice=[f"install PyTorch {_SAFE_TORCH} or newer", INSTALL]))
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  (whatever damaged or hostile bytes make of it)
        asked = re.search(r"GLOBAL (\S+)", str(error))
        if asked:
            problem = f"{shown} is a pickle that asks for {asked[1]}: only tensors are read, nothing is run"
            advice = [
                "whoever made it can save the tensors alone:  save_weights(model, 'weights.safetensors')",
                "or  torch.save(model.state_dict(), ...)",
            ]
            raise WeightsError(Fault("", problem, advice=advice)) from None
        reason = re.split(r"\n|\. ", str(error))[0].strip() or type(error).__name__
        raise WeightsError(Fault("", f"{shown} cannot be read as tensors alone: {reason}")) from None


def _state_in(loaded: Any, entry: str | None, shown: str) -> Tensors:
    """The state dict in what a file holds: all of it, the entry that is asked for, or the only one that is one."""
    torch = import_torch()

    def is_state(x: Any) -> bool:
        values = x.values() if isinstance(x, dict) and all(isinstance(key, str) for key in x) else ()
        return bool(values) and all(isinstance(value, torch.Tensor) for value in values)

    if entry is None and is_state(loaded):
        return dict(loaded)
    entries = {key: x for key, x in loaded.items() if is_state(x)} if isinstance(loaded, dict) else {}
    if entry is not None:
        if entry in entries:
            return dict(entries[entry])
        raise WeightsError(_no_entry(entry, entries, shown))
    if len(entries) == 1:
        return dict(next(iter(entries.values())))
    if entries:
        problem = f"{shown} holds {len(entries)} state dicts: {', '.join(map(repr, entries))}"
        raise WeightsError(Fault("", problem, advice=[f"say which:  entry={name!r}" for name in entries]))
    holds = f"entries {', '.join(map(repr, list(loaded)[:8]))}" if isinstance(loaded, dict) else type(loaded).__name__
    problem = f"{shown} holds no state dict, which gives tensors by name, but {holds}"
    raise WeightsError(Fault("", problem, advice=["save  model.state_dict()"]))


def _no_entry(entry: str, entries: Iterable[str], shown: str) -> Fault:
    close = nearest(entry, entries)
    advice = [f"did you mean  entry={close[0]!r}?"] if close else []
    if entries:
        advice.append(f"it has {', '.join(map(repr, entries))}")
    return Fault("", f"{shown} has no state dict {entry!r}", advice=advice)


# --- digests ----------------------------------------------------------------------------------------------------------


def digest_of(path: str) -> str:
    """The SHA-256 of a file, in hexadecimal.

    Raises:
        WeightsError: There is no such file, or it cannot be read.
    """
    try:
        if is_remote(path):
            return hashlib.sha256(read_bytes(path)).hexdigest()
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise _no_file(path) from None
    except LoadError as error:
        raise WeightsError(*error.faults) from None
    except OSError as error:
        raise WeightsError(Fault("", f"{show_file(path)} cannot be read: {error.strerror}")) from None
