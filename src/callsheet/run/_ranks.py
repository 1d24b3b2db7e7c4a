"""The processes of one run: the first records it; the others learn from it where, and tell it how they have ended."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callsheet._storage import read_json_file
from callsheet.errors import Fault, RunError
from callsheet.run._store import write_json_file

_LOOK_S = 0.1
"""Seconds between two looks at what others have told."""


@dataclass(frozen=True)
class Ranks:
    """What the processes of a run tell each other, in a folder that they share and that is new at each start.

    Attributes:
        folder: The folder.
        rank: The number of this process; that of the one which records the run is 0.
        count: How many there are.
    """

    folder: Path
    rank: int
    count: int

    @classmethod
    def told(cls, folder: str) -> Ranks:
        """This process among the others, as `RANK` and `WORLD_SIZE` say.

        Raises:
            RunError: They do not.
        """
        rank, count = (os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE"))
        if not rank.isdigit() or not count.isdigit() or int(rank) >= int(count):
            problem = f"RANK and WORLD_SIZE are to number the processes of the run, and are {rank!r} and {count!r}"
            raise RunError(Fault("", problem))
        return cls(Path(folder), int(rank), int(count))

    def open(self, directory: Path, attempt: int) -> None:
        """Tell the others which run this is."""
        self._say("run", {"directory": str(directory), "attempt": attempt})

    def dismiss(self, code: int) -> None:
        """Tell the others that there is nothing to run, if no run was opened."""
        if not (self.folder / "run.json").exists():
            self._say("run", {"code": code})

    def meet(self) -> Mapping[str, Any]:
        """Wait to be told which run this is; gives its `directory` and `attempt`, or the `code` to end with."""
        while not (said := read_json_file(self.folder / "run.json")):
            time.sleep(_LOOK_S)
        return said

    def tell(self, error: str) -> None:
        """Tell the first how this process has ended; "" if well."""
        self._say(str(self.rank), {"error": error})

    def wait(self) -> str:
        """Wait until all others have ended; gives what the first of them to fail says, "" where none did."""
        while not (problem := self.problem()) and len(_ends(self.folder)) < self.count - 1:
            time.sleep(_LOOK_S)
        return problem

    def problem(self) -> str:
        """Which of the others have failed so far, and how; "" where none has."""
        return problem_in(self.folder)

    def _say(self, name: str, said: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json_file(self.folder / f"{name}.json", said)


def problem_in(folder: Path) -> str:
    """Which of the processes that met in a folder have failed, and how; "" where none has."""
    return "; ".join(f"rank {rank}: {error}" for rank, error in sorted(_ends(folder).items()) if error)


def _ends(folder: Path) -> dict[int, str]:
    """How those have ended that have: "" or an error, by their number."""
    said = {int(file.stem): read_json_file(file) for file in folder.glob("*.json") if file.stem.isdigit()}
    return {rank: str(end["error"]) for rank, end in said.items() if "error" in end}
