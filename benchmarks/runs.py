"""What running trials costs beside the trials: a no-op sweep by several launchers, a trial's own part in the parent."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from callsheet import lazy, submit, sweep
from callsheet.run._job import Exit

TRIALS, SLOTS = 200, 2

_NOOP = "def noop(n: int) -> int:\n    return n\n"
_CONF = "from callsheet import lazy\nfrom noop import noop\nmain = lazy(noop)(1)\n"
_HYDRA = """
import hydra
from hydra.core.config_store import ConfigStore
ConfigStore.instance().store(name="config", node={"n": 1})
@hydra.main(version_base=None, config_name="config")
def main(config): ...
main()
"""
_JOBLIB = """
from joblib import Parallel, delayed
from noop import noop
Parallel(n_jobs=%d)(delayed(noop)(n) for n in range(%d))
"""
_SUBMITIT = """
import submitit
from noop import noop
if __name__ == "__main__":
    on = submitit.LocalExecutor("log")
    left = list(range(%d))
    running = []
    while left or running:
        while left and len(running) < %d:
            running.append(on.submit(noop, left.pop()))
        running = [job for job in running if not job.done()]
"""


class Nowhere:
    """An executor whose jobs end at once: what is left is what the parent does."""

    def __init__(self) -> None:
        self._running: list[Any] = []

    outlives = False
    trouble = waits_for = ""

    def requests(self, tasks: Any) -> Any:
        return tasks

    def sender(self, plan: Any) -> Nowhere:
        return self

    def resumed(self) -> tuple[int, ...]:
        return ()

    def output(self, index: int) -> bytes:
        return b""

    def queued(self) -> tuple[int, ...]:
        return ()

    def room(self) -> int:
        return SLOTS - len(self._running)

    def send(self, tasks: Any) -> int:
        self._running += tasks
        return len(tasks)

    def poll(self, timeout_s: float) -> list[Exit]:
        ended, self._running = self._running, []
        return [Exit(task.index, 0) for task in ended]

    def cancel(self) -> None: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...


def rows() -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """The rows: a label, the goal, and seconds; "plain" is the limit that plain Python sets."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, text in {"noop": _NOOP, "conf": _CONF, "hydra_program": _HYDRA}.items():
            Path(f"{name}.py").write_text(text)
        Path("joblib_program.py").write_text(_JOBLIB % (SLOTS, TRIALS))
        Path("submitit_program.py").write_text(_SUBMITIT % (TRIALS, SLOTS))
        Path("pyproject.toml").write_text("")
        yield f"no-op sweep of {TRIALS} trials on {SLOTS} slots, wall", None, _launched()
        for module in ("", "torch"):
            if not module or find_spec(module):
                yield from _warmed(module)
        yield "a trial's own cost in the parent, checked and on disk", None, _own_cost()


def _launched() -> dict[str, float]:
    launchers: dict[str, Callable[[], object]] = {
        "plain": _bare,
        "callsheet": lambda: _run("-m", "callsheet", "sweep", "conf.py", f"main.0=range({TRIALS})", f"--slots={SLOTS}"),
    }
    for name in ("joblib", "submitit"):
        if find_spec(name):
            launchers[name] = lambda name=name: _run(f"{name}_program.py")  # type: ignore[misc]
    return {name: _wall(launcher) for name, launcher in launchers.items()} | dict(_by_hydra())


def _by_hydra() -> Iterator[tuple[str, float]]:
    """Hydra's launchers: the one of its own runs one trial after the other in one process."""
    if find_spec("hydra"):
        yield "hydra", _wall(lambda: _run("hydra_program.py", "-m", f"n=range({TRIALS})"))
    slots = f"hydra.sweeper.max_batch_size={SLOTS}"  # without it, submitit starts all at once
    for name, words in {
        "joblib": ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={SLOTS}"],
        "submitit": ["hydra/launcher=submitit_local", slots],
    }.items():
        if find_spec("hydra_plugins") and find_spec(f"hydra_plugins.hydra_{name}_launcher"):
            few = TRIALS if name == "joblib" else TRIALS // 10  # the other needs seconds for each
            words = ["hydra_program.py", "-m", f"n=range({few})", *words]
            yield f"hydra's {name}", _wall(lambda words=words: _run(*words)) * TRIALS / few  # type: ignore[misc]


def _warmed(module: str) -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """A sweep whose trials import a module, cold and warm; "plain" is as many processes that do nothing else."""
    text = f"import {module}\n" if module else ""
    count = TRIALS // 10 if module else TRIALS
    Path(f"noop_{module}.py").write_text(text + _NOOP)
    Path(f"conf_{module}.py").write_text(_CONF.replace("from noop", f"from noop_{module}"))
    words = ("-m", "callsheet", "sweep", f"conf_{module}.py", f"main.0=range({count})", f"--slots={SLOTS}", "--redo")
    _run("-m", "callsheet", "plan", f"conf_{module}.py", "main.0=1,2")  # its signature is known from here on
    plain = _wall(lambda: _bare(text or "pass", count))
    for how in ([], ["--warm"]):
        label = f"{count} no-op trials{' with  import ' + module if module else ''}{', warm' if how else ', cold'}"
        yield label, None, {"plain": plain, "callsheet": _wall(lambda how=how: _run(*words, *how))}  # type: ignore[misc]


def _wall(action: Callable[[], object]) -> float:
    start = perf_counter()
    action()
    return perf_counter() - start


def _run(*words: str) -> None:
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _bare(text: str = "pass", count: int = TRIALS) -> None:
    left, running = count, []
    while left or running:
        while left and len(running) < SLOTS:
            running.append(subprocess.Popen([sys.executable, "-c", text]))
            left -= 1
        running[0].wait()
        running = [process for process in running if process.poll() is None]


def _own_cost() -> dict[str, float]:
    """Processor seconds of this process for one trial; "plain" makes its dict and nothing else."""
    count = 3000
    sys.path.insert(0, os.getcwd())
    try:
        trials = sweep({"main": lazy("noop.noop")(1)}, f"main.0=range({count})")
        start = process_time()
        submit(trials, on=Nowhere(), runs="runs-of-nothing").wait()
        taken = process_time() - start
    finally:
        sys.path.remove(os.getcwd())
    start = process_time()
    for n in range(count):
        {"main": {"n": n}}
    return {"plain": (process_time() - start) / count, "callsheet": taken / count}
