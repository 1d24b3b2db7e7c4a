"""The manifest of a Job: a value, which says all that the cluster is told; how amounts and texts are written in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callsheet.formats.yaml import write
from callsheet.run._job import Task


@dataclass(frozen=True)
class KubernetesRequest:
    """A Job that shall be created.

    Attributes:
        name: Its name.
        tasks: What it runs.
        namespace: Where it runs.
        manifest: What it is, without the values of what is taken from here.
        taken: Environment variables whose values are taken from here when it is created.
    """

    name: str
    tasks: tuple[Task, ...]
    namespace: str
    manifest: Mapping[str, Any] = field(hash=False)
    taken: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The manifest as YAML; of variables that are taken from here it names the names."""
        head = f"# taken from here when it is created: {', '.join(self.taken)}\n" if self.taken else ""
        return head + write(self.manifest).rstrip("\n")

    def manifest_with(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The manifest with the values of what is taken from here."""
        filled: dict[str, Any] = anew(self.manifest)
        for said in filled["spec"]["template"]["spec"]["containers"][0]["env"]:
            if said["name"] in self.taken:
                said["value"] = literal(values[said["name"]])
        return filled


def several(count: int, parallel: int) -> dict[str, Any]:
    """What makes a Job one of several trials, each for itself."""
    return {"completionMode": "Indexed", "completions": count, "parallelism": parallel, "backoffLimitPerIndex": 0}


def cores(cpus: float) -> str:
    """An amount of cores as Kubernetes writes it.

    >>> cores(4.0), cores(0.5)
    ('4', '500m')
    """
    return f"{cpus:.0f}" if cpus % 1 == 0 else f"{math.ceil(1000 * cpus)}m"


def memory(gb: float) -> str:
    """An amount of memory as Kubernetes writes it.

    >>> memory(32), memory(0.5), memory(2 * 1.073741824)
    ('32G', '500M', '2147483648')
    """
    count = round(gb * 1e9)
    for unit, size in (("G", 10**9), ("M", 10**6)):
        if count % size == 0:
            return f"{count // size}{unit}"
    return str(count)


def literal(text: str) -> str:
    """A text in which Kubernetes replaces nothing.

    >>> literal("$(HOME)/a")
    '$$(HOME)/a'
    """
    return text.replace("$(", "$$(")


def stated(**fields: Any) -> dict[str, Any]:
    """Those of some fields of which something is said."""
    return {name: value for name, value in fields.items() if value}


def anew(said: Any) -> Any:
    """Plain data, made anew."""
    if isinstance(said, Mapping):
        return {key: anew(value) for key, value in said.items()}
    return [anew(each) for each in said] if isinstance(said, list | tuple) else said
