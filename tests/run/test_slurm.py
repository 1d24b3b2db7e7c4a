"""What trials become for Slurm: scripts as values, compared whole; nothing is asked of a cluster (promise 23)."""

import sys
from pathlib import Path

import pytest

from callsheet.run import _squeue
from callsheet.run._engine import Refused, Seen, Unreachable
from callsheet.run._experiment import Resources
from callsheet.run._job import Task
from callsheet.run._parcel import parcel_of
from callsheet.run._plan import Plan
from callsheet.run._shape import Needs
from callsheet.run._squeue import SlurmEngine, refusal_of, seen_of
from callsheet.run.slurm import Slurm

PLAN = Plan(Path("/home/me/runs/.sweeps/0a1b2c3d4e5f"))
DIGEST = "00112233445566778899aabbccddeeff"
NO_NODE = "PartitionConfig: no node of its partition has what it asks for"
OVER = "it held more memory than it had asked for"


def tasks(count, **needs):
    return [Task(PLAN, n, DIGEST, Needs(**needs), code="c0de") for n in range(count)]


def options(text):
    """What a script asks for, without what every script says."""
    said = [line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH ")]
    always = ("--job-name", "--output", "--open-mode", "--requeue")
    return [option for option in said if not option.startswith(always)]


def test_one_trial_is_one_script():
    [request] = Slurm(python="/venv/bin/python").requests(tasks(1))
    assert request.name == "callsheet-0a1b2c3d4e5f-0-1"
    assert str(request) == (
        """\
sbatch --parsable --export=NIL <<'END'
#!/bin/bash -l
#SBATCH --job-name=callsheet-0a1b2c3d4e5f-0-1
#SBATCH --output=/home/me/runs/.sweeps/0a1b2c3d4e5f/logs/slurm-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
set -e
unset SLURM_EXPORT_ENV
exec /venv/bin/python -m callsheet.run.worker /home/me/runs/.sweeps/0a1b2c3d4e5f/plan.jsonl 0 """
        + DIGEST
        + " --beat --code c0de\nEND"
    )


def test_several_trials_are_one_array_of_a_parcel():
    on = Slurm(
        partition="gpu",
        account="lab",
        qos="long",
        constraint="a100|h100",
        slots=4,
        gpus=2,
        cpus=3.5,
        memory_gb=32,
        timeout_min=90.5,
        warn_s=120,
        requeue=False,
        env={"OMP_NUM_THREADS": 4, "GREETING": "it's"},
        setup=["module load cuda", "source /venv/bin/activate"],
        sbatch=["--exclude=n7"],
    )
    [request] = on.requests(tasks(3))
    parcel = parcel_of(request.tasks)
    name = f"callsheet-0a1b2c3d4e5f-a{parcel.digest[:12]}"
    assert request.name == name
    assert str(request) == (
        f"""\
sbatch --parsable --export=NIL <<'END'
#!/bin/bash -l
#SBATCH --job-name={name}
#SBATCH --array=0-2%4
#SBATCH --output=/home/me/runs/.sweeps/0a1b2c3d4e5f/logs/slurm-%A_%a.out
#SBATCH --open-mode=append
#SBATCH --partition=gpu
#SBATCH --account=lab
#SBATCH --qos=long
#SBATCH --constraint=a100|h100
#SBATCH --cpus-per-task=4
#SBATCH --gres=gpu:2
#SBATCH --mem=30518M
#SBATCH --time=90:30
#SBATCH --signal=B:USR1@120
#SBATCH --no-requeue
#SBATCH --exclude=n7
set -e
unset SLURM_EXPORT_ENV
export OMP_NUM_THREADS=4
export GREETING='it'"'"'s'
module load cuda
source /venv/bin/activate
exec {sys.executable} -m callsheet.run.worker /home/me/runs/.sweeps/0a1b2c3d4e5f/parcels/{parcel.digest} \
@SLURM_ARRAY_TASK_ID {parcel.digest} --beat --code c0de
END"""
    )


def test_variables_go_along_by_name_and_their_values_stand_nowhere(monkeypatch):
    monkeypatch.setenv("API_KEY", "sesame")
    [request] = Slurm(env=["API_KEY", "HF_HOME"]).requests(tasks(1))
    assert request.argv == ("sbatch", "--parsable", "--export=API_KEY,HF_HOME")
    assert "sesame" not in f"{request} {request!r}"


def test_an_array_is_split_at_its_largest_size():
    requests = Slurm(array_size=2).requests(tasks(5))
    assert [[task.index for task in request.tasks] for request in requests] == [[0, 1], [2, 3], [4]]
    assert len({request.name for request in requests}) == 3


def test_trials_of_different_needs_are_arrays_of_their_own():
    some = tasks(5, gpus=1)
    some[1::2] = [Task(PLAN, n, DIGEST, Needs(gpus=2)) for n in (1, 3)]
    requests = Slurm().requests(some)
    assert [[task.index for task in request.tasks] for request in requests] == [[0, 2, 4], [1, 3]]
    assert [options(request.script)[-1] for request in requests] == ["--gres=gpu:1", "--gres=gpu:2"]


def test_what_a_trial_says_that_it_needs_counts_before_what_is_said_here():
    on = Slurm(cpus=1, timeout_min=60, resources=Resources(cpus=2, memory_gb=1))
    [request] = on.requests(tasks(1, cpus=8))
    assert options(request.script) == ["--cpus-per-task=8", "--mem=954M", "--time=60"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "--gres=gpu:2"),
        ({"gpu_type": "a100"}, "--gres=gpu:a100:2"),
        ({"gpus_by": "gpus-per-node"}, "--gpus-per-node=2"),
        ({"gpu_type": "a100", "gpus_by": "gpus-per-node"}, "--gpus-per-node=a100:2"),
    ],
)
def test_devices_are_asked_for_as_the_cluster_has_them(more, expected):
    [request] = Slurm(gpus=2, **more).requests(tasks(1))
    assert options(request.script) == [expected]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"gpus_by": "magic"}, "gpus_by must be 'gres' or 'gpus-per-node', found 'magic'"),
        ({"signal": "KILL"}, "signal must be 'USR1' or 'USR2', found 'KILL'"),
        ({"setup": "module load cuda"}, "setup must be a list of lines, found 'module load cuda'"),
        ({"sbatch": "--exclude=n7"}, "sbatch must be a list of lines, found '--exclude=n7'"),
        ({"sbatch": ["exclude=n7"]}, "sbatch must be options like '--exclude=n7', found 'exclude=n7'"),
        (
            {"sbatch": ["--exclude=n7\nrm -r /"]},
            "sbatch must be options like '--exclude=n7', found '--exclude=n7\\nrm -r /'",
        ),
        ({"sbatch": ["--export=ALL"]}, "sbatch may not say '--export=ALL': Callsheet does"),
        ({"sbatch": ["-J x"]}, "sbatch may not say '-J x': Callsheet does"),
        ({"array_size": 0}, "array_size must be at least 1, found 0"),
        ({"warn_s": 0}, "warn_s must be at least 1, found 0"),
    ],
)
def test_what_sbatch_could_not_take_is_refused(more, expected):
    with pytest.raises(ValueError) as caught:
        Slurm(**more)
    assert str(caught.value) == expected


def test_several_processes_are_started_by_srun_as_torchrun_would():
    on = Slurm(python="/venv/bin/python", resources=Resources(nodes=2, tasks_per_node=4, cpus=8), warn_s=60)
    [request] = on.requests(tasks(1))
    assert str(request) == (
        """\
sbatch --parsable --export=NIL <<'END'
#!/bin/bash -l
#SBATCH --job-name=callsheet-0a1b2c3d4e5f-0-1
#SBATCH --output=/home/me/runs/.sweeps/0a1b2c3d4e5f/logs/slurm-%j.out
#SBATCH --open-mode=append
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=2
#SBATCH --signal=USR1@60
#SBATCH --requeue
set -e
unset SLURM_EXPORT_ENV
MASTER_ADDR=$(scontrol --oneliner show node "$SLURMD_NODENAME" | sed 's/.* NodeAddr=\\([^ ]*\\).*/\\1/')
MASTER_PORT=$(/venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
export MASTER_ADDR MASTER_PORT WORLD_SIZE=8 LOCAL_WORLD_SIZE=4
ranks=/home/me/runs/.sweeps/0a1b2c3d4e5f/logs/slurm-"$SLURM_JOB_ID".ranks-"${SLURM_RESTART_COUNT:-0}"
exec srun --kill-on-bad-exit=1 --cpus-per-task=2 \
sh -c 'export RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID; exec "$@"' rank \
/venv/bin/python -m callsheet.run.worker /home/me/runs/.sweeps/0a1b2c3d4e5f/plan.jsonl 0 """
        + DIGEST
        + """ --beat --code c0de --ranks "$ranks"
END"""
    )


def test_the_processes_of_an_array_meet_apart_for_each_trial():
    [request] = Slurm(resources=Resources(tasks_per_node=2)).requests(tasks(2))
    assert 'slurm-"$SLURM_ARRAY_JOB_ID"_"$SLURM_ARRAY_TASK_ID".ranks-' in request.script


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("PENDING", "0", "Priority", ""), Seen("queued")),
        (("PENDING", "0", "(PartitionConfig)", ""), Seen("queued", reason=NO_NODE)),
        (("PENDING", "0", "QOSMaxJobsPerUserLimit", ""), Seen("queued", reason="QOSMaxJobsPerUserLimit")),
        (("RUNNING", "0", "None", "n1"), Seen("running", where="n1")),
        (("COMPLETED", "0", "None", "n1"), Seen("ended", 0, where="n1")),
        (("FAILED", "768", "NonZeroExitCode", "n1"), Seen("ended", 3, where="n1")),
        (("FAILED", "3:0", "", "n1"), Seen("ended", 3, where="n1")),
        (("FAILED", "0:9", "", "n1"), Seen("ended", -9, "its worker was ended by signal 9", "machine", "n1")),
        (("FAILED", "35072", "", "n1"), Seen("ended", -9, "its worker was ended by signal 9", "machine", "n1")),
        (("OUT_OF_MEMORY", "0:125", "", "n1"), Seen("ended", -9, OVER, "memory", "n1")),
        (("TIMEOUT", "0:0", "", "n1"), Seen("ended", -15, "its time limit is over", "limit", "n1")),
        (("PREEMPTED", "0:0", "", "n1"), Seen("ended", -9, "it was preempted", "machine", "n1")),
    ],
)
def test_what_slurm_says_of_a_job_is_understood(said, expected):
    assert seen_of(*said) == expected


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (
            "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates …",
            Unreachable,
        ),
        ("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", Unreachable),
        ("sbatch: error: Batch job submission failed: Unable to contact slurm controller", Unreachable),
        ("sbatch: error: Batch job submission failed: Access/permission denied", Refused),
    ],
)
def test_what_is_not_taken_now_is_told_from_what_never_is(said, kind):
    assert type(refusal_of(said)) is kind


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A function that says what a program of Slurm prints, and with which exit code; what it was asked is in `asked`."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def says(program, out="", err="", code=0):
        (tmp_path / f"{program}.out").write_text(out)
        (tmp_path / f"{program}.err").write_text(err)
        path = tmp_path / program
        lines = f'/bin/cat {path}.out; /bin/cat {path}.err >&2; echo {program} "$@" >> {tmp_path}/asked; exit {code}'
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)

    return says


def test_of_an_array_the_positions_that_are_meant_are_cancelled(cluster, tmp_path):
    cluster("scancel")
    SlurmEngine().end("77", [1, 4])
    SlurmEngine().end("77")
    assert (tmp_path / "asked").read_text().splitlines() == ["scancel --quiet 77_1 77_4", "scancel --quiet 77"]


def test_what_the_queue_has_forgotten_is_as_it_was_while_accounting_is_away_for_ten_minutes(cluster, monkeypatch):
    cluster("squeue", err="slurm_load_jobs error: Invalid job id specified", code=1)
    cluster("sacct", err="sacct: error: slurm_persist_conn_open: Unable to contact slurm database", code=1)
    engine, now = SlurmEngine(), 100.0
    monkeypatch.setattr(_squeue.time, "monotonic", lambda: now)
    assert 0 not in engine.look(["77"])["77"]
    now += 599
    assert 0 not in engine.look(["77"])["77"]
    now += 2
    assert engine.look(["77"])["77"][0] == Seen("unknown")
    cluster("sacct", out="77|COMPLETED|0:0|n1\n")
    assert engine.look(["77"])["77"][0] == Seen("ended", 0, where="n1")


@pytest.mark.parametrize("is_there", [True, False])
def test_where_there_is_no_accounting_nothing_is_known_of_it(cluster, is_there):
    cluster("squeue", err="slurm_load_jobs error: Invalid job id specified", code=1)
    if is_there:
        cluster("sacct", err="Slurm accounting storage is disabled", code=1)
    assert SlurmEngine().look(["77"])["77"][0] == Seen("unknown")
