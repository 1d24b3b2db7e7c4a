"""Runs trials as jobs of a Ray cluster, submitted to its dashboard over HTTP: Ray itself is not needed here."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from callsheet.errors import Fault, RunError
from callsheet.run._code import library_name
from callsheet.run._engine import name_of, worker_argv
from callsheet.run._job import Task
from callsheet.run._rayjobs import NEEDS, Dashboard, RayRequest
from callsheet.run._remote import RemoteExecutor

_GRACE_S = 10
"""Seconds between asking a trial to end and ending it."""


@dataclass(frozen=True)
class Ray(RemoteExecutor):
    """Jobs of a Ray cluster, one for each trial, on whichever node has what it needs.

    The directory of the runs is to be found by the same path on the nodes, and brings Callsheet along; the interpreter
    there needs Python 3.11, and what the project imports. A worker begins in the folder in which was submitted, where
    that is there. Ray only counts cores and memory: the worker itself ends its trial where that holds more memory, or
    takes longer.

    Args:
        address: The URL of the dashboard, `http://head:8265`; `RAY_API_SERVER_ADDRESS` or `RAY_ADDRESS` by default. Its
            token is that of `RAY_AUTH_TOKEN`, of the file `RAY_AUTH_TOKEN_PATH`, or of `~/.ray/auth_token`.
        slots: How many trials Ray has at a time, those that wait there included; 100 by default.
        cpus: Cores of each; 1 by default.
        custom_resources: What else of the cluster's own resources each takes: `{"tpu": 1}`.
        labels: Labels that a node must have: `{"ray.io/accelerator-type": "A100"}`.
        runtime_env: What else Ray prepares for a trial: `{"pip": ["einops"]}`.

    Example:
        ``submit(sweep("conf.py", ["lr=1e-3,1e-2"]), on=Ray("http://head:8265", gpus=1))``
    """

    address: str = ""
    _: KW_ONLY
    custom_resources: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    runtime_env: Mapping[str, Any] = field(default_factory=dict)

    one: ClassVar[str] = "one job of Ray"
    in_container: ClassVar[bool] = True  # or as good as: the interpreter there is the cluster's

    def __post_init__(self) -> None:
        """Refuse what could never run a job."""
        super().__post_init__()
        if self.address and not re.match(r"https?://[^/]", self.address):
            raise ValueError(f"address must be the dashboard's URL, http://head:8265, found {self.address!r}")
        for name, number in self.custom_resources.items():
            if not number > 0:
                raise ValueError(f"custom_resources[{name!r}] must be more than 0, found {number}")
        if "env_vars" in self.runtime_env:
            raise ValueError("runtime_env says no env_vars: env does")

    def requests(self, tasks: Sequence[Task]) -> list[RayRequest]:
        """What would be submitted for some tasks, as values.

        Raises:
            RunError: A task needs several processes.
        """
        return [self._request(task) for task in tasks]

    def engine(self) -> Dashboard:
        """What takes the requests.

        Raises:
            RunError: Nobody says where the dashboard is.
        """
        names = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
        told = {name: os.environ[name] for name in names if os.environ.get(name)}
        address = self.address or next((each for each in told.values() if re.match(r"https?://[^/]", each)), "")
        if not address:
            said = " and ".join(f"{name}={each}" for name, each in told.items())
            problem = f"{said} is not the URL of Ray's dashboard" if said else "nobody says where Ray's dashboard is"
            advice = [*(["export RAY_API_SERVER_ADDRESS=http://head:8265"] if said else []), 'Ray("http://head:8265")']
            raise RunError(Fault("", problem, advice=advice))
        return Dashboard(address.rstrip("/"))

    def _request(self, task: Task) -> RayRequest:
        needs = self.needs_of(task)
        amounts = {"CPU": needs.cpus or 1, "GPU": needs.gpus or 0, "memory": int((needs.memory_gb or 0) * 1e9)}
        asked = {name: number for name, number in {**amounts, **self.custom_resources}.items() if number}
        body = {
            "submission_id": name_of([task]),
            "entrypoint": self._command(task),
            "entrypoint_num_cpus": amounts["CPU"],
            **({"entrypoint_num_gpus": amounts["GPU"]} if amounts["GPU"] else {}),
            **({"entrypoint_memory": amounts["memory"]} if amounts["memory"] else {}),
            **({"entrypoint_resources": dict(self.custom_resources)} if self.custom_resources else {}),
            **({"entrypoint_label_selector": dict(self.labels)} if self.labels else {}),
            "runtime_env": {**self.runtime_env, "env_vars": self._env()},
            "metadata": {
                "callsheet.plan": task.plan.id,
                "callsheet.index": str(task.index),
                "callsheet.turn": str(task.turn),
                NEEDS: json.dumps(asked),
            },
        }
        names = () if isinstance(self.env, Mapping) else tuple(self.env)
        return RayRequest(name_of([task]), (task,), body, names)

    def _command(self, task: Task) -> str:
        """The command for the shell by which Ray starts a job: the worker takes its place, and so its signals."""
        needs = self.needs_of(task)
        library = task.plan.runs / ".code" / library_name()
        argv = worker_argv([task], python=self.python, minutes=needs.timeout_min, memory_gb=needs.memory_gb)
        return (
            f"cd {shlex.quote(os.getcwd())} 2>/dev/null; "
            f"export PYTHONPATH={shlex.quote(str(library))}${{PYTHONPATH:+:$PYTHONPATH}}; "
            f"exec {shlex.join(argv)}"
        )

    def _env(self) -> dict[str, str]:
        said = dict(self.env) if isinstance(self.env, Mapping) else {}
        return {"RAY_JOB_STOP_WAIT_TIME_S": str(_GRACE_S), **said}
