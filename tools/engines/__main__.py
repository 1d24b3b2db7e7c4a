"""Installs, starts and ends the real engines that Callsheet sends jobs to, on a Debian machine, on loopback only.

    python tools/engines start [ENGINE ...]     what is missing is installed; what runs is kept
    python tools/engines stop [ENGINE ...]      ends the jobs in it, and its processes
    python tools/engines env [ENGINE ...]       the variables with which its own clients find it, for a shell
    python tools/engines tell [ENGINE ...]      all that must be known to reach it, as JSON

Of one engine's daemons: `start slurm/slurmctld`, `stop slurm/slurmctld`, and `kill docker/dockerd` as by -9.
Data: the folder in CALLSHEET_ENGINES, whose `engines.json` tells how each is reached.
"""

import argparse
import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Any

from _daemon import running, start, stop
from _docker import DOCKER
from _engine import Engine
from _kubernetes import KUBERNETES
from _packages import install
from _place import EngineError, Place, engines_folder, locked, tell
from _ray import RAY, RAY_WITH_TOKEN
from _slurm import SLURM, SLURMDBD

ENGINES = {engine.name: engine for engine in (SLURM, SLURMDBD, DOCKER, RAY, RAY_WITH_TOKEN, KUBERNETES)}
KEPT = "CALLSHEET_ENGINES,CALLSHEET_ENGINES_CACHE,HOME,PATH"


def start_engine(engine: Engine, place: Place, only: str) -> None:
    """Install an engine and start its daemons, or one of them; what runs is kept."""
    before = time.monotonic()
    install(engine.programs)
    if not any(running(place, path.stem) for path in place.folder.glob("run/*.pid")):
        engine.prepare(place)
    daemons = engine.daemons(place)
    began = time.monotonic()
    stood = [daemon.name for daemon in daemons if running(place, daemon.name)]
    for daemon in _chosen(engine, place, only):
        start(next(each for each in daemons if each.name == daemon), place)
    if not only:
        engine.settle(place)
    tell(place.folder.parent, engine.name, {**engine.reach(place), "folder": str(place.folder)})
    took = f"{time.monotonic() - began:.1f} s, and {began - before:.1f} s to install"
    print(f"{engine.name}: " + ("runs already" if len(stood) == len(daemons) else f"started in {took}"), flush=True)


def stop_engine(engine: Engine, place: Place, only: str, *, by: int = signal.SIGTERM) -> None:
    """End an engine's daemons, or one of them, the last started first."""
    if not place.folder.exists():
        return
    if not only:
        engine.empty(place)
    for daemon in reversed(_chosen(engine, place, only)):
        stop(place, daemon, by=by)
    if not only:
        engine.sweep(place)
        place.path("ports.json").unlink(missing_ok=True)  # the next start may find another set of engines on these
        tell(place.folder.parent, engine.name, None)
        print(f"{engine.name}: ended", flush=True)


def _chosen(engine: Engine, place: Place, only: str) -> list[str]:
    """The names of the daemons that are meant."""
    names = [daemon.name for daemon in engine.daemons(place)]
    if only and only not in names:
        raise EngineError(f"{engine.name} has no daemon {only!r}; it has: {', '.join(names)}")
    return [only] if only else names


def running_engines(folder: Path, names: list[str]) -> dict[str, Any]:
    """What `engines.json` tells of some engines, or of all.

    Raises:
        EngineError: One does not run.
    """
    path = folder / "engines.json"
    told = json.loads(path.read_text()) if path.exists() else {}
    for name in names:
        if name not in told:
            raise EngineError(f"{name} does not run in {folder}; run: {', '.join(told) or 'none'}")
    return {name: told[name] for name in names or told}


def main() -> None:
    """Do what the command's words say.

    Raises:
        SystemExit: An engine failed; the end of its log is printed.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["start", "stop", "kill", "env", "tell"])
    parser.add_argument("engine", nargs="*", help=f"of {', '.join(ENGINES)}; all, where none is named")
    given = parser.parse_args()
    if given.verb not in ("env", "tell") and os.geteuid():
        os.execvp("sudo", ["sudo", f"--preserve-env={KEPT}", sys.executable, *sys.argv])
    folder = engines_folder()
    try:
        if given.verb == "env":
            for told in running_engines(folder, given.engine).values():
                print("".join(f"export {name}={shlex.quote(value)}\n" for name, value in told["env"].items()), end="")
            return
        if given.verb == "tell":
            print(json.dumps(running_engines(folder, given.engine), indent=1))
            return
        for words in given.engine or ENGINES:
            name, _, only = words.partition("/")
            if name not in ENGINES:
                raise EngineError(f"no engine {name!r}; there are: {', '.join(ENGINES)}")
            engine, place = ENGINES[name], Place(folder / name, ENGINES[name].first_port)
            with locked(folder / f"{name}.lock"):
                if given.verb == "start":
                    start_engine(engine, place, only)
                else:
                    stop_engine(engine, place, only, by=signal.SIGKILL if given.verb == "kill" else signal.SIGTERM)
    except EngineError as wrong:
        sys.exit(f"engines: {wrong}")


if __name__ == "__main__":
    main()
