"""The taxonomy of an experiment: what is run, with which hyperparameters, on what, in which image, on which folders."""

# Annotations are objects here, not texts: the classes say that they are of `callsheet.run`, where texts mean nothing.
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Launch:
    """What is run, and under which name.

    Args:
        command: A command template; its names are those of the experiment: `python train.py --lr {{hp.lr}}`.
        experiment: The name under which runs are numbered; the config file's by default.
        run_name: The name of the run; by default the experiment's with the run's number, `digits-8`.
    """

    command: str
    experiment: str = ""
    run_name: str = ""


@dataclass(frozen=True)
class Resources:
    """What a run needs.

    Args:
        cpus: Cores; `"500m"` is half of one.
        gpus: Whole devices.
        memory_gb: In units of 10⁹ bytes; a text has its own unit: `"2Gi"`, `"512Mi"`.
        timeout_min: Minutes after which the run is ended; a text may have its own unit: `"90s"`, `"2h"`.
        nodes: Machines.
        tasks_per_node: Processes on each.
    """

    cpus: float | str | None = None
    gpus: int | None = None
    memory_gb: float | str | None = None
    timeout_min: float | str | None = None
    nodes: int = 1
    tasks_per_node: int = 1


@dataclass(frozen=True)
class Image:
    """The container image in which a run takes place.

    Args:
        url: Its name, `registry/name:tag`.
        build_steps: Commands that make it and publish it, in order.
        pull_policy: `Always`, `IfNotPresent` or `Never`.
    """

    url: str
    build_steps: list[str] = field(default_factory=list)
    pull_policy: str = "IfNotPresent"


@dataclass(frozen=True)
class Folders:
    """Three folders.

    Args:
        working: Where the code is, and a command starts.
        data: Where the data is.
        output: Where runs leave what they make.
    """

    working: str = ""
    data: str = ""
    output: str = ""


@dataclass(frozen=True)
class Storage:
    """Where code, data and output are.

    Args:
        host: On this machine; relative to the project's root, which `working` and `data` are by default.
            Without `output` a run's output is in its own directory.
        container: Where a container sees them.
    """

    host: Folders = Folders()
    container: Folders = Folders("/project", "/data", "/output")


@dataclass(frozen=True)
class Experiment:
    """A command with what its template names.

    Args:
        launch: What is run.
        hp: The hyperparameters: any dataclass, mapping, or an `HPGroup`, which makes several experiments of one.
        resources: What a run needs.
        image: The image, where it shall run in a container.
        storage: Where code, data and output are.
        env: Environment variables of the command.
        trackers: Trackers whose settings reach the command as environment variables. MLflow's run is begun before
            it, and ended after it with the state that it came to.
    """

    launch: Launch
    hp: Any = None
    resources: Resources = Resources()
    image: Image | None = None
    storage: Storage = Storage()
    env: Mapping[str, Any] = field(default_factory=dict)
    trackers: Any = None


@dataclass(frozen=True)
class Command:
    """A command whose template names values of the whole spec; as `main` of a config it is what is run.

    Args:
        template: Words and `{{…}}`: `python train.py --lr {{lr}}`.
        working: The folder in which it starts, relative to the project's root.
        env: Its environment variables, beside those of this process.
    """

    template: str
    working: str = ""
    env: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Axis:
    """The values of one field of a group, of which each combination takes one; `axis([...])` makes it."""

    values: list[Any]


for _public in (Axis, Command, Experiment, Folders, Image, Launch, Resources, Storage):
    _public.__module__ = "callsheet.run"  # which data names, wherever they are defined
