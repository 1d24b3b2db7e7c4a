"""What Kubernetes says of a Job and of its pods, told as what has become of trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from callsheet.run._engine import TERMINATED, Seen, code_of, over_time
from callsheet.run._job import TAKEN

Object = Mapping[str, Any]
"""An object of Kubernetes, as its JSON."""

_UNSTARTED = {
    "ErrImageNeverPull": "its node has no image {image}, and may not pull it: load it there, or allow that",
    "ImagePullBackOff": "the image {image} cannot be pulled: is that its name, and may the node have it?",
    "InvalidImageName": "{image!r} is no name of an image",
    "CreateContainerConfigError": "its container cannot be set up: {message}",
    "CreateContainerError": "its container cannot be made: {message}",
    "RunContainerError": "{command!r} cannot be started in the image {image}: {message}",
    "ContainerCannotRun": "{command!r} cannot be started in the image {image}: {message}",
    "StartError": "{command!r} cannot be started in the image {image}: {message}",
}
"""Why a container never starts, and what is to be done about that."""

_LOST = (
    "Evicted", "NodeAffinity", "NodeLost", "NodeShutdown", "Preempting", "Shutdown", "Terminated",
    "UnexpectedAdmissionError",
)  # fmt: skip
"""Why a pod ends of which its node wants no more; and all that start with `OutOf`."""

_SILENT_S = 60.0
"""Seconds that the node of a pod that shall end has, beyond what its processes have, to say that it did."""

ASKED = "DeadlineExceeded"
"""Why a Job has failed that was asked to end: no Job has a deadline, its pods have."""


def seen_of(job: Object, pods: Sequence[Object], lingering: Mapping[str, float]) -> dict[int, Seen]:
    """What has become of the trials of a Job, by position.

    Args:
        job: The Job.
        pods: Those of its pods that have not succeeded.
        lingering: Of pods that are ending, by name, for how many seconds that is known.
    """
    status = job.get("status", {})
    ends = {said["type"]: said for said in status.get("conditions", ()) if said["status"] == "True"}
    failed = ends.get("Failed")
    if not is_indexed(job):
        if "Complete" in ends:
            return {0: Seen("ended", 0)}
        return {0: _seen(job, max(pods, key=_age) if pods else None, failed, lingering)}
    by_position: dict[int, list[Object]] = {}
    for pod in pods:
        by_position.setdefault(_position(pod), []).append(pod)
    done, gone = (set(_numbers(status.get(name, ""))) for name in ("completedIndexes", "failedIndexes"))
    seen = {}
    for n in range(size_of(job)):
        over = failed or ends.get("Complete") or ({} if n in gone else None)
        newest = max(by_position[n], key=_age) if n in by_position else None
        seen[n] = Seen("ended", 0) if n in done else _seen(job, newest, over, lingering)
    return seen


def is_indexed(job: Object) -> bool:
    """Whether a Job has trials by their positions."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def size_of(job: Object) -> int:
    """How many trials a Job has."""
    return int(job["spec"].get("completions", 1)) if is_indexed(job) else 1


def name_of_newest(pods: Sequence[Object], position: int) -> str:
    """The pod of a Job that has tried a trial last; "" where there is none."""
    own = [pod for pod in pods if _position(pod) == position]
    return str(max(own, key=_age)["metadata"]["name"]) if own else ""


def is_ending(pod: Object) -> bool:
    """Whether a pod shall end, and does not say whether its processes have."""
    status, metadata = pod["status"], pod["metadata"]
    if metadata.get("deletionTimestamp"):
        return status.get("phase") not in ("Failed", "Succeeded")
    return status.get("reason") == "DeadlineExceeded" and not _state(pod, "terminated")  # as before 1.22


def _seen(job: Object, pod: Object | None, over: Object | None, lingering: Mapping[str, float]) -> Seen:
    """What has become of one trial that has not ended well.

    Args:
        job: Its Job.
        pod: Its newest pod.
        over: Why its Job says that it has failed; None where that does not.
        lingering: As for `seen_of`.
    """
    if over is not None:
        if pod is not None and _may_run(pod, lingering.get(pod["metadata"]["name"], 0.0)):
            return Seen("running", where=_node(pod))
        is_asked = over.get("reason") == ASKED
        return (Seen("ended", -15) if is_asked else _gone(over)) if pod is None else _ended(pod, is_asked=is_asked)
    if pod is None and "activeDeadlineSeconds" in job["spec"]:
        return Seen("ended", -15)  # a Job that was asked to end, and of which no pod could be made, stays as it is
    if pod is None:
        return Seen("queued", reason="its Job is suspended" if job["spec"].get("suspend") else "")
    unstarted = _unstarted(pod, _state(pod, "waiting"))
    if unstarted:
        return Seen("ended", 1, unstarted)
    if pod["status"].get("phase") == "Pending":
        return Seen("queued", reason=_unscheduled(pod), where=_node(pod))
    return Seen("running", where=_node(pod))


def _may_run(pod: Object, lingers_s: float) -> bool:
    """Whether processes of a pod that shall end may still run."""
    more = _SILENT_S if pod["metadata"].get("deletionTimestamp") else 0.0
    return is_ending(pod) and lingers_s < pod["spec"].get("terminationGracePeriodSeconds", 30) + more


def _gone(over: Object) -> Seen:
    said = over.get("message") or over.get("reason") or "nothing is said"
    return Seen("ended", -9, f"its pod is gone: {said}", "machine")


def _ended(pod: Object, *, is_asked: bool) -> Seen:
    """How a pod has ended."""
    status, container, end = pod["status"], pod["spec"]["containers"][0], _state(pod, "terminated")
    code = code_of(end.get("exitCode", TERMINATED if is_asked else 137))
    why, where = status.get("reason", ""), _node(pod)
    if code in (0, TAKEN) or is_asked:
        return Seen("ended", -15 if is_asked and code == TERMINATED else code, where=where)
    if why == "DeadlineExceeded":
        return over_time(code, pod["spec"].get("activeDeadlineSeconds", 0), where)
    disruption = _condition(pod, "DisruptionTarget", "True")
    if disruption or why in _LOST or why.startswith("OutOf"):
        said = status.get("message") or disruption.get("message") or disruption.get("reason") or "nothing more is said"
        return Seen("ended", code, f"its node gave it up: {why + ': ' if why else ''}{said}", "machine", where)
    if end.get("reason") == "OOMKilled":
        limit = container.get("resources", {}).get("limits", {}).get("memory")
        said = f"it held more memory than its limit of {limit}" if limit else "its node ran out of memory"
        return Seen("ended", code, said, "memory", where)
    unstarted = _unstarted(pod, end)
    if unstarted:
        return Seen("ended", 1, unstarted, where=where)
    if not end:
        said = status.get("message") or why or "nothing is said"
        return Seen("ended", code, f"its pod failed: {said}", "machine", where)
    if code in (-9, TERMINATED):
        said = "its container was killed" if code == -9 else "its container was stopped"
        return Seen("ended", code, said, "machine", where)
    return Seen("ended", code, where=where)


def _unstarted(pod: Object, state: Object) -> str:
    """Why a container was never started, and what to do; "" where it may have been."""
    said = _UNSTARTED.get(state.get("reason", ""), "")
    container = pod["spec"]["containers"][0]
    command = next(iter(container.get("command", ())), "")
    return said.format(image=container["image"], command=command, message=state.get("message", "").strip())


def _unscheduled(pod: Object) -> str:
    """Why no node takes a pod."""
    return str(_condition(pod, "PodScheduled", "False").get("message", ""))


def _condition(pod: Object, kind: str, status: str) -> Object:
    said = pod["status"].get("conditions") or ()
    return next((each for each in said if (each["type"], each["status"]) == (kind, status)), {})


def _state(pod: Object, kind: str) -> Object:
    """The state of a pod's trial, if it is of a kind: waiting, running, terminated."""
    for said in pod["status"].get("containerStatuses") or ():
        if said["name"] == pod["spec"]["containers"][0]["name"]:
            state: Object = said.get("state", {}).get(kind) or {}
            return state
    return {}


def _age(pod: Object) -> tuple[bool, str]:
    """What a pod is newer by than others of its trial: one that is being deleted is older than what replaces it."""
    metadata = pod["metadata"]
    return "deletionTimestamp" not in metadata, metadata["creationTimestamp"]


def _position(pod: Object) -> int:
    return int(pod["metadata"].get("annotations", {}).get("batch.kubernetes.io/job-completion-index", 0))


def _node(pod: Object) -> str:
    return str(pod["spec"].get("nodeName", ""))


def _numbers(text: str) -> list[int]:
    """The numbers that a status lists.

    >>> _numbers("0-2,5")
    [0, 1, 2, 5]
    """
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
