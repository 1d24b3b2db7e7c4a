"""Jobs of a real Ray cluster do what all executors can, and end as what befalls them says."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psutil
import pytest

from callsheet import sweep
from callsheet.errors import RunError
from callsheet.run._job import Task
from callsheet.run._plan import Plan
from callsheet.run._rayjobs import Dashboard
from callsheet.run.ray import Ray
from callsheet.run.submit import submit
from callsheet.testing import EngineSuite
from command import is_alive
from engines.conftest import running, tool, until

PATIENCE = 240

TRAIN = """
    import os, signal, time

    def wait(name):
        open(f"runs/{name}", "w").close()
        while not os.path.exists("runs/go"):
            time.sleep(0.05)

    def fit(task: str, dir: str, attempt: int):
        if task == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        if task.startswith("waits") or task == "deaf":
            wait(f"{task}.{attempt}")
        if task == "greedy" or (task == "greedy-once" and attempt == 1):
            block = bytearray(os.urandom(1000)) * 600_000
            time.sleep(600)
        if task == "writes":
            with open("full/x", "wb") as file:
                file.write(bytes(1_000_000))
        return {"task": task, "attempt": attempt}
"""

CONF = """
    from callsheet import lazy
    from train import fit

    task = "one"
    main = lazy(fit)(task, dir="${run.dir}", attempt="${run.attempt}")
"""


@pytest.fixture
def trials(project):
    """A function that gives a sweep over some tasks of an own project."""
    project("pyproject.toml", "")
    project("train.py", TRAIN)
    conf = project("conf.py", CONF)
    return lambda tasks: sweep(conf, [f"task={tasks}"])


def ended(jobs):
    """How jobs have ended, once they all have."""
    assert jobs.wait(PATIENCE), [job.state for job in jobs]
    return [(job.state, job.problem) for job in jobs]


def has_come(*names):
    until(lambda: all(Path("runs", name).exists() for name in names), PATIENCE)


def attempts(jobs):
    return [job.run.status["attempt"] for job in jobs]


# --- as all executors -------------------------------------------------------------------------------------------------


class Wire:
    """What leads to a dashboard, and can be cut."""

    def __init__(self, url):
        self.there = (urlsplit(url).hostname, urlsplit(url).port)
        self.port = 0
        self.mend()

    def mend(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(self.listener,), daemon=True).start()

    def cut(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _serve(self, listener):
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection(self.there)
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source, target):
        with contextlib.suppress(OSError), source:
            while part := source.recv(65536):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def wire(ray):
    found = Wire(ray.told["url"])
    yield found
    found.cut()


class TestRay(EngineSuite):
    """Of the cluster that is open to whoever reaches it."""

    patience_s = PATIENCE

    @pytest.fixture(autouse=True)
    def _reached(self, wire):
        self.wire = wire

    def make(self, **fields):
        return Ray(self.wire.url, poll_s=0.5, **fields)

    @contextlib.contextmanager
    def away(self):
        self.wire.cut()
        try:
            yield
        finally:
            self.wire.mend()


# --- what a program does ----------------------------------------------------------------------------------------------


def test_a_trial_that_holds_too_much_memory_is_ended_and_tried_again_if_asked(ray, trials):
    jobs = submit(trials("greedy,greedy-once"), on=Ray(ray.told["url"], memory_gb=0.4, poll_s=0.5), retry=1)
    (state, problem), well = ended(jobs)
    assert state == "cancelled"
    assert problem.startswith("it held ")
    assert problem.endswith(" GB of memory, where the limit is 0.4 GB")
    assert well == ("done", "")
    assert attempts(jobs) == [2, 2]


def test_a_command_that_is_not_there_has_failed_and_its_output_says_so(ray, trials):
    jobs = submit(trials("one"), on=Ray(ray.told["url"], python="/nowhere/python", poll_s=0.5), retry=1)
    assert ended(jobs) == [("failed", "its command was not found: see its output")]
    assert "/nowhere/python: not found" in jobs[0].log.read_text()


def test_a_full_disk_ends_a_trial_with_what_it_raised(ray, trials, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "callsheet-test", full], check=True)
    try:
        jobs = submit(trials("writes"), on=Ray(ray.told["url"], poll_s=0.5))
        assert ended(jobs) == [("failed", "OSError: [Errno 28] No space left on device")]
    finally:
        subprocess.run(["umount", "--lazy", full], check=True)


def test_one_that_does_not_listen_is_ended_when_it_is_cancelled(ray, trials):
    jobs = submit(trials("deaf"), on=Ray(ray.told["url"], poll_s=0.5))
    has_come("deaf.1")
    worker = until(lambda: jobs[0].run, PATIENCE).status["pid"]
    jobs.cancel()
    assert ended(jobs)[0][0] == "cancelled"
    until(lambda: not is_alive(worker))


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_what_no_node_has_is_waited_for_and_told_and_can_be_cancelled(ray, trials):
    jobs = submit(trials("one"), on=Ray(ray.told["url"], cpus=64, custom_resources={"moon": 1}, poll_s=0.5))
    sender = jobs._sender
    until(lambda: sender.waits_for, PATIENCE)
    assert jobs[0].state == "queued"
    assert sender.waits_for == "no node has 64 CPU, where the most is 2 CPU and 1 moon, where the most is 0 moon"
    jobs.cancel()
    assert ended(jobs) == [("cancelled", "")]


def test_what_ray_does_not_take_has_failed_and_is_not_sent_again(ray, trials):
    jobs = submit(trials("one"), on=Ray(ray.told["url"], labels={"a b": "!(c"}, poll_s=0.5), retry=3, retry_errors=3)
    ((state, problem),) = ended(jobs)
    assert state == "failed"
    assert problem.startswith("Ray does not take it: ")
    assert (Path("runs/.sweeps") / jobs._drawing.plan.id / "sent.jsonl").read_text().count('"of"') == 1


def test_a_job_that_is_submitted_twice_is_one(ray, tmp_path, monkeypatch):
    monkeypatch.setenv("MONEY", "none")
    on = Ray(ray.told["url"], python="/nowhere/python", env=["MONEY"])
    [request] = on.requests([Task(Plan(tmp_path / f"runs/.sweeps/{os.urandom(6).hex()}"), 0, "0" * 32)])
    dashboard = on.engine()
    assert dashboard.find(request.name) is None
    assert [dashboard.submit(request), dashboard.submit(request), dashboard.find(request.name)] == [request.name] * 3
    dashboard.end(request.name)
    dashboard.end(request.name)
    until(lambda: dashboard.look([request.name])[request.name][0].state == "ended", PATIENCE)
    monkeypatch.setenv("MONEY", "$HOME")
    with pytest.raises(RunError, match="the value of MONEY holds a \\$, which Ray would replace"):
        dashboard.submit(request)


# --- the token --------------------------------------------------------------------------------------------------------


def test_a_cluster_that_wants_a_token_gets_it_and_shows_it_nowhere(ray_with_token, trials, monkeypatch):
    url, path = ray_with_token.told["url"], Path(ray_with_token.env["RAY_AUTH_TOKEN_PATH"])
    token = path.read_text().strip()
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path.with_name("none")))
    jobs = submit(trials("one"), on=Ray(url, poll_s=0.5))
    with pytest.raises(RunError, match=f"the dashboard {url} wants a token"):
        jobs.wait(PATIENCE)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "f" * 64)
    jobs = submit(trials("one"), on=Ray(url, poll_s=0.5))
    with pytest.raises(RunError, match=f"the dashboard {url} takes no such token"):
        jobs.wait(PATIENCE)
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    jobs = submit(trials("waits"), on=Ray(url, poll_s=0.5))
    has_come("waits.1")
    asked = urllib.request.Request(f"{url}/api/jobs/", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        listed = answer.read().decode()
    assert "callsheet.plan" in listed
    assert token not in listed
    Path("runs/go").touch()
    assert ended(jobs) == [("done", "")]
    assert [path for path in Path("runs").rglob("*") if path.is_file() and token.encode() in path.read_bytes()] == []


# --- what a cluster does ----------------------------------------------------------------------------------------------


class Cluster:
    """A cluster of its own, which gives up a job that waits long, with a second node that can be lost."""

    def __init__(self, folder):
        self.environment = {
            **os.environ,
            "CALLSHEET_ENGINES": str(folder),
            "RAY_JOB_START_TIMEOUT_SECONDS": "20",
        }
        with self._environment():
            self.head = running("ray")
        self.url = self.head.told["url"]
        self.node = None

    @contextlib.contextmanager
    def _environment(self):
        with pytest.MonkeyPatch.context() as monkeypatch:
            for name in ("CALLSHEET_ENGINES", "RAY_JOB_START_TIMEOUT_SECONDS"):
                monkeypatch.setenv(name, self.environment[name])
            yield

    def nodes(self):
        with urllib.request.urlopen(f"{self.url}/api/cluster_status", timeout=30) as answer:
            return sum(n for _, n in json.load(answer)["data"]["clusterStatus"]["loadMetricsReport"]["nodeTypes"])

    def add_node(self, **settings):
        """Start the second node, which alone has `spot`."""
        port = json.loads((self.head.folder / "ports.json").read_text())["head"]
        program = Path(sys.executable).parent / "ray"
        command = [program, "start", f"--address=127.0.0.2:{port}", "--block", "--node-ip-address=127.0.0.3"]
        more = ["--num-cpus=1", '--resources={"spot":1}', "--disable-usage-stats", "--object-store-memory=100000000"]
        environment = {**self.environment, "RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0", **settings}
        with (self.head.folder / "node.log").open("ab") as log:
            self.node = subprocess.Popen(
                [*command, *more], env=environment, stdout=log, stderr=log, start_new_session=True
            )
        until(lambda: self.nodes() == 2, PATIENCE)

    def lose_node(self):
        """Kill all of the second node, as a machine that goes away."""
        node = psutil.Process(self.node.pid)
        for process in [node, *node.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.node.wait()
        self.node = None
        until(lambda: self.nodes() == 1, PATIENCE)

    def lose_head(self):
        """Stop the head, which knows nothing of before when it is started again; its nodes end with it."""
        if self.node is not None:
            self.lose_node()
        with self._environment():
            self.head.stop("head")

    def start_head(self):
        with self._environment():
            self.head.start("head")

    def end(self):
        if self.node is not None:
            self.lose_node()
        with self._environment():
            tool("stop", "ray")


@pytest.fixture(scope="module")
def cluster():
    with TemporaryDirectory(prefix="r") as folder:  # of sockets, whose paths must be short
        found = Cluster(Path(folder))
        yield found
        found.end()


def test_a_trial_that_waits_longer_than_ray_bears_is_submitted_again(cluster, trials):
    jobs = submit(trials("waits,one"), on=Ray(cluster.url, custom_resources={"accel": 2}, poll_s=0.5))
    has_come("waits.1")
    sent = Path("runs/.sweeps") / jobs._drawing.plan.id / "sent.jsonl"
    until(lambda: sent.read_text().count('"of": [[1, 1]]') >= 2, PATIENCE)
    Path("runs/go").touch()
    assert ended(jobs) == [("done", ""), ("done", "")]
    assert attempts(jobs) == [1, 1]


def test_a_trial_whose_node_is_lost_goes_on_on_another(cluster, trials):
    cluster.add_node()
    on = Ray(cluster.url, cpus=0.5, custom_resources={"spot": 0.5}, poll_s=0.5)
    lost, jobs = submit(trials("waits1"), on=on), submit(trials("waits2"), on=on, retry=1)
    has_come("waits1.1", "waits2.1")
    directory = until(lambda: jobs[0].run, PATIENCE).directory  # which is known when Ray was asked again
    cluster.lose_node()
    ((state, problem),) = ended(lost)
    assert state == "lost"
    assert "node" in problem
    cluster.add_node()
    has_come("waits2.2")
    Path("runs/go").touch()
    assert ended(jobs) == [("done", "")]
    assert jobs[0].run.directory == directory


def test_a_trial_that_ray_ends_since_its_node_is_out_of_memory_says_so(cluster, trials):
    if cluster.node is not None:
        cluster.lose_node()
    cluster.add_node(RAY_memory_usage_threshold="0.01")  # which this machine is beyond
    jobs = submit(trials("waits"), on=Ray(cluster.url, custom_resources={"spot": 0.5}, poll_s=0.5))
    assert ended(jobs) == [("cancelled", "its node ran out of memory")]
    cluster.lose_node()


def test_what_was_lost_with_the_head_goes_on_when_it_is_back(cluster, trials):
    jobs = submit(trials("waits"), on=Ray(cluster.url, poll_s=0.5), retry=1)
    has_come("waits.1")
    until(lambda: jobs[0].state == "running", PATIENCE)
    cluster.lose_head()
    until(lambda: jobs.trouble, PATIENCE)
    assert jobs[0].state == "running"
    cluster.start_head()
    has_come("waits.2")
    Path("runs/go").touch()
    assert ended(jobs) == [("done", "")]
    assert attempts(jobs) == [2]


def test_a_dashboard_that_does_not_answer_is_waited_for(ray, monkeypatch):
    listener = socket.create_server(("127.0.0.1", 0))  # it takes connections, and says nothing
    monkeypatch.setattr("callsheet.run._rayjobs._ANSWER_S", 0.5)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with listener, pytest.raises(OSError, match=f"the dashboard {url} does not answer: timed out"):
        Dashboard(url).look(["callsheet-0a1b2c3d4e5f-0-1"])
