"""`callsheet diff` tells what differs between configs, runs and parts of them (promise 17)."""

import json

import pytest

from callsheet import load, patch

LR = "optim.lr  0.001 → 0.003  conf.py:8 → command line\n"


@pytest.fixture
def listing(cmd):
    """A project with the config of the README."""
    return cmd.listing()


def test_one_config_is_compared_with_itself_as_overrides_change_it(listing):
    assert listing("diff", "conf.py", "optim.lr=3e-3", code=1).out == LR
    assert listing("diff", "conf.py", "epochs=8", "~optim.lr", code=1).out == (
        "epochs       5 → 8    conf.py:5 → command line\n"
        "optim.lr     - 0.001  conf.py:8\n"
        "main.epochs  5 → 8    conf.py:9\n"
    )


def test_two_configs_are_compared_and_overrides_change_the_second(listing):
    text = (listing.root / "conf.py").read_text()
    listing.write("other.py", text.replace("classes=10", "classes=3").replace("epochs = 5", "epochs = 7"))
    assert (
        listing("diff", "conf.py", "other.py", "epochs=5", code=1).out
        == "model.classes  10 → 3  conf.py:6 → other.py:6\n"
    )
    assert listing("diff", "conf.py:data", "other.py:data").out == "no changes\n"
    assert listing("diff", "conf.py", "conf.py").out == "no changes\n"


def test_runs_are_compared_with_the_origins_that_they_recorded(listing):
    listing("run", "conf.py")
    listing("run", "conf.py", "optim.lr=3e-3")
    one, two = listing.ids()
    assert listing("diff", one, two, code=1).out == LR
    assert listing("diff", f"{one}:optim", f"runs/{two}:optim", code=1).out == LR.replace("optim.lr", "lr")
    assert listing("diff", one, "conf.py").out == "no changes\n"
    assert listing("diff", "conf.py", two, code=1).out == LR


def test_a_target_that_is_swapped_is_told_with_the_origin_that_its_run_recorded(cmd):
    cmd.write("nets.py", "class SGD:\n def __init__(self, lr): pass\nclass Adam(SGD): pass\ndef go(optim): return {}\n")
    text = (
        "import nets\nfrom callsheet import lazy\noptim = lazy(nets.SGD)(lr=0.1)\nmain = lazy(nets.go)(optim=optim)\n"
    )
    cmd.write("conf.py", text)
    cmd("run", "conf.py")
    cmd("run", "conf.py", "optim=Adam")
    one, two = cmd.ids()
    swapped = "target(optim)  nets.SGD → nets.Adam  conf.py:3 → command line\n"
    assert cmd("diff", one, two, code=1).out == swapped
    assert cmd("diff", "conf.py", "optim=Adam", code=1).out == swapped
    assert cmd("diff", f"{one}:optim", f"{two}:optim", code=1).out == swapped.replace("target(optim)", "target()")


def test_a_run_without_references_is_compared_with_what_they_lead_to(listing):
    listing.write("task.py", "def go(**k): return 1\n")
    listing.write(
        "conf.py", "from callsheet import lazy\nfrom task import go\nseed = 3\nmain = lazy(go)(n='run-${seed}')\n"
    )
    listing("run", "conf.py")
    (run,) = listing.ids()
    assert listing("diff", run, "conf.py").out == "no changes\n"
    assert listing("diff", run, "conf.py", "seed=4", code=1).out == (
        "seed    3 → 4              conf.py:3 → command line\nmain.n  'run-3' → 'run-4'  conf.py:4\n"
    )


def test_the_data_of_a_diff_is_a_patch(listing, monkeypatch):
    said = listing("diff", "conf.py", "optim.lr=3e-3", "--json", code=1)
    assert said.data == [
        {
            "_type_": "callsheet:Change",
            "path": "optim.lr",
            "kind": "changed",
            "was": 0.001,
            "now": 0.003,
            "was_set_by": "conf.py:8",
            "now_set_by": "command line",
        }
    ]
    assert listing("diff", "conf.py", "conf.py", "--json").data == []
    monkeypatch.chdir(listing.root)
    (listing.root / "change.json").write_text(json.dumps(said.data))
    made = patch(load("conf.py"), load("change.json"))
    assert made == load("conf.py", ["optim.lr=3e-3"])


def test_what_is_wrong_ends_with_2(listing):
    listing("run", "conf.py")
    (run,) = listing.ids()
    usage = listing("diff", "conf.py", code=2).err
    assert usage.startswith(
        "callsheet: name two to compare, or one and overrides\n  callsheet diff conf.py PATH=VALUE\n"
    )
    assert "overrides change a config" in listing("diff", "conf.py", run, "epochs=3", code=2).err
    assert listing("diff", "conf.py", "nope.py", code=2).err == "callsheet: there is no file nope.py\n"
    assert listing("diff", "conf.py", "epohcs=3", code=2).err.startswith("callsheet: 1 fault\n  epohcs  is not there")
    assert listing("diff", "conf.py", "optim.lr=1,2", code=2).err.startswith(
        "callsheet: 1 fault\n  optim.lr  is a sweep"
    )
    listing.write("broken.py", "1 / 0\n")
    assert "ZeroDivisionError" in listing("diff", "conf.py", "broken.py", code=2).err


def test_nothing_is_built_or_imported(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom never import thing\nmain = lazy(thing)(a=1)\n", never="raise SystemExit(3)\n"
    )
    assert cmd("diff", "conf.py", "main.a=2", code=1).out == "main.a  1 → 2  conf.py:3 → command line\n"
