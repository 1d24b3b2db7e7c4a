"""What an executor needs of an experiment, whatever classes it is made of: which fields mean what.

An experiment is any dataclass (attrs class, NamedTuple, or what data has in their place) in which a command stands at
one of the paths of `COMMAND`. Of the paths of a meaning the first that leads to something counts; what is None, or an
empty text, says nothing. No class is asked for by `isinstance`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callsheet._items import step_into
from callsheet._path import format_path, parse_path
from callsheet._ref import Ref
from callsheet._spec import INSTANCES
from callsheet._target import Name
from callsheet._tree import kind_of
from callsheet.errors import Fault, SpecError

COMMAND = "launch.command launch.cmd run.command run.cmd command cmd"
EXPERIMENT = (
    "launch.experiment launch.experiment_name run.experiment run.experiment_name experiment experiment_name name"
)
RUN_NAME = "launch.run_name launch.name run.run_name run.name run_name"
CPUS = "resources.cpus resources.max_cpu er.cpus run.cpus run.max_cpu max_cpu cpus"
GPUS = "resources.gpus resources.max_gpu er.gpus run.gpus run.max_gpu max_gpu gpus"
MEMORY = "resources.memory_gb resources.max_memory er.memory_gb run.memory_gb run.max_memory max_memory memory_gb"
TIMEOUT = "resources.timeout_min er.timeout_min run.timeout_min timeout_min"
NODES = "resources.nodes er.nodes run.nodes nodes"
TASKS = "resources.tasks_per_node er.tasks_per_node run.tasks_per_node tasks_per_node"
IMAGE_URL = (
    "image.url image.image_url er.build.image_url er.ctr.build.image_url resources.build.image_url build.image_url "
    "image_url"
)
BUILD_STEPS = (
    "image.build_steps er.build.build_steps er.ctr.build.build_steps resources.build.build_steps build.build_steps"
)
PULL_POLICY = (
    "image.pull_policy image.image_pull_policy er.build.image_pull_policy er.ctr.build.image_pull_policy "
    "resources.build.image_pull_policy build.image_pull_policy"
)
HOST = {
    name: f"storage.host.{name} er.host.{name}_dir er.storage.{name}.path er.storage.host.{name}_dir "
    f"er.storage.{name}_dir resources.host.{name}_dir host.{name}_dir storage.{name}_dir storage.{name} {name}_dir"
    for name in ("working", "data", "output")
} | {"mlflow": "er.host.mlflow_dir resources.host.mlflow_dir host.mlflow_dir"}
CONTAINER = {
    name: f"storage.container.{name} er.k8.container_{name}_dir er.ctr.{name}_dir resources.k8.container_{name}_dir "
    f"k8.container_{name}_dir container.{name}_dir"
    for name in ("working", "data", "output")
} | {"mlflow": "er.k8.container_mlflow_dir resources.k8.container_mlflow_dir k8.container_mlflow_dir"}
ENV = "env launch.env run.env er.env"
TRACKERS = "trackers er.loggers loggers tracker"


@dataclass(frozen=True)
class Needs:
    """What a run needs: numbers, an image, folders.

    Attributes:
        cpus: Cores, or None where nothing is said.
        gpus: Devices.
        memory_gb: In units of 10⁹ bytes.
        timeout_min: Minutes.
        nodes: Machines.
        tasks_per_node: Processes on each.
        image: The container image; "" where none is named.
        pull_policy: `Always`, `IfNotPresent` or `Never`; "" where nothing is said.
        mounts: For `working`, `data`, `output` and `mlflow`, where they are said, the folder here and the one in a
            container.
    """

    cpus: float | None = None
    gpus: int | None = None
    memory_gb: float | None = None
    timeout_min: float | None = None
    nodes: int = 1
    tasks_per_node: int = 1
    image: str = ""
    pull_policy: str = ""
    mounts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """What it says, by name."""
        return {name: value for name, value in vars(self).items() if value != getattr(_NOTHING, name)}

    def written_here(self) -> list[str]:
        """The folders here in which a container leaves what it makes, which may have to be made."""
        return [self.mounts[kind][0] for kind in ("output", "mlflow") if kind in self.mounts]

    @classmethod
    def of_data(cls, data: Mapping[str, Any], project: Path) -> Needs:
        """What `as_data` gave; folders here start at a project's root."""
        if "mounts" not in data:
            return cls(**data)
        mounts = {kind: (os.path.normpath(project / host), inside) for kind, (host, inside) in data["mounts"].items()}
        return cls(**{**data, "mounts": mounts})


_NOTHING = Needs()


def has_shape(part: Any) -> bool:
    """Whether a part of a spec is an experiment: it has fields, no `build` of its own, and a command."""
    if type(part) in INSTANCES:
        return find(part, COMMAND) is not None
    kind = kind_of(type(part))
    own_build = kind is None or kind.call is not None or kind.by_hand
    return not own_build and kind is not None and kind.family == "fields" and find(part, COMMAND) is not None


def find(part: Any, paths: str) -> tuple[str, Any] | None:
    """The first of some paths in an experiment at which something is said, and what.

    >>> find({"run": {"cmd": "ls", "command": None}}, COMMAND)
    ('run.cmd', 'ls')
    """
    for path in paths.split():
        value = part
        try:
            for step in parse_path(path):
                value = step_into(value, step)
        except LookupError:
            continue
        if value is not None and value != "" and type(value) not in (Ref, Name):
            return path, value
    return None


def seen_without_container(part: Any) -> dict[str, str]:
    """Where a command that runs without a container finds what a template names by the container's folders, by path.

    >>> seen_without_container({"er": {"k8": {"container_data_dir": "/data"}, "host": {"data_dir": "/home/me"}}})
    {'er.k8.container_data_dir': '/home/me'}
    """
    found = {}
    for kind, paths in CONTAINER.items():
        inside, folder = find(part, paths), folder_of(part, HOST[kind])
        if inside is not None and folder:
            found[inside[0]] = folder
    return found


def folder_of(part: Any, paths: str) -> str:
    """The folder that an experiment names at one of some paths; "" where it names none."""
    for path in paths.split():
        value = said(part, path)
        if isinstance(value, str | os.PathLike):
            return os.fspath(value)
    return ""


def said(part: Any, paths: str, default: Any = None) -> Any:
    """What an experiment says, or a default where it says nothing."""
    found = find(part, paths)
    return default if found is None else found[1]


def needs_of(part: Any) -> Needs:
    """What an experiment needs, in numbers.

    Raises:
        SpecError: An amount cannot be read; `faults` names each.
    """
    return _needs([("", part)])


def needs_at(root: Any, entry: str) -> Needs:
    """What the run of an entry needs: what it says as an experiment, else the nearest `resources` beside it.

    Args:
        root: The whole spec.
        entry: The path of what is run; "" for the whole.

    Raises:
        SpecError: An amount cannot be read; `faults` names each.

    >>> needs_at({"main": print, "resources": {"memory_gb": "512Mi"}}, "main").memory_gb
    0.536870912
    """
    steps = parse_path(entry) if entry else ()
    around = [root]
    for step in steps:
        around.append(step_into(around[-1], step))
    part = around.pop()
    said = [(entry, part)] if has_shape(part) else []
    for n in reversed(range(len(around))):
        kind = kind_of(type(around[n]))
        if kind is not None and kind.family == "dict" and "resources" in around[n]:
            said.append((format_path(steps[:n]), {"resources": step_into(around[n], "resources")}))
    return _needs(said)


def _needs(parts: list[tuple[str, Any]]) -> Needs:
    """What is needed by the first of some parts that says it; each has a path for what is told of it."""
    if not parts:
        return _NOTHING
    faults: list[Fault] = []

    def number(paths: str, units: dict[str, float], *, whole: bool = False) -> float | None:
        for start, part in parts:
            found = find(part, paths)
            if found is None:
                continue
            path, value = f"{start}.{found[0]}" if start else found[0], found[1]
            try:
                number = amount(value, units)
            except ValueError:
                known = " ".join(unit for unit in units if unit)
                allowed = f"a number, or one with {known}" if known else "a number"
                faults.append(Fault(path, f"{value!r} is no amount", advice=[allowed]))
                return None
            if whole and number % 1:
                faults.append(Fault(path, f"{value!r} is no whole number"))
            return number
        return None

    cpus, memory = number(CPUS, CPU_UNITS), number(MEMORY, GB_UNITS)
    timeout, gpus = number(TIMEOUT, MINUTE_UNITS), number(GPUS, {"": 1}, whole=True)
    nodes, tasks = number(NODES, {"": 1}, whole=True), number(TASKS, {"": 1}, whole=True)
    if faults:
        raise SpecError(*faults)
    counts = (cpus, None if gpus is None else int(gpus), memory, timeout, int(nodes or 1), int(tasks or 1))
    image, policy = (
        next((said(part, of) for _, part in parts if said(part, of)), "") for of in (IMAGE_URL, PULL_POLICY)
    )
    mounts = next(filter(None, (mounts_of(part) for _, part in parts)), {})
    return Needs(*counts, str(image), str(policy), mounts)


def mounts_of(part: Any) -> dict[str, tuple[str, str]]:
    """For each kind of folder that an experiment names on this machine that folder, and where a container sees it.

    >>> mounts_of({"storage": {"host": {"data": "/home/me/data"}, "container": {"data": "/d"}}})
    {'data': ('/home/me/data', '/d')}
    """
    found = {}
    for kind, inside in _INSIDE.items():
        host = folder_of(part, HOST[kind])
        if host:
            found[kind] = host, folder_of(part, CONTAINER[kind]) or inside
    return found


_INSIDE = {"working": "/project", "data": "/data", "output": "/output", "mlflow": "/mlflow-data"}
"""Where a container sees the folders of which nobody says where."""


CPU_UNITS = {"": 1.0, "m": 1e-3}
"""How many cores the units of a text are: `500m` is half of one."""
GB_UNITS = {
    "": 1.0,
    **{unit: 10.0 ** (3 * n - 9) for n, unit in enumerate(("B", "K", "M", "G", "T"))},
    **{unit: 1024.0**n / 1e9 for n, unit in enumerate(("Ki", "Mi", "Gi", "Ti"), 1)},
    **{unit: 1024.0**n / 1e9 for n, unit in enumerate(("b", "k", "m", "g", "t"))},
}
"""How many 10⁹ bytes the units of a text are: Kubernetes' `G` and `Gi`; Docker's small letters, which are binary."""
MINUTE_UNITS = {"": 1.0, "s": 1 / 60, "min": 1.0, "h": 60.0, "d": 1440.0}
"""How many minutes the units of a text are."""


def amount(value: Any, units: dict[str, float]) -> float:
    """A number, or a text of a number and a unit, in the unit that is written as nothing.

    Raises:
        ValueError: It is neither, or negative.

    >>> amount("500m", CPU_UNITS), amount("2Gi", GB_UNITS), amount(3, GB_UNITS)
    (0.5, 2.147483648, 3.0)
    """
    if isinstance(value, bool):
        raise ValueError(value)
    if isinstance(value, int | float):
        number, unit = float(value), ""
    else:
        match = re.fullmatch(r"([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([A-Za-z]*)", str(value).strip())
        if match is None or match[2] not in units:
            raise ValueError(value)
        number, unit = float(match[1]), match[2]
    if not 0 <= number < float("inf"):
        raise ValueError(value)
    return number * units[unit]
