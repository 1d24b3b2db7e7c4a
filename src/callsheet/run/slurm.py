"""Runs trials on a Slurm cluster: as an array where there are several, each by a worker in place of the batch shell."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from callsheet.run._engine import name_of, worker_argv
from callsheet.run._job import Task
from callsheet.run._plan import Plan
from callsheet.run._remote import RemoteExecutor
from callsheet.run._sender import RemoteSender
from callsheet.run._shape import Needs
from callsheet.run._squeue import SlurmEngine, array_limit

_OWN = frozenset(
    ("--job-name", "-J", "--array", "-a", "--output", "-o", "--error", "-e", "--export", "--parsable", "--wrap")
)
"""Options that are said by Callsheet itself."""

_PLACES = ("partition", "account", "qos", "constraint")
"""Fields that are options of `sbatch` by the same name."""


@dataclass(frozen=True, kw_only=True)
class SlurmRequest:
    """A script for `sbatch`.

    Attributes:
        name: The job's name.
        tasks: What it runs; of an array by their positions.
        script: What `sbatch` reads.
        names: Environment variables that go along from here; their values stand nowhere.
    """

    name: str
    tasks: tuple[Task, ...]
    script: str
    names: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that reads the script."""
        return ("sbatch", "--parsable", f"--export={','.join(self.names) or 'NIL'}")

    def __str__(self) -> str:
        return f"{shlex.join(self.argv)} <<'END'\n{self.script}END"


@dataclass(frozen=True, kw_only=True)
class Slurm(RemoteExecutor):
    """A Slurm cluster, which this machine reaches by `sbatch`, `squeue` and `scancel`.

    Trials are handed over as arrays, those of different needs apart. The directory of the runs and the interpreter
    are to be found by the same paths on the nodes. A worker begins in the folder in which was submitted, in a login
    shell's environment; of the variables here it sees those that `env` names. With several nodes, or several tasks on
    each, `srun` starts a process for each, with torchrun's `MASTER_ADDR`, `MASTER_PORT`, `WORLD_SIZE`, `RANK`,
    `LOCAL_RANK` and `LOCAL_WORLD_SIZE`. Cores, devices and memory count for each node.

    Args:
        partition: As `sinfo` lists them; the cluster's default where none is named. So with the next two.
        account: Which pays.
        qos: The quality of service.
        constraint: Features that a node must have: `"a100|h100"`.
        gpu_type: Which devices: `"a100"`.
        gpus_by: The option that asks for devices, `--gres=gpu:1` or `--gpus-per-node=1`.
        setup: Lines of shell that run before the worker: `["module load cuda"]`. One that fails ends the trial.
        warn_s: Seconds before the time limit at which the training gets a signal; None for none. Slurm sends it up
            to a minute earlier.
        signal: That signal.
        requeue: Whether Slurm starts a trial again, in its directory, after its node has failed or others took it.
        sbatch: Further options, `["--exclude=n7"]`.
        array_size: How many trials one array holds at most; less where the cluster's MaxArraySize is.

    >>> Slurm(partition="gpu", gpus=1, timeout_min=240).partition
    'gpu'
    """

    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    gpu_type: str = ""
    gpus_by: Literal["gres", "gpus-per-node"] = "gres"
    setup: Sequence[str] = ()
    warn_s: int | None = None
    signal: Literal["USR1", "USR2"] = "USR1"
    requeue: bool = True
    sbatch: Sequence[str] = ()
    array_size: int = 1000

    def __post_init__(self) -> None:
        """Refuse what `sbatch` could not take."""
        super().__post_init__()
        for name, allowed in (("gpus_by", ("gres", "gpus-per-node")), ("signal", ("USR1", "USR2"))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be {allowed[0]!r} or {allowed[1]!r}, found {getattr(self, name)!r}")
        for name in ("setup", "sbatch"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be a list of lines, found {getattr(self, name)!r}")
        for option in self.sbatch:
            if not option.startswith("-") or "\n" in option:
                raise ValueError(f"sbatch must be options like '--exclude=n7', found {option!r}")
            if option.replace("=", " ").split()[0] in _OWN:
                raise ValueError(f"sbatch may not say {option!r}: Callsheet does")
        for name in ("array_size", "warn_s"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ValueError(f"{name} must be at least 1, found {number}")

    @property
    def capacity(self) -> int:
        """How many tasks may be with Slurm at a time: an array; of these `slots` run."""
        return self.array_size

    @property
    def least(self) -> int:
        """An array holds `slots` by itself, and so the next follows when it has ended; else when it is half done."""
        return self.array_size if self.slots is not None else max(1, self.array_size // 2)

    def engine(self) -> SlurmEngine:
        """What talks to Slurm's commands."""
        return SlurmEngine()

    def sender(self, plan: Plan) -> RemoteSender:
        """What hands over the tasks of a plan; asks for MaxArraySize.

        Raises:
            RunError: There is no `sbatch` here.
        """
        engine = SlurmEngine(plan.folder / "logs")
        return RemoteSender(replace(self, array_size=min(self.array_size, array_limit())), plan, engine)

    def requests(self, tasks: Sequence[Task]) -> list[SlurmRequest]:
        """What would be submitted for some tasks, as values; nothing happens."""
        alike: dict[tuple[str, ...], list[Task]] = {}
        for task in tasks:
            alike.setdefault(tuple(self._asked(self.needs_of(task))), []).append(task)
        return [
            self._request(some[n : n + self.array_size], asked)
            for asked, some in alike.items()
            for n in range(0, len(some), self.array_size)
        ]

    def _request(self, tasks: Sequence[Task], asked: Sequence[str]) -> SlurmRequest:
        is_array, needs = len(tasks) > 1, self.needs_of(tasks[0])
        logs = tasks[0].plan.folder / "logs"
        throttle = f"%{self.slots}" if self.slots is not None else ""
        options = [
            f"--job-name={name_of(tasks)}",
            *([f"--array=0-{len(tasks) - 1}{throttle}"] if is_array else []),
            f"--output={logs}/slurm-{'%A_%a' if is_array else '%j'}.out",
            "--open-mode=append",
            *(f"--{name}={value}" for name in _PLACES if (value := getattr(self, name))),
            *asked,
            "--requeue" if self.requeue else "--no-requeue",
            *self.sbatch,
        ]
        own = self.env if isinstance(self.env, Mapping) else {}
        worker = worker_argv(tasks, python=self.python, position="SLURM_ARRAY_TASK_ID" if is_array else "")
        is_alone = needs.nodes == needs.tasks_per_node == 1
        lines = [
            "#!/bin/bash -l",
            *(f"#SBATCH {_word(option)}" for option in options),
            "set -e",
            "unset SLURM_EXPORT_ENV",  # what this script starts by srun sees what it sees
            *(f"export {name}={shlex.quote(str(value))}" for name, value in own.items()),
            *self.setup,
            *([f"exec {shlex.join(worker)}"] if is_alone else _several(worker, needs, logs, is_array=is_array)),
        ]
        names = () if isinstance(self.env, Mapping) else tuple(self.env)
        return SlurmRequest(name=name_of(tasks), tasks=tuple(tasks), script="\n".join(lines) + "\n", names=names)

    def _asked(self, needs: Needs) -> list[str]:
        """What a trial needs, as options of `sbatch`."""
        said = []
        if needs.nodes > 1 or needs.tasks_per_node > 1:
            said += [f"--nodes={needs.nodes}", f"--ntasks-per-node={needs.tasks_per_node}"]
        if needs.cpus:
            said.append(_cores(needs))
        if needs.gpus:
            said.append(self._gpus(needs.gpus))
        if needs.memory_gb:
            said.append(f"--mem={math.ceil(needs.memory_gb * 1e9 / 2**20)}M")
        if needs.timeout_min:
            said.append(f"--time={_minutes(needs.timeout_min)}")
        if self.warn_s is not None:
            shell = "B:" if needs.nodes == needs.tasks_per_node == 1 else ""
            said.append(f"--signal={shell}{self.signal}@{self.warn_s}")
        return said

    def _gpus(self, count: int) -> str:
        kind = f"{self.gpu_type}:{count}" if self.gpu_type else str(count)
        return f"--gres=gpu:{kind}" if self.gpus_by == "gres" else f"--gpus-per-node={kind}"


def _cores(needs: Needs) -> str:
    """A node's cores, shared by its processes."""
    return f"--cpus-per-task={max(1, math.ceil((needs.cpus or 0) / needs.tasks_per_node))}"


def _several(worker: Sequence[str], needs: Needs, logs: Path, *, is_array: bool) -> list[str]:
    """The lines that run a worker several times: what torchrun tells each is told here."""
    start = '"$SLURM_ARRAY_JOB_ID"_"$SLURM_ARRAY_TASK_ID"' if is_array else '"$SLURM_JOB_ID"'
    port = 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
    world = needs.nodes * needs.tasks_per_node
    srun = ["srun", "--kill-on-bad-exit=1", *([_cores(needs)] if needs.cpus else [])]
    inside = ["sh", "-c", 'export RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID; exec "$@"', "rank"]
    return [
        """MASTER_ADDR=$(scontrol --oneliner show node "$SLURMD_NODENAME" | sed 's/.* NodeAddr=\\([^ ]*\\).*/\\1/')""",
        f"MASTER_PORT=$({shlex.join([worker[0], '-c', port])})",
        f"export MASTER_ADDR MASTER_PORT WORLD_SIZE={world} LOCAL_WORLD_SIZE={needs.tasks_per_node}",
        f'ranks={shlex.quote(str(logs))}/slurm-{start}.ranks-"${{SLURM_RESTART_COUNT:-0}}"',
        f'exec {shlex.join([*srun, *inside, *worker])} --ranks "$ranks"',
    ]


def _word(option: str) -> str:
    """An option as `sbatch` reads it in a script, where only few signs must be quoted.

    >>> print(_word("--constraint=a100|h100"), _word("--comment=my run"))
    --constraint=a100|h100 '--comment=my run'
    """
    return shlex.quote(option) if re.search(r"[\s'\"\\#]", option) else option


def _minutes(minutes: float) -> str:
    """A time as Slurm reads it.

    >>> _minutes(240), _minutes(0.5)
    ('240', '0:30')
    """
    seconds = math.ceil(60 * minutes)
    return str(seconds // 60) if seconds % 60 == 0 else f"{seconds // 60}:{seconds % 60:02}"
