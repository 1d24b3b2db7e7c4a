"""What trials become for Ray: submissions as values, compared whole; nothing is asked of a cluster (promise 23)."""

import json
import os
import sys
from pathlib import Path

import pytest

from callsheet.run._code import library_name
from callsheet.run._engine import Seen
from callsheet.run._experiment import Resources
from callsheet.run._job import Task
from callsheet.run._plan import Plan
from callsheet.run._rayjobs import failed, lacking
from callsheet.run._shape import Needs
from callsheet.run.ray import Ray
from saying import told

PLAN = Plan(Path("/home/me/runs/.sweeps/0a1b2c3d4e5f"))
DIGEST = "00112233445566778899aabbccddeeff"
WORKER = f"-m callsheet.run.worker /home/me/runs/.sweeps/0a1b2c3d4e5f/plan.jsonl 3 {DIGEST} --beat"


def task(**needs):
    return Task(PLAN, 3, DIGEST, Needs(**needs), turn=2, code="c0de")


def body(on, **needs):
    [request] = on.requests([task(**needs)])
    return request.body


def test_a_trial_is_one_job(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    on = Ray("http://head:8265", python="/venv/bin/python")
    [request] = on.requests([task()])
    assert (request.name, request.tasks) == ("callsheet-0a1b2c3d4e5f-3-2", (task(),))
    assert str(request) == (
        f"""\
POST /api/jobs/
{{
 "submission_id": "callsheet-0a1b2c3d4e5f-3-2",
 "entrypoint": "cd {tmp_path} 2>/dev/null; export PYTHONPATH=/home/me/runs/.code/{library_name()}\
${{PYTHONPATH:+:$PYTHONPATH}}; exec /venv/bin/python {WORKER} --code c0de",
 "entrypoint_num_cpus": 1,
 "runtime_env": {{
  "env_vars": {{
   "RAY_JOB_STOP_WAIT_TIME_S": "10"
  }}
 }},
 "metadata": {{
  "callsheet.plan": "0a1b2c3d4e5f",
  "callsheet.index": "3",
  "callsheet.turn": "2",
  "callsheet.needs": "{{\\"CPU\\": 1}}"
 }}
}}"""
    )


def test_all_that_can_be_said_of_it():
    on = Ray(
        cpus=4,
        gpus=1,
        memory_gb=8,
        timeout_min=90,
        custom_resources={"tpu": 1},
        labels={"ray.io/accelerator-type": "A100"},
        runtime_env={"pip": ["einops"]},
        env={"OMP_NUM_THREADS": "4"},
        python="/venv/bin/python",
    )
    found = body(on)
    command, metadata = found.pop("entrypoint"), found.pop("metadata")
    assert command.endswith(f"; exec /venv/bin/python {WORKER} --code c0de --minutes 90 --memory 8")
    assert metadata["callsheet.needs"] == '{"CPU": 4, "GPU": 1, "memory": 8000000000, "tpu": 1}'
    assert found == {
        "submission_id": "callsheet-0a1b2c3d4e5f-3-2",
        "entrypoint_num_cpus": 4,
        "entrypoint_num_gpus": 1,
        "entrypoint_memory": 8000000000,
        "entrypoint_resources": {"tpu": 1},
        "entrypoint_label_selector": {"ray.io/accelerator-type": "A100"},
        "runtime_env": {"pip": ["einops"], "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": "10", "OMP_NUM_THREADS": "4"}},
    }


def test_what_a_trial_needs_counts_before_what_its_executor_says():
    on = Ray(cpus=4, gpus=1, timeout_min=90, resources=Resources(memory_gb=8))
    found = body(on, cpus=2, timeout_min=5)
    amounts = {name: amount for name, amount in found.items() if name.startswith("entrypoint_")}
    assert amounts == {"entrypoint_num_cpus": 2, "entrypoint_num_gpus": 1, "entrypoint_memory": 8_000_000_000}
    assert found["entrypoint"].endswith("--minutes 5 --memory 8")


def test_the_interpreter_is_the_one_of_this_process_where_none_is_named():
    assert f"; exec {sys.executable} -m callsheet.run.worker " in body(Ray())["entrypoint"]


def test_what_a_shell_would_read_otherwise_is_quoted(monkeypatch, tmp_path):
    odd = tmp_path / "it's here"
    odd.mkdir()
    monkeypatch.chdir(odd)
    command = body(Ray(python="/opt/my env/python"))["entrypoint"]
    assert command.startswith(f"cd '{tmp_path}/it'\"'\"'s here' 2>/dev/null; ")
    assert "; exec '/opt/my env/python' -m" in command


def test_of_variables_that_are_taken_from_here_the_request_has_the_names_alone(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "sesame")
    [request] = Ray(env=["HF_TOKEN"]).requests([task()])
    assert '"HF_TOKEN": "***"' in str(request)
    assert "sesame" not in f"{request} {request!r}"
    assert request.body_with({"HF_TOKEN": os.environ["HF_TOKEN"]})["runtime_env"]["env_vars"]["HF_TOKEN"] == "sesame"


def test_a_trial_of_several_processes_is_no_job_of_ray():
    assert told(lambda: Ray().requests([task(nodes=2)])) == (
        "trial 3 needs 2 nodes with 1 task on each, and is one job of Ray\n  Slurm(…) runs trials of several processes"
    )


def test_what_could_never_run_a_job_is_refused():
    for fields, problem in (
        ({"address": "head:8265"}, "address must be the dashboard's URL, http://head:8265, found 'head:8265'"),
        ({"custom_resources": {"tpu": 0}}, "custom_resources['tpu'] must be more than 0, found 0"),
        ({"runtime_env": {"env_vars": {}}}, "runtime_env says no env_vars: env does"),
        ({"slots": 0}, "slots must be at least 1, found 0"),
    ):
        with pytest.raises(ValueError, match="must|says") as error:
            Ray(**fields)
        assert str(error.value) == problem


def test_the_dashboard_is_the_one_of_the_environment_where_none_is_named(monkeypatch):
    for name in ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    assert told(Ray().engine) == 'nobody says where Ray\'s dashboard is\n  Ray("http://head:8265")'
    for other in ("auto", "ray://head:10001"):  # of Ray's own client: no dashboard
        monkeypatch.setenv("RAY_ADDRESS", other)
        assert told(Ray().engine) == (
            f"RAY_ADDRESS={other} is not the URL of Ray's dashboard\n"
            "  export RAY_API_SERVER_ADDRESS=http://head:8265\n"
            '  Ray("http://head:8265")'
        )
    monkeypatch.setenv("RAY_ADDRESS", "http://other:8265/")
    assert Ray().engine().address == "http://other:8265"
    assert Ray("http://head:8265/").engine().address == "http://head:8265"


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ({"driver_exit_code": 3}, Seen("ended", 3, where="10.0.0.2")),
        ({"driver_exit_code": -9}, Seen("ended", -9, blame="machine", where="10.0.0.2")),
        (
            {"driver_exit_code": 127},
            Seen("ended", 127, "its command was not found: see its output", where="10.0.0.2"),
        ),
        (
            {"error_type": "JOB_SUPERVISOR_ACTOR_START_TIMEOUT", "message": "Job supervisor actor failed to start"},
            Seen("returned", reason="Ray gave up waiting for what it needs"),
        ),
        (
            {
                "error_type": "JOB_SUPERVISOR_ACTOR_DIED",
                "message": "Job supervisor actor died: The actor died because its node has died. Node Id: 0a1b",
            },
            Seen("ended", -9, "its node 10.0.0.2 was lost", "machine", "10.0.0.2"),
        ),
        (
            {
                "error_type": "JOB_SUPERVISOR_ACTOR_DIED",
                "message": "Job supervisor actor died: 1 worker(s) were killed due to the node running low on memory.",
            },
            Seen("ended", -9, "its node ran out of memory", "memory", "10.0.0.2"),
        ),
        (
            {
                "error_type": "JOB_SUPERVISOR_ACTOR_DIED",
                "message": "Job supervisor actor died: The actor died unexpectedly before finishing this task.\n\tclass",
            },
            Seen(
                "ended",
                -9,
                "Ray lost it: Job supervisor actor died: The actor died unexpectedly before finishing this task.",
                "machine",
                "10.0.0.2",
            ),
        ),
        (
            {"error_type": "RUNTIME_ENV_SETUP_FAILURE", "message": "runtime_env setup failed: no such package"},
            Seen("ended", 1, "Ray could not start it: runtime_env setup failed: no such package", where="10.0.0.2"),
        ),
        (
            {
                "error_type": "JOB_SUPERVISOR_ACTOR_START_FAILURE",
                "message": "Unexpected error occurred: failed to get job supervisor.",
            },
            Seen(
                "ended",
                -9,
                "Ray lost it: Unexpected error occurred: failed to get job supervisor.",
                "machine",
                "10.0.0.2",
            ),
        ),
    ],
)
def test_why_a_job_has_failed_is_read_from_what_ray_says_of_it(said, seen):
    assert failed(said, "10.0.0.2") == seen


def test_what_no_node_has_of_what_a_job_asks_for_is_told():
    nodes = [{"CPU": 8, "GPU": 1, "memory": 32e9}, {"CPU": 64, "memory": 16e9}]

    def told(**asked):
        return lacking({"metadata": {"callsheet.needs": json.dumps(asked)}}, nodes)

    assert told(CPU=64) == told(CPU=8, GPU=1) == ""
    assert told(CPU=65) == "no node has 65 CPU, where the most is 64 CPU"
    assert told(CPU=1, memory=64e9) == "no node has 64 GB memory, where the most is 32 GB memory"
    assert told(CPU=64, GPU=1) == "no node has 64 CPU and 1 GPU together"
    assert lacking({"metadata": {"callsheet.needs": '{"CPU": 65}'}}, []) == ""
