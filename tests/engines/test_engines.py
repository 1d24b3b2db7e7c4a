"""Each engine runs a job that its own client asks for, and is mended after a test has broken it."""

import json
import os
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
import yaml
from kubernetes import client, config

from .conftest import TOOL, RunningSlurm, running, tool, until


def job(cluster, *words):
    """What Slurm says of a job, as a dict."""
    said = cluster.run("scontrol", "--oneliner", "show", "job", *words)
    return dict(word.partition("=")[::2] for word in said.split() if "=" in word)


def submitted(cluster, tmp_path, *words, wrap):
    asked = (*words, f"--output={tmp_path}/out", f"--chdir={tmp_path}", f"--wrap={wrap}")
    return cluster.run("sbatch", "--parsable", *asked).strip()


def ended(cluster, number, state):
    return until(lambda: (found := job(cluster, number))["JobState"] == state and found)


def test_slurm_runs_a_job_and_tells_how_it_ended(slurm, tmp_path):
    number = submitted(slurm, tmp_path, "--gres=gpu:1", wrap="echo $CUDA_VISIBLE_DEVICES; exit 3")
    assert ended(slurm, number, "FAILED")["ExitCode"] == "3:0"
    assert (tmp_path / "out").read_text() in ("0\n", "1\n")


def test_slurm_has_two_nodes_for_one_job(slurm, tmp_path):
    number = submitted(slurm, tmp_path, "--nodes=2", wrap="srun sh -c 'echo $SLURM_PROCID $SLURMD_NODENAME'")
    assert ended(slurm, number, "COMPLETED")["NodeList"] == "n[1-2]"
    assert sorted((tmp_path / "out").read_text().splitlines()) == ["0 n1", "1 n2"]


def test_slurm_loses_a_node_and_gets_it_back(slurm, tmp_path):
    number = submitted(slurm, tmp_path, "--nodelist=n2", "--no-requeue", wrap="sleep 60")
    ended(slurm, number, "RUNNING")
    with slurm.node_down("n2"):
        ended(slurm, number, "NODE_FAIL")
    assert slurm.node_state("n2") == "idle"


def test_slurm_requeues_what_the_urgent_preempt(slurm, tmp_path):
    number = submitted(slurm, tmp_path, "--nodelist=n1", "--exclusive", "--requeue", wrap="sleep 60")
    ended(slurm, number, "RUNNING")
    urgent = submitted(slurm, tmp_path, "--partition=urgent", "--nodelist=n1", "--exclusive", wrap="true")
    ended(slurm, urgent, "COMPLETED")
    assert job(slurm, number)["Restarts"] == "1"
    slurm.run("scancel", number)


def test_slurm_is_back_after_its_controller_was_down(slurm, tmp_path):
    with slurm.down("slurmctld"):
        slurm.run("squeue", code=1)
    ended(slurm, submitted(slurm, tmp_path, wrap="true"), "COMPLETED")


def test_jobs_of_slurm_outlive_the_daemon_of_their_node(slurm, tmp_path):
    number = submitted(
        slurm, tmp_path, "--nodelist=n1", wrap=f"while ! test -e {tmp_path}/go; do sleep 0.1; done; echo 7"
    )
    ended(slurm, number, "RUNNING")
    slurm.stop("slurmd-n1")
    slurm.start("slurmd-n1")
    (tmp_path / "go").touch()
    ended(slurm, number, "COMPLETED")
    assert (tmp_path / "out").read_text() == "7\n"


def test_slurm_without_accounting_has_no_sacct(slurm):
    slurm.run("sacct", code=1)


def test_slurm_with_accounting_remembers_its_jobs(slurmdbd, tmp_path):
    number = submitted(slurmdbd, tmp_path, wrap="exit 4")
    asked = ("sacct", "--noheader", "--parsable2", "--allocations", f"--jobs={number}", "--format=State,ExitCode")
    until(lambda: slurmdbd.run(*asked) == "FAILED|4:0\n")


def test_docker_runs_a_container_of_this_python(docker):
    version = "import sys; print(sys.version)"
    said = docker.run("docker", "run", "--rm", "--network=none", docker.told["image"], "python", "-c", version)
    assert said == f"{sys.version}\n"


def test_docker_kills_what_takes_too_much_memory(docker):
    eats = ("python", "-c", "bytearray(200_000_000)")
    number = docker.run("docker", "create", "--network=none", "--memory=50m", docker.told["image"], *eats).strip()
    docker.run("docker", "start", "--attach", number, code=137)
    assert docker.run("docker", "inspect", "--format={{.State.OOMKilled}}", number) == "true\n"
    docker.run("docker", "rm", number)


def test_docker_is_back_after_it_was_killed(docker):
    docker.kill("dockerd")
    docker.run("docker", "ps", code=1)
    docker.start()
    test_docker_runs_a_container_of_this_python(docker)


def ray_job(cluster, tmp_path, token=""):
    """Submit a job to a cluster, and return its state once it has ended, and what it printed."""

    def ask(path, **body):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        data = json.dumps(body).encode() if body else None
        with urlopen(Request(f"{cluster.told['url']}/api/jobs/{path}", data, headers), timeout=60) as said:
            return json.load(said)

    number = ask("", entrypoint=f"{sys.executable} -c 'print(7)'")["submission_id"]
    state = until(lambda: (found := ask(number)["status"]) not in ("PENDING", "RUNNING") and found, 120)
    return state, ask(f"{number}/logs")["logs"]


def test_ray_runs_a_job(ray, tmp_path):
    state, logs = ray_job(ray, tmp_path)
    assert (state, logs.splitlines()[-1]) == ("SUCCEEDED", "7")


def test_ray_with_a_token_runs_jobs_of_who_has_it_and_of_nobody_else(ray_with_token, tmp_path):
    with open(ray_with_token.env["RAY_AUTH_TOKEN_PATH"]) as file:
        token = file.read()
    state, logs = ray_job(ray_with_token, tmp_path, token)
    assert (state, logs.splitlines()[-1]) == ("SUCCEEDED", "7")
    with pytest.raises(HTTPError) as refused:
        ray_job(ray_with_token, tmp_path, "another")
    refused.value.close()
    assert refused.value.code in (401, 403)


KUBERNETES_JOB = """
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
  backoffLimit: 0
  template:
    spec:
      hostNetwork: true
      automountServiceAccountToken: false
      restartPolicy: Never
      containers:
      - name: main
        image: {image}
        imagePullPolicy: Never
        command: [python, -c, "print(7); raise SystemExit({code})"]
"""


@pytest.fixture
def batch(kubernetes):
    """The API of the server by its own client, and a function that runs a job and returns it and its log."""
    with client.ApiClient(config.new_client_from_config(kubernetes.env["KUBECONFIG"]).configuration) as api:
        jobs, pods, made = client.BatchV1Api(api), client.CoreV1Api(api), []

        def run(code):
            name = f"callsheet-{uuid4().hex[:8]}"
            manifest = yaml.safe_load(KUBERNETES_JOB.format(name=name, image=kubernetes.told["image"], code=code))
            jobs.create_namespaced_job("default", manifest)
            made.append(name)
            until(lambda: jobs.read_namespaced_job(name, "default").status.conditions, 120)
            (pod,) = pods.list_namespaced_pod("default", label_selector=f"job-name={name}").items
            log = pods.read_namespaced_pod_log(pod.metadata.name, "default")
            return jobs.read_namespaced_job(name, "default").status, log

        yield run
        for name in made:
            jobs.delete_namespaced_job(name, "default", propagation_policy="Background")


def test_kubernetes_runs_a_job_and_tells_how_it_ended(batch):
    done, log = batch(0)
    assert (done.succeeded, done.conditions[0].type, log) == (1, "Complete", "7\n")
    failed, log = batch(3)
    assert (failed.failed, failed.conditions[0].reason, log) == (1, "BackoffLimitExceeded", "7\n")


def test_slurm_that_runs_is_kept(slurm, slurmdbd):
    before = [processes(each) for each in (slurm, slurmdbd)]
    assert tool("start", "slurm", "slurmdbd") == "slurm: runs already\nslurmdbd: runs already\n"
    assert before == [processes(each) for each in (slurm, slurmdbd)]


def processes(engine):
    files = sorted(path for path in (engine.folder / "run").glob("*.pid") if not path.name.startswith("own-"))
    return [path.read_text().split()[0] for path in files]


@pytest.fixture
def other_slurm(tmp_path, monkeypatch):
    """A Slurm of another set of engines."""
    monkeypatch.setenv("CALLSHEET_ENGINES", str(tmp_path))
    yield running("slurm", RunningSlurm)
    tool("stop", "slurm")


def test_engines_of_another_folder_end_alone_and_with_their_jobs(slurm, other_slurm, tmp_path):
    assert other_slurm.folder == tmp_path / "slurm"
    ended(other_slurm, submitted(other_slurm, tmp_path, wrap="echo $$; exec sleep 600"), "RUNNING")
    started = until(lambda: (tmp_path / "out").exists() and (tmp_path / "out").read_text().split())
    started += processes(other_slurm)
    assert len(started) == 5
    tool("stop", "slurm")
    assert not any(os.path.exists(f"/proc/{process}/exe") for process in started)
    assert json.loads((tmp_path / "engines.json").read_text()) == {}
    slurm.run("sinfo")


def test_a_daemon_that_does_not_start_tells_the_end_of_its_log(tmp_path, monkeypatch):
    monkeypatch.setenv("CALLSHEET_ENGINES", str(tmp_path))
    start = [sys.executable, TOOL, "start", "slurm"]
    (tmp_path / "slurm" / "munge.key").mkdir(parents=True)
    ended = subprocess.run(start, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"engines: munged has ended with 1\nthe end of {tmp_path}/slurm/log/munged.log:\n")
    assert "munge.key" in ended.stderr.splitlines()[-1]


def test_engines_that_there_are_not_are_told_with_those_that_there_are():
    ended = subprocess.run([sys.executable, TOOL, "start", "slrum"], capture_output=True, text=True, check=False)
    there = "slurm, slurmdbd, docker, ray, ray-with-token, kubernetes"
    assert (ended.returncode, ended.stderr) == (1, f"engines: no engine 'slrum'; there are: {there}\n")
