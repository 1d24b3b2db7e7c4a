"""What a container would be told, as values that are compared whole; no daemon is asked (promise 23)."""

import sys
from dataclasses import replace

import pytest

from callsheet import sweep
from callsheet.errors import RunError
from callsheet.run import _dockerd
from callsheet.run._code import library_name
from callsheet.run._draw import draw
from callsheet.run._place import Place
from callsheet.run._shape import Needs
from callsheet.run.docker import Docker
from saying import told


@pytest.fixture
def task(project):
    """The one task of a project."""
    project("pyproject.toml", "")
    project("train.py", "def fit(lr: float):\n    return lr\n")
    conf = project("conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(0.5)\n")
    drawing = draw(sweep(conf, ["main.lr=0.1,0.2"]), Place.of(conf))
    drawing.decide("refuse")
    return drawing.next().task


def text(on, task, tmp_path):
    """The text of a request, in which what differs from time to time has a name."""
    said = str(*on.requests([task]))
    names = {str(tmp_path / "runs"): "RUNS", library_name(): "LIBRARY", task.plan.id: "PLAN", task.digest: "DIGEST"}
    for found, name in names.items():
        said = said.replace(found, name)
    return said.replace(" --", "\n  --")


def test_a_container_is_told_all_that_was_said(task, tmp_path):
    on = Docker(
        "nets:3",
        user="1000:100",
        network="none",
        mounts=["/home/me/data:/data:ro", "/scratch:/scratch"],
        env=["HF_TOKEN"],
        cpus=1.5,
        gpus=2,
        memory_gb=4,
        shm_gb=0.5,
        timeout_min=90,
        pull_policy="Always",
        entrypoint=["tini", "-g"],
        host="unix:///run/podman.sock",
    )
    assert text(on, replace(task, turn=2, code="c0de"), tmp_path) == (
        "docker\n  --host unix:///run/podman.sock run\n  --detach\n  --name callsheet-PLAN-0-2\n  --user 1000:100\n"
        "  --network none\n  --entrypoint tini\n  --cpus 1.5\n  --memory 4000000000b\n  --memory-swap 4000000000b\n"
        "  --shm-size 500000000b\n  --gpus 2\n  --pull always\n  --label callsheet.plan=PLAN\n"
        "  --label callsheet.index=0\n  --label callsheet.turn=2\n  --label callsheet.limit=5400\n"
        "  --mount type=bind,source=RUNS,target=RUNS\n"
        "  --mount type=bind,source=/home/me/data,target=/data,readonly\n"
        "  --mount type=bind,source=/scratch,target=/scratch\n"
        "  --env HOME=/tmp\n  --env HF_TOKEN\n  --env CALLSHEET_CONTAINER=1\n  --env PYTHONPATH=RUNS/.code/LIBRARY"
        " nets:3 -g python3 -m callsheet.run.worker RUNS/.sweeps/PLAN/plan.jsonl 0 DIGEST"
        "\n  --beat\n  --code c0de\n  --minutes 90"
    )


def test_a_trial_that_says_what_it_needs_is_heard_before_its_executor(task, tmp_path):
    needs = Needs(cpus=2, image="nets:4", pull_policy="Never", mounts={"data": ("/nfs/digits", "/data")})
    on = Docker("nets:3", user="0:0", cpus=1, gpus=1, python="/opt/bin/python", env={"PYTHONPATH": "/app", "A": "b c"})
    assert text(on, replace(task, needs=needs), tmp_path) == (
        "docker run\n  --detach\n  --name callsheet-PLAN-0-1\n  --user 0:0\n  --cpus 2\n  --gpus 1\n  --pull never\n"
        "  --label callsheet.plan=PLAN\n  --label callsheet.index=0\n  --label callsheet.turn=1\n"
        "  --mount type=bind,source=RUNS,target=RUNS\n  --mount type=bind,source=/nfs/digits,target=/data\n"
        "  --env PYTHONPATH=RUNS/.code/LIBRARY:/app\n  --env 'A=b c'\n  --env CALLSHEET_CONTAINER=1"
        " nets:4 /opt/bin/python -m callsheet.run.worker RUNS/.sweeps/PLAN/plan.jsonl 0 DIGEST\n  --beat"
    )


def test_one_container_runs_at_a_time_where_nobody_says_how_many():
    assert (Docker("nets:3").capacity, Docker("nets:3", slots=4).capacity) == (1, 4)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"pull_policy": "Sometimes"}, "pull_policy must be one of Always, IfNotPresent, Never, found 'Sometimes'"),
        ({"shm_gb": 0}, "shm_gb must be more than 0, found 0"),
        ({"mounts": ["data:/data"]}, "a mount is  /folder/here:/folder/there  or  …:ro, found 'data:/data'"),
        ({"slots": 0}, "slots must be at least 1, found 0"),
        (
            {"code": "there", "mounts": ["/data:/in"]},
            "code='there' runs what the image has: say where it is, project='/app', or mount it where it is here",
        ),
    ],
)
def test_what_could_never_run_is_refused_at_once(fields, problem):
    with pytest.raises(ValueError) as refused:
        Docker("nets:3", **fields)
    assert str(refused.value) == problem


def test_code_that_is_there_is_found_by_its_folder_or_by_a_mount():
    assert Docker("nets:3", code="there", project="/app").code == "there"
    assert Docker("nets:3", code="there", mounts=["/home/me/nets:/home/me/nets:ro"]).code == "there"


@pytest.mark.parametrize(
    ("needs", "problem"),
    [
        (Needs(), 'trial 0 has no image\n  Docker("registry/name:tag")\n  Experiment(image=Image(…))'),
        (
            Needs(image="nets:3", nodes=2),
            "trial 0 needs 2 nodes with 1 task on each, and is one container\n  Slurm(…) runs trials of several processes",
        ),
        (
            Needs(image="nets:3", pull_policy="always"),
            "trial 0 has the pull policy 'always'\n  it is one of  Always, IfNotPresent, Never",
        ),
    ],
)
def test_a_trial_that_no_container_could_run_is_refused(task, needs, problem):
    assert told(lambda: Docker().requests([replace(task, needs=needs)]), RunError) == problem


def test_without_the_sdk_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "docker", None)
    expected = (
        "containers are started by the Docker SDK for Python, which is missing\n  pip install 'callsheet[docker]'"
    )
    assert told(Docker("nets:3").engine, RunError) == expected


def test_who_may_not_use_the_daemon_is_told_what_to_do(monkeypatch):
    def refuse(address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_dockerd, "_knock", refuse)
    assert told(lambda: Docker("nets", host="unix:///run/docker.sock").engine().find("x"), RunError).splitlines() == [
        "this user may not use the Docker daemon at unix:///run/docker.sock",
        "  be in its group:  sudo usermod -aG docker $USER",
        "  or say which other may be used:  --on docker.host=…",
    ]


def test_variables_with_which_no_daemon_can_be_reached_are_told(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", "/no/such/folder")
    with pytest.raises(RunError, match="Docker cannot be reached as the environment says"):
        Docker("nets").engine()
