"""Does the main job of Callsheet in a folder: check, run, why, sweep, compare, report, on handwritten digits.

Kill it whenever you like, and start it again: what has finished is not run again.
"""

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path

SWEEP = (
    *("callsheet", "sweep", "conf.py", "epochs=20"),
    *("optim.lr=1e-3,3e-3,1e-2,3e-2", "model.width=16,32,64", "--slots", "2", "--maximize", "accuracy"),
)
REPORT = ("callsheet", "report", "--title", "Handwritten digits", "--sort", "-result.accuracy")
CHOSEN = "id,number,state,duration,optim.lr,model.width,result.accuracy"


def step(folder: Path, why: str, *command: str, code: int = 0) -> None:
    """Say what a command is for, show it, and run it.

    Raises:
        SystemExit: It ended otherwise than it should.
    """
    print(f"\n# {why}\n$ {shlex.join(command)}", flush=True)
    ended = subprocess.run(command, cwd=folder, check=False).returncode
    if ended != code:
        sys.exit(f"demo: this ended with {ended}, and not with {code}")


def single_run(folder: Path) -> str | None:
    """The id of the run that belongs to no sweep and is done; None before there is one."""
    command = ["callsheet", "runs", "state=done", "epochs=8", "--limit", "1", "--json"]
    found = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    listed = json.loads(found.stdout) if found.returncode == 0 else []
    return listed[0]["id"] if listed else None


def main() -> None:
    """Go through all steps, from wherever an earlier start came to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where; made if it is not there")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").touch()  # a project of its own
    if not (folder / "train.py").exists():
        (folder / "conf.py").unlink(missing_ok=True)  # killed between the two files
        step(folder, "an example to start from", "callsheet", "init", "digits")
    wrong = ("optim.lrr=3e-3", "model.width=64x")
    step(folder, "mistakes are told before anything runs", "callsheet", "check", "conf.py", *wrong, code=1)
    if not single_run(folder):
        step(folder, "one training", "callsheet", "run", "conf.py", "epochs=8", "optim.lr=3e-3")
    step(folder, "who has set this?", "callsheet", "why", single_run(folder) or "", "optim.lr")
    step(folder, "twelve trainings, two at a time; the same command goes on where it was killed", *SWEEP)
    step(folder, "all runs, and the values in which they differ", "callsheet", "compare", "--maximize", "accuracy")
    filtered = ("result.accuracy>0.97", "--sort", "-result.accuracy", "--columns", CHOSEN)
    step(folder, "some of them", "callsheet", "runs", *filtered)
    step(folder, "a page for a browser", *REPORT)
    print(f"\nopen {folder / 'report.html'}")


if __name__ == "__main__":
    main()
