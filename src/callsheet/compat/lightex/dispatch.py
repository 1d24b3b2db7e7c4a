"""LightEx's dispatcher: a list of experiments is run, each as its command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from callsheet._project import project_settings
from callsheet.errors import Fault, RunError
from callsheet.run._command import render_command
from callsheet.run._executors import executor_of, executor_spec
from callsheet.run._job import Executor, Jobs
from callsheet.run._shape import said
from callsheet.run.docker import Docker
from callsheet.run.kubernetes import Kubernetes
from callsheet.run.process import Process
from callsheet.run.submit import submit

__all__ = ["dispatch_expts"]

_ENGINES = ("process", "docker", "k8s")


def dispatch_expts(
    expts: Sequence[Any], engine: str = "process", dry_run: bool = False, debug: bool = False
) -> Jobs | None:
    """Run experiments, as many at a time as there are cores, and wait for them.

    Each gets a directory below `runs/` in the project, with its spec, its output and its result; one that was run
    before with the same values and the same code is not run again.

    Args:
        expts: The experiments.
        engine: `process`: commands on this machine; `docker`: each in a container of the experiment's image; `k8s`:
            each as a Job of a Kubernetes cluster, in that image. A profile of that name,
            `[tool.callsheet.executors.k8s]`, says what else is to be said of it.
        dry_run: Only print the command of the first.
        debug: Print each experiment before it runs.

    Returns:
        The jobs, which have ended; None of a dry run.

    Raises:
        RunError: There is no such engine, or the package is missing that speaks with it.
        SpecError: A command cannot be filled in; nothing is started.
    """
    on = _executor(engine, expts)
    if dry_run:
        print(f"first of {len(expts)}:", render_command(expts[0]))
        return None
    if debug:
        for expt in expts:
            print(expt)
    jobs = submit(list(expts), on=on)
    jobs.wait()
    for job in jobs:
        run = job.run
        where = "" if run is None else os.path.relpath(run.directory)
        print(f"{job.state:<10}  {where}  {'' if run is None else run.result or ''}".rstrip())
    return jobs


def _executor(engine: str, expts: Sequence[Any]) -> Executor:
    """What runs the experiments of an engine: its profile in the project, else as it is by default."""
    if engine not in _ENGINES:
        raise RunError(Fault("", f"there is no engine {engine!r}", advice=[f'engine="{name}"' for name in _ENGINES]))
    if engine in project_settings().executors:
        return executor_of(executor_spec([engine], {}, by="engine")[1], by="engine")
    if engine == "k8s":
        return Kubernetes()
    at_a_time = os.cpu_count() or 1
    if engine == "docker":
        network = said(expts[0], "run.network network", "") if expts else ""
        return Docker(slots=at_a_time, network=network)
    return Process(slots=at_a_time)
