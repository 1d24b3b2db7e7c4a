"""`callsheet show` prints a spec as it reads, and builds nothing (promises 16, 19)."""

import json

SPEC = """\
epochs = 5
model  = lazy(Net)(width=64, classes=10)
data   = lazy(digits)(batch_size=64, seed=0)
optim  = lazy(Adam)(ref(model).parameters(), lr=0.003)
main   = lazy(fit)(model, data, optim, epochs=5)
"""


def test_a_config_with_overrides_as_it_reads(cmd):
    assert cmd.listing()("show", "conf.py", "optim.lr=3e-3").out == SPEC
    assert cmd("show", "conf.py:model").out == "lazy(Net)(width=64, classes=10)\n"
    assert cmd("show", "conf.py:optim.lr").out == "0.001\n"
    assert not cmd.runs.exists()


def test_who_set_what(cmd):
    out = cmd.listing()("show", "conf.py", "epochs=8", "--origins").out
    rows = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert rows["epochs"].split(maxsplit=1) == ["8", "command line"]
    assert rows["optim.lr"].split() == ["0.001", "conf.py:8"]
    assert max(map(len, out.splitlines())) <= 80


def test_data_that_loads_back(cmd):
    data = cmd.listing()("show", "conf.py", "--json").data
    assert data["optim"]["lr"] == 0.001
    cmd.write("saved.json", json.dumps(data))
    assert cmd("show", "saved.json").out.replace("train.", "") == SPEC.replace("0.003", "0.001")


def test_the_spec_of_a_run(cmd):
    cmd.listing()("run", "conf.py", "optim.lr=3e-3")
    (name,) = cmd.ids()
    assert cmd("show", name).out == SPEC
    assert cmd("show", f"runs/{name}").out == SPEC
    assert cmd("show", f"runs/{name}/spec.json").out == SPEC
    assert "overrides change a config" in cmd("show", name, "epochs=3", code=2).err


def test_a_part_that_is_not_there_and_a_file_that_is_not_there(cmd):
    cmd.listing()
    assert "modle" in cmd("show", "conf.py:modle", code=1).err
    assert "nope.py" in cmd("show", "nope.py:model", code=1).err
    assert "no run 'nope'" in cmd("show", "nope", code=1).err


def test_a_long_spec_is_laid_out_within_80_columns(cmd):
    layers = ", ".join(f"lazy(dict)(width={n}, depth=3)" for n in range(12))
    cmd.write("conf.py", f"from callsheet import lazy\nmain = lazy(dict)(layers=[{layers}], name='net')\n")
    out = cmd("show", "conf.py").out
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("depth=3") == 12
