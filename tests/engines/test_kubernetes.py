"""Jobs of a real Kubernetes cluster do what all executors can, and end as what befalls them says."""

import json
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import jinja2
import markupsafe
import pytest

from callsheet import load, sweep
from callsheet.compat.lightex.dispatch import dispatch_expts
from callsheet.run._attend import submissions
from callsheet.run._cluster import Cluster
from callsheet.run.kubernetes import Kubernetes
from callsheet.run.submit import submit
from callsheet.testing import EngineSuite

NAMESPACE = f"callsheet-tests-{os.getpid()}"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
JOBS, PODS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs", f"{CORE}/pods"
PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"
URGENT = f"{NAMESPACE}-urgent"


class Asked:
    """The cluster, as an administrator asks it."""

    def __init__(self, engine):
        self.engine = engine
        self.server = Cluster("", NAMESPACE)

    def ask(self, method, path, body=None, *, code=None, kind="application/json"):
        """What the API server says; it must answer with a code, or well."""
        found, said = self.server._ask(method, path, body=body, kind=kind)
        assert found == code if code else found < 300, f"{method} {path}: {found} {said}"
        return said

    def patch(self, path, body):
        return self.ask("PATCH", path, body, kind="application/merge-patch+json")

    def jobs(self):
        return self.ask("GET", JOBS)["items"]

    def pods(self):
        return self.ask("GET", PODS)["items"]

    def end_container(self, pod):
        """Kill -9, by what runs the containers."""
        (said,) = pod["status"]["containerStatuses"]
        self.engine.run(
            "docker", "--host", self.engine.told["docker_host"], "kill", said["containerID"].removeprefix("docker://")
        )

    def pod_of(self, run):
        """The pod that runs a run."""
        name = f"callsheet-{run.record['plan']}-{run.record['index']}-"
        (found,) = [
            pod
            for pod in self.pods()
            if pod["metadata"]["name"].startswith(name) and pod["status"]["phase"] in ("Pending", "Running")
        ]
        return found


@pytest.fixture(scope="module")
def namespace(kubernetes):
    """A namespace for these tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in kubernetes.env.items():
            patch.setenv(name, value)
        asked = Asked(kubernetes)
        asked.ask("POST", CORE.rpartition("/")[0], {"metadata": {"name": NAMESPACE}})
        yield
        asked.ask("DELETE", CORE)


@pytest.fixture(autouse=True)
def cluster(kubernetes, namespace, monkeypatch):
    """The cluster, which the environment names; in the end it has no Job of a test."""
    for name, value in kubernetes.env.items():
        monkeypatch.setenv(name, value)
    asked = Asked(kubernetes)
    yield asked
    asked.ask("DELETE", JOBS, {"propagationPolicy": "Background"})
    asked.ask("DELETE", PODS, {"gracePeriodSeconds": 0})


class TestKubernetes(EngineSuite):
    limit_min = 0.5  # which begins before there is a container

    @pytest.fixture(autouse=True)
    def _cluster(self, cluster):
        self.cluster = cluster

    def make(self, image=None, **fields):
        said = {
            "namespace": NAMESPACE,
            "host_network": True,
            "pull_policy": "Never",
            "grace_s": 2,
            "poll_s": 0.5,
            **fields,
        }
        return Kubernetes(image or self.cluster.engine.told["image"], **said)

    def kill(self, run):
        self.cluster.end_container(self.cluster.pod_of(run))

    def away(self):
        return self.cluster.engine.down("kube-apiserver")

    def submit(self, *overrides, retry=0, **fields):
        return submit(sweep("conf.py", overrides), on=self.make(**fields), retry=retry)

    def ended(self, jobs):
        """The state and problem of the first of some jobs, once all have ended."""
        assert jobs.wait(self.patience_s)
        return jobs[0].state, jobs[0].problem

    def waits_for(self):
        """What the jobs that were submitted last wait for, as whoever asks for their status is told."""
        return submissions(Path("runs").absolute())[-1].waits_for

    @pytest.fixture(autouse=True)
    def _in_a_project(self, tmp_path, monkeypatch):
        self.project(tmp_path, monkeypatch)

    # --- what the program, the image, the request do wrong ------------------------------------------------------------

    def test_a_trial_that_holds_more_memory_than_its_limit_is_ended_for_that(self):
        Path("suite_training.py").write_text('def fit(task, dir, attempt):\n    return len(b"x" * 400_000_000)\n')
        state, problem = self.ended(self.submit("task=large", memory_gb=0.1, retry=1))
        assert (state, problem) == ("cancelled", "it held more memory than its limit of 100M")
        assert len([*Path("runs").glob("*/run.json")]) == 1  # twice in one directory

    def test_an_image_that_is_not_there_is_told_and_its_job_deleted(self):
        said = self.ended(self.submit("task=one", image="localhost:5999/callsheet/none:1"))
        assert said == (
            "failed",
            "its node has no image localhost:5999/callsheet/none:1, and may not pull it: load it there, or allow that",
        )
        assert self.cluster.jobs() == []

    def test_an_image_that_cannot_be_pulled_is_told(self):
        said = self.ended(self.submit("task=one", image="localhost:5999/callsheet/none:1", pull_policy="IfNotPresent"))
        assert said == (
            "failed",
            "the image localhost:5999/callsheet/none:1 cannot be pulled: is that its name, and may the node have it?",
        )

    def test_what_is_no_name_of_an_image_is_told(self):
        said = self.ended(self.submit("task=one", image="No Image"))
        assert said == ("failed", "'No Image' is no name of an image")

    def test_a_command_that_is_not_in_the_image_is_told(self):
        state, problem = self.ended(self.submit("task=one", python="/nowhere/python"))
        image = self.cluster.engine.told["image"]
        assert state == "failed"
        assert problem.startswith(f"'/nowhere/python' cannot be started in the image {image}: ")
        assert "no such file or directory" in problem
        assert self.cluster.jobs() == []

    def test_what_a_worker_says_that_never_made_a_directory_is_kept(self):
        jobs = self.submit("task=one", env={"PYTHONHOME": "/nowhere"})
        assert self.ended(jobs)[0] == "failed"
        assert "No module named 'encodings'" in jobs[0].log.read_text()

    def test_a_namespace_that_is_not_there_is_told_by_the_server(self):
        said = self.ended(self.submit("task=one", namespace="nowhere"))
        assert said == ("failed", 'Kubernetes does not take it: namespaces "nowhere" not found (404)')

    def test_what_the_server_finds_invalid_is_told(self):
        state, problem = self.ended(self.submit("task=one", labels={"team": "a b"}))
        assert state == "failed"
        assert problem.startswith("Kubernetes does not take it: ")
        assert "(422)" in problem
        assert "a valid label must" in problem

    def test_whoever_may_not_create_jobs_is_told(self, tmp_path, monkeypatch):
        self.unknown(monkeypatch, token=None)
        state, problem = self.ended(self.submit("task=one"))
        assert state == "failed"
        assert problem == (
            'Kubernetes does not take it: jobs.batch is forbidden: User "system:anonymous" cannot create resource "jobs" '
            'in API group "batch" in the namespace "' + NAMESPACE + '" (403)'
        )

    def test_credentials_that_are_not_known_are_waited_for(self, monkeypatch):
        good = os.environ["KUBECONFIG"]
        self.unknown(monkeypatch, token="expired")
        jobs = self.submit("task=one")
        self.until(lambda: "takes nothing at this moment: Unauthorized (401)" in jobs.trouble)
        Path(os.environ["KUBECONFIG"]).write_text(Path(good).read_text())
        assert jobs.results()[0]["task"] == "one"

    def unknown(self, monkeypatch, *, token):
        """A configuration of somebody else."""
        text = Path(os.environ["KUBECONFIG"]).read_text()
        user = "{}" if token is None else json.dumps({"token": token})
        text = text.replace(f'{{token: "{self.cluster.engine.told["token"]}"}}', user)
        Path("kubeconfig").write_text(text)
        monkeypatch.setenv("KUBECONFIG", os.path.abspath("kubeconfig"))

    def test_an_output_that_finds_no_room_fails_and_says_so(self, tmp_path):
        full = tmp_path / "full"
        full.mkdir()
        training = f"def fit(task, dir, attempt):\n    open('{full}/x', 'wb').write(bytes(1_000_000))\n"
        Path("suite_training.py").write_text(training)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "callsheet-test", full], check=True)
        try:
            said = self.ended(self.submit("task=one", volumes={str(full): {"hostPath": {"path": str(full)}}}))
        finally:
            subprocess.run(["umount", "--lazy", full], check=True)
        assert said == ("failed", "OSError: [Errno 28] No space left on device")

    # --- what waits ---------------------------------------------------------------------------------------------------

    def test_what_no_node_can_run_waits_and_says_why(self):
        jobs = self.submit("task=one", memory_gb=100_000)
        self.until(lambda: "Insufficient memory" in self.waits_for())
        assert jobs[0].state == "queued"
        jobs.cancel()
        assert jobs[0].state == "cancelled"
        self.until(lambda: self.cluster.jobs() == [])

    def test_a_volume_that_cannot_be_mounted_is_waited_for_and_told(self):
        volumes = {"/elsewhere": {"hostPath": {"path": "/nowhere/at/all", "type": "Directory"}}}
        jobs = self.submit("task=one", volumes=volumes)
        self.until(lambda: "/nowhere/at/all is not a directory" in self.waits_for())
        assert jobs[0].state == "queued"
        jobs.cancel()

    def test_pods_that_a_namespace_does_not_allow_are_waited_for_and_told(self):
        path = CORE + "/limitranges"
        limits = {"spec": {"limits": [{"type": "Container", "max": {"memory": "100M"}}]}}
        self.cluster.ask("POST", path, {**limits, "metadata": {"name": "small"}})
        try:
            jobs = self.submit("task=one", memory_gb=1)
            self.until(lambda: "maximum memory usage per Container is 100M" in self.waits_for())
            jobs.cancel()
        finally:
            self.cluster.ask("DELETE", f"{path}/small")

    def test_a_full_quota_is_waited_for_while_what_runs_is_followed(self):
        path = CORE + "/resourcequotas"
        quota = {"metadata": {"name": "few"}, "spec": {"hard": {"count/jobs.batch": "1"}}}
        self.cluster.ask("POST", path, quota)
        try:
            self.cluster.patch(f"{path}/few/status", {"status": {**quota["spec"], "used": {"count/jobs.batch": "0"}}})
            jobs = self.submit("task=waits1,waits2", slots=2)
            self.waiting(jobs)
            self.until(lambda: "exceeded quota: few" in jobs.trouble)
            self.go()
            self.until(lambda: jobs[0].state == "done")
            self.cluster.patch(f"{path}/few/status", {"status": {"used": {"count/jobs.batch": "0"}}})
            assert [result["task"] for result in jobs.results()] == ["waits1", "waits2"]
        finally:
            self.cluster.ask("DELETE", f"{path}/few")

    # --- what the machines do -----------------------------------------------------------------------------------------

    def test_an_evicted_trial_goes_on_in_its_directory(self):
        jobs = self.submit("task=waits")
        first = self.waiting(jobs)
        self.evict(first)
        assert self.waiting(jobs, attempt=2).directory == first.directory
        self.go()
        assert jobs.results()[0]["attempt"] == 2

    def evict(self, run):
        name = self.cluster.pod_of(run)["metadata"]["name"]
        about = {"name": name, "namespace": NAMESPACE}
        self.cluster.ask(
            "POST",
            f"{PODS}/{name}/eviction",
            {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": about},
        )

    def test_a_preempted_trial_waits_and_goes_on_in_its_directory(self):
        self.cluster.ask("POST", PRIORITIES, {"metadata": {"name": URGENT}, "value": 1000})
        cores = float(self.node()["status"]["allocatable"]["cpu"])
        try:
            jobs = self.submit("task=waits", cpus=cores - 0.5)
            first = self.waiting(jobs)
            self.cluster.ask("POST", PODS, self.urgent(cores - 0.5))
            self.until(lambda: "Insufficient cpu" in self.waits_for())
            self.cluster.ask("DELETE", f"{PODS}/{URGENT}", {"gracePeriodSeconds": 0})
            assert self.waiting(jobs, attempt=2).directory == first.directory
            self.go()
            assert jobs.results()[0]["attempt"] == 2
        finally:
            self.cluster.ask("DELETE", f"{PRIORITIES}/{URGENT}")

    def urgent(self, cpus):
        """A pod before which others give way."""
        (container,) = (
            self.make(cpus=cpus).requests([self.task("task=x")])[0].manifest["spec"]["template"]["spec"]["containers"]
        )
        alone = {**container, "command": ["sleep", "600"], "volumeMounts": []}
        spec = {"hostNetwork": True, "priorityClassName": URGENT, "containers": [alone]}
        return {"metadata": {"name": URGENT}, "spec": {**spec, "terminationGracePeriodSeconds": 0}}

    def node(self):
        return self.cluster.ask("GET", "/api/v1/nodes/" + self.cluster.engine.told["node"])

    def test_a_trial_whose_node_is_lost_goes_on_in_its_directory_when_there_is_one(self):
        path = "/api/v1/nodes/" + self.cluster.engine.told["node"]
        jobs = self.submit("task=waits")
        first = self.waiting(jobs)
        lost = [{"key": "callsheet-suite/lost", "effect": "NoExecute"}]
        self.cluster.patch(path, {"spec": {"taints": lost}})
        try:
            self.until(lambda: "had taint {callsheet-suite/lost: }" in self.waits_for())
            assert jobs[0].state == "queued"
        finally:
            self.cluster.patch(path, {"spec": {"taints": None}})
        assert self.waiting(jobs, attempt=2).directory == first.directory
        self.go()
        assert jobs.results()[0]["attempt"] == 2

    def test_a_trial_whose_job_somebody_deletes_is_lost_and_goes_on_where_that_is_asked_for(self):
        jobs = self.submit("task=waits", retry=1)
        first = self.waiting(jobs)
        (job,) = self.cluster.jobs()
        name = job["metadata"]["name"]
        self.cluster.ask("DELETE", f"{JOBS}/{name}", {"propagationPolicy": "Background"})
        assert self.waiting(jobs, attempt=2).directory == first.directory
        self.go()
        assert jobs.results()[0]["attempt"] == 2
        assert [*self.names(), name] != [name, name]

    def names(self):
        return [job["metadata"]["name"] for job in self.cluster.jobs()]

    # --- what the cluster is told -------------------------------------------------------------------------------------

    def test_a_server_that_drops_what_arrays_need_gets_a_job_for_each_trial(self):
        on = self.make(slots=2, array=10)
        assert "completionMode" in str(on.requests([self.task("task=one"), self.task("task=two")])[0])
        jobs = submit(sweep("conf.py", ["task=waits1,two,three"]), on=on)
        self.waiting(jobs)
        self.until(lambda: [job.state for job in jobs][1:] == ["done", "done"])
        (job,) = self.cluster.jobs()
        assert "completionMode" not in job["spec"]
        self.go()
        assert [result["task"] for result in jobs.results()] == ["waits1", "two", "three"]

    def test_what_has_ended_well_leaves_no_job_and_what_runs_says_of_which_plan_it_is(self):
        jobs = self.submit("task=waits")
        run = self.waiting(jobs)
        (job,) = self.cluster.jobs()
        assert job["metadata"]["labels"] == {
            "app.kubernetes.io/managed-by": "callsheet",
            "callsheet-plan": run.record["plan"],
            "callsheet-index": "0",
            "callsheet-turn": "1",
        }
        self.go()
        jobs.wait()
        assert self.cluster.jobs() == []
        self.until(lambda: self.cluster.pods() == [])

    def test_a_secret_reaches_the_trial_and_stands_nowhere_else(self, tmp_path):
        path, key = CORE + "/secrets", "sesame-open-9"
        self.cluster.ask("POST", path, {"metadata": {"name": "suite"}, "stringData": {"token": key}})
        try:
            jobs = self.submit("task=waits", secrets={"SUITE_TOKEN": "suite/token"})
            self.waiting(jobs)
            (job,) = self.cluster.jobs()
            assert key not in json.dumps(job)
            self.go()
            result = jobs.results()[0]
        finally:
            self.cluster.ask("DELETE", f"{path}/suite")
        assert result["SUITE_TOKEN"] == sha256(key.encode()).hexdigest()
        assert [p for p in tmp_path.rglob("*") if p.is_file() and key.encode() in p.read_bytes()] == []

    def test_a_secret_that_is_not_there_is_told(self):
        said = self.ended(self.submit("task=one", secrets={"SUITE_TOKEN": "none/token"}))
        assert said == ("failed", 'its container cannot be set up: secret "none" not found')

    def test_a_trial_runs_as_whoever_submits_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "getuid", lambda: 65534)
        monkeypatch.setattr(os, "getgid", lambda: 65533)
        for folder in [tmp_path, *tmp_path.parents][:3]:
            folder.chmod(0o777)
        before = os.umask(0)
        try:
            (job,) = jobs = self.submit("task=one")
            assert self.ended(jobs) == ("done", "")
        finally:
            os.umask(before)
        found = {(path.stat().st_uid, path.stat().st_gid) for path in job.run.directory.iterdir()}
        assert found == {(65534, 65533)}

    def test_folders_of_an_experiment_are_where_its_command_looks_for_them(self, tmp_path):
        (tmp_path / "sets").mkdir()
        (tmp_path / "sets" / "digits.txt").write_text("0 1 2")
        Path("conf.py").write_text(
            "from callsheet.run import Experiment, Folders, Image, Launch, Storage\n"
            "main = Experiment(\n"
            "    Launch('dd if={{run.data_dir}}/digits.txt of={{run.output_dir}}/copy.txt'),\n"
            f"    image=Image({self.cluster.engine.told['image']!r}, pull_policy='Never'),\n"
            f"    storage=Storage(host=Folders(data='sets', output='made')),\n"
            ")\n"
        )
        fields = self.with_templates(tmp_path)
        jobs = submit(sweep("conf.py", []), on=self.make("localhost:5999/callsheet/none:1", **fields))
        assert self.ended(jobs) == ("done", "")
        (copy,) = (tmp_path / "made").rglob("copy.txt")
        assert copy.read_text() == "0 1 2"

    def with_templates(self, tmp_path):
        """What lets an image without jinja2 fill in a command."""
        site = tmp_path / "site"
        for module in (jinja2, markupsafe):
            folder = Path(module.__file__).parent
            shutil.copytree(folder, site / folder.name)
        return {"env": {"PYTHONPATH": str(site)}, "volumes": {str(site): {"hostPath": {"path": str(site)}}}}

    def test_an_experiment_of_lightex_runs_in_the_cluster(self, tmp_path):
        (tmp_path / "sets").mkdir()
        (tmp_path / "sets" / "digits.txt").write_text("0 1 2")
        profile = {"on": "kubernetes", "namespace": NAMESPACE, "host_network": True, "grace_s": 2}
        site = self.with_templates(tmp_path)["env"]["PYTHONPATH"]
        lines = [f"{name} = {json.dumps(value)}" for name, value in profile.items()]
        lines.append(f'env = {{ PYTHONPATH = "{site}" }}')
        lines.append(f'volumes = {{ "{site}" = {{ hostPath = {{ path = "{site}" }} }} }}')
        Path("pyproject.toml").write_text("\n".join(["[tool.callsheet.executors.k8s]", *lines, ""]))
        Path("lxconfig.py").write_text(LIGHTEX.format(image=self.cluster.engine.told["image"]))
        jobs = dispatch_expts([load("lxconfig.py").C1], engine="k8s")
        assert [(job.state, job.problem) for job in jobs] == [("done", "")]
        (copy,) = (tmp_path / "made").rglob("copy.txt")
        assert copy.read_text() == "0 1 2"


LIGHTEX = """
from dataclasses import dataclass
from callsheet.compat.lightex.config_base import Build, HostResources, K8Config, Resources, Run


@dataclass(frozen=True)
class Experiment:
    er: Resources
    run: Run


C1 = Experiment(
    er=Resources(
        build=Build(image_url={image!r}, image_pull_policy="Never"),
        k8=K8Config(container_data_dir="/sets"),
        host=HostResources(data_dir="sets", output_dir="made"),
    ),
    run=Run(cmd="dd if={{{{er.k8.container_data_dir}}}}/digits.txt of={{{{run.output_dir}}}}/copy.txt",
            experiment_name="copies", max_cpu="500m", max_memory="512Mi"),
)
"""
