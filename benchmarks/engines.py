"""What a trial adds to a job that does nothing, on each real engine; and what a sweep of many asks of one.

    python benchmarks/engines.py pairs [ENGINE ...]     a bare job and a trial in turns, 30 of each
    python benchmarks/engines.py many ENGINE [COUNT]    1,000 trials in one sweep: requests, seconds, memory

The engines are those that `make engines` starts.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from callsheet import Process, submit, sweep
from callsheet.run import _cluster, _rayjobs, _squeue
from callsheet.run.docker import Docker
from callsheet.run.kubernetes import Kubernetes
from callsheet.run.ray import Ray
from callsheet.run.slurm import Slurm

TOOL = Path(__file__).parents[1] / "tools" / "engines"
PAIRS = 30
LOOK_S = 0.1
REST_S = 0.5, 2.5
"""Seconds before each: by chance, since a scheduler has rounds of its own."""
NOTHING = "-c pass"


def told(*names: str) -> dict[str, Any]:
    """How engines are reached, started if they do not run; their variables are set here."""
    subprocess.run([sys.executable, TOOL, "start", *names], check=True, stdout=subprocess.DEVNULL)
    said: dict[str, Any] = json.loads(subprocess.check_output([sys.executable, TOOL, "tell", *names]))
    for engine in said.values():
        os.environ |= engine["env"]
    return said


def project() -> None:
    """A new project whose trials do nothing becomes the working directory."""
    folder = tempfile.mkdtemp(prefix="callsheet-engines-")
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.modules.pop("train", None)
    Path("pyproject.toml").touch()
    Path("train.py").write_text("def nothing(n: int):\n    pass\n")
    Path("conf.py").write_text("from callsheet import lazy\nfrom train import nothing\nmain = lazy(nothing)(0)\n")


# --- a job that does nothing, by the engine's own client --------------------------------------------------------------


def bare_process(n: int) -> None:
    """A child process."""
    subprocess.run([sys.executable, "-c", "pass"], check=True)


def bare_slurm(n: int) -> None:
    """A batch job."""
    script = f"#!/bin/sh\nexec {sys.executable} {NOTHING}\n"
    id = subprocess.check_output(["sbatch", "--parsable", "--output=/dev/null"], input=script, text=True).strip()
    state = ["squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={id}"]
    while (found := subprocess.check_output(state, text=True).strip()) != "COMPLETED":
        assert found in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING"), found
        time.sleep(LOOK_S)


def bare_docker(image: str, n: int) -> None:
    """A container."""
    subprocess.run(["docker", "run", "--rm", "--network=none", image, "python", *NOTHING.split()], check=True)


def bare_kubernetes(server: _cluster.Cluster, image: str, n: int) -> None:
    """A Job."""
    container = {"name": "main", "image": image, "command": ["python", *NOTHING.split()]}
    pod = {"restartPolicy": "Never", "hostNetwork": True, "containers": [container]}
    name, jobs = f"bare-{os.getpid()}-{n}", "/apis/batch/v1/namespaces/default/jobs"
    body = {"metadata": {"name": name}, "spec": {"template": {"spec": pod}}}
    status, said = server._ask("POST", jobs, body=body)
    assert status < 300, said
    while not said["status"].get("succeeded"):
        time.sleep(LOOK_S)
        _, said = server._ask("GET", f"{jobs}/{name}")
    server._ask("DELETE", f"{jobs}/{name}", {"propagationPolicy": "Background"})


def bare_ray(url: str, n: int) -> None:
    """A submission."""
    id = f"bare-{os.getpid()}-{n}"
    content = {"submission_id": id, "entrypoint": f"exec {sys.executable} {NOTHING}", "entrypoint_num_cpus": 1}
    kind = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{url}/api/jobs/", json.dumps(content).encode(), kind)).close()
    while True:
        with urllib.request.urlopen(f"{url}/api/jobs/{id}") as answer:
            if json.load(answer)["status"] == "SUCCEEDED":
                return
        time.sleep(LOOK_S)


def engines(names: list[str]) -> dict[str, tuple[Callable[[int], None], Callable[..., Any], str]]:
    """For each engine its bare job, its executor, and the folder of its daemons."""
    found: dict[str, tuple[Callable[[int], None], Callable[..., Any], str]] = {}
    for name in names:
        if name == "process":
            found[name] = bare_process, Process, ""
            continue
        said = told(name)[name]
        if name == "slurm":
            found[name] = bare_slurm, Slurm, said["folder"]
        elif name == "docker":
            found[name] = partial(bare_docker, said["image"]), partial(Docker, said["image"], network="none"), ""
        elif name == "kubernetes":
            bare = partial(bare_kubernetes, _cluster.Cluster("", "default"), said["image"])
            found[name] = bare, partial(Kubernetes, said["image"], host_network=True), said["folder"]
        else:
            found[name] = partial(bare_ray, said["url"]), partial(Ray, said["url"]), said["folder"]
    return found


def run(on: Any, n: int) -> None:
    """A trial, from its sweep to its result."""
    submit(sweep("conf.py", [f"main.0={n}"]), on=on).results()


def taken(do: Callable[[], object]) -> float:
    """The seconds that something takes, once the engine is at rest."""
    time.sleep(random.uniform(*REST_S))
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def pairs(names: list[str]) -> None:
    """Seconds from the submission to the moment at which its end is known, in turns."""
    for name, (bare, on, _) in engines(names).items():
        project()
        found = []
        for n in range(PAIRS):
            found.append((taken(partial(bare, n)), taken(partial(run, on(slots=1), n))))
        added = [trial - bare for bare, trial in found]
        low, _, high = statistics.quantiles(added, n=4)
        medians = [statistics.median(seconds) for seconds in (*zip(*found, strict=True), added)]
        print(
            f"{name:<11} bare {medians[0]:.2f} s, as a trial {medians[1]:.2f} s, "
            f"added {medians[2]:.2f} s (quartiles {low:.2f} to {high:.2f}), {PAIRS} pairs",
            flush=True,
        )


# --- many at once -----------------------------------------------------------------------------------------------------


def counted() -> tuple[Counter[str], Counter[str]]:
    """How often each request is made from here on, and the seconds that they take."""
    count: Counter[str] = Counter()
    seconds: Counter[str] = Counter()

    def watch(holder: Any, name: str, kind: Callable[..., str]) -> None:
        asked = getattr(holder, name)

        def asks(*args: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return asked(*args, **named)
            finally:
                count[kind(*args)] += 1
                seconds[kind(*args)] += time.perf_counter() - start

        setattr(holder, name, asks)

    watch(_squeue, "_run", lambda *words: words[0])
    watch(_cluster.Cluster, "_ask", lambda _, method, path, *more: f"{method} {path.split('/')[-1][:9]}")
    watch(_rayjobs.Dashboard, "_ask", lambda _, method, path, *more: f"{method} {path[:10]}")
    return count, seconds


def resident(folder: str) -> dict[str, int]:
    """The MB that each daemon of an engine holds."""
    found = {}
    for path in Path(folder).glob("run/*.pid") if folder else ():
        status = Path(f"/proc/{path.read_text().split()[0]}/status")
        if status.exists():
            (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
            found[path.stem] = int(line.split()[1]) // 1024
    return found


def many(name: str, size: int) -> None:
    """One sweep of trials that do nothing, as it is by default."""
    ((_, on, folder),) = engines([name]).values()
    project()
    count, seconds = counted()
    before, start, cpu = resident(folder), time.perf_counter(), time.process_time()
    jobs = submit(sweep("conf.py", [f"main.0=range({size})"]), on=on())
    most = before
    while not jobs.wait(1.0):
        now = resident(folder)
        most = {daemon: max(mb, most.get(daemon, 0)) for daemon, mb in now.items()}
    took = time.perf_counter() - start
    print(f"{name}: {jobs.done} of {size} in {took:.0f} s, {took / size:.2f} s each; this process: ", end="")
    print(f"{time.process_time() - cpu:.1f} s of cpu, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")
    for kind, number in count.items():
        print(f"  {kind:<16} {number:>6} times, {1000 * seconds[kind] / number:.0f} ms each")
    for daemon, mb in most.items():
        print(f"  {daemon:<16} {before.get(daemon, 0)} to {mb} MB")


if __name__ == "__main__":
    what, *words = sys.argv[1:] or ["pairs"]
    if what == "many":
        many(words[0], int(words[1]) if len(words) > 1 else 1000)
    else:
        pairs(words or ["process", "slurm", "docker", "kubernetes", "ray"])
