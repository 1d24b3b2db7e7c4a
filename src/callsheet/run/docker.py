"""Runs trials in containers of a Docker daemon, or of what speaks its language."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from callsheet.run._container import POLICIES, PullPolicy, environment, image_of, pull_policy_of
from callsheet.run._dockerd import INDEX, LIMIT, PLAN, TURN, Daemon, DockerRequest, Mount, docker_sdk
from callsheet.run._engine import name_of, worker_argv
from callsheet.run._job import Task
from callsheet.run._remote import RemoteExecutor


@dataclass(frozen=True)
class Docker(RemoteExecutor):
    """Containers of a Docker daemon, or of podman's service, one for each trial.

    The runs are mounted where they are here, and bring Callsheet along: the image needs Python 3.11, and what the
    project imports. What a trial says itself, its image too, counts before what is said here.

    Args:
        image: The image of trials that name none.
        slots: How many containers run at a time; 1 by default, since a daemon does not queue.
        pull_policy: When the image is pulled: `Always`, `IfNotPresent` or `Never`.
        user: As whom trials run, `uid:gid`; whoever submits by default, whose the results then are.
        network: `host`, `none`, or the name of a network; as the daemon has it by default.
        mounts: Further folders that containers see, as `docker run --volume` takes them: `/data:/data:ro`.
        shm_gb: Size of `/dev/shm`, through which data loaders share, in units of 10⁹ bytes.
        project: Where the image has the project. `code="there"` needs it, unless `mounts` has the project where it is.
        entrypoint: What runs the command in place of what the image says; `()` for nothing.
        host: The daemon's address, `unix:///run/user/1000/podman/podman.sock`; `DOCKER_HOST` or the usual by default.

    Example:
        ``submit(sweep("conf.py", ["lr=1e-3,1e-2"]), on=Docker("nets:3", gpus=1))``
    """

    image: str = ""
    _: KW_ONLY
    pull_policy: PullPolicy = "IfNotPresent"
    user: str = ""
    network: str = ""
    mounts: Sequence[str] = ()
    shm_gb: float | None = None
    project: str = ""
    entrypoint: Sequence[str] | None = None
    host: str = ""

    one: ClassVar[str] = "one container"
    in_container: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what could never run a job."""
        super().__post_init__()
        if self.pull_policy not in POLICIES:
            raise ValueError(f"pull_policy must be one of {', '.join(POLICIES)}, found {self.pull_policy!r}")
        if self.shm_gb is not None and not self.shm_gb > 0:
            raise ValueError(f"shm_gb must be more than 0, found {self.shm_gb}")
        mounts = [_mount(text) for text in self.mounts]
        if self.code == "there" and not self.project and not any(each.source == each.target for each in mounts):
            raise ValueError(
                "code='there' runs what the image has: say where it is, project='/app', or mount it where it is here"
            )

    @property
    def capacity(self) -> int:
        """How many containers there are at a time."""
        return self.slots or 1

    def requests(self, tasks: Sequence[Task]) -> list[DockerRequest]:
        """What would be started for some tasks, as values.

        Raises:
            RunError: No image is named; or a task needs several processes.
        """
        return [self._request(task) for task in tasks]

    def engine(self) -> Daemon:
        """What takes the requests.

        Raises:
            RunError: The Docker SDK for Python is missing.
        """
        return Daemon(docker_sdk(), self.host)

    def _request(self, task: Task) -> DockerRequest:
        needs = self.needs_of(task)
        labels = {PLAN: task.plan.id, INDEX: str(task.index), TURN: str(task.turn)}
        if needs.timeout_min is not None:
            labels[LIMIT] = f"{60 * needs.timeout_min:g}"
        return DockerRequest(
            name=name_of([task]),
            tasks=(task,),
            image=image_of(task, needs, self.image, "Docker"),
            argv=worker_argv([task], python=self.python or "python3", minutes=needs.timeout_min),
            user=self.user or f"{os.getuid()}:{os.getgid()}",
            labels=labels,
            mounts=self._mounts(task),
            env=self._env(task),
            pull_policy=pull_policy_of(task, needs) or self.pull_policy,
            network=self.network,
            entrypoint=None if self.entrypoint is None else tuple(self.entrypoint),
            cpus=needs.cpus,
            memory=None if needs.memory_gb is None else int(needs.memory_gb * 1e9),
            shm=None if self.shm_gb is None else int(self.shm_gb * 1e9),
            gpus=needs.gpus,
            host=self.host,
        )

    def _mounts(self, task: Task) -> tuple[Mount, ...]:
        runs = str(task.plan.runs)
        folders = (Mount(host, inside) for host, inside in task.needs.mounts.values())
        return (Mount(runs, runs), *folders, *map(_mount, self.mounts))

    def _env(self, task: Task) -> dict[str, str | None]:
        is_root = (self.user or str(os.getuid())).split(":")[0] in ("0", "root")
        there = {"CALLSHEET_PROJECT": self.project} if self.project and self.code == "there" else {}
        return {**environment(task, self.env, has_home=is_root), **there}


def _mount(text: str) -> Mount:
    """What `/here:/there:ro` means.

    >>> str(_mount("/home/me/data:/data:ro"))
    'type=bind,source=/home/me/data,target=/data,readonly'
    """
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not source.startswith("/") or not target.startswith("/") or mode not in ("", "ro", "rw"):
        raise ValueError(f"a mount is  /folder/here:/folder/there  or  …:ro, found {text!r}")
    return Mount(source, target, mode == "ro")
