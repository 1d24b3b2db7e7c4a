"""Commands as runs: what their names mean, how they run, how they end (promises 22, 24)."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from callsheet import load
from callsheet.errors import SpecError
from callsheet.run import Command, Experiment, Folders, Image, Launch, Resources, Storage, render_command
from command import is_alive, masked, until
from saying import told

SCRIPT = """
    import argparse, json, os, sys

    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--name", default="net")
    parser.add_argument("--fail", type=int, default=0)
    args = parser.parse_args()
    print(f"training {args.name!r} with {args.lr}")
    with open(os.environ["CALLSHEET_RUN_DIR"] + "/metrics.jsonl", "a") as file:
        print(json.dumps({"step": 0, "loss": args.lr + 1}), file=file)
        print(json.dumps({"step": 1, "loss": args.lr, "time": 1.0}), file=file)
    print("nothing but a warning", file=sys.stderr)
    sys.exit(args.fail)
"""
CONF = """
    from callsheet.run import Command

    lr = 1e-3
    name = "a net; rm -rf x"
    main = Command("python train.py --lr {{lr}} --name {{name}}")
"""
EXPERIMENT = """
    from dataclasses import dataclass
    from callsheet.run import Experiment, Launch

    @dataclass
    class HP:
        lr: float = 1e-3
        name: str = "net"

    C1 = Experiment(Launch("python train.py --lr {{hp.lr}} --name {{hp.name}}", experiment="digits"), hp=HP())
"""


def test_a_script_that_knows_nothing_is_run_and_its_last_metrics_are_the_result(cmd):
    cmd.config(CONF, train=SCRIPT)
    said = cmd("run", "conf.py", "lr=0.5")
    assert said.out.startswith("training 'a net; rm -rf x' with 0.5\nrecorded")
    assert cmd.read("result.json") == {"loss": 0.5}
    assert cmd.text("out.log") == "training 'a net; rm -rf x' with 0.5\n"
    assert cmd.text("err.log") == "nothing but a warning\n"
    assert cmd.read("status.json")["state"] == "done"


def test_a_script_is_swept_and_values_that_the_template_names_are_the_trials_own(cmd):
    cmd.config(CONF + "\n    unused = 1\n", train=SCRIPT)
    said = cmd("sweep", "conf.py", "lr=1,2", "--minimize", "loss", "--slots", "1")
    assert masked(said.out) == (
        "2 trials, 2 to run, 1 at a time\n"
        "ID0001    lr=1  loss 1\n"
        "ID0002    lr=2  loss 2\n"
        "best      ID0001  loss 1   lr=1\n"
    )
    assert cmd("sweep", "conf.py", "lr=1,2").out == "2 trials, 2 done before\n"
    assert cmd("sweep", "conf.py", "lr=1,2", "unused=3").out == "2 trials, 2 done before\n"
    assert cmd("sweep", "conf.py", "lr=1,2", "name=other").out.startswith("2 trials, 2 to run")


def test_an_experiment_is_run_by_its_name_and_overrides_start_in_it(cmd):
    cmd.config(EXPERIMENT, train=SCRIPT)
    cmd("run", "conf.py:C1", "hp.lr=3", "C1.hp.name=big")
    assert cmd.text("out.log") == "training 'big' with 3.0\n"
    assert cmd.read("run.json")["experiment"] == "digits"
    said = cmd("sweep", "conf.py:C1", "hp.lr=3,4", "hp.name=big")
    assert said.out.startswith("2 trials, 1 done before, 1 to run")
    assert cmd("show", "conf.py:C1", "hp.lr=7").out.count("lr=7.0") == 1


def test_what_a_template_names_is_checked_before_anything_starts(cmd):
    cmd.config(EXPERIMENT, train=SCRIPT)
    wrong = "launch.command=python x.py {{hp.lrr}}"
    fault = (
        "callsheet: 1 fault, nothing was {}\n"
        "  C1.launch.command  {{{{hp.lrr}}}} at column 13: hp.lrr is not there\n"
        "                     did you mean  hp.lr?\n"
        "                     hp holds  lr, name\n"
    )
    assert cmd("check", "conf.py:C1", wrong, code=1).err == fault.format("built")
    assert cmd("run", "conf.py:C1", wrong, code=1).err == fault.format("built")
    assert cmd("sweep", "conf.py:C1", wrong, "hp.lr=1,2", code=1).err == fault.format("started")
    assert not cmd.runs.exists()


def test_the_exit_code_counts(cmd):
    cmd.config(CONF, train=SCRIPT)
    said = cmd("run", "conf.py", "main.template=python train.py --lr {{lr}} --fail 3", code=3)
    assert "callsheet: the command ended with exit code 3\n  python train.py --lr 0.001 --fail 3\n" in said.err
    assert cmd.read("status.json")["error"] == "the command ended with exit code 3"
    assert not cmd.file("result.json").exists()
    said = cmd("sweep", "conf.py", "main.template='python train.py --lr {{lr}} --fail 4'", "lr=1,2", code=1)
    assert said.out.count("failed: the command ended with exit code 4") == 2


def test_a_command_that_a_signal_ended_says_so(cmd):
    cmd.config("from callsheet.run import Command\nmain = Command(\"sh -c 'kill -9 $$'\")\n")
    assert "the command was ended by SIGKILL" in cmd("run", "conf.py", code=137).err


def test_a_command_that_is_not_there_says_so(cmd):
    cmd.config('from callsheet.run import Command\nmain = Command("no-such-program x")\n')
    said = cmd("run", "conf.py", code=1)
    assert "callsheet: the command cannot be started: No such file or directory: no-such-program\n" in said.err
    assert "Traceback" not in said.err
    assert (
        cmd.read("status.json")["error"] == "the command cannot be started: No such file or directory: no-such-program"
    )


def test_a_command_that_names_a_whole_part_is_told_to_name_a_value_of_it(cmd):
    cmd.config(
        'from callsheet.run import Command\nhp = {"lr": 0.1}\nmain = Command("python train.py {{hp}}")\n', train=""
    )
    assert "main.template  {{hp}} at column 17 is {'lr': 0.1}, which is no text" in cmd("check", "conf.py", code=1).err


PROBE = """
    import json, os, sys
    found = {name: value for name, value in os.environ.items() if name.startswith(("CALLSHEET_", "OWN", "TOKEN"))}
    print(json.dumps({"argv": sys.argv[1:], "cwd": os.getcwd(), "env": found}))
"""


def test_the_child_is_told_of_its_run(cmd):
    cmd.config(
        """
        from callsheet import Secret, ref
        from callsheet.run import Experiment, Folders, Launch, Storage

        C1 = Experiment(
            Launch("python ../probe.py {{run.dir}} {{run.id}} {{run.data_dir}} {{run.output_dir}} {{launch.run_name}}", experiment="ex"),
            storage=Storage(host=Folders(working="code", data="/my data", output="made")),
            env={"OWN": 3, "TOKEN": Secret("env:MY_TOKEN"), "OWN_DIR": ref("C1.storage.host.data")},
        )
        """,
        probe=PROBE,
    )
    (cmd.root / "code").mkdir()
    cmd("run", "conf.py:C1", env={"MY_TOKEN": "s3cret"})
    (run,) = cmd.ids()
    directory, made = str(cmd.runs / run), str(cmd.root / "made" / "ex" / run)
    told = json.loads(cmd.text("out.log"))
    assert told["argv"] == [directory, run, "/my data", made, "ex-1"]
    assert told["cwd"] == str(cmd.root / "code")
    assert told["env"] == {
        "CALLSHEET_RUN_DIR": directory,
        "CALLSHEET_RUN_ID": run,
        "CALLSHEET_RUN_INDEX": "0",
        "CALLSHEET_RUN_ATTEMPT": "1",
        "CALLSHEET_EXPERIMENT": "ex",
        "CALLSHEET_DATA_DIR": "/my data",
        "CALLSHEET_OUTPUT_DIR": made,
        "OWN": "3",
        "TOKEN": "s3cret",
        "OWN_DIR": "/my data",
    } | {name: value for name, value in told["env"].items() if name == "CALLSHEET_CACHE"}
    assert os.path.isdir(made)
    assert "s3cret" not in "".join(path.read_text() for path in (cmd.runs / run).glob("*.json"))


def test_the_settings_of_trackers_are_variables_of_the_command(cmd):
    cmd.config(
        """
        from callsheet import lazy
        from callsheet.run import Experiment, Launch
        from callsheet.track import MLflow, TensorBoard

        C1 = Experiment(
            Launch("python env.py", experiment="nets"),
            trackers={"mlflow": lazy(MLflow)(uri="http://localhost:1"), "tb": lazy(TensorBoard)("${run.dir}/tb")},
            env={"MLFLOW_EXPERIMENT_NAME": "mine"},
        )
        """,
        env="import os; print(*(v for k, v in sorted(os.environ.items()) if k.startswith(('MLFLOW_EXP', 'MLFLOW_TRACK', 'TENSORBOARD_'))))",
    )
    cmd("run", "conf.py:C1")
    (run,) = cmd.ids()
    assert cmd.text("out.log").split() == ["mine", "http://localhost:1", str(cmd.runs / run / "tb")]


def test_a_config_in_a_folder_starts_its_command_in_the_projects_root(cmd):
    cmd.write("confs/conf.py", CONF)
    cmd.write("train.py", SCRIPT)
    cmd("run", "confs/conf.py")
    assert cmd.read("result.json") == {"loss": 0.001}


def test_a_name_that_the_run_tells_may_not_be_set(cmd):
    cmd.config(
        """
        from callsheet.run import Command
        run = {"dir": "/mine", "seed": 3}
        main = Command("echo {{run.seed}} {{run.id}}")
        other = Command("echo {{run.dir}}")
        """
    )
    cmd("run", "conf.py")
    assert cmd.text("out.log").startswith("3 ")
    said = cmd("run", "conf.py:other", code=1).err
    assert "run.dir is set to '/mine' in the spec" in said


SLEEPER = """
    import os, signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if len(sys.argv) > 1:
        subprocess.Popen([sys.executable, __file__])
        open("first", "w").write(str(os.getpid()))
    else:
        open("second", "w").write(str(os.getpid()))
    time.sleep(600)
"""


def _pids(cmd):
    def read(name):
        path = cmd.root / name
        return int(path.read_text()) if path.exists() and path.read_text() else 0

    return until(lambda: read("first") and read("second") and (read("first"), read("second")))


@pytest.mark.parametrize(("number", "state"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "cancelled")])
def test_a_run_that_is_ended_ends_all_that_its_command_has_started(cmd, number, state):
    cmd.config('from callsheet.run import Command\nmain = Command("python sleep.py more")\n', sleep=SLEEPER)
    process = subprocess.Popen(
        [sys.executable, "-m", "callsheet", "run", "conf.py"],
        cwd=cmd.root,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    pids = _pids(cmd)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 128 + number
    assert cmd.read("status.json")["state"] == state
    until(lambda: not any(map(is_alive, pids)))


def test_a_sweep_that_is_interrupted_ends_all_that_its_commands_have_started(cmd):
    cmd.config('from callsheet.run import Command\nn = 0\nmain = Command("python sleep.py {{n}}")\n', sleep=SLEEPER)
    process = cmd.start("sweep", "conf.py", "n=1,2", "--slots", "1")
    pids = _pids(cmd)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    until(lambda: not any(map(is_alive, pids)))


TURNS = """
    import os, time
    with open("turns", "a") as file:
        print("begin", file=file, flush=True)
        if not os.path.exists("go"):
            open("began", "w").write("x")
            while not os.path.exists("go"):
                time.sleep(0.01)
        print("end", file=file, flush=True)
"""


def test_a_trial_whose_worker_was_killed_is_not_run_beside_its_own_command(cmd):
    cmd.config('from callsheet.run import Command\nn = 0\nmain = Command("python turns.py {{n}}")\n', turns=TURNS)
    first = cmd.start("sweep", "conf.py", "n=choice(1)", "--slots", "1")
    until((cmd.root / "began").exists)
    worker = cmd.read("status.json")["pid"]
    os.kill(first.pid, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    first.wait()
    first.stdout.close()
    first.stderr.close()
    second = cmd.start("sweep", "conf.py", "n=choice(1)", "--slots", "1")
    time.sleep(1.5)
    (cmd.root / "go").write_text("x")
    out, err = second.communicate()
    assert second.returncode == 0, (out, err)
    assert (cmd.root / "turns").read_text().split() == ["begin", "end", "begin", "end"]


def test_render_command_quotes_every_value_and_hides_secrets():
    from callsheet import Secret

    experiment = Experiment(
        Launch("python t.py --name {{hp.name}} --key {{hp.key}} --in {{run.data_dir}}"),
        hp={"name": "it's", "key": Secret("env:KEY")},
    )
    assert render_command(experiment) == "python t.py --name 'it'\"'\"'s' --key '***' --in '<run.data_dir>'"


def test_render_command_of_a_whole_spec(project):
    project("conf.py", CONF)
    cfg = load("conf.py")
    assert render_command(cfg) == render_command(cfg, "main") == "python train.py --lr 0.001 --name 'a net; rm -rf x'"
    assert "command  holds no command" not in told(lambda: render_command({"a": 1}), SpecError)
    with pytest.raises(SpecError, match="holds no command"):
        render_command(cfg, "name")


def test_the_folders_of_a_container_are_the_hosts_where_there_is_no_container():
    storage = Storage(host=Folders(data="/home/me/data"))
    launch = Launch("t.py {{storage.container.data}} {{storage.container.output}}")
    assert render_command(Experiment(launch, storage=storage)) == "t.py /home/me/data /output"


def test_a_command_of_data_runs_only_where_that_is_allowed(cmd):
    cmd.write(
        "conf.json",
        json.dumps({"main": {"_type_": "callsheet.run:Command", "template": "echo hi", "working": "", "env": {}}}),
    )
    assert "callsheet.run:Command is named by data" in cmd("run", "conf.json", code=1).err
    assert cmd("run", "conf.json", "--allow", "callsheet.run").out.startswith("hi\n")


def test_the_taxonomy_is_written_and_read_back(tmp_path):
    from callsheet import save, to_data

    experiment = Experiment(
        Launch("ls", "ex"),
        {"lr": 1e-3, "sizes": (1, 2)},
        Resources("500m", memory_gb="2Gi"),
        Image("a:1", ["docker build ."]),
    )
    for name in ("x.yaml", "x.json"):
        save(experiment, tmp_path / name)
        assert load(tmp_path / name) == experiment
    plain = to_data(experiment, plain=True)
    assert plain["hp"] == {"lr": 1e-3, "sizes": [1, 2]}
    assert plain["resources"]["cpus"] == "500m"
    assert plain["image"] == {"url": "a:1", "build_steps": ["docker build ."], "pull_policy": "IfNotPresent"}
    assert json.loads(json.dumps(plain)) == plain


def test_a_command_is_no_group():
    assert "is a group, which is several experiments" in told(
        lambda: render_command(
            Experiment(Launch("ls {{hp.lr}}"), hp=__import__("callsheet.run").run.HPGroup(lr=[1, 2]))
        )
    )


def test_names_below_a_command_are_those_of_the_spec():
    assert render_command({"lr": 3, "main": Command("x {{lr}}")}) == "x 3"
