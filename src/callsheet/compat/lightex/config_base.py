"""LightEx's classes of a configuration: what is built, where code and data are, what is run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Build",
    "Container",
    "ContainerDirs",
    "HostResources",
    "HostStore",
    "K8Config",
    "Resources",
    "Run",
    "Storage",
    "StorageDirs",
    "Store",
]


@dataclass(frozen=True)
class Build:
    """A container image.

    Args:
        image_url: Its name.
        build_steps: Commands that make it and publish it.
        Dockerfile_path: Where its recipe is.
        image_pull_policy: `Always`, `IfNotPresent` or `Never`.
    """

    image_url: str
    build_steps: list[str] = field(default_factory=list)
    Dockerfile_path: str | None = None
    image_pull_policy: str = "IfNotPresent"


@dataclass(frozen=True)
class K8Config:
    """The folders of a container. A command that runs without one sees the host's under these names.

    Args:
        container_working_dir: Where the code is.
        container_data_dir: Where the data is.
        container_output_dir: Where runs leave what they make.
        container_mlflow_dir: Where MLflow keeps its data: a container's command receives it as `MLFLOW_TRACKING_URI`.
    """

    container_working_dir: str = "/project"
    container_data_dir: str = "/data"
    container_output_dir: str = "/output"
    container_mlflow_dir: str = "/mlflow-data"


@dataclass(frozen=True)
class HostResources:
    """The folders of this machine.

    Args:
        working_dir: Where the code is; relative to the project's root.
        data_dir: Where the data is.
        output_dir: Where runs leave what they make; each run's own directory by default.
        mlflow_dir: Where MLflow keeps its data: commands receive it as `MLFLOW_TRACKING_URI`.
    """

    working_dir: str = "."
    data_dir: str = "."
    output_dir: str = ""
    mlflow_dir: str = ""


@dataclass
class Store:
    """A place where files are.

    Args:
        path: A folder; a relative one is made absolute.
        stype: The kind of the place; only "file" is known.

    Raises:
        ValueError: The kind is another one.
    """

    path: str = "."
    stype: str = "file"

    def __post_init__(self) -> None:
        if self.stype != "file":
            raise ValueError(f"a Store is of the kind 'file', found {self.stype!r}")
        self.path = os.path.abspath(self.path)

    @property
    def url(self) -> str:
        """Its path."""
        return self.path

    @property
    def storage_type(self) -> str:
        """Its kind."""
        return self.stype


@dataclass(init=False)
class StorageDirs:
    """Where code, data and output are, on this machine.

    Args:
        working_dir: Where the code is.
        data_dir: Where the data is.
        output_dir: Where runs leave what they make; each in `OUTPUT_DIR/EXPERIMENT/RUN`.
    """

    working: Store
    data: Store
    output: Store

    def __init__(self, working_dir: str = ".", data_dir: str = ".", output_dir: str = "/tmp/ltex") -> None:  # noqa: S108
        self.working, self.data, self.output = Store(working_dir), Store(data_dir), Store(output_dir)

    @property
    def working_dir(self) -> str:
        """The path of the code."""
        return self.working.url

    @property
    def data_dir(self) -> str:
        """The path of the data."""
        return self.data.url

    @property
    def output_dir(self) -> str:
        """The path of the output."""
        return self.output.url

    def get_source_urls(self) -> tuple[str, str, str]:
        """The three paths."""
        return self.working_dir, self.data_dir, self.output_dir

    def get_stores(self) -> tuple[Store, Store, Store]:
        """The three places."""
        return self.working, self.data, self.output


@dataclass
class HostStore:
    """Where code, data and output are on this machine, as LightEx's first releases had it; made absolute."""

    working_dir: str = "."
    data_dir: str = "."
    output_dir: str = "/tmp/ltex"  # noqa: S108

    def __post_init__(self) -> None:
        self.working_dir, self.data_dir, self.output_dir = map(os.path.abspath, self.get_dirs())

    def get_dirs(self) -> tuple[str, str, str]:
        """The three paths."""
        return self.working_dir, self.data_dir, self.output_dir


@dataclass
class Storage:
    """What holds a `HostStore`."""

    host: HostStore


@dataclass(frozen=True)
class ContainerDirs:
    """Where a container sees code, data and output, as LightEx's first releases had it."""

    working_dir: str = "/project"
    data_dir: str = "/data"
    output_dir: str = "/output"

    def get_dirs(self) -> tuple[str, str, str]:
        """The three paths."""
        return self.working_dir, self.data_dir, self.output_dir


@dataclass(frozen=True)
class Container:
    """An image, and where its container sees code, data and output."""

    build: Build
    working_dir: str = "/project"
    data_dir: str = "/data"
    output_dir: str = "/output"

    def get_dirs(self) -> tuple[str, str, str]:
        """The three paths."""
        return self.working_dir, self.data_dir, self.output_dir


@dataclass(frozen=True)
class Resources:
    """What an experiment runs with: as LightEx's documents have it (`build`, `k8`, `host`), or its code.

    Args:
        storage: A `StorageDirs`, or a `Storage`.
        loggers: A `LoggerConfig`: its settings reach the command as environment variables.
        ctr: A `Container`, or `ContainerDirs`.
        build: The image.
        k8: The folders of the container.
        host: The folders of this machine.
    """

    storage: StorageDirs | Storage | None = None
    loggers: Any = None
    ctr: Container | ContainerDirs | None = None
    build: Build | None = None
    k8: K8Config | None = None
    host: HostResources | None = None


@dataclass(frozen=True)
class Run:
    """What is run.

    Args:
        cmd: A command template, whose names are those of the experiment.
        experiment_name: The name under which runs are numbered.
        engine: `process`, `docker` or `k8s`.
        run_name: The name of the run; by default the experiment's with the run's number.
        data_dir: Filled in when it runs, and so are the next two: leave them out.
        output_dir: The run's own folder.
        output_log_file: Callsheet keeps the output in the run's directory.
        max_cpu: How many cores: `"500m"` is half of one.
        max_memory: How much memory: `"2Gi"`, `"2g"`.
        persist: Whether a container is kept after its end.
        network: The network of a container.
        jobid: A number of one's own; runs are numbered without it.
    """

    cmd: str
    experiment_name: str
    engine: str = "process"
    run_name: str | None = None
    data_dir: str | None = None
    output_dir: str | None = None
    output_log_file: str | None = None
    max_cpu: str = "1024m"
    max_memory: str = "2g"
    persist: bool = True
    network: str = "host"
    jobid: int = 0

    def get_network(self) -> str:
        """The network of a container."""
        return self.network
