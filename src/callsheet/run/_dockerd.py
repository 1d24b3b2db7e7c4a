"""A Docker daemon: what a container is told, and what has become of it."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import os
import shlex
import signal
import socket
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from callsheet.errors import Fault, RunError
from callsheet.run._container import PullPolicy
from callsheet.run._engine import TERMINATED, Refused, Seen, Unreachable, code_of, over_time, taken_from_here
from callsheet.run._job import TAKEN, Task

PULLS: dict[PullPolicy, str] = {"Always": "always", "IfNotPresent": "missing", "Never": "never"}
"""What `docker run` calls the policies."""

PLAN, INDEX, TURN, LIMIT = (f"callsheet.{name}" for name in ("plan", "index", "turn", "limit"))
"""The labels of a container; the limit is in seconds."""

_GRACE_S = 10.0
"""Seconds between asking a container to end and ending it."""

_ANSWER_S = 60.0
"""Seconds for which an answer of the daemon is waited for."""

_LATER = (429, 502, 503, 504)
"""What a daemon answers that takes nothing at this moment."""


@dataclass(frozen=True)
class Mount:
    """A folder of this machine that a container sees.

    Attributes:
        source: Where it is here.
        target: Where the container sees it.
        is_readonly: Whether it may only read there.
    """

    source: str
    target: str
    is_readonly: bool = False

    def __str__(self) -> str:
        more = ",readonly" if self.is_readonly else ""
        return f"type=bind,source={self.source},target={self.target}{more}"


@dataclass(frozen=True)
class DockerRequest:
    """A container that shall be started.

    Attributes:
        name: Its name.
        tasks: What it runs.
        image: Its image.
        argv: Its command.
        user: As whom it runs, `uid:gid`.
        labels: What is found by: the plan, the index, the turn.
        mounts: What it sees of this machine.
        env: Its environment variables; None takes the value from here when it is submitted.
        pull_policy: When the image is pulled.
        network: What it is connected with; "" as the daemon has it.
        entrypoint: What runs its command in place of what the image says; None leaves that.
        cpus: Cores, as many as it may use.
        memory: Bytes, which it may not exceed.
        shm: Bytes of shared memory.
        gpus: How many GPUs it sees.
        host: The daemon's address; "" for the one that the environment names.
    """

    name: str
    tasks: tuple[Task, ...]
    image: str
    argv: tuple[str, ...]
    user: str
    labels: Mapping[str, str]
    mounts: tuple[Mount, ...]
    env: Mapping[str, str | None]
    pull_policy: PullPolicy = "IfNotPresent"
    network: str = ""
    entrypoint: tuple[str, ...] | None = None
    cpus: float | None = None
    memory: int | None = None
    shm: int | None = None
    gpus: int | None = None
    host: str = ""

    def __str__(self) -> str:
        """The same as a command for a shell, in which variables that are taken from here have no value."""
        words = [*self._options(), self.image, *(self.entrypoint or ())[1:], *self.argv]
        head = ["docker", *(["--host", self.host] if self.host else []), "run", "--detach"]
        return shlex.join([*head, *words])

    def _options(self) -> Iterator[str]:
        single = {
            "name": self.name,
            "user": self.user,
            "network": self.network,
            "entrypoint": (self.entrypoint or ("",))[0] if self.entrypoint is not None else None,
            "cpus": f"{self.cpus:g}" if self.cpus else None,
            "memory": f"{self.memory}b" if self.memory else None,
            "memory-swap": f"{self.memory}b" if self.memory else None,
            "shm-size": f"{self.shm}b" if self.shm else None,
            "gpus": str(self.gpus) if self.gpus else None,
            "pull": PULLS[self.pull_policy],
        }
        for name, value in single.items():
            if value or (name == "entrypoint" and value is not None):
                yield from (f"--{name}", value)
        for label, value in self.labels.items():
            yield from ("--label", f"{label}={value}")
        for mount in self.mounts:
            yield from ("--mount", str(mount))
        for variable, text in self.env.items():
            yield from ("--env", variable if text is None else f"{variable}={text}")


def docker_sdk() -> ModuleType:
    """The Docker SDK for Python.

    Raises:
        RunError: It is missing.
    """
    try:
        docker = importlib.import_module("docker")
    except ImportError:
        problem = "containers are started by the Docker SDK for Python, which is missing"
        raise RunError(Fault("", problem, advice=["pip install 'callsheet[docker]'"])) from None
    return docker


class Daemon:
    """A Docker daemon.

    Args:
        sdk: The package `docker`.
        host: The daemon's address; "" for the one that the environment names.
    """

    def __init__(self, sdk: ModuleType, host: str) -> None:
        self._sdk = sdk
        try:
            self._said = {"base_url": host} if host else sdk.utils.kwargs_from_env()
        except sdk.errors.DockerException as error:
            advice = ["see to DOCKER_TLS_VERIFY and DOCKER_CERT_PATH"]
            raise RunError(
                Fault("", f"Docker cannot be reached as the environment says: {error}", advice=advice)
            ) from None
        self.address: str = self._said.get("base_url") or "unix:///var/run/docker.sock"
        self._client: Any = None
        self._kill_at: dict[str, float] = {}

    def submit(self, request: DockerRequest) -> str:
        """Start a container; gives its name."""
        _make_output(request)
        with self._asking(refuses=True) as api:
            if request.pull_policy == "Always":
                self._pull(api, request.image)
            try:
                self._create(api, request)
            except self._sdk.errors.APIError as error:
                self._mend(api, request, error)
                self._create(api, request)
            self._read_back(api, request)
            try:
                api.start(request.name)
            except self._sdk.errors.APIError as error:
                with contextlib.suppress(self._sdk.errors.APIError):
                    api.remove_container(request.name, force=True)
                if error.status_code in _LATER:
                    raise
                raise _refusal(f"its container does not start: {error.explanation}") from None
        return request.name

    def find(self, name: str) -> str | None:
        """The container of a name; one that was never started is none, and is removed."""
        with self._asking() as api:
            try:
                found = api.inspect_container(name)
            except self._sdk.errors.NotFound:
                return None
            if found["State"]["Status"] != "created":
                return name
            self._remove(api, name)
        return None

    def look(self, ids: Sequence[str]) -> dict[str, dict[int, Seen]]:
        """What has become of containers: one question for all, and one more for each that has ended."""
        listed: dict[str, Any] = {}
        seen: dict[str, dict[int, Seen]] = {}
        with self._asking() as api:
            for plan in {id.split("-")[1] for id in ids}:  # as `name_of` writes it
                for found in api.containers(all=True, filters={"label": [f"{PLAN}={plan}"]}):
                    listed |= {name.lstrip("/"): found for name in found["Names"]}
            for id in ids:
                state = listed[id]["State"] if id in listed else ""
                if state in ("exited", "stopped", "dead"):
                    with contextlib.suppress(self._sdk.errors.NotFound):
                        seen[id] = {0: self._ended(id, api.inspect_container(id))}
                elif state == "created":
                    seen[id] = {0: Seen("queued")}
                elif state:
                    seen[id] = {0: Seen("running")}
                    self._enforce(api, id)
                else:
                    seen[id] = {0: Seen("unknown")}
        return seen

    def end(self, id: str, positions: Collection[int] | None = None) -> None:
        """Ask a container to end; a later look ends it where it does not listen."""
        if id not in self._kill_at:
            with self._asking() as api:
                self._signal(api, id, signal.SIGTERM)
            self._kill_at[id] = time.monotonic() + _GRACE_S

    def output(self, id: str, position: int) -> bytes:
        """What a container has written."""
        with self._asking() as api, contextlib.suppress(self._sdk.errors.APIError):
            said: bytes = api.logs(id, tail=1000)
            return said
        return b""

    def forget(self, id: str) -> None:
        """Remove a container."""
        with self._asking() as api:
            self._remove(api, id)
        self._kill_at.pop(id, None)

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()

    # ------------------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _asking(self, *, refuses: bool = False) -> Iterator[Any]:
        """The client, whose failures are told in the words of engines."""
        errors = self._sdk.errors
        try:
            _knock(self.address)
            if self._client is None:
                self._client = self._made(self._version())
            yield self._client
        except errors.APIError as error:
            if refuses and error.status_code not in _LATER:
                raise _refusal(f"the Docker daemon refuses it: {error.explanation}") from None
            raise Unreachable(f"the Docker daemon says: {error.explanation}") from None
        except PermissionError:
            advice = [
                "be in its group:  sudo usermod -aG docker $USER",
                "or say which other may be used:  --on docker.host=…",
            ]
            raise RunError(
                Fault("", f"this user may not use the Docker daemon at {self.address}", advice=advice)
            ) from None
        except (errors.DockerException, OSError) as error:  # of `requests` too
            if isinstance(error, Unreachable):
                raise
            raise Unreachable(f"the Docker daemon does not answer at {self.address}") from None

    def _made(self, version: str) -> Any:
        return self._sdk.APIClient(**self._said, version=version, timeout=_ANSWER_S)

    def _version(self) -> str:
        """The API that the daemon speaks; a client that cannot find that out by itself leaves its socket open."""
        client = self._made(self._sdk.constants.MINIMUM_DOCKER_API_VERSION)
        try:
            version: str = client.version(api_version=False).get("ApiVersion", "")
        finally:
            client.close()
        return version or self._sdk.constants.DEFAULT_DOCKER_API_VERSION

    def _create(self, api: Any, request: DockerRequest) -> None:
        types = self._sdk.types
        limits: dict[str, Any] = {"network_mode": request.network or None, "shm_size": request.shm}
        if request.cpus is not None:
            limits["nano_cpus"] = int(request.cpus * 1e9)
        if request.memory is not None:
            limits |= {"mem_limit": request.memory, "memswap_limit": request.memory}
        if request.gpus:
            limits["device_requests"] = [types.DeviceRequest(count=request.gpus, capabilities=[["gpu"]])]
        mounts = [types.Mount(it.target, it.source, type="bind", read_only=it.is_readonly) for it in request.mounts]
        api.create_container(
            request.image,
            list(request.argv),
            name=request.name,
            entrypoint=None if request.entrypoint is None else list(request.entrypoint) or [""],
            user=request.user,
            labels=dict(request.labels),
            environment=_values(request.env),
            host_config=api.create_host_config(mounts=mounts, **limits),
        )

    def _read_back(self, api: Any, request: DockerRequest) -> None:
        """Refuse a daemon that has silently left out the GPUs, as some of podman's do."""
        if request.gpus and not api.inspect_container(request.name)["HostConfig"].get("DeviceRequests"):
            self._remove(api, request.name)
            raise _refusal("the daemon takes the container, and leaves out its GPUs")

    def _mend(self, api: Any, request: DockerRequest, error: Any) -> None:
        """Do what is missing where a container could not be created, or say why that cannot be done."""
        if error.status_code == 409:
            if api.inspect_container(request.name)["State"]["Running"]:
                problem = f"a container called {request.name} runs already, of runs that are no more"
                raise _refusal(f"{problem}: docker rm --force {request.name}")
            self._remove(api, request.name)
        elif error.status_code == 404 and request.pull_policy == "IfNotPresent":
            self._pull(api, request.image)
        elif error.status_code == 404:
            raise _refusal(f"there is no image {request.image} here: docker pull {request.image}")
        else:
            raise error

    def _pull(self, api: Any, image: str) -> None:
        try:
            for said in api.pull(image, stream=True, decode=True):
                if "error" in said:
                    raise _refusal(f"the image {image} cannot be pulled: {said['error']}: docker pull {image}")
        except self._sdk.errors.APIError as error:
            raise _refusal(f"the image {image} cannot be pulled: {error.explanation}: docker pull {image}") from None

    def _remove(self, api: Any, name: str) -> None:
        with contextlib.suppress(self._sdk.errors.NotFound):
            api.remove_container(name, v=True, force=True)

    def _signal(self, api: Any, name: str, number: int) -> None:
        try:
            api.kill(name, int(number))
        except self._sdk.errors.APIError as error:
            if error.status_code not in (404, 409):  # it has ended
                raise

    def _enforce(self, api: Any, name: str) -> None:
        """End a container that was asked to and does not listen."""
        if time.monotonic() >= self._kill_at.get(name, float("inf")):
            self._signal(api, name, signal.SIGKILL)

    def _ended(self, name: str, found: Mapping[str, Any]) -> Seen:
        """How a container has ended."""
        state, labels = found["State"], found["Config"]["Labels"]
        code = code_of(state["ExitCode"])
        if code in (0, TAKEN):
            return Seen("ended", code)
        if state["OOMKilled"]:
            held = found["HostConfig"]["Memory"] / 1e9
            return Seen("ended", code, f"it held more than {held:g} GB of memory", "memory")
        limit_s = float(labels.get(LIMIT, "inf"))
        if _seconds(state) >= limit_s:
            return over_time(code, limit_s)
        if name in self._kill_at:
            return Seen("ended", code)
        if code == -signal.SIGKILL:
            return Seen("ended", code, "its container was killed, or the worker in it", "machine")
        if code == TERMINATED:
            return Seen("ended", code, "its container was stopped, or the Docker daemon was", "machine")
        return Seen("ended", code, state.get("Error") or "")


def _knock(address: str) -> None:
    """See whether anybody listens at a socket of this machine; where nobody does the SDK leaves it open.

    Raises:
        OSError: Nobody does.
    """
    scheme, _, path = address.rpartition("://")
    if scheme in ("unix", "http+unix"):
        with socket.socket(socket.AF_UNIX) as own:
            own.connect(f"/{path.lstrip('/')}")


def _seconds(state: Mapping[str, Any]) -> float:
    """How long a container ran."""
    began, ended = (datetime.datetime.fromisoformat(state[name]) for name in ("StartedAt", "FinishedAt"))
    return (ended - began).total_seconds()


def _values(env: Mapping[str, str | None]) -> dict[str, str]:
    """Environment variables with the values that are taken from here."""
    taken = taken_from_here(name for name, value in env.items() if value is None)
    return {name: taken[name] if value is None else value for name, value in env.items()}


def _make_output(request: DockerRequest) -> None:
    """Make the folder for what trials put out, which may be their first."""
    for task in request.tasks:
        for folder in task.needs.written_here():
            os.makedirs(folder, exist_ok=True)


def _refusal(problem: str) -> Refused:
    return Refused(Fault("", problem))
