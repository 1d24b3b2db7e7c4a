"""Runs trials as Jobs of a Kubernetes cluster."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from callsheet.run._cluster import PLAN, Cluster
from callsheet.run._container import POLICIES, PullPolicy, environment, image_of, pull_policy_of
from callsheet.run._engine import Unreachable, name_of, worker_argv
from callsheet.run._job import Task
from callsheet.run._manifest import KubernetesRequest, anew, cores, literal, memory, several, stated
from callsheet.run._parcel import parcel_of
from callsheet.run._plan import Plan
from callsheet.run._remote import RemoteExecutor
from callsheet.run._sender import RemoteSender
from callsheet.run._shape import Needs

_POSITION = "JOB_COMPLETION_INDEX"
"""What tells a trial of an Indexed Job its position."""

_INDEXED = ("completionMode", "backoffLimitPerIndex")
"""What a server must know for Jobs of several trials: without the second one that fails would end all others."""

_LONGEST = 100_000
"""How many trials an Indexed Job may have."""

_WEEK_S = 7 * 24 * 3600


@dataclass(frozen=True)
class Kubernetes(RemoteExecutor):
    """Jobs of a Kubernetes cluster, one for each trial; as many at a time as there are slots.

    The runs are there where they are here, and bring Callsheet along: the image needs Python 3.11, and what the project
    imports. What a trial says itself, its image too, counts before what is said here. Cores and memory are both asked
    for and limits.

    Args:
        image: The image of trials that name none.
        namespace: Where Jobs are created.
        context: Which of the contexts of `kubectl`'s configuration; the one that it says by default.
        volumes: Volumes by the folder at which they are mounted here and there alike, each as a manifest says it:
            `{"/shared": {"nfs": {"server": "10.0.0.1", "path": "/export"}}}`. What trials need and what lies below
            none of these, the runs too, is a folder of the node: a `hostPath`.
        secrets: Environment variables by their names, each with a Secret's name and key: `{"API_KEY": "tokens/api"}`.
        pull_policy: When the image is pulled: `Always`, `IfNotPresent` or `Never`; by default as Kubernetes has it.
        pull_secrets: Secrets with which images are pulled.
        service_account: As whom trials ask the API server; without one they have no token for it.
        node_selector: Labels that a node must have.
        tolerations: Taints that a node may have, each as a manifest says it.
        priority_class: The name of a priority class.
        gpu_resource: What the cluster calls a GPU.
        shm_gb: Size of `/dev/shm`, through which data loaders share, in units of 10⁹ bytes; it counts as memory.
        host_network: Whether trials use the network of their node.
        labels: Further labels of Jobs and pods: `{"kueue.x-k8s.io/queue-name": "ml"}`.
        annotations: Annotations of Jobs and pods.
        grace_s: Seconds between asking a trial to end and ending it.
        ttl_s: Seconds for which a Job that has ended stays where nobody collects it; a week by default.
        array: How many trials one Job may have, where the server knows Indexed Jobs that go on when one fails (since
            1.29); elsewhere each trial has its own.

    Example:
        ``submit(sweep("conf.py", ["lr=1e-3,1e-2"]), on=Kubernetes("nets:3", namespace="ml", gpus=1))``
    """

    image: str = ""
    _: KW_ONLY
    namespace: str = "default"
    context: str = ""
    volumes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    pull_policy: PullPolicy | None = None
    pull_secrets: Sequence[str] = ()
    service_account: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    priority_class: str = ""
    gpu_resource: str = "nvidia.com/gpu"
    shm_gb: float | None = None
    host_network: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    grace_s: float = 30.0
    ttl_s: float | None = _WEEK_S
    array: int = 1

    one: ClassVar[str] = "one pod"
    in_container: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what could never run a job."""
        super().__post_init__()
        if self.pull_policy not in (None, *POLICIES):
            raise ValueError(f"pull_policy must be one of {', '.join(POLICIES)}, found {self.pull_policy!r}")
        for name, least in (("shm_gb", 0), ("grace_s", 0), ("ttl_s", 0)):
            number = getattr(self, name)
            if number is not None and number < least:
                raise ValueError(f"{name} must be at least {least}, found {number}")
        if not 1 <= self.array <= _LONGEST:
            raise ValueError(f"array must be between 1 and {_LONGEST}, found {self.array}")
        for path in self.volumes:
            if not os.path.isabs(path):
                raise ValueError(f"a volume is mounted at an absolute path, found {path!r}")
        for variable, where in self.secrets.items():
            if not re.fullmatch(r"[^/]+/[^/]+", where):
                raise ValueError(f"secrets[{variable!r}] must be the name of a Secret and a key, 'tokens/api'")

    @property
    def capacity(self) -> int:
        """How many trials the cluster has at a time, those that wait there included."""
        return max(self.slots or 100, self.array)

    @property
    def least(self) -> int:
        """For how many trials there must be room before some are handed over: a Job's."""
        return self.array

    def requests(self, tasks: Sequence[Task]) -> list[KubernetesRequest]:
        """What would be created for some tasks, as values.

        Raises:
            RunError: A task has no image; or it needs several processes.
        """
        return [self._request(group, len(tasks)) for group in self._groups(tasks)]

    def engine(self) -> Cluster:
        """What takes the requests.

        Raises:
            RunError: The Kubernetes client is missing, or finds no cluster.
        """
        return Cluster(self.context, self.namespace)

    def sender(self, plan: Plan) -> RemoteSender:
        """What hands over the tasks of a plan: one by one, where the server does not keep what arrays need."""
        on = self if self.array == 1 or self._keeps_arrays() else replace(self, array=1)
        return RemoteSender(on, plan)

    # ------------------------------------------------------------------------------------------------------------------

    def _keeps_arrays(self) -> bool:
        """Whether the server keeps what Jobs of several trials are told by; one that is away takes single ones."""
        pod = {"restartPolicy": "Never", "containers": [{"name": "trial", "image": self.image or "none"}]}
        probe = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "callsheet-probe", "namespace": self.namespace},
            "spec": {**several(2, 1), "template": {"spec": pod}},
        }
        cluster = self.engine()
        try:
            return cluster.keeps(probe, _INDEXED)
        except Unreachable:
            return False
        finally:
            cluster.close()

    def _groups(self, tasks: Sequence[Task]) -> Iterator[list[Task]]:
        """Tasks that one Job may have: of the same needs, as many as there may be."""
        group: list[Task] = []
        for task in tasks:
            if group and (len(group) == self.array or self.needs_of(task) != self.needs_of(group[0])):
                yield group
                group = []
            group.append(task)
        if group:
            yield group

    def _request(self, tasks: list[Task], among: int) -> KubernetesRequest:
        """The Job of some tasks, which share the slots with the others that are handed over."""
        first, count = tasks[0], len(tasks)
        at = {"callsheet-index": str(first.index), "callsheet-turn": str(first.turn)}
        how: dict[str, Any] = {"backoffLimit": 0}
        if count > 1:
            at = {"callsheet-parcel": parcel_of(tasks).digest}
            how = several(count, count if self.slots is None else max(1, min(count, self.slots * count // among)))
        labels = {**self.labels, "app.kubernetes.io/managed-by": "callsheet", PLAN: first.plan.id, **at}
        about = {"labels": labels, **stated(annotations=dict(self.annotations))}
        name = name_of(tasks)
        ttl = None if self.ttl_s is None else math.ceil(self.ttl_s)
        manifest = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": self.namespace, **about},
            "spec": {
                **how,
                **({} if ttl is None else {"ttlSecondsAfterFinished": ttl}),
                "template": {"metadata": anew(about), "spec": self._pod(tasks)},
            },
        }
        taken = tuple(name for name, value in self._environment(first).items() if value is None)
        return KubernetesRequest(name, tuple(tasks), self.namespace, manifest, taken)

    def _pod(self, tasks: Sequence[Task]) -> dict[str, Any]:
        """What a trial runs in."""
        needs = self.needs_of(tasks[0])
        volumes, mounts = self._mounted(tasks[0])
        deadline = None if needs.timeout_min is None else math.ceil(60 * needs.timeout_min)
        is_root = os.getuid() == 0
        others = sorted({*os.getgroups()} - {os.getgid()})
        return {
            "restartPolicy": "Never",
            **stated(
                activeDeadlineSeconds=deadline,
                serviceAccountName=self.service_account,
                priorityClassName=self.priority_class,
                nodeSelector=dict(self.node_selector),
                tolerations=[dict(each) for each in self.tolerations],
                imagePullSecrets=[{"name": name} for name in self.pull_secrets],
                hostNetwork=self.host_network,
                dnsPolicy="ClusterFirstWithHostNet" if self.host_network else None,
            ),
            "terminationGracePeriodSeconds": math.ceil(self.grace_s),
            "automountServiceAccountToken": bool(self.service_account),
            "enableServiceLinks": False,
            "shareProcessNamespace": True,  # so that a worker is not process 1, which signals do not end
            "securityContext": {
                "runAsUser": os.getuid(),
                "runAsGroup": os.getgid(),
                **stated(supplementalGroups=others, runAsNonRoot=not is_root),
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [self._container(tasks, needs, mounts)],
            "volumes": volumes,
        }

    def _container(self, tasks: Sequence[Task], needs: Needs, mounts: list[dict[str, Any]]) -> dict[str, Any]:
        position = _POSITION if len(tasks) > 1 else ""
        argv = worker_argv(tasks, python=self.python or "python3", position=position)
        amounts = stated(
            cpu=None if needs.cpus is None else cores(needs.cpus),
            memory=None if needs.memory_gb is None else memory(needs.memory_gb),
        )
        limits = amounts | ({self.gpu_resource: str(needs.gpus)} if needs.gpus else {})
        return {
            "name": "trial",
            "image": image_of(tasks[0], needs, self.image, "Kubernetes"),
            **stated(imagePullPolicy=pull_policy_of(tasks[0], needs) or self.pull_policy),
            "command": [literal(word) for word in argv],
            "env": self._env(tasks[0]),
            **stated(resources=stated(requests=amounts, limits=limits)),
            "volumeMounts": mounts,
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }

    def _environment(self, task: Task) -> dict[str, str | None]:
        return environment(task, self.env, has_home=os.getuid() == 0)

    def _env(self, task: Task) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [
            {"name": name} if value is None else {"name": name, "value": literal(value)}
            for name, value in self._environment(task).items()
        ]
        for name, where in self.secrets.items():
            secret, _, key = where.partition("/")
            found.append({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
        return found

    def _mounted(self, task: Task) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The volumes of a pod, and where its container sees them."""
        at = {os.path.normpath(path): f"volume-{n}" for n, path in enumerate(self.volumes, 1)}
        volumes = [{"name": at[os.path.normpath(path)], **anew(said)} for path, said in self.volumes.items()]
        mounts = [{"name": name, "mountPath": path} for path, name in at.items()]
        if self.shm_gb:
            volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": memory(self.shm_gb)}})
            mounts.append({"name": "shm", "mountPath": "/dev/shm"})  # noqa: S108
        runs = str(task.plan.runs)
        for name, (host, inside) in {"runs": (runs, runs), **task.needs.mounts}.items():
            around = max((path for path in at if Path(host).is_relative_to(path)), key=len, default=None)
            if around is None:
                volumes.append({"name": name, "hostPath": {"path": host, "type": "Directory"}})
                mounts.append({"name": name, "mountPath": inside})
            elif inside != host:
                below = os.path.relpath(host, around)
                mounts.append({"name": at[around], "mountPath": inside, **({} if below == "." else {"subPath": below})})
        return volumes, mounts
