"""A task becomes the manifest of a Job, by a pure function; what the cluster says of Jobs and pods is understood."""

import os
import sys
from pathlib import Path

import kubernetes_validate
import pytest

from callsheet.errors import RunError
from callsheet.run import Resources
from callsheet.run._code import library_name
from callsheet.run._engine import Seen
from callsheet.run._job import Task
from callsheet.run._plan import Plan
from callsheet.run._pods import seen_of
from callsheet.run._shape import Needs
from callsheet.run.kubernetes import Kubernetes
from saying import told

yaml = pytest.importorskip("yaml")

PLAN = Plan(Path("/home/me/nets/runs/.sweeps/0a1b2c3d4e5f"))
VERSIONS = [f"1.{n}" for n in range(25, 1 + int(kubernetes_validate.latest_version().split(".")[1]))]


def task(index=7, **needs):
    return Task(PLAN, index, "ab" * 16, Needs(**needs), turn=2, code="cd" * 16)


@pytest.fixture(autouse=True)
def me(monkeypatch):
    """Somebody whose numbers are known."""
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 100)
    monkeypatch.setattr(os, "getgroups", lambda: [100, 2001])


PLAIN = f"""\
apiVersion: batch/v1
kind: Job
metadata:
  name: callsheet-0a1b2c3d4e5f-7-2
  namespace: default
  labels:
    app.kubernetes.io/managed-by: callsheet
    callsheet-plan: '0a1b2c3d4e5f'
    callsheet-index: '7'
    callsheet-turn: '2'
spec:
  backoffLimit: 0
  ttlSecondsAfterFinished: 604800
  template:
    metadata:
      labels:
        app.kubernetes.io/managed-by: callsheet
        callsheet-plan: '0a1b2c3d4e5f'
        callsheet-index: '7'
        callsheet-turn: '2'
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 30
      automountServiceAccountToken: false
      enableServiceLinks: false
      shareProcessNamespace: true
      securityContext:
        runAsUser: 1000
        runAsGroup: 100
        supplementalGroups: [2001]
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: trial
          image: nets:3
          command:
            - python3
            - '-m'
            - callsheet.run.worker
            - /home/me/nets/runs/.sweeps/0a1b2c3d4e5f/plan.jsonl
            - '7'
            - abababababababababababababababab
            - '--beat'
            - '--code'
            - cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
          env:
            - name: HOME
              value: /tmp
            - name: CALLSHEET_CONTAINER
              value: '1'
            - name: PYTHONPATH
              value: /home/me/nets/runs/.code/{library_name()}
          volumeMounts:
            - name: runs
              mountPath: /home/me/nets/runs
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]
      volumes:
        - name: runs
          hostPath:
            path: /home/me/nets/runs
            type: Directory
"""


def test_a_request_as_an_administrator_reads_it():
    (request,) = Kubernetes("nets:3").requests([task()])
    assert f"{request}\n" == PLAIN


def pod_of(on, of=None):
    (request,) = on.requests([of or task()])
    return request.manifest["spec"]["template"]["spec"]


def container_of(on, of=None):
    return pod_of(on, of)["containers"][0]


FULL = Kubernetes(
    "nets:3",
    namespace="ml",
    slots=3,
    cpus=4,
    gpus=2,
    memory_gb=32,
    timeout_min=90,
    env=["WANDB_MODE", "PYTHONPATH"],
    python="/opt/python/bin/python",
    volumes={
        "/home/me": {"nfs": {"server": "10.0.0.1", "path": "/export/me"}},
        "/scratch": {"persistentVolumeClaim": {"claimName": "scratch"}},
    },
    secrets={"API_KEY": "tokens/api"},
    pull_policy="Always",
    pull_secrets=["registry"],
    service_account="trainer",
    node_selector={"zone": "b"},
    tolerations=[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
    priority_class="low",
    shm_gb=8,
    host_network=True,
    labels={"team": "vision"},
    annotations={"sidecar.istio.io/inject": "false"},
    grace_s=120,
    ttl_s=3600,
)


def test_each_field_stands_where_kubernetes_has_it():
    (request,) = FULL.requests([task()])
    said = request.manifest
    about = {"labels": {"team": "vision", **yaml.safe_load(PLAIN)["metadata"]["labels"]}}
    about["annotations"] = {"sidecar.istio.io/inject": "false"}
    assert said["metadata"] == {"name": request.name, "namespace": "ml", **about}
    assert said["spec"]["ttlSecondsAfterFinished"] == 3600
    assert said["spec"]["template"]["metadata"] == about
    pod = dict(said["spec"]["template"]["spec"])
    (container,) = pod.pop("containers")
    shm = {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "8G"}}
    assert pod == {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": 5400,
        "serviceAccountName": "trainer",
        "priorityClassName": "low",
        "nodeSelector": {"zone": "b"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "imagePullSecrets": [{"name": "registry"}],
        "hostNetwork": True,
        "dnsPolicy": "ClusterFirstWithHostNet",
        "terminationGracePeriodSeconds": 120,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "shareProcessNamespace": True,
        "securityContext": yaml.safe_load(PLAIN)["spec"]["template"]["spec"]["securityContext"],
        "volumes": [
            {"name": "volume-1", "nfs": {"server": "10.0.0.1", "path": "/export/me"}},
            {"name": "volume-2", "persistentVolumeClaim": {"claimName": "scratch"}},
            shm,
        ],
    }
    assert container["command"][0] == "/opt/python/bin/python"
    assert container["imagePullPolicy"] == "Always"
    amounts = {"cpu": "4", "memory": "32G"}
    assert container["resources"] == {"requests": amounts, "limits": {**amounts, "nvidia.com/gpu": "2"}}
    assert container["volumeMounts"] == [
        {"name": "volume-1", "mountPath": "/home/me"},
        {"name": "volume-2", "mountPath": "/scratch"},
        {"name": "shm", "mountPath": "/dev/shm"},
    ]
    assert container["env"] == [
        {"name": "HOME", "value": "/tmp"},
        {"name": "WANDB_MODE"},
        {"name": "PYTHONPATH", "value": f"/home/me/nets/runs/.code/{library_name()}"},
        {"name": "CALLSHEET_CONTAINER", "value": "1"},
        {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "api"}}},
    ]


def test_the_text_is_yaml_of_the_very_manifest_whatever_it_holds():
    odd = {"A": "no", "B": "1e3", "C": "two\nlines: #x", "D": "", "E": "ä'\"", "F": "$(HOME)", "G": "0x1"}
    on = Kubernetes("nets:3", env=odd, labels={"on": "yes", "number": "017"})
    (request,) = on.requests([task()])
    assert yaml.safe_load(str(request)) == request.manifest
    values = {said["name"]: said.get("value") for said in container_of(on)["env"]}
    assert {name: values[name] for name in odd} == {**odd, "F": "$$(HOME)"}  # which Kubernetes makes $(HOME)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("on", [Kubernetes("nets:3"), FULL], ids=["plain", "full"])
def test_every_version_of_kubernetes_takes_the_manifest_of_a_trial(version, on):
    (request,) = on.requests([task()])
    kubernetes_validate.validate(yaml.safe_load(str(request)), version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_that_let_the_others_go_on_when_one_fails_take_that_of_an_array(version):
    (request,) = Kubernetes("nets:3", array=10).requests([task(1), task(2)])
    said = yaml.safe_load(str(request))
    if VERSIONS.index(version) >= VERSIONS.index("1.28"):
        kubernetes_validate.validate(said, version, strict=True)
    else:
        with pytest.raises(kubernetes_validate.ValidationError, match="backoffLimitPerIndex"):
            kubernetes_validate.validate(said, version, strict=True)
        del said["spec"]["backoffLimitPerIndex"]
        kubernetes_validate.validate(said, version, strict=True)


def test_an_array_is_one_job_in_which_as_many_run_at_a_time_as_there_are_slots():
    (request,) = Kubernetes("nets:3", slots=2, array=10).requests([task(n) for n in range(5)])
    how = {"completionMode": "Indexed", "completions": 5, "parallelism": 2, "backoffLimitPerIndex": 0}
    assert how.items() <= request.manifest["spec"].items()
    assert "backoffLimit" not in request.manifest["spec"]
    command = request.manifest["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[3].startswith("/home/me/nets/runs/.sweeps/0a1b2c3d4e5f/parcels/")
    assert command[4] == "@JOB_COMPLETION_INDEX"
    assert request.manifest["metadata"]["labels"]["callsheet-parcel"] == command[5] == Path(command[3]).name


def test_arrays_hold_tasks_of_the_same_needs_and_no_more_than_is_said():
    tasks = [task(0), task(1), task(2), task(3, cpus=2), task(4, cpus=2)]
    requests = Kubernetes("nets:3", array=2).requests(tasks)
    assert [[each.index for each in request.tasks] for request in requests] == [[0, 1], [2], [3, 4]]
    assert "completionMode" not in requests[1].manifest["spec"]


def test_jobs_that_are_handed_over_together_share_the_slots():
    tasks = [*(task(n) for n in range(6)), *(task(n, cpus=2) for n in range(6, 8))]
    requests = Kubernetes("nets:3", slots=4, array=10).requests(tasks)
    assert [request.manifest["spec"]["parallelism"] for request in requests] == [3, 1]


def test_an_array_is_handed_over_when_there_is_room_for_a_whole_one():
    assert (Kubernetes("nets:3", slots=2, array=10).capacity, Kubernetes("nets:3", slots=2, array=10).least) == (10, 10)
    assert (Kubernetes("nets:3", slots=20).capacity, Kubernetes("nets:3", slots=20).least) == (20, 1)


def test_what_a_trial_needs_counts_before_what_the_executor_says():
    on = Kubernetes("nets:3", cpus=4, pull_policy="Always", resources=Resources(memory_gb="2Gi", cpus=8))
    of = task(cpus=0.5, gpus=1, timeout_min=0.5, image="own:1", pull_policy="Never")
    container = container_of(on, of)
    assert (container["image"], container["imagePullPolicy"]) == ("own:1", "Never")
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "2147483648", "nvidia.com/gpu": "1"}
    assert pod_of(on, of)["activeDeadlineSeconds"] == 30
    assert container_of(on)["resources"]["limits"]["cpu"] == "4"


def test_folders_are_of_the_volume_below_which_they_lie_or_of_the_node():
    mounts = {"data": ("/shared/sets/digits", "/data"), "output": ("/var/out", "/output"), "working": ("/shared", "/w")}
    volumes = {"/shared": {"nfs": {"server": "a", "path": "/x"}}, "/shared/sets": {"emptyDir": {}}}
    pod = pod_of(Kubernetes("nets:3", volumes=volumes), task(mounts=mounts))
    assert pod["volumes"] == [
        {"name": "volume-1", "nfs": {"server": "a", "path": "/x"}},
        {"name": "volume-2", "emptyDir": {}},
        {"name": "runs", "hostPath": {"path": "/home/me/nets/runs", "type": "Directory"}},
        {"name": "output", "hostPath": {"path": "/var/out", "type": "Directory"}},
    ]
    assert pod["containers"][0]["volumeMounts"] == [
        {"name": "volume-1", "mountPath": "/shared"},
        {"name": "volume-2", "mountPath": "/shared/sets"},
        {"name": "runs", "mountPath": "/home/me/nets/runs"},
        {"name": "volume-2", "mountPath": "/data", "subPath": "digits"},
        {"name": "output", "mountPath": "/output"},
        {"name": "volume-1", "mountPath": "/w"},
    ]


def test_whoever_is_root_is_not_said_to_be_somebody_else(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(os, "getgid", lambda: 0)
    monkeypatch.setattr(os, "getgroups", lambda: [0])
    pod = pod_of(Kubernetes("nets:3"))
    assert pod["securityContext"] == {"runAsUser": 0, "runAsGroup": 0, "seccompProfile": {"type": "RuntimeDefault"}}
    assert "HOME" not in [said["name"] for said in pod["containers"][0]["env"]]


def test_the_values_of_variables_that_are_taken_from_here_stand_in_no_text():
    (request,) = Kubernetes("nets:3", env=["WANDB_MODE"]).requests([task()])
    assert str(request).startswith("# taken from here when it is created: WANDB_MODE\napiVersion:")
    filled = request.manifest_with({"WANDB_MODE": "off$(X)line"})
    env = filled["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "WANDB_MODE", "value": "off$$(X)line"} in env
    assert "offline" not in str(request)
    assert "off$" not in str(request)


@pytest.mark.parametrize(
    ("on", "of", "problem"),
    [
        (
            Kubernetes(),
            task(),
            'trial 7 has no image\n  Kubernetes("registry/name:tag")\n  Experiment(image=Image(…))',
        ),
        (
            Kubernetes("nets:3"),
            task(nodes=2, tasks_per_node=4),
            "trial 7 needs 2 nodes with 4 tasks on each, and is one pod\n  Slurm(…) runs trials of several processes",
        ),
        (
            Kubernetes("nets:3"),
            task(pull_policy="Sometimes"),
            "trial 7 has the pull policy 'Sometimes'\n  it is one of  Always, IfNotPresent, Never",
        ),
    ],
)
def test_what_no_job_can_be_made_of_is_refused(on, of, problem):
    assert told(lambda: on.requests([of]), RunError) == problem


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"pull_policy": "never"}, "pull_policy must be one of Always, IfNotPresent, Never, found 'never'"),
        ({"grace_s": -1}, "grace_s must be at least 0, found -1"),
        ({"shm_gb": -1}, "shm_gb must be at least 0, found -1"),
        ({"array": 0}, "array must be between 1 and 100000, found 0"),
        ({"volumes": {"shared": {}}}, "a volume is mounted at an absolute path, found 'shared'"),
        ({"secrets": {"K": "tokens"}}, "secrets['K'] must be the name of a Secret and a key, 'tokens/api'"),
        ({"slots": 0}, "slots must be at least 1, found 0"),
    ],
)
def test_fields_that_could_never_run_a_job_are_refused(fields, problem):
    with pytest.raises(ValueError, match=".") as caught:
        Kubernetes("nets:3", **fields)
    assert str(caught.value) == problem


def test_without_the_client_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    assert told(Kubernetes("nets:3").engine, RunError) == (
        "Jobs are created by the Kubernetes client for Python, which is missing\n  pip install 'callsheet[kubernetes]'"
    )


def test_a_configuration_that_leads_nowhere_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    said = told(Kubernetes("nets:3").engine, RunError)
    assert said.startswith(f"{tmp_path}/config leads to no cluster: ")
    (tmp_path / "config").write_text(CONFIG)
    said = told(Kubernetes("nets:3", context="other").engine, RunError)
    assert said.startswith(f"the context other of {tmp_path}/config leads to no cluster: ")
    Kubernetes("nets:3", context="here").engine().close()


CONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
"""

# --- what the cluster says --------------------------------------------------------------------------------------------

JOB = {"metadata": {"name": "j"}, "spec": {}, "status": {}}
FAILED = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "reached the limit"}
ASKED = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "Job was active longer"}


def job(*conditions, **spec):
    return {**JOB, "spec": spec, "status": {"conditions": list(conditions)}}


def pod(phase="Failed", *, state=None, conditions=(), name="j-1", at="2026-01-01T00:00:00Z", position=None, **status):
    """A pod as a server tells of it; what newer servers than the one of the engines' tests say was taken from theirs."""
    containers = [{"name": "trial", "state": state}] if state else []
    metadata = {"name": name, "creationTimestamp": at}
    if "deleted" in status:
        metadata["deletionTimestamp"] = status.pop("deleted")
    if position is not None:
        metadata["annotations"] = {"batch.kubernetes.io/job-completion-index": str(position)}
    container = {"name": "trial", "image": "nets:3", "command": ["python3"], "resources": {"limits": {"memory": "2G"}}}
    return {
        "metadata": metadata,
        "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 30, "activeDeadlineSeconds": 90, "containers": [container]},
        "status": {"phase": phase, "conditions": list(conditions), "containerStatuses": containers, **status},
    }  # fmt: skip


def seen(one, *pods, lingering=None):
    return seen_of(one, pods, lingering or {})[0]


def exited(code, reason="Error", message=""):
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


def test_a_job_without_a_pod_waits():
    assert seen(job()) == Seen("queued")
    assert seen(job(suspend=True)) == Seen("queued", reason="its Job is suspended")


def test_a_pod_that_no_node_takes_waits_and_says_why():
    why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}
    assert seen(job(), pod("Pending", conditions=[why])).reason == "0/3 nodes are available"


def test_a_pod_that_runs_says_where():
    assert seen(job(), pod("Running", state={"running": {}})) == Seen("running", where="n1")


def test_a_job_that_is_complete_has_ended_well():
    assert seen(job({"type": "Complete", "status": "True"})) == Seen("ended", 0)


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [
        (exited(3), {}, Seen("ended", 3)),
        (exited(75), {}, Seen("ended", 75)),
        (exited(137), {}, Seen("ended", -9, "its container was killed", "machine")),
        (exited(139), {}, Seen("ended", -11)),
        (exited(143), {}, Seen("ended", 143, "its container was stopped", "machine")),
        (exited(137, "OOMKilled"), {}, Seen("ended", -9, "it held more memory than its limit of 2G", "memory")),
        (
            exited(143),
            {"reason": "DeadlineExceeded", "message": "Pod was active on the node longer"},
            Seen("ended", 143, "the time limit of 1.5 min is over", "limit"),
        ),
        (
            None,
            {"reason": "Evicted", "message": "The node was low on resource: memory."},
            Seen("ended", -9, "its node gave it up: Evicted: The node was low on resource: memory.", "machine"),
        ),
        (
            None,
            {"reason": "OutOfcpu", "message": "Node didn't have enough resource"},
            Seen("ended", -9, "its node gave it up: OutOfcpu: Node didn't have enough resource", "machine"),
        ),
        (
            exited(143),
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
                             "message": "default-scheduler: preempting"}]},
            Seen("ended", 143, "its node gave it up: default-scheduler: preempting", "machine"),
        ),
        (
            exited(127, "ContainerCannotRun", 'exec: "python3": executable file not found in $PATH'),
            {},
            Seen("ended", 1, "'python3' cannot be started in the image nets:3: "
                 'exec: "python3": executable file not found in $PATH'),
        ),
    ],
)  # fmt: skip
def test_a_pod_that_failed_says_whose_doing_that_was(state, status, expected):
    found = seen(job(FAILED), pod("Failed", state=state, **status))
    assert found == Seen(expected.state, expected.code, expected.reason, expected.blame, "n1")


def test_a_pod_that_fails_counts_when_its_job_says_so_too():
    assert seen(job(), pod("Failed", state=exited(3))).state == "running"


def test_a_pod_that_is_gone_was_lost():
    assert seen(job(FAILED)) == Seen("ended", -9, "its pod is gone: reached the limit", "machine")


def test_what_was_asked_to_end_has_ended_when_its_pod_has():
    going = pod("Running", state={"running": {}}, deleted="2026-01-01T00:00:01Z")
    assert seen(job(ASKED), going).state == "running"
    assert seen(job(ASKED), going, lingering={"j-1": 89.0}).state == "running"
    assert seen(job(ASKED), going, lingering={"j-1": 91.0}).state == "ended"  # its node is gone too
    assert seen(job(ASKED), pod("Failed", state=exited(143))) == Seen("ended", -15, where="n1")
    assert seen(job(ASKED)) == Seen("ended", -15)


def test_what_was_asked_to_end_before_it_had_a_pod_has_ended():
    assert seen(job(activeDeadlineSeconds=1)) == Seen("ended", -15)


def test_a_pod_beyond_its_deadline_of_whose_processes_nothing_is_said_has_its_grace():
    late = pod("Failed", reason="DeadlineExceeded", state={"running": {}})  # which an old server never corrects
    assert seen(job(FAILED), late, lingering={"j-1": 29.0}) == Seen("running", where="n1")
    assert seen(job(FAILED), late, lingering={"j-1": 31.0}).blame == "limit"


@pytest.mark.parametrize(
    ("reason", "message", "said"),
    [
        ("ErrImageNeverPull", "", "its node has no image nets:3, and may not pull it: load it there, or allow that"),
        ("ImagePullBackOff", "Back-off pulling", "the image nets:3 cannot be pulled: is that its name, and may the node have it?"),
        ("InvalidImageName", "", "'nets:3' is no name of an image"),
        ("CreateContainerConfigError", 'secret "tokens" not found', 'its container cannot be set up: secret "tokens" not found'),
        ("RunContainerError", "no such file", "'python3' cannot be started in the image nets:3: no such file"),
    ],
)  # fmt: skip
def test_a_container_that_can_never_start_has_ended_and_says_what_to_do(reason, message, said):
    waiting = {"waiting": {"reason": reason, "message": message}}
    assert seen(job(), pod("Pending", state=waiting)) == Seen("ended", 1, said)


def test_a_pull_that_has_failed_once_goes_on():
    assert seen(job(), pod("Pending", state={"waiting": {"reason": "ErrImagePull"}})).state == "queued"


def test_the_newest_pod_counts():
    old = pod("Running", name="j-1", deleted="2026-01-01T00:00:01Z")
    new = pod("Pending", name="j-2", at="2026-01-01T00:00:02Z")
    assert seen(job(), old, new).state == seen(job(), new, old).state == "queued"


def test_the_trials_of_an_array_are_told_by_their_positions():
    one = job(completionMode="Indexed", completions=6)
    one["status"] = {"completedIndexes": "0,2-3", "failedIndexes": "1"}
    pods = [pod("Failed", state=exited(3), position=1), pod("Running", state={"running": {}}, name="j-4", position=4)]
    assert seen_of(one, pods, {}) == {
        0: Seen("ended", 0),
        1: Seen("ended", 3, where="n1"),
        2: Seen("ended", 0),
        3: Seen("ended", 0),
        4: Seen("running", where="n1"),
        5: Seen("queued"),
    }
