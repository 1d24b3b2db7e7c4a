"""What a trial needs that runs in a container: an image that says how it is pulled, and the library beside the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from callsheet.errors import Fault, RunError
from callsheet.run._code import library_name
from callsheet.run._job import Task
from callsheet.run._shape import Needs

PullPolicy = Literal["Always", "IfNotPresent", "Never"]
POLICIES: tuple[PullPolicy, ...] = ("Always", "IfNotPresent", "Never")


def image_of(task: Task, needs: Needs, image: str, executor: str) -> str:
    """The image of a task: its own, or else the executor's.

    Raises:
        RunError: There is none.
    """
    if not (needs.image or image):
        advice = [f'{executor}("registry/name:tag")', "Experiment(image=Image(…))"]
        raise RunError(Fault("", f"trial {task.index} has no image", advice=advice))
    return needs.image or image


def pull_policy_of(task: Task, needs: Needs) -> PullPolicy | None:
    """When the image of a task is pulled; None where it leaves that.

    Raises:
        RunError: There is no such policy.
    """
    for policy in POLICIES:
        if policy == needs.pull_policy:
            return policy
    if needs.pull_policy:
        advice = [f"it is one of  {', '.join(POLICIES)}"]
        raise RunError(Fault("", f"trial {task.index} has the pull policy {needs.pull_policy!r}", advice=advice))
    return None


def environment(task: Task, said: Sequence[str] | Mapping[str, str], *, has_home: bool) -> dict[str, str | None]:
    """The environment variables of a worker in a container.

    Args:
        task: What it runs.
        said: Names, whose values are taken from here, or names with values.
        has_home: Whether its user has a home in the image.

    Returns:
        The values by name; None for those that are taken from here.
    """
    own: dict[str, str | None] = {**said} if isinstance(said, Mapping) else dict.fromkeys(said)
    library, path = str(task.plan.runs / ".code" / library_name()), own.get("PYTHONPATH")
    home = {} if has_home else {"HOME": "/tmp"}  # noqa: S108
    return {**home, **own, "CALLSHEET_CONTAINER": "1", "PYTHONPATH": f"{library}:{path}" if path else library}
