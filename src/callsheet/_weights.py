"""Weights: saved as tensors alone, and loaded into a model of which every tensor that does not fit is named."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ._configfile import show_file
from ._lazy import locate_path
from ._path import format_path
from ._running import RECORDING, Recording
from ._storage import full_path, is_remote, suffix_of, write_whole
from ._tensors import SAFETENSORS, import_torch, read_tensors, write_tensors
from ._tree import kind_of, walk
from .errors import Fault, PathError, WeightsError, nearest, warn

KeyMap: TypeAlias = Mapping[str, str | None] | Callable[[str], str | None]
"""What the tensors of a file are called in the model: by name or beginning of one, or a function of the name."""

RECORD = "weights.jsonl"
"""The file of a run that says which weights it saved, a line for each time."""


@dataclass(frozen=True)
class WeightsReport:
    """What became of the tensors of a file and of a model.

    Attributes:
        source: The file.
        loaded: Names of the model's tensors that were loaded.
        missing: Names of the model's tensors that the file does not have; they stay as they were.
        unexpected: Names of the file's tensors that the model does not have.
        misshaped: Names of the model's tensors that the file has in a form that does not fit,
            with both forms; they stay as they were.
    """

    source: str
    loaded: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misshaped: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        total = len(self.loaded) + len(self.missing) + len(self.misshaped)
        lines = [f"{self.source}: {len(self.loaded)} of the model's {total} tensors loaded"]
        width = max(map(len, self.misshaped), default=0)
        lines += [f"  missing     {name}" for name in self.missing]
        lines += [f"  mis-shaped  {name:<{width}}  {forms}" for name, forms in self.misshaped.items()]
        lines += [f"  unexpected  {name}" for name in self.unexpected]
        return "\n".join(lines)


def load_weights(
    model: Any,
    path: str | os.PathLike[str],
    *,
    on_mismatch: Literal["error", "skip"] = "error",
    key_map: KeyMap | None = None,
    entry: str | None = None,
) -> WeightsReport:
    """Copy the tensors of a file into a model, each into the one of its name.

    The model's tensors keep their dtype and device. Where an error is raised,
    the model is as it was. A model in `DataParallel`, `DistributedDataParallel`
    or `torch.compile` counts as the model inside.

    Args:
        model: A `torch.nn.Module`.
        path: A `.safetensors` file, or what `torch.save` made of a state dict, also within a
            dict that holds one; local, or at `https://…`, `s3://…` and their like with the extra `remote`.
            A pickle is read for its tensors alone.
        on_mismatch: "error" refuses a file of which anything does not fit; "skip" loads what fits.
        key_map: What tensors of the file are called in the model: a function from name to name, or a dict whose keys
            are names, or beginnings of names up to a dot (`{"module": ""}`, `{"": "backbone"}`); the longest that
            fits counts. None instead of a name leaves the tensor out.
        entry: Which state dict, in a pickle that holds several (`"ema"`).

    Returns:
        What was loaded, and with "skip" what was not.

    Raises:
        WeightsError: The file cannot be read, or does not fit: `faults` names every tensor that is
            missing, unexpected or mis-shaped. With "skip", no tensor of it fits.
        TypeError: `model` is no module.

    Example:
        ``report = load_weights(net, "weights.safetensors", on_mismatch="skip")``
    """
    if on_mismatch not in ("error", "skip"):
        raise ValueError(f"on_mismatch must be 'error' or 'skip', found {on_mismatch!r}")
    module = _bare(model, "load_weights")
    text = full_path(path)
    found = read_tensors(text, entry=entry)
    mapped = {new: found[old] for old, new in _renamed(found, key_map, show_file(text)).items()}
    wanted = _tensors_of(module)
    report = _compared(mapped, wanted, module, show_file(text))
    wrong = report.missing or report.unexpected or report.misshaped
    if wrong and (on_mismatch == "error" or not report.loaded):
        raise WeightsError(*_faults(report, module, mapped, wanted, renamed=key_map is not None))
    with import_torch().no_grad():
        for name in report.loaded:
            if name in mapped:
                wanted[name].copy_(mapped[name])
    return report


def save_weights(model: Any, path: str | os.PathLike[str], *, node: str | None = None) -> str:
    """Write a model's tensors as a safetensors file, whole or not at all; a folder that is missing is made.

    Within a run it is recorded there, with its SHA-256 and the path of the node
    that the model was built from, so that `restore` finds it.

    Args:
        model: A `torch.nn.Module`; one in `DataParallel`, `DistributedDataParallel` or `torch.compile` counts as the
            model inside.
        path: Ends in `.safetensors`; `s3://…` and its like need the extra `remote`.
        node: The path of the node that describes the model, for one that the run did not build itself,
            such as a copy with averaged weights.

    Returns:
        The SHA-256 of the file, in hexadecimal.

    Raises:
        WeightsError: Something in the model's state is no tensor, or has no data; nothing is written.
        SaveError: The store refuses.
        OSError: The file system refuses.
        TypeError: `model` is no module.

    Warns:
        CallsheetWarning: It is written within a run, but the node is not known, so that `restore` cannot find it.

    Example:
        ``save_weights(net, f"{directory}/weights.safetensors")``
    """
    module = _bare(model, "save_weights")
    text = full_path(path)
    if suffix_of(text) != SAFETENSORS:
        stem = os.path.splitext(os.fspath(path))[0]
        problem = f"{show_file(text)} does not end in {SAFETENSORS}, which weights are saved as"
        raise WeightsError(Fault("", problem, advice=[f"save_weights(model, {stem + SAFETENSORS!r})"]))
    torch = import_torch()
    state = module.state_dict()
    odd = [(name, value) for name, value in state.items() if not isinstance(value, torch.Tensor)]
    if odd:
        problem = "is a {} and no tensor, which is all that a .safetensors file holds"
        raise WeightsError(*(Fault(name, problem.format(type(value).__name__)) for name, value in odd))
    content = write_tensors(state, show_file(text))
    if not is_remote(text):
        os.makedirs(os.path.dirname(text), exist_ok=True)
    write_whole(text, content)
    sha256 = hashlib.sha256(content).hexdigest()
    recording = RECORDING.get()
    if recording is not None:
        _record(recording, module, text, sha256, node)
    return sha256


def _bare(model: Any, verb: str) -> Any:
    """The module itself, out of what wraps it for several devices or for the compiler."""
    torch = import_torch()
    parallel = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
    while isinstance(model, torch.nn.Module):
        if isinstance(model, parallel):
            model = model.module
        elif type(model).__module__.startswith("torch._dynamo") and "_orig_mod" in model._modules:
            model = model._orig_mod
        else:
            return model
    advice = f": build it first, {verb}(build(model), ...)" if kind_of(type(model)) is not None else ""
    raise TypeError(f"{verb} takes a torch.nn.Module, found a {type(model).__name__}{advice}")


# --- loading ----------------------------------------------------------------------------------------------------------


def _tensors_of(module: Any) -> dict[str, Any]:
    torch = import_torch()
    state = module.state_dict(keep_vars=True)
    return {name: tensor for name, tensor in state.items() if isinstance(tensor, torch.Tensor)}


def _compared(mapped: dict[str, Any], wanted: dict[str, Any], module: Any, source: str) -> WeightsReport:
    own = {id(tensor) for tensor in (*module.parameters(), *module.buffers())}
    misshaped: dict[str, str] = {}
    first: dict[int, str] = {}  # of tensors that have several names in the model
    for name in wanted:
        if name in mapped:
            forms = _misfit(mapped[name], wanted[name], own=id(wanted[name]) in own)
            other = first.setdefault(id(wanted[name]), name) if not forms else name
            if other != name and not _equal(mapped[other], mapped[name], wanted[name].dtype):
                forms = f"another tensor than {other} in the file, the same in the model"
            if forms:
                misshaped[name] = forms
    given = {id(wanted[name]) for name in wanted if name in mapped and name not in misshaped}
    loaded = [name for name in wanted if name not in misshaped and (name in mapped or id(wanted[name]) in given)]
    missing = [name for name in wanted if name not in mapped and name not in loaded]
    unexpected = sorted(name for name in mapped if name not in wanted)
    return WeightsReport(source, tuple(loaded), tuple(missing), tuple(unexpected), misshaped)


def _equal(a: Any, b: Any, dtype: Any) -> bool:
    return a is b or bool(a.to(dtype).equal(b.to(dtype)))


def _misfit(found: Any, wanted: Any, *, own: bool) -> str:
    """Why a tensor of a file cannot be copied into one of a model; "" where it can."""
    torch = import_torch()
    if isinstance(wanted, torch.nn.parameter.UninitializedTensorMixin):
        return "has no shape in the model before its first call"
    if wanted.is_meta:
        return "is on the device meta in the model, where nothing can be loaded: model.to_empty(device='cpu')"
    if not own or wanted.is_inference() or any(n > 1 and step == 0 for n, step in _strides(wanted)):
        return "is in the model a view that cannot be written to"
    if tuple(found.shape) != tuple(wanted.shape):
        return f"{tuple(found.shape)} in the file, {tuple(wanted.shape)} in the model"
    if found.is_quantized != wanted.is_quantized or not torch.can_cast(found.dtype, wanted.dtype):
        return f"{_short(found.dtype)} in the file, {_short(wanted.dtype)} in the model"
    if found.layout != wanted.layout:
        return f"{_short(found.layout)} in the file, {_short(wanted.layout)} in the model"
    return ""


def _strides(tensor: Any) -> list[tuple[int, int]]:
    return list(zip(tensor.shape, tensor.stride(), strict=True)) if str(tensor.layout) == "torch.strided" else []


def _short(kind: Any) -> str:
    return str(kind).removeprefix("torch.")


def _faults(
    report: WeightsReport, module: Any, mapped: dict[str, Any], wanted: dict[str, Any], *, renamed: bool
) -> list[Fault]:
    file = report.source
    faults = [Fault(name, f"is not in {file}") for name in report.missing]
    faults += [Fault(name, forms) for name, forms in report.misshaped.items()]
    faults += [Fault(name, f"is in {file}, but not in the model") for name in report.unexpected]
    advice = [] if renamed else _prefix_advice(list(mapped), list(wanted), report.missing)
    if report.loaded:
        count = f"{len(report.loaded)} tensor{'s' if len(report.loaded) > 1 else ''}"
        advice.append(f'on_mismatch="skip"  loads the {count} that {"fit" if len(report.loaded) > 1 else "fits"}')
    name = type(module).__qualname__
    problem = f"{file} does not fit {name}" if report.loaded else f"no tensor of {file} fits {name}"
    return [*faults, Fault("", f"{problem}; the model is as it was", advice=advice)]


def _prefix_advice(found: list[str], wanted: list[str], missing: tuple[str, ...]) -> list[str]:
    """The one beginning that, taken away or put in front, gives all that is missing."""
    for name in missing[:1]:
        for other in found:
            if other.endswith("." + name):
                prefix = other[: -len(name)]
                if set(wanted) <= {each.removeprefix(prefix) for each in found}:
                    return [f'key_map={{"{prefix[:-1]}": ""}}  gives the tensors the names that they have in the model']
            if name.endswith("." + other):
                prefix = name[: -len(other)]
                if set(wanted) <= {prefix + each for each in found}:
                    return [f'key_map={{"": "{prefix[:-1]}"}}  gives the tensors the names that they have in the model']
    return []


def _renamed(found: Mapping[str, Any], key_map: KeyMap | None, file: str) -> dict[str, str]:
    """For each name of the file that is not left out, the name in the model.

    Raises:
        WeightsError: A key of the map fits no name, or two tensors get the same name.
    """
    if key_map is None:
        return {name: name for name in found}
    if callable(key_map):
        rename = key_map
    else:
        unused = [key for key in key_map if not any(_begins(key, name) for name in found)]
        if unused:
            raise WeightsError(*(_unused(key, found, file) for key in unused))
        rename = functools.partial(_new_name, key_map={key.rstrip("."): new for key, new in key_map.items()})
    new_names: dict[str, str] = {}
    taken: dict[str, str] = {}
    faults = []
    for name in found:
        new = rename(name)
        if new is None:
            continue
        if new in taken:
            faults.append(Fault(new, f"is what key_map makes of both {taken[new]} and {name}"))
        taken[new] = name
        new_names[name] = new
    if faults:
        raise WeightsError(*faults)
    return new_names


def _begins(key: str, name: str) -> bool:
    key = key.rstrip(".")
    return not key or name == key or name.startswith(key + ".")


def _new_name(name: str, key_map: Mapping[str, str | None]) -> str | None:
    keys = [key for key in key_map if _begins(key, name)]
    if not keys:
        return name
    key = max(keys, key=len)
    new = key_map[key]
    return None if new is None else ".".join(filter(None, (new.rstrip("."), name[len(key) :].lstrip("."))))


def _unused(key: str, found: Mapping[str, Any], file: str) -> Fault:
    beginnings = {
        ".".join(parts[:n]) for parts in (name.split(".") for name in found) for n in range(1, len(parts) + 1)
    }
    close = nearest(key.rstrip("."), sorted(beginnings))
    advice = [f"did you mean  {close[0]}?"] if close else []
    return Fault("", f"key_map has {key!r}, with which no name in {file} begins", advice=advice)


# --- the record of a run ----------------------------------------------------------------------------------------------


def _record(recording: Recording, module: Any, path: str, sha256: str, node: str | None) -> None:
    """Note in the run's directory what was saved; weights are never lost for want of a node."""
    problem = ""
    if node is None:
        nodes = _paths_of_nodes(recording, module)
        if not nodes:
            problem = f"the run did not build this {type(module).__qualname__} from a node of its spec"
            problem += '; save_weights(..., node="model")  says which node describes it'
    else:
        nodes = [node]
        try:
            locate_path(recording.spec, node)
        except PathError as error:
            fault = error.faults[0]
            nodes, problem = [], "; ".join([f"{node} {fault.problem} in the spec", *fault.advice])
    if problem:
        text = f"{show_file(path)} is saved, but restore cannot find it: {problem}"
        warn(text)
    inside = not is_remote(path) and path.startswith(recording.directory + os.sep)
    line = {
        "file": os.path.relpath(path, recording.directory) if inside else path,
        "sha256": sha256,
        "nodes": nodes,
        "saved": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    with open(os.path.join(recording.directory, RECORD), "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _paths_of_nodes(recording: Recording, module: Any) -> list[str]:
    nodes = recording.nodes_of(module) if recording.nodes_of is not None else []
    paths: dict[int, str] = {}
    for steps, value in walk(recording.spec) if nodes else ():
        paths.setdefault(id(value), format_path(steps))
    return [paths[id(node)] for node in nodes if id(node) in paths]
