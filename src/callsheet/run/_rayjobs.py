"""Jobs of a Ray cluster: what is submitted, as a value, and the dashboard that is asked over HTTP."""

from __future__ import annotations

import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from callsheet.errors import Fault, RunError
from callsheet.run._engine import Refused, Seen, Unreachable, taken_from_here
from callsheet.run._job import Task

NEEDS = "callsheet.needs"
"""The metadata of a job that say what it asks for, which Ray does not tell of a job."""

_ANSWER_S = 30.0
"""Seconds for which an answer is waited for."""

_SETTLED_S = 10.0
"""Seconds after its end in which Ray still watches a job."""

_NODES_S = 30.0
"""Seconds for which it is believed what nodes there are."""

_GONE = ("node has died", "node was terminated", "node is dead", "node died")
_NO_MEMORY = ("running low on memory", "due to memory pressure")
_FORGOTTEN = "failed to get job supervisor"
"""What Ray says of jobs that it cannot go on with, among other words."""


@dataclass(frozen=True)
class RayRequest:
    """A job that shall be submitted.

    Attributes:
        name: Its submission id.
        tasks: What it runs.
        body: What the dashboard is told, as data; the environment variables of `names` are added to it.
        names: Environment variables whose values are taken from here when it is submitted.
    """

    name: str
    tasks: tuple[Task, ...]
    body: Mapping[str, Any]
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = self.body_with(dict.fromkeys(self.names, "***"))
        return f"POST /api/jobs/\n{json.dumps(shown, indent=1, ensure_ascii=False)}"

    def body_with(self, values: Mapping[str, str]) -> dict[str, Any]:
        """What the dashboard is told, with the values of further environment variables."""
        around = self.body["runtime_env"]
        return {**self.body, "runtime_env": {**around, "env_vars": {**around["env_vars"], **values}}}


@dataclass
class Dashboard:
    """The dashboard of a Ray cluster.

    Each question carries the token of `RAY_AUTH_TOKEN`, of the file of `RAY_AUTH_TOKEN_PATH`, or of
    `~/.ray/auth_token`, where there is one.

    Args:
        address: Its URL, without a slash at the end.
    """

    address: str
    _stopped: set[str] = field(default_factory=set)
    _forgotten: dict[str, float] = field(default_factory=dict)
    _nodes: Sequence[Mapping[str, float]] = ()
    _nodes_until: float = 0.0

    def submit(self, request: RayRequest) -> str:
        """Submit a job; gives its submission id."""
        values = taken_from_here(request.names)
        for name, value in values.items():
            if re.search(r"\$[\w{]", value):  # it would take something else from the node's environment
                raise _refusal(f"the value of {name} holds a $, which Ray would replace")
        status, said = self._ask("POST", "/api/jobs/", request.body_with(values))
        text = _last_line(said)
        if "already exists" in text:
            return request.name
        if status == 400 or "status code 400" in said:
            raise _refusal(f"Ray does not take it: {text}")
        self._expect(status, said)
        return request.name

    def find(self, name: str) -> str | None:
        """The job of a submission id."""
        status, said = self._ask("GET", f"/api/jobs/{name}")
        if status == 404:
            return None
        self._expect(status, said)
        return name

    def look(self, ids: Sequence[str]) -> dict[str, dict[int, Seen]]:
        """What has become of jobs: one question for all, and now and then one more where some wait."""
        jobs = {job.get("submission_id"): job for job in self._data("/api/jobs/")}
        self._delete_forgotten(jobs)
        found = [(id, jobs.get(id)) for id in ids]
        has_waiting = any(job is not None and job["status"] == "PENDING" for _, job in found)
        if has_waiting and time.monotonic() >= self._nodes_until:
            self._nodes = _nodes_of(self._data("/api/cluster_status"))
            self._nodes_until = time.monotonic() + _NODES_S
        return {id: {0: self._seen(id, job)} for id, job in found}

    def _seen(self, id: str, job: Mapping[str, Any] | None) -> Seen:
        if job is None:
            return Seen("unknown")
        where = re.sub(r"^https?://|:\d+$", "", job.get("driver_agent_http_address") or "")
        if job["status"] == "PENDING":
            # One that waits cannot be taken back: it is stopped when it is started, should that ever be.
            return Seen("ended") if id in self._stopped else Seen("queued", reason=lacking(job, self._nodes))
        if job["status"] == "RUNNING":
            return Seen("running", where=where)
        if job["status"] == "SUCCEEDED":
            return Seen("ended", 0, where=where)
        return Seen("ended", where=where) if job["status"] == "STOPPED" else failed(job, where)

    def end(self, id: str, positions: Collection[int] | None = None) -> None:
        """Stop a job: SIGTERM for all its processes, and SIGKILL after its grace."""
        status, said = self._ask("POST", f"/api/jobs/{id}/stop")
        if status != 404:
            self._expect(status, said)
        self._stopped.add(id)

    def output(self, id: str, position: int) -> bytes:
        """What a job has written; nothing where its node is gone."""
        status, said = self._ask("GET", f"/api/jobs/{id}/logs")
        return str(_read(said).get("logs") or "").encode() if status == 200 else b""

    def forget(self, id: str) -> None:
        """Let Ray delete what it knows of a job, a little later: what still watches it would else note it anew."""
        self._stopped.discard(id)
        self._forgotten[id] = time.monotonic() + _SETTLED_S

    def close(self) -> None:
        """Nothing is held: each question has a connection of its own."""

    # ------------------------------------------------------------------------------------------------------------------

    def _delete_forgotten(self, jobs: Collection[str]) -> None:
        """Delete the jobs that ended a while ago, and once more those that were noted anew."""
        for id, since in [*self._forgotten.items()]:
            if time.monotonic() < since:
                continue
            if id in jobs:
                self._ask("DELETE", f"/api/jobs/{id}")  # of one that waits to be stopped Ray does not
                self._forgotten[id] = time.monotonic() + _SETTLED_S
            else:
                del self._forgotten[id]

    def _data(self, path: str) -> Any:
        status, said = self._ask("GET", path)
        self._expect(status, said)
        try:
            return json.loads(said)
        except ValueError:
            raise Unreachable(f"{self.address} does not answer as a dashboard of Ray does") from None

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, str]:
        """Ask the dashboard; gives the status and the text of its answer.

        Raises:
            Unreachable: It does not answer.
            RunError: It wants a token, or another one.
        """
        content = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(  # noqa: S310  (http or https, as the executor has seen to)
            self.address + path, content, {"Content-Type": "application/json"}, method=method
        )
        token = _token()
        if token:
            asked.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            try:
                with urllib.request.urlopen(asked, timeout=_ANSWER_S) as answer:  # noqa: S310
                    return answer.status, answer.read().decode(errors="replace")
            except urllib.error.HTTPError as error:
                with error:
                    status, said = error.code, error.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", None) or error
            raise Unreachable(f"the dashboard {self.address} does not answer: {why or type(error).__name__}") from None
        if status in (401, 403):
            wants = f"takes no such token ({status})" if token else "wants a token"
            advice = ["export RAY_AUTH_TOKEN_PATH=FILE", "ray get-auth-token  prints the one of this machine"]
            raise RunError(Fault("", f"the dashboard {self.address} {wants}", advice=advice))
        return status, said

    def _expect(self, status: int, said: str) -> None:
        if status != 200:
            raise Unreachable(f"the dashboard {self.address} answers {status}: {_last_line(said)}")


def _token() -> str:
    """The token of this user, by the ways by which Ray itself finds it."""
    token = os.environ.get("RAY_AUTH_TOKEN", "")
    path = os.environ.get("RAY_AUTH_TOKEN_PATH") or Path("~/.ray/auth_token").expanduser()
    try:
        return token.strip() or Path(path).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _refusal(problem: str) -> Refused:
    return Refused(Fault("", problem))


def failed(job: Mapping[str, Any], where: str) -> Seen:
    """How a job has ended that failed."""
    kind, code, message = job.get("error_type") or "", job.get("driver_exit_code"), job.get("message") or ""
    if code is not None:
        missing = "its command was not found: see its output" if code in (126, 127) else ""
        return Seen("ended", code, missing, "machine" if code < 0 else "program", where)
    said = message.strip().partition("\n")[0][:300]
    if kind == "JOB_SUPERVISOR_ACTOR_START_TIMEOUT":
        return Seen("returned", reason="Ray gave up waiting for what it needs")
    if any(words in message for words in _NO_MEMORY):
        return Seen("ended", -9, "its node ran out of memory", "memory", where)
    if any(words in message for words in _GONE):
        return Seen("ended", -9, f"its node {where} was lost".replace("  ", " "), "machine", where)
    if kind == "RUNTIME_ENV_SETUP_FAILURE" or (
        kind == "JOB_SUPERVISOR_ACTOR_START_FAILURE" and _FORGOTTEN not in message
    ):
        return Seen("ended", 1, f"Ray could not start it: {said}", "program", where)
    return Seen("ended", -9, f"Ray lost it: {said}", "machine", where)


def _nodes_of(status: Any) -> list[Mapping[str, float]]:
    """What each kind of node has, by what Ray calls it."""
    report = ((status.get("data") or {}).get("clusterStatus") or {}).get("loadMetricsReport") or {}
    return [node for node, _ in report.get("nodeTypes") or ()]


def lacking(job: Mapping[str, Any], nodes: Sequence[Mapping[str, float]]) -> str:
    """What no node has of what a waiting job asks for; "" where one has all, or nobody knows."""
    asked = _read((job.get("metadata") or {}).get(NEEDS, ""))
    if not nodes or any(all(node.get(name, 0) >= need for name, need in asked.items()) for node in nodes):
        return ""
    most = {name: max(node.get(name, 0) for node in nodes) for name in asked}
    lacks = [name for name, need in asked.items() if most[name] < need]
    if not lacks:
        return f"no node has {' and '.join(_amount(name, need) for name, need in asked.items())} together"
    told = (f"{_amount(name, asked[name])}, where the most is {_amount(name, most[name])}" for name in lacks)
    return f"no node has {' and '.join(told)}"


def _amount(name: str, number: float) -> str:
    """A number of what Ray calls a resource.

    >>> _amount("CPU", 4.0), _amount("memory", 8e9)
    ('4 CPU', '8 GB memory')
    """
    return f"{number / 1e9:.3g} GB memory" if name == "memory" else f"{number:g} {name}"


def _last_line(text: str) -> str:
    """What an answer says, which may be the text of an exception that Ray passed on."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip(" .")]
    return re.sub(r"^\w*Error: ", "", lines[-1])[:300] if lines else ""


def _read(text: str) -> dict[str, Any]:
    """An object of JSON; {} of what is none."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
