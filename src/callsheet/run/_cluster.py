"""The API server of a Kubernetes cluster, as what takes Jobs and says what becomes of them."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from callsheet.errors import Fault, RunError
from callsheet.run._engine import Refused, Seen, Unreachable, taken_from_here
from callsheet.run._manifest import KubernetesRequest
from callsheet.run._parcel import parcel_of
from callsheet.run._pods import Object, is_ending, is_indexed, name_of_newest, seen_of, size_of

PLAN = "callsheet-plan"
"""The label by which the Jobs of a plan are found."""

_CONNECT_S, _ANSWER_S = 10.0, 60.0
"""Seconds for which a connection, and then an answer, is waited for."""

_PAGE = 500
"""Objects in one answer, at most."""

_LATER = (429, 500, 502, 503, 504)
"""What a server answers that takes nothing at this moment."""

_SILENT_S = 5.0
"""Seconds for which a Job that does not start says nothing, before it is asked why."""

_LINES = 1000
"""Lines of its output that are kept of a trial that came to no directory."""


class Cluster:
    """A Kubernetes cluster.

    A Job is known by `NAMESPACE/NAME`, one of several trials by `NAMESPACE/NAME:TRIALS`.

    Args:
        context: Which of the contexts of the configuration; "" for the one that it says.
        namespace: Where Jobs are looked for by their names.

    Raises:
        RunError: The client is missing, or there is no such configuration.
    """

    def __init__(self, context: str, namespace: str) -> None:
        self._context = context
        self._namespace = namespace
        self._client: Any = _client(context)
        self.address = str(self._client.configuration.host)
        self._lingering: dict[str, float] = {}
        self._silent: dict[str, float] = {}

    def submit(self, request: KubernetesRequest) -> str:
        """Create a Job; gives what it is known by."""
        if len(request.tasks) > 1:
            parcel_of(request.tasks).write()
        for task in request.tasks:
            for folder in task.needs.written_here():
                with contextlib.suppress(OSError):  # it may be there, and not here
                    os.makedirs(folder, exist_ok=True)
        manifest = request.manifest_with(taken_from_here(request.taken))
        status, said = self._ask("POST", _jobs(request.namespace), body=manifest)
        if status == 409:
            found = self._find(request.namespace, request.name)
            if found is not None:
                return found
        if status == 403 and re.search("exceeded quota|status unknown for quota", said.get("message", "")):
            raise Unreachable(f"Kubernetes takes nothing at this moment: {said['message']}")
        if status >= 300:
            raise _refusal(status, said, request.namespace)
        return _id(said)

    def keeps(self, manifest: Mapping[str, Any], names: Sequence[str]) -> bool:
        """Whether the server keeps some fields of a Job's `spec`; nothing is created.

        An older one drops what it does not know, and says nothing.
        """
        path = _jobs(manifest["metadata"]["namespace"])
        status, said = self._ask("POST", path, {"dryRun": "All"}, body=manifest)
        return status < 300 and all(said["spec"].get(name) == manifest["spec"][name] for name in names)

    def find(self, name: str) -> str | None:
        """What the Job of a name is known by."""
        return self._find(self._namespace, name)

    def look(self, ids: Sequence[str]) -> dict[str, dict[int, Seen]]:
        """What has become of Jobs: one question for these, and one for the pods of those that have not ended well."""
        seen: dict[str, dict[int, Seen]] = {}
        by_namespace: dict[str, list[str]] = {}
        for id in ids:
            by_namespace.setdefault(id.partition("/")[0], []).append(id)
        for namespace, own in by_namespace.items():
            seen |= self._look(namespace, own)
        return seen

    def end(self, id: str, positions: Collection[int] | None = None) -> None:
        """Ask trials to end.

        A Job gets a deadline that is over: it stays, as one that has failed, until it was collected. Of one with
        several trials the pods of some are deleted.
        """
        namespace, name, size = _parts(id)
        if positions is None or len(positions) == size:
            patch = {"spec": {"activeDeadlineSeconds": 1}}
            self._do("PATCH", f"{_jobs(namespace)}/{name}", body=patch, kind="application/merge-patch+json")
            return
        pods = self._list(_pods(namespace), labelSelector=f"job-name={name}")
        for position in positions:
            pod = name_of_newest(pods, position)
            if pod:
                self._do("DELETE", f"{_pods(namespace)}/{pod}")

    def output(self, id: str, position: int) -> bytes:
        """What the newest pod of a trial has written, as far as its node has it."""
        namespace, name, _ = _parts(id)
        pod = name_of_newest(self._list(_pods(namespace), labelSelector=f"job-name={name}"), position)
        if not pod:
            return b""
        status, said = self._send("GET", f"{_pods(namespace)}/{pod}/log", {"tailLines": str(_LINES)})
        return said if status == 200 else b""

    def forget(self, id: str) -> None:
        """Delete a Job with its pods."""
        namespace, name, _ = _parts(id)
        self._do("DELETE", f"{_jobs(namespace)}/{name}", body={"propagationPolicy": "Background"})
        self._silent.pop(id, None)

    def close(self) -> None:
        """Let go of connections."""
        self._client.rest_client.pool_manager.clear()

    # --- what is asked ------------------------------------------------------------------------------------------------

    def _find(self, namespace: str, name: str) -> str | None:
        status, said = self._ask("GET", f"{_jobs(namespace)}/{name}")
        if status == 404:
            return None
        return _id(self._taken(status, said, f"the Job {name}"))

    def _look(self, namespace: str, ids: Sequence[str]) -> dict[str, dict[int, Seen]]:
        selector = f"{PLAN} in ({','.join(sorted({_parts(id)[1].split('-')[1] for id in ids}))})"
        jobs = {job["metadata"]["name"]: job for job in self._list(_jobs(namespace), labelSelector=selector)}
        found = {id: jobs.get(_parts(id)[1]) for id in ids}
        pods: dict[str, list[Object]] = {}
        if any(job is not None and not _is_well(job) for job in found.values()):
            for pod in self._list(_pods(namespace), labelSelector=selector, fieldSelector="status.phase!=Succeeded"):
                pods.setdefault(pod["metadata"]["labels"].get("job-name", ""), []).append(pod)
        lingering = self._lingering_in(namespace, pods)
        seen = {}
        for id, job in found.items():
            _, name, size = _parts(id)
            none = {n: Seen("unknown") for n in range(size)}
            seen[id] = none if job is None else seen_of(job, pods.get(name, ()), lingering)
        return self._explained(namespace, seen, pods)

    def _lingering_in(self, namespace: str, pods: Mapping[str, Sequence[Object]]) -> dict[str, float]:
        """For how long it is known of pods that they are ending, by name."""
        now = time.monotonic()
        names = {pod["metadata"]["name"] for own in pods.values() for pod in own if is_ending(pod)}
        since = {name: self._lingering.get(f"{namespace}/{name}", now) for name in names}
        others = {name: at for name, at in self._lingering.items() if name.partition("/")[0] != namespace}
        self._lingering = others | {f"{namespace}/{name}": at for name, at in since.items()}
        return {name: now - at for name, at in since.items()}

    def _explained(
        self, namespace: str, seen: dict[str, dict[int, Seen]], pods: Mapping[str, Sequence[Object]]
    ) -> dict[str, dict[int, Seen]]:
        """The same, in which Jobs that have waited for a while without a reason have one where an event tells it."""
        now = time.monotonic()
        silent = {id for id, own in seen.items() if Seen("queued") in (_placeless(each) for each in own.values())}
        self._silent = {id: at for id, at in self._silent.items() if id not in seen or id in silent}
        due = [id for id in silent if now - self._silent.setdefault(id, now) >= _SILENT_S]
        if due:
            events = self._list(f"/api/v1/namespaces/{namespace}/events", fieldSelector="type=Warning")
            told = {event["involvedObject"].get("name", ""): event.get("message", "") for event in events}
            for id in due:
                name = _parts(id)[1]
                owners = [name, *(pod["metadata"]["name"] for pod in pods.get(name, ()))]
                reason = next((told[owner] for owner in reversed(owners) if told.get(owner)), "")
                for position, each in seen[id].items():
                    if _placeless(each) == Seen("queued"):
                        seen[id][position] = Seen("queued", reason=reason, where=each.where)
        return seen

    # --- how ----------------------------------------------------------------------------------------------------------

    def _list(self, path: str, **query: str) -> list[Object]:
        """All objects of a kind, a page at a time."""
        return [*self._pages(path, {**query, "limit": str(_PAGE)})]

    def _pages(self, path: str, query: dict[str, str]) -> Iterator[Object]:
        while True:
            status, said = self._ask("GET", path, query)
            said = self._taken(status, said, path.rsplit("/", 1)[-1])
            yield from said["items"]
            further = said["metadata"].get("continue")
            if not further:
                return
            query = {**query, "continue": further}

    def _do(self, method: str, path: str, *, body: Any = None, kind: str = "application/json") -> None:
        """Do something to an object, or nothing where it is gone."""
        status, said = self._ask(method, path, body=body, kind=kind)
        if status != 404:
            self._taken(status, said, path.rsplit("/", 1)[-1])

    def _taken(self, status: int, said: Any, what: str) -> Any:
        """What the server says, where it says anything of what it was asked for."""
        if status >= 300:
            raise Unreachable(f"Kubernetes says nothing of {what}: {_message(status, said)}")
        return said

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        kind: str = "application/json",
    ) -> tuple[int, Any]:
        """Ask the server once; gives the status of its answer, and what it says."""
        status, raw = self._send(method, path, query, body=body, kind=kind)
        if status == 401:
            self._renew()
            status, raw = self._send(method, path, query, body=body, kind=kind)
        try:
            said = json.loads(raw)
        except ValueError:
            said = {"message": raw.decode(errors="replace")[:200]}
        if status in _LATER or status == 401:
            raise Unreachable(f"{self._where} takes nothing at this moment: {_message(status, said)}")
        return status, said

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        kind: str = "application/json",
    ) -> tuple[int, bytes]:
        import urllib3  # with the client

        configuration, pool = self._client.configuration, self._client.rest_client.pool_manager
        url = configuration.host + quote(path) + (f"?{urlencode(query)}" if query else "")
        try:
            headers = {"Accept": "application/json", "Content-Type": kind, "User-Agent": "callsheet"}
            headers |= {said["key"]: said["value"] for said in configuration.auth_settings().values()}
            answer = pool.request(
                method,
                url,
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=urllib3.Timeout(connect=_CONNECT_S, read=_ANSWER_S),
                retries=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{self._where} does not answer: {_why(error)}") from None
        return answer.status, answer.data

    @property
    def _where(self) -> str:
        return f"the API server at {self._client.configuration.host}"

    def _renew(self) -> None:
        """Read the configuration again: credentials may have been renewed there."""
        try:
            self._client = _client(self._context)
        except RunError as error:
            raise Unreachable(error.faults[0].problem) from None


def _client(context: str) -> Any:
    """A client of the cluster that the configuration of `kubectl` names, or in which this process runs."""
    kubernetes: Any
    try:
        kubernetes = importlib.import_module("kubernetes")
    except ImportError:
        problem = "Jobs are created by the Kubernetes client for Python, which is missing"
        raise RunError(Fault("", problem, advice=["pip install 'callsheet[kubernetes]'"])) from None
    file = os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")
    is_inside = "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ and not os.path.exists(file)
    try:
        if is_inside and not context:
            configuration = kubernetes.client.Configuration()
            kubernetes.config.load_incluster_config(client_configuration=configuration)
            return kubernetes.client.ApiClient(configuration)
        return kubernetes.config.new_client_from_config(file, context=context or None, persist_config=False)
    except (kubernetes.config.ConfigException, OSError, ValueError) as error:
        named = f"the context {context} of {file}" if context else file
        advice = ["kubectl config get-contexts  lists what there is", "KUBECONFIG names another file"]
        raise RunError(Fault("", f"{named} leads to no cluster: {error}", advice=advice)) from None


def _refusal(status: int, said: Any, namespace: str) -> Refused:
    """Why a Job is not taken, and what to do."""
    message = _message(status, said)
    what = {
        401: "kubectl auth whoami  tells who you are",
        403: f"kubectl auth can-i create jobs --namespace {namespace}",
        404: f"kubectl create namespace {namespace}  makes one",
    }.get(status, "what it names is to be changed where it was said")
    return Refused(Fault("", f"Kubernetes does not take it: {message}", advice=[what]))


def _message(status: int, said: Any) -> str:
    message = said.get("message", "") if isinstance(said, dict) else ""
    return f"{message} ({status})" if message else f"it answers {status}"


def _why(error: BaseException) -> str:
    """What is wrong with a connection, without what only its library means."""
    inner = getattr(error, "reason", None) or error.__context__ or error
    return getattr(inner, "strerror", None) or str(inner)


def _is_well(job: Object) -> bool:
    """Whether a Job has ended, and each of its trials well."""
    said = job.get("status", {}).get("conditions", ())
    return any(each["type"] == "Complete" and each["status"] == "True" for each in said)


def _placeless(seen: Seen) -> Seen:
    return Seen(seen.state, seen.code, seen.reason, seen.blame)


def _id(job: Object) -> str:
    metadata = job["metadata"]
    more = f":{size_of(job)}" if is_indexed(job) else ""
    return f"{metadata['namespace']}/{metadata['name']}{more}"


def _parts(id: str) -> tuple[str, str, int]:
    """The namespace, name and number of trials of a Job.

    >>> _parts("ml/callsheet-0a1b2c3d4e5f-7-1"), _parts("ml/callsheet-0a1b2c3d4e5f-a6c:50")
    (('ml', 'callsheet-0a1b2c3d4e5f-7-1', 1), ('ml', 'callsheet-0a1b2c3d4e5f-a6c', 50))
    """
    namespace, _, rest = id.partition("/")
    name, _, size = rest.partition(":")
    return namespace, name, int(size or 1)


def _jobs(namespace: str) -> str:
    return f"/apis/batch/v1/namespaces/{namespace}/jobs"


def _pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"
