"""LightEx's examples and document run, and its functions do what they did."""

import json
import logging
import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from callsheet import load, save
from callsheet.compat import lightex as lx
from callsheet.errors import PathError, RunError, SpecError
from callsheet.run import needs_of, render_command
from command import Project
from saying import told

HERE = Path(__file__).parent / "lightex"


@pytest.fixture
def example(tmp_path, monkeypatch):
    """A function that copies one of the examples, in which commands then run."""

    def copied(name):
        monkeypatch.chdir(tmp_path)
        shutil.copytree(HERE / name, tmp_path, dirs_exist_ok=True)
        return Project(tmp_path)

    return copied


def test_the_sklearn_example_is_swept_by_the_name_of_its_config(example):
    cmd = example("sklearn")
    said = cmd("sweep", "lxconfig.py:C1", "--minimize", "mae")
    assert said.out.startswith("3 trials, 3 to run")
    assert "best" in said.out
    for run in cmd.ids():
        assert cmd.read("run.json", run)["experiment"] == "m2test"
        assert cmd.read("result.json", run).keys() == {"mae", "r2"}
        assert len(json.loads((cmd.root / "ltex" / "m2test" / run / "coefficients.json").read_text())) == 64
    assert cmd("plan", "lxconfig.py:C1").out.endswith("3 trials, 3 done\n")
    assert cmd("plan", "lxconfig.py:C1", "hp.alpha=1").out.endswith("3 trials, 3 to run\n")


def test_the_sklearn_example_is_dispatched_by_its_own_script(example):
    cmd = example("sklearn")
    cmd.write("train.py", "import sys\nprint(*sys.argv)\n")
    line = "python train.py --data-dir '<run.data_dir>' --output-dir '<run.output_dir>' --alpha 0.05 --l1_ratio 0.01"
    assert cmd("-c", "C1", "-d", module="run_expts").out == f"first of 3: {line}\n"
    said = cmd("-c", "C1", "--image-pull-policy", "Always", module="run_expts")
    assert said.out.count("done") == 3
    assert all(cmd.text("out.log", run).startswith("train.py --data-dir ") for run in cmd.ids())
    assert {cmd.read("spec.json", run)["er"]["ctr"]["build"]["image_pull_policy"] for run in cmd.ids()} == {"Always"}


def test_the_efficient_net_example_runs_one_config_and_sweeps_the_other(example):
    cmd = example("efnet")
    cmd("run", "lxconfig.py:C1", "hp.epochs=2")
    (run,) = cmd.ids()
    assert json.loads(cmd.text("out.log")) == {
        "data": "/data/imagenette-160",
        "output_dir": str(cmd.root / "ltex" / "efnet0" / run),
        "arch": "efficientnet-b0",
        "workers": 0,
        "epochs": 2,
        "batch_size": 32,
        "lr": 0.1,
        "pretrained": True,
        "gpu": 0,
    }
    assert cmd.read("result.json") == {"seen": 64}
    said = cmd("sweep", "lxconfig.py:C2")
    assert "hp.model_name=efficientnet-b0" in said.out
    assert "hp.model_name=efficientnet-b1" in said.out


def test_the_document_runs_with_its_two_corrections(example):
    cmd = example("efnet")
    cmd("run", "documented.py:C2")
    told = json.loads(cmd.text("out.log"))
    assert (told["data"], told["batch_size"], told["epochs"]) == ("/data/imagenette-160", 8, 2)
    experiment = load(cmd.root / "documented.py").C1.get_experiments()[0]
    assert needs_of(experiment).cpus == 0.5
    assert needs_of(experiment).memory_gb == pytest.approx(2.147, abs=1e-3)


@pytest.mark.parametrize("file", ["sklearn/lxconfig.py", "efnet/lxconfig.py", "efnet/documented.py"])
def test_all_of_an_example_is_written_and_read_back(file, tmp_path):
    cfg = load(HERE / file)
    for name in ("x.yaml", "x.json"):
        save(cfg, tmp_path / name)
        assert load(tmp_path / name) == cfg


def test_a_saved_config_is_swept_where_its_classes_are_allowed(example):
    cmd = example("efnet")
    save(load(cmd.root / "lxconfig.py"), cmd.root / "saved.yaml")
    assert "is named by data" in cmd("sweep", "saved.yaml:C2", code=1).err
    allowed = ("--allow", "callsheet", "--allow", str(cmd.root / "lxconfig.py"))
    assert cmd("sweep", "saved.yaml:C2", *allowed).out.startswith("2 trials, 2 to run")


ENV = """
    import json, os
    told = ("MLFLOW_EXPERIMENT", "MLFLOW_RUN", "MLFLOW_TRACKING", "LX", "WANDB_P")
    print(json.dumps({name: os.environ[name] for name in sorted(os.environ) if name.startswith(told)}))
"""


def test_the_settings_of_loggers_reach_the_command(example):
    cmd = example("sklearn")
    cmd.write("env.py", ENV)
    cmd("run", "lxconfig.py:C2", "hpg.l1_ratio=[0.5]", "Ru1.cmd=python env.py")
    assert json.loads(cmd.text("out.log")) == {
        "LX_EXPERIMENT_NAME": "m2test",
        "LX_LOGGERS": "mlflow",
        "MLFLOW_EXPERIMENT_NAME": "m2test",
        "MLFLOW_TRACKING_URI": "http://mlflow.default.svc.cluster.local:5000",
    }


@pytest.mark.parametrize(
    ("said", "database"), [("/tmp/here", "/tmp/here/mlflow.db"), ("tracked", "{root}/tracked/mlflow.db")]
)
def test_the_folder_of_mlflow_reaches_the_command(example, said, database):
    cmd = example("efnet")
    cmd.write("env.py", ENV)
    cmd("run", "documented.py:C1", "RC1.cmd=python env.py", f"HO1.mlflow_dir={said}")
    uri = json.loads(cmd.text("out.log"))["MLFLOW_TRACKING_URI"]
    assert uri == "sqlite:///" + database.format(root=cmd.root)


@dataclass
class HP:
    lr: float
    layers: int = 1
    names: list[str] = field(default_factory=list)


@dataclass
class Group:
    lr: list[float]
    layers: list[int]
    extra: str = "not taken"
    names: list[str] = field(default_factory=lambda: ["a", "b"])


def test_unroll_top_fields_gives_each_combination_of_lists():
    found = lx.unroll_top_fields(Group([0.1, 0.2], [1, 2]), HP)
    assert [(hp.lr, hp.layers) for hp in found] == [(0.1, 1), (0.1, 2), (0.2, 1), (0.2, 2)]
    assert found[0].names == ["a", "b"]
    assert told(lambda: lx.unroll_top_fields({"a": 1}, HP), SpecError) == (
        "unroll_top_fields takes an instance of a dataclass, found {'a': 1}"
    )


def test_rreplace_replaces_at_any_depth_and_leaves_the_other_as_it_was():
    loggers = lx.LoggerConfig(loggers=["mlflow"])
    before = lx.Resources(storage=lx.StorageDirs("/a"), loggers=loggers, build=lx.Build("net:1", []))
    after = lx.rreplace(before, {"loggers.mlflow.port": 3, "build": {"image_url": "net:2"}})
    nested = lx.rreplace(before, {"loggers": {"mlflow": {"port": 3}}, "build.image_url": "net:2"})
    assert (after.loggers.mlflow.port, after.build.image_url) == (3, "net:2")
    assert nested == after
    assert (before.loggers.mlflow.port, before.build.image_url) == (5000, "net:1")
    with pytest.raises(PathError, match="did you mean  loggers.mlflow.port"):
        lx.rreplace(before, {"loggers.mlflow.prot": 3})


def test_configurations_as_dicts_and_yaml():
    from callsheet.formats import yaml

    resources = lx.Resources(storage=lx.StorageDirs("/w", "/d", "/o"), k8=lx.K8Config())
    made = lx.to_dict(resources)
    assert made.storage.working.path == made["storage"]["working"]["path"] == "/w"
    assert made.k8.container_data_dir == "/data"
    assert yaml.read(lx.to_yaml(resources), "x.yaml") == json.loads(json.dumps(made))


def test_stores_are_absolute_and_known():
    dirs = lx.StorageDirs(working_dir="x")
    assert dirs.working_dir == str(Path("x").absolute())
    assert dirs.get_source_urls() == (dirs.working.url, dirs.data_dir, "/tmp/ltex")
    assert dirs.get_stores()[2].storage_type == "file"
    with pytest.raises(ValueError, match="found 's3'"):
        lx.Store("x", "s3")


def test_loggers_are_known_by_their_names():
    config = lx.LoggerConfig(loggers=["tbpt"], wandb=lx.WBConfig(WANDB_DIR="/w", mode="dryrun"))
    assert config.names == ["tb_pt", "wandb"]
    assert config.get_env("ex") == [
        ("WANDB_DIR", "/w"),
        ("WANDB_MODE", "offline"),
        ("LX_LOGGERS", "tb_pt,wandb"),
        ("LX_EXPERIMENT_NAME", "ex"),
    ]
    config.register_logger("trains")
    assert dict(config.get_env())["CLEARML_CONFIG_FILE"] == str(Path("trains.conf").absolute())
    assert told(lambda: lx.LoggerConfig(loggers=["mlflw"])).splitlines()[:2] == [
        "there is no logger 'mlflw'",
        "  did you mean  mlflow?",
    ]
    with pytest.raises(SpecError, match="no logger is named"):
        lx.LoggerConfig()


def test_load_config_finds_an_instance_and_takes_arguments(example):
    import argparse

    cmd = example("sklearn")
    config = lx.load_config(
        cmd.root, "C1", argparse.Namespace(**{"run.experiment_name": "new", "d": True, "hpg.alpha": None})
    )
    assert (config.run.experiment_name, config.hpg.alpha) == ("new", 0.05)
    with pytest.raises(PathError, match="it defines"):
        lx.load_config(cmd.root, "C3")


def test_parsed_arguments_and_parsers_become_templates(monkeypatch):
    import argparse

    monkeypatch.setattr("sys.argv", ["train.py"])
    args = argparse.Namespace(lr=0.1, name="x")
    assert lx.argparse_to_command(args) == "train.py --lr {{lr}} --name {{name}}"
    assert lx.argparse_to_command(args, add_placeholders=False, values_are_names=False) == "train.py --lr 0.1 --name x"
    parser = argparse.ArgumentParser(prog="train.py")
    parser.add_argument("--lr")
    assert lx.argparse_to_command(parser) == "python train.py --lr={{lr}}"


def test_what_there_is_no_engine_for_is_refused():
    with pytest.raises(RunError, match="swarm"):
        lx.dispatch_expts([], engine="swarm")


def test_a_value_of_the_document_cannot_make_another_word(example):
    cmd = example("efnet")
    config = load(cmd.root / "lxconfig.py").C1
    expt = replace(config, hp=replace(config.hp, model_name="a; rm -rf /")).get_experiments()[0]
    assert "-a 'a; rm -rf /' --pretrained" in render_command(expt)


def test_what_a_multi_logger_does_not_know_is_told(monkeypatch):
    monkeypatch.delenv("LX_LOGGERS", raising=False)
    logger = lx.MultiLogger(["wandb"])
    assert told(lambda: logger.log("wndb", "scalar", name="a", value=1)).splitlines()[:2] == [
        "there is no logger 'wndb'",
        "  did you mean  wandb?",
    ]
    with pytest.raises(SpecError, match="there is no ltype 'scalr'"):
        logger.log("wandb", "scalr", name="a", value=1)
    with pytest.raises(SpecError, match="set LX_LOGGERS"):
        lx.MultiLogger()


def test_a_terminal_logger_tells_each_note_as_a_line_on_stderr(capsys):
    handlers, logging.getLogger().handlers = logging.getLogger().handlers, []  # as where nobody has set up logging
    try:
        logger = lx.MultiLogger(["fslogger"], experiment_name="nets")
        logger.log("*", "hpdict", value={"lr": 0.1, "net": {"depth": 3}})
        logger.log("fslogger", "scalardict", value={"loss": 1 / 3, "acc": 0.5}, step=4)
        logger.log("*", "text", value="100% done")
        logger.log("*", "text", name="note", value="well")
        logger.log("*", "img", name="digit", img=[[0, 255], [128, 3], [1, 1]], step=2)
        logger.log("*", "1d", name="weights", value=[1.0, 2.0, 2.0], histogram=True)
        logger.end_run()
        single = lx.TerminalLogger(experiment_name="alone", C=lx.TermLogConfig(level=logging.INFO))
        single.print("hello")
        single.end_run()
        quiet = lx.TerminalLogger(experiment_name="quiet", C=lx.TermLogConfig(level=logging.WARNING))
        quiet.print("hello")
        quiet.end_run()
    finally:
        logging.getLogger().handlers = handlers
    lines = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines)
    assert [line[10:] for line in lines] == [
        "nets  lr 0.1  net.depth 3",
        "nets  step 4  loss 0.333333  acc 0.5",
        "nets  100% done",
        "nets  note: well",
        "nets  step 2  digit  image of 3 x 2",
        "nets  step 0  weights  3 values from 1 to 2",
        "alone  hello",
    ]


def test_a_terminal_logger_leaves_logging_to_whoever_has_set_it_up(caplog, capsys):
    logger = lx.TerminalLogger(experiment_name="mine")
    logger.log_scalar("loss", 0.25, step=1)
    logger.end_run()
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("mine", "step 1  loss 0.25")]
    assert capsys.readouterr().err == ""
