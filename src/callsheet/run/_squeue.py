"""Slurm's commands: what is handed to `sbatch`, what `squeue` and `sacct` say, what `scancel` ends."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from callsheet.errors import Fault, RunError
from callsheet.run._engine import Refused, Seen, Unreachable, taken_from_here
from callsheet.run._job import Blame, Task
from callsheet.run._parcel import parcel_of
from callsheet.run._ranks import problem_in

_MOST_S = 120.0
"""Seconds that a command of Slurm may take."""

_ACCOUNTS_S = 600.0
"""Seconds for which accounting that does not answer is waited for, before what the queue has forgotten is lost."""

_AWAY = re.compile(
    "Unable to contact|[Cc]onnect|[Tt]imed out|Zero Bytes|temporarily|try again|not respond|MaxSubmit|munge"
    "|authentication|Communication|Transport|in standby mode|missing socket"
)
"""Words with which Slurm's commands say that it cannot be asked, or takes nothing, at this moment."""

_KEPT = ("SBATCH_ACCOUNT", "SBATCH_PARTITION", "SBATCH_QOS", "SBATCH_RESERVATION", "SBATCH_CLUSTERS")
_KEPT_TOO = ("SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT")
"""Variables by which a user says what a request leaves open. All others of Slurm are those of a job around this."""

_COLUMNS = {"ArrayJobID": 24, "ArrayTaskID": 24, "State": 24, "exit_code": 16, "Reason": 60, "NodeList": 80}
"""What is asked of `squeue`, and how wide it writes it."""

_QUEUED = ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD")
_RUNNING = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING")

_ENDS: dict[str, tuple[str, Blame]] = {
    "NODE_FAIL": ("its node failed", "machine"),
    "BOOT_FAIL": ("its node did not start", "machine"),
    "PREEMPTED": ("it was preempted", "machine"),
    "OUT_OF_MEMORY": ("it held more memory than it had asked for", "memory"),
    "TIMEOUT": ("its time limit is over", "limit"),
    "DEADLINE": ("its deadline is over", "limit"),
    "CANCELLED": ("it was cancelled at Slurm", "limit"),
    "REVOKED": ("another cluster has it", "machine"),
}
"""States in which Slurm itself ended a job: what that is in words, and whose doing."""

_ORDINARY = ("None", "Priority", "Resources", "BeginTime", "JobArrayTaskLimit", "Cleaning", "Prolog", "")
"""Reasons to wait that say nothing but that others come first."""

_NEVER = {
    "PartitionConfig": "no node of its partition has what it asks for",
    "PartitionNodeLimit": "it asks for more nodes than its partition gives, or for some that are down",
    "PartitionTimeLimit": "it asks for more time than its partition gives",
    "PartitionDown": "its partition is down",
    "PartitionInactive": "its partition is inactive",
    "BadConstraints": "no node has what it asks for",
    "JobHeldUser": "it is held: scontrol release JOB",
    "JobHeldAdmin": "it is held by an administrator",
    "ReqNodeNotAvail": "a node that it needs is not available",
    "InvalidAccount": "its account is not valid",
    "InvalidQOS": "its quality of service is not valid",
}
"""Reasons to wait that somebody must do something about, in words."""


class _Handed(Protocol):
    """What is handed over."""

    argv: tuple[str, ...]
    name: str
    names: tuple[str, ...]
    script: str
    tasks: tuple[Task, ...]


class SlurmEngine:
    """A cluster, by its commands.

    Args:
        logs: Where the output of jobs is.
    """

    def __init__(self, logs: Path | None = None) -> None:
        self._logs = logs
        self._ended: set[tuple[str, int | None]] = set()
        self._has_accounting = True
        self._accounts_by: float | None = None
        self.address = ""

    def submit(self, request: _Handed) -> str:
        """Hand over a script, and give the number of the job."""
        taken_from_here(request.names)
        tasks, plan = request.tasks, request.tasks[0].plan
        if len(tasks) > 1:
            parcel_of(tasks).write()
        (plan.folder / "logs").mkdir(exist_ok=True)
        done = _run(*request.argv, text=request.script)
        if done.returncode:
            raise refusal_of(done.stderr)
        return done.stdout.split(";")[0].strip()

    def find(self, name: str) -> str | None:
        """The number of the job of a name."""
        asked = ("squeue", "--noheader", "--states=all", f"--user={os.getuid()}", f"--name={name}")
        for line in _told(*asked, "--Format=ArrayJobID:24,StdOut:4000").splitlines():
            if self._logs is None or line[24:].startswith(f"{self._logs}/"):
                return line[:24].strip()
        return None

    def look(self, ids: Sequence[str]) -> Mapping[str, Mapping[int, Seen]]:
        """What has become of jobs: asks `squeue` once, and `sacct` once where it has forgotten one that matters."""
        found = _Looked(lambda: self._accounted(ids), self._by_whom)
        queued = {id: _Tasks(found, id) for id in ids}
        for id, position, seen in _queue(ids):
            if id in queued:
                queued[id][position] = self._by_whom(id, position, seen)
        return queued

    def end(self, id: str, positions: Collection[int] | None = None) -> None:
        """Cancel tasks: SIGTERM, and SIGKILL after the cluster's KillWait."""
        self._ended |= {(id, position) for position in positions} if positions is not None else {(id, None)}
        which = [id] if positions is None else [f"{id}_{position}" for position in positions]
        done = _run("scancel", "--quiet", *which)
        if done.returncode and _AWAY.search(done.stderr):
            raise Unreachable(f"Slurm does not answer: {_last(done.stderr)}")

    def output(self, id: str, position: int) -> bytes:
        """What a task has written before its worker had a run directory."""
        found = (file for file in self._files(id) if file.name in (f"slurm-{id}.out", f"slurm-{id}_{position}.out"))
        return b"".join(file.read_bytes() for file in found)

    def forget(self, id: str) -> None:
        """Delete what jobs have left that is empty, and what the processes of one have told each other."""
        for file in self._files(id):
            if file.suffix == ".out" and not file.stat().st_size:
                file.unlink(missing_ok=True)
            elif file.suffix != ".out":
                shutil.rmtree(file, ignore_errors=True)

    def close(self) -> None:
        """Nothing is held."""

    def _files(self, id: str) -> list[Path]:
        if self._logs is None:
            return []
        return sorted([*self._logs.glob(f"slurm-{id}.*"), *self._logs.glob(f"slurm-{id}_*")])

    def _accounted(self, ids: Sequence[str]) -> Iterator[tuple[str, int, Seen]]:
        """What `sacct` says, where there is accounting.

        Raises:
            Unreachable: It does not answer at this moment.
        """
        if not self._has_accounting or shutil.which("sacct") is None:
            return
        asked = ("sacct", "--noheader", "--parsable2", "--allocations", f"--jobs={','.join(ids)}")
        done = _run(*asked, "--format=JobID,State,ExitCode,NodeList")
        if "accounting storage is disabled" in done.stderr:
            self._has_accounting = False
        elif done.returncode and _AWAY.search(done.stderr):
            self._accounts_by = self._accounts_by or time.monotonic() + _ACCOUNTS_S
            if time.monotonic() < self._accounts_by:
                raise Unreachable(f"Slurm's accounting does not answer: {_last(done.stderr)}")
        else:
            self._accounts_by = None
        for line in done.stdout.splitlines() if not done.returncode else ():
            number, state, code, where = line.split("|")
            match = re.fullmatch(r"(\d+)(?:_(\d+))?", number)
            if match is not None:
                yield match[1], int(match[2] or 0), seen_of(state.split()[0], code, "", where)

    def _by_whom(self, id: str, position: int, seen: Seen) -> Seen:
        """One that was cancelled from here needs no words; of several processes the one that failed has them."""
        is_ours = not self._ended.isdisjoint({(id, position), (id, None)})
        if is_ours and seen.blame == "limit":
            return Seen("ended", -15)
        if seen.state == "ended" and seen.code and seen.blame != "limit":
            met = [file for file in self._files(id) if re.fullmatch(rf"slurm-{id}(_{position})?\.ranks-\d+", file.name)]
            last = max(met, key=lambda file: int(file.suffix.rpartition("-")[2]), default=None)
            problem = problem_in(last) if last is not None else ""
            return Seen("ended", 1, problem, "program", seen.where) if problem else seen
        return seen


class _Looked:
    """What accounting says, asked for when it is needed first, for all jobs.

    Args:
        ask: Asks for it.
        judge: What is made of it.
    """

    def __init__(
        self, ask: Callable[[], Iterator[tuple[str, int, Seen]]], judge: Callable[[str, int, Seen], Seen]
    ) -> None:
        self._ask = ask
        self._judge = judge

    @functools.cached_property
    def said(self) -> dict[tuple[str, int], Seen] | None:
        """Of each job and position; None where it does not answer now."""
        try:
            return {(id, position): self._judge(id, position, seen) for id, position, seen in self._ask()}
        except Unreachable:
            return None


class _Tasks(dict[int, Seen]):
    """The tasks of a job by position; what the queue has forgotten is looked up, or else unknown.

    While accounting does not answer, it is as it was.
    """

    def __init__(self, more: _Looked, id: str) -> None:
        super().__init__()
        self._more = more
        self._id = id

    def __contains__(self, position: object) -> bool:
        return super().__contains__(position) or self._more.said is not None

    def __missing__(self, position: int) -> Seen:
        return (self._more.said or {}).get((self._id, position), Seen("unknown"))


def array_limit() -> int:
    """How many tasks an array may have.

    Raises:
        RunError: There is no Slurm here.
    """
    try:
        said = re.search(r"MaxArraySize\s*=\s*(\d+)", _told("scontrol", "show", "config"))
    except Unreachable:
        return 1000
    return max(1, int(said[1])) if said is not None else 1


def _queue(ids: Sequence[str]) -> Iterator[tuple[str, int, Seen]]:
    """What `squeue` says of each task of jobs, by its position; of one that is no array that is 0."""
    columns = ",".join(f"{name}:{width}" for name, width in _COLUMNS.items())
    asked = ("squeue", "--noheader", "--array", "--states=all", f"--jobs={','.join(ids)}", f"--Format={columns}")
    done = _run(*asked)
    if done.returncode and "Invalid job id" not in done.stderr:
        raise Unreachable(f"Slurm does not answer: {_last(done.stderr)}")
    for line in done.stdout.splitlines():
        fields, at = [], 0
        for width in _COLUMNS.values():
            fields.append(line[at : at + width].strip())
            at += width
        id, position, state, code, reason, where = fields
        yield id, int(position) if position.isdigit() else 0, seen_of(state, code, reason, where)


def seen_of(state: str, code: str, reason: str, where: str) -> Seen:
    """What Slurm says of a job, in our words."""
    if state in _QUEUED:
        plain = reason.strip("()").split(",")[0]
        return Seen("queued", reason="" if plain in _ORDINARY else _told_why(plain))
    if state in _RUNNING:
        return Seen("running", where=where)
    number = _exit_code(code)
    words, blame = _ENDS.get(state, ("", "program"))
    if state in _ENDS:
        at = f" ({where})" if where and state == "NODE_FAIL" else ""
        return Seen("ended", -15 if blame == "limit" else -9, words + at, blame, where)
    if number < 0:
        return Seen("ended", number, f"its worker was ended by signal {-number}", "machine", where)
    if number and reason in _NEVER:
        return Seen("ended", number, _told_why(reason), "program", where)
    return Seen("ended", number, "", "program", where)


def _told_why(reason: str) -> str:
    return f"{reason}: {_NEVER[reason]}" if reason in _NEVER else reason


def _exit_code(text: str) -> int:
    """The exit code, below 0 a signal; `squeue` gives a status as of `wait`, `sacct` code and signal."""
    if ":" in text:
        code, signal = map(int, text.split(":"))
        return -signal if signal else _unsigned(code)
    status = int(text or 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else _unsigned(os.WEXITSTATUS(status))


def _unsigned(code: int) -> int:
    """A shell's or srun's 137 is signal 9."""
    return 128 - code if 128 < code < 160 else code


def refusal_of(said: str) -> Exception:
    """What it means that `sbatch` has not taken a script."""
    if _AWAY.search(said):
        return Unreachable(f"Slurm takes nothing at this moment: {'; '.join(said.strip().splitlines())}")
    lines = [line.partition("error: ")[2] or line for line in said.strip().splitlines()]
    lines = [line.removeprefix("Batch job submission failed: ") for line in lines]
    problem = f"Slurm does not take it: {lines[-1] if lines else 'it says nothing'}"
    advice = [line for line in lines[:-1] if line != lines[-1]]
    if "partition" in said.lower():
        advice.append(f"there are the partitions  {', '.join(_listed('sinfo', '--noheader', '--format=%R'))}")
    if "account" in said.lower() or "qos" in said.lower():
        asked = ("sacctmgr", "--noheader", "--parsable2", "show", "associations", f"user={_user()}")
        known = _listed(*asked, "format=account,qos")
        advice.append(f"{_user()} has the accounts  {', '.join(known)}" if known else f"{_user()} has no account there")
    return Refused(Fault("", problem, advice=advice))


def _listed(*words: str) -> list[str]:
    """The different lines that a command prints; none where it fails."""
    return sorted({line.strip() for line in _run(*words).stdout.splitlines() if line.strip()})


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _last(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "it says nothing"


def _told(*words: str) -> str:
    """What a command prints."""
    done = _run(*words)
    if done.returncode:
        raise Unreachable(f"Slurm does not answer: {_last(done.stderr)}")
    return done.stdout


def _run(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    program = shutil.which(words[0])
    if program is None:
        advice = ["submit from a machine of the cluster on which users do so"]
        raise RunError(Fault("", f"there is no {words[0]} here", advice=advice))
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SBATCH_", "SLURM_", "SQUEUE_", "SACCT_")) or name in (*_KEPT, *_KEPT_TOO)
    }
    try:
        return subprocess.run(
            [program, *words[1:]], input=text, env=ours, capture_output=True, text=True, timeout=_MOST_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{words[0]} has not answered for {_MOST_S:g} s") from None
