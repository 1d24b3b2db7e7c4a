"""Every command takes a config of YAML, TOML or JSON as it takes one of Python (promises 8, 12, 16)."""

import pytest

CONF = {
    "conf.yaml": """\
epochs: 5
model: &model
  _target_: train.Net
  width: 64
optim:
  _target_: train.Adam
  _args_: [{_ref_: model, _then_: [[attr, parameters], [call, [], {}]]}]
  lr: 1e-3
main: {_target_: train.fit, model: *model, data: 1, optim: '${optim}', epochs: '${epochs}'}
""",
    "conf.toml": """\
epochs = 5
[model]
_target_ = "train.Net"
width = 64
[optim]
_target_ = "train.Adam"
_args_ = [{_ref_ = "model", _then_ = [["attr", "parameters"], ["call", [], {}]]}]
lr = 1e-3
[main]
_target_ = "train.fit"
model = {_same_ = "model"}
data = 1
optim = "${optim}"
epochs = "${epochs}"
""",
    "conf.json": """\
{"epochs": 5,
 "model": {"_target_": "train.Net",
   "width": 64},
 "optim": {"_target_": "train.Adam",
   "_args_": [{"_ref_": "model", "_then_": [["attr", "parameters"], ["call", [], {}]]}],


   "lr": 1e-3},
 "main": {"_target_": "train.fit", "model": {"_same_": "model"}, "data": 1, "optim": "${optim}", "epochs": "${epochs}"}}
""",
}
LINES = {"conf.yaml": "conf.yaml:8", "conf.toml": "conf.toml", "conf.json": "conf.json:8"}


@pytest.fixture(params=CONF)
def config(request, cmd):
    """A project's command, and a config of each format in it."""
    cmd.listing()
    cmd.write(request.param, CONF[request.param])
    return cmd, request.param


def test_show_prints_it_with_origins(config):
    cmd, name = config
    assert "epochs = 8\n" in cmd("show", name, "epochs=8").out
    rows = dict(line.split()[::2] for line in cmd("show", name, "--origins").out.splitlines() if len(line.split()) == 3)
    assert rows["optim.lr"] == LINES[name]


def test_check_asks_who_may_be_imported(config):
    cmd, name = config
    assert cmd("check", name, "--allow", "train").out == f"{name}: 3 calls, no faults\n"
    said = cmd("check", name, "optim.lr=x", "--allow", "train", code=1)
    assert "optim.lr  must be float, found 'x'" in said.err
    assert "--allow train" in cmd("check", name, code=1).err


def test_run_why_sweep_and_compare(config):
    cmd, name = config
    cmd("run", name, "epochs=2", "--allow", "train")
    (run,) = cmd.ids()
    assert cmd.read("result.json", run)["loss"] == 1 / 128
    assert cmd("why", run, "optim.lr").out == f"0.001  {LINES[name]}\n"
    assert cmd("why", name, "optim.lr", "optim.lr=3e-3").out == (
        f"0.003  command line{' ' * (len(LINES[name]) - 12)}  optim.lr=3e-3\n"
        f"0.001  {LINES[name]:12}  replaced\n"
    )  # fmt: skip
    said = cmd("sweep", name, "epochs=2", "optim.lr=1e-3,3e-3", "--allow", "train")
    assert said.out.startswith("2 trials, 1 done before, 1 to run")
    listed = cmd("compare").out
    assert [run for run in cmd.ids() if run not in listed] == []


def test_a_sweep_over_data_draws_again_when_the_file_has_changed(config):
    cmd, name = config
    cmd("sweep", name, "epochs=1,2", "--allow", "train")
    cmd.write(name, CONF[name].replace("64", "32"))
    assert cmd("sweep", name, "epochs=1,2", "--allow", "train").out.startswith("2 trials, 2 to run")
