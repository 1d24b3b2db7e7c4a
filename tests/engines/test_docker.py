"""Containers of a real Docker daemon do what all executors can, and end as what befalls them says (promise 23)."""

import os
import subprocess
import sys
from fnmatch import fnmatch

import pytest

from callsheet import load, sweep
from callsheet.compat.lightex.dispatch import dispatch_expts
from callsheet.errors import RunError
from callsheet.run.docker import Docker
from callsheet.run.submit import submit
from callsheet.testing import EngineSuite
from command import Project

from .conftest import until

TRAIN = """
    import os, signal, time
    from pathlib import Path

    def fit(what: str, dir: str, attempt: int):
        print("this is", what, flush=True)
        (Path(dir).parent / f"{what}-{attempt}").touch()
        if what == "greedy":
            block = bytearray(os.urandom(1000)) * 300_000
        if what == "suicide" and attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "deaf":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        if what == "wordy" and not (Path(dir).parent / "go").exists():
            Path(dir, "weights").write_bytes(bytes(20_000_000))
        while what in ("deaf", "waits") and not (Path(dir).parent / "go").exists():
            time.sleep(0.05)
        return {"attempt": attempt, "user": os.getuid(), "home": os.environ["HOME"]}
"""
CONF = """
    from callsheet import lazy
    from train import fit
    main = lazy(fit)("plain", "${run.dir}", "${run.attempt}")
"""


@pytest.fixture(autouse=True)
def daemon(docker, monkeypatch, tmp_path):
    """The daemon, which the environment names; in the end it has no container of a test."""
    for name, value in docker.env.items():
        monkeypatch.setenv(name, value)
    yield docker
    left = containers(docker, tmp_path)
    if left:
        docker.run("docker", "rm", "--force", *left)


def containers(daemon, folder, *words):
    """The containers that there are for the sweeps of a project."""
    plans = [f"--filter=label=callsheet.plan={plan.name}" for plan in folder.glob("runs/.sweeps/*")]
    return [id for plan in plans for id in daemon.run("docker", "ps", "--all", "--quiet", plan, *words).split()]


@pytest.fixture
def send(daemon, project):
    """A function that submits some kinds of training to containers; gives the jobs."""
    project("pyproject.toml", "")
    project("train.py", TRAIN)
    project("conf.py", CONF)

    def send(*kinds, retry=0, image=None, network="none", **fields):
        on = Docker(image or daemon.told["image"], network=network, **fields)
        return submit(sweep("conf.py", [f"main.what={','.join(kinds)}"]), on=on, retry=retry)

    return send


def began(tmp_path, *names):
    return until(lambda: all((tmp_path / "runs" / name).exists() for name in names), 120)


def ends(jobs):
    assert jobs.wait(180)
    return [(job.state, job.problem) for job in jobs]


class TestDocker(EngineSuite):
    @pytest.fixture(autouse=True)
    def _daemon(self, daemon):
        self.daemon = daemon

    def make(self, **fields):
        return Docker(self.daemon.told["image"], network="none", **fields)

    def kill(self, run):
        name = f"callsheet-{run.record['plan']}-{run.record['index']}-"
        found = self.daemon.run("docker", "ps", "--quiet", "--no-trunc", f"--filter=name={name}").split()
        self.daemon.run("docker", "kill", *found)

    def away(self):
        return self.daemon.down("dockerd")


def test_what_holds_too_much_memory_is_ended_and_sent_again_as_often_as_asked(send, tmp_path):
    jobs = send("greedy", memory_gb=0.1, retry=1)
    assert ends(jobs) == [("cancelled", "it held more than 0.1 GB of memory")]
    assert sorted(path.name for path in (tmp_path / "runs").glob("greedy-*")) == ["greedy-1", "greedy-2"]


def test_a_worker_that_is_killed_inside_is_lost(send):
    jobs = send("suicide")
    assert ends(jobs) == [("lost", "its container was killed, or the worker in it")]


def test_what_an_administrator_stops_is_lost_and_goes_on(send, daemon, tmp_path):
    jobs = send("waits", retry=1)
    began(tmp_path, "waits-1")
    daemon.run("docker", "stop", *containers(daemon, tmp_path))
    began(tmp_path, "waits-2")
    (tmp_path / "runs" / "go").touch()
    assert jobs.results()[0]["attempt"] == 2


def test_what_does_not_listen_is_killed_after_a_while(send, daemon, tmp_path):
    jobs = send("deaf")
    began(tmp_path, "deaf-1")
    jobs.cancel()
    assert jobs[0].state == "cancelled"
    assert containers(daemon, tmp_path) == []


def test_a_time_limit_is_kept_also_when_nobody_watches(send, daemon, tmp_path):
    submitted = (
        "from callsheet import sweep; from callsheet.run.docker import Docker; from callsheet.run.submit import submit;"
        f"submit(sweep('conf.py', ['main.what=deaf,last']), on=Docker({daemon.told['image']!r}, network='none',"
        " timeout_min=0.05)).wait()"
    )
    submitter = subprocess.Popen([sys.executable, "-c", submitted])
    began(tmp_path, "deaf-1")
    submitter.kill()
    submitter.wait()
    until(lambda: containers(daemon, tmp_path, "--filter=status=running") == [], 120)
    (tmp_path / "runs" / "go").touch()
    assert ends(send("deaf", "last")) == [("cancelled", "the time limit of 0.05 min is over"), ("done", "")]


MISSING = "localhost:5999/callsheet/missing:1"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"image": MISSING, "pull_policy": "Never"}, f"there is no image {MISSING} here: docker pull {MISSING}"),
        ({"image": MISSING}, f"the image {MISSING} cannot be pulled: *connection refused: docker pull {MISSING}"),
        ({"pull_policy": "Always"}, "the image * cannot be pulled: *connection refused: docker pull *"),
        ({"python": "python9"}, 'its container does not start: *exec: "python9": executable file not found in $PATH*'),
        ({"gpus": 1}, "its container does not start: could not select device driver * with capabilities: *gpu*"),
        ({"cpus": 1000}, "the Docker daemon refuses it: *ange of CPUs is from 0.01 to *"),
        ({"mounts": ["/no/where:/data"]}, "the Docker daemon refuses it: *bind source path does not exist: /no/where"),
    ],
)
def test_what_the_daemon_does_not_take_has_failed_and_leaves_no_container(send, daemon, tmp_path, fields, problem):
    jobs = send("plain", retry=2, **fields)
    ((state, told),) = ends(jobs)
    assert state == "failed"
    assert fnmatch(told, problem)
    assert containers(daemon, tmp_path) == []


def test_an_image_that_cannot_run_the_worker_leaves_its_words(send, tmp_path):
    jobs = send("plain", entrypoint=["sh", "-c", "echo this image has no Python >&2; exit 4"])
    assert [state for state, _ in ends(jobs)] == ["failed"]
    assert jobs[0].log.read_text() == "this image has no Python\n"


def test_results_belong_to_whoever_submits(daemon, project, tmp_path):
    for name, text in {"pyproject.toml": "", "train.py": TRAIN, "conf.py": CONF}.items():
        project(name, text)
    submitted = (
        "from callsheet import sweep; from callsheet.run.docker import Docker; from callsheet.run.submit import submit;"
        f"print(submit(sweep('conf.py', ['main.what=plain']), on=Docker({daemon.told['image']!r}, network='none')).results())"
    )
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    os.chown(tmp_path, 12345, 0)
    env = {**os.environ, "CALLSHEET_CACHE": str(tmp_path / "cache")}
    # Nobody but root may read this Python on some machines.
    other = ["setpriv", "--reuid=12345", "--regid=0", "--clear-groups", "--inh-caps=+dac_read_search"]
    command = [*other, "--ambient-caps=+dac_read_search", sys.executable, "-B", "-c", submitted]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == "[{'attempt': 1, 'user': 12345, 'home': '/tmp'}]\n"
    assert {path.stat().st_uid for path in (tmp_path / "runs").rglob("*")} == {12345}


def test_a_daemon_that_is_killed_is_waited_for(send, daemon, tmp_path):
    jobs = send("waits", "plain", retry=1)
    began(tmp_path, "waits-1")
    daemon.kill("dockerd")
    try:
        until(lambda: jobs.trouble)
        assert jobs.trouble == f"the Docker daemon does not answer at {daemon.env['DOCKER_HOST']}"
    finally:
        daemon.start("dockerd")
    (tmp_path / "runs" / "go").touch()
    assert [state for state, _ in ends(jobs)] == ["done", "done"]


def test_on_a_full_disk_nothing_is_said_to_be_done_and_it_goes_on_once_there_is_room(send, tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", runs], check=True)
    try:
        jobs = send("wordy")
        try:
            assert jobs.wait(180)
        except RunError as error:
            assert "No space left on device" in str(error)
        assert jobs[0].state != "done"
        for weights in runs.glob("*/weights"):
            weights.unlink()
        (runs / "go").touch()
        assert ends(send("wordy")) == [("done", "")]
    finally:
        subprocess.run(["umount", "--lazy", runs], check=True)


DOCKERFILE = """
    FROM {base}
    ENV BUILT=here
    RUN test -x /bin/sh
"""
LIGHTEX = """
    from dataclasses import dataclass
    from callsheet.compat.lightex.config_base import Build, HostResources, K8Config, Resources, Run

    @dataclass(frozen=True)
    class HP:
        lr: float

    @dataclass(frozen=True)
    class Experiment:
        hp: HP
        er: Resources
        run: Run

    steps = ["DOCKER_BUILDKIT=0 docker build --network=none --tag {image} ."]
    folders = HostResources(data_dir="digits", output_dir="made", mlflow_dir="tracked/mlflow")
    R1 = Resources(build=Build("{image}", steps, "Never"), k8=K8Config(), host=folders)
    Ru1 = Run(
        cmd="python train.py --lr {{{{hp.lr}}}} --data {{{{run.data_dir}}}} --output {{{{run.output_dir}}}}",
        experiment_name="digits", max_memory="200Mi", max_cpu="500m", network="none",
    )
    main = Experiment(HP(0.5), R1, Ru1)
"""
READS = """
    import json, os, sqlite3, sys
    folders = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    with open(folders["--data"] + "/labels") as file:
        labels = file.read()
    with open(folders["--output"] + "/model", "w") as file:
        file.write(labels)
    database = os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///")
    sqlite3.connect(database).execute("create table experiments (name text)").connection.commit()
    with open(os.environ["CALLSHEET_RUN_DIR"] + "/metrics.jsonl", "w") as file:
        print(json.dumps({"lr": float(folders["--lr"]), "labels": int(labels)}), file=file)
    print(os.environ["BUILT"], folders["--data"], folders["--output"].rsplit("/", 1)[0], database, os.getcwd())
"""


def test_an_image_is_built_by_its_steps_and_lightex_runs_in_it_on_its_folders(daemon, project, tmp_path):
    image = "localhost:5999/callsheet/built:1"
    project("pyproject.toml", "")
    project("Dockerfile", DOCKERFILE.format(base=daemon.told["image"]))
    project("lxconfig.py", LIGHTEX.format(image=image))
    project("train.py", READS)
    project("digits/labels", "10")
    cmd = Project(tmp_path)
    said = cmd("image", "build", "lxconfig.py", "--dry-run").out
    assert said == f"step 1    DOCKER_BUILDKIT=0 docker build --network=none --tag {image} .\n"
    assert cmd("image", "build", "lxconfig.py").out.endswith(f"\nbuilt     {image}\n")
    try:
        jobs = dispatch_expts([load("lxconfig.py").main], engine="docker")
        assert [(job.state, job.problem) for job in jobs] == [("done", "")]
        assert jobs[0].result() == {"lr": 0.5, "labels": 10}
        run = jobs[0].run
        assert (run.directory / "out.log").read_text() == "here /data /output/digits /mlflow-data/mlflow.db /project\n"
        assert (tmp_path / "made" / "digits" / run.id / "model").read_text() == "10"
        assert (tmp_path / "tracked" / "mlflow" / "mlflow.db").stat().st_size > 0
    finally:
        daemon.run("docker", "rmi", "--force", image)


def test_code_may_be_in_the_image_itself(daemon, project, tmp_path):
    project("pyproject.toml", "")
    project("train.py", TRAIN)
    project("conf.py", CONF)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "train.py").write_text("def fit(what, dir, attempt):\n    return {'code': 'of the image'}\n")
    on = Docker(daemon.told["image"], network="none", code="there", project="/app", mounts=[f"{inside}:/app:ro"])
    jobs = submit(sweep("conf.py", ["main.what=plain"]), on=on)
    assert jobs.results() == [{"code": "of the image"}]
