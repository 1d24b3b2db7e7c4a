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
from callsheet.run.kubernetes import Kubernetes
from callsheet.run.process import Process
from callsheet.run.submit import submit

__all__ = ["dispatch_expts"]

_LATER = ("docker",)


def dispatch_expts(
    expts: Sequence[Any], engine: str = "process", dry_run: bool = False, debug: bool = False
) -> Jobs | None:
    """Run experiments, as many at a time as there are cores, and wait for them.

    Each gets a directory below `runs/` in the project, with its spec, its output and its result; one that was run
    before with the same values and the same code is not run again.

    Args:
        expts: The experiments.
        engine: `process`: commands on this machine; `k8s`: each as a Job of a Kubernetes cluster, in the experiment's
            image. A profile of that name, `[tool.callsheet.executors.k8s]`, says what else is to be said of it.
        dry_run: Only print the command of the first.
        debug: Print each experiment before it runs.

    Returns:
        The jobs, which have ended; None of a dry run.

    Raises:
        RunError: There is no such engine, or none yet.
        SpecError: A command cannot be filled in; nothing is started.
    """
    if engine in _LATER:
        raise RunError(Fault("", f"the engine {engine!r} is not there yet", advice=['engine="process"  runs here']))
    on = _executor(engine)
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


def _executor(engine: str) -> Executor:
    """What runs the experiments of an engine: its profile in the project, else as it is by default."""
    if engine not in ("process", "k8s"):
        raise RunError(Fault("", f"there is no engine {engine!r}", advice=['engine="process"', 'engine="k8s"']))
    if engine in project_settings().executors:
        return executor_of(executor_spec([engine], {})[1])
    return Kubernetes() if engine == "k8s" else Process(slots=os.cpu_count() or 1)
