"""Processor time: medians of interleaved repetitions in this process, and of child processes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping
from statistics import median
from time import process_time


def medians(subjects: Mapping[str, Callable[[], object]], *, rounds: int = 9, budget: float = 1.0) -> dict[str, float]:
    """The median processor seconds of each subject; they take turns, so that a busy moment hits all alike.

    As `timeit` does, garbage is collected between the repetitions and not within them.

    Args:
        subjects: What to call, by name.
        rounds: Repetitions of each.
        budget: Seconds after which a subject is not repeated any more; it is called once at least.
    """
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            if sum(taken[name]) > budget:
                continue
            gc.collect()
            gc.disable()
            start = process_time()
            result = subject()
            taken[name].append(process_time() - start)
            gc.enable()
            del result
    return {name: median(seconds) for name, seconds in taken.items()}


def processor_times(programs: Mapping[str, str], paths: list[str], *, rounds: int = 11) -> dict[str, float]:
    """The median user and system seconds that each program adds to an interpreter that does nothing.

    Every program runs in its own interpreter without `site`, so that no `.pth` file counts, and with
    compiled bytecode: the first run of each writes it and is not counted.

    Args:
        programs: Python source, by name.
        paths: Where modules are found.
        rounds: Counted runs of each.
    """
    start = f"import os, sys; sys.path[:0] = {paths!r}\n"
    sources = {"": start, **{name: start + source for name, source in programs.items()}}
    taken: dict[str, list[float]] = {name: [] for name in sources}
    for turn in range(rounds + 1):
        for name, source in sources.items():
            seconds = _child(source)
            if turn:
                taken[name].append(seconds)
    bare = median(taken[""])
    return {name: median(taken[name]) - bare for name in programs}


def process_times(
    programs: Mapping[str, tuple[list[str], Mapping[str, str]]],
    folder: str,
    *,
    rounds: int = 15,
    codes: tuple[int, ...] = (0,),
) -> dict[str, float]:
    """The median user and system seconds of whole processes, which take turns; the first run of each is not counted.

    Args:
        programs: Arguments and further environment variables, by name.
        folder: The working directory.
        rounds: Counted runs of each.
        codes: The exit codes of one that has done its work.
    """
    taken: dict[str, list[float]] = {name: [] for name in programs}
    here = os.getcwd()
    os.chdir(folder)
    try:
        for turn in range(rounds + 1):
            for name, (arguments, more) in programs.items():
                quiet = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in (0, 1, 2, 3)]
                child = os.posix_spawn(arguments[0], arguments, {**os.environ, **more}, file_actions=quiet)
                _, status, usage = os.wait4(child, 0)
                if os.waitstatus_to_exitcode(status) not in codes:
                    raise RuntimeError(f"failed: {' '.join(arguments)}")
                if turn:
                    taken[name].append(usage.ru_utime + usage.ru_stime)
    finally:
        os.chdir(here)
    return {name: median(seconds) for name, seconds in taken.items()}


def _child(source: str) -> float:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    child = os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", "-c", source], environment)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"failed in a new interpreter:\n{source}")
    return usage.ru_utime + usage.ru_stime
