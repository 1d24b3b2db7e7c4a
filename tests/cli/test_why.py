"""`callsheet why` tells who set a value, and what it replaced (promise 16)."""

import pytest


@pytest.fixture
def ran(cmd):
    """A project and the id of its run."""
    cmd.listing()("run", "conf.py", "epochs=8", "optim.lr=3e-3")
    return cmd, cmd.ids()[0]


def test_the_listing(ran):
    cmd, name = ran
    told = """\
0.003  command line  optim.lr=3e-3
0.001  conf.py:8     replaced
"""
    assert cmd("why", name, "optim.lr").out == told
    assert cmd("why", name[:4], "optim.lr").out == told
    assert cmd("why", f"runs/{name}", "optim.lr").out == told
    assert cmd("why", "conf.py", "optim.lr", "optim.lr=3e-3").out == told
    assert cmd("why", name, "optim.betas").out == "(0.9, 0.999)  default of train.Adam\n"
    assert cmd("why", name, "model.width").out == "64  conf.py:6\n"
    assert cmd("why", name, "optim.lr", "--json").data == [
        {"value": "0.003", "kind": "override", "where": "command line", "text": "optim.lr=3e-3"},
        {"value": "0.001", "kind": "file", "where": "conf.py:8", "text": ""},
    ]


def test_what_is_not_there_is_answered_with_what_is_near(ran):
    cmd, name = ran
    said = cmd("why", name, "optim.lrr", code=1)
    assert said.err == "callsheet: 1 fault\n  optim.lrr  is not there\n             did you mean  optim.lr?\n"
    assert cmd("why", "ffff00", "optim.lr", code=1).err == (
        f"callsheet: there is no run 'ffff00' in {cmd.runs}\n  there is 1 run: callsheet runs  lists it\n"
    )
    assert "overrides change a config" in cmd("why", name, "optim.lr", "optim.lr=1", code=2).err
    assert cmd("why", name, code=2).err.startswith("callsheet: missing argument 'PATH'\n")


def test_a_value_of_a_sweep_names_its_choice(cmd):
    cmd.listing()("sweep", "conf.py", "optim.lr=1e-2,3e-3", "--slots", "1")
    assert cmd("why", cmd.ids()[0], "optim.lr", "--json").data[0] == {
        "value": "0.01",
        "kind": "sweep",
        "where": "command line",
        "text": "optim.lr=1e-2",
    }


def test_a_value_that_a_space_varies_says_where_and_among_what(cmd):
    cmd.listing()
    cmd.write(
        "space.py",
        """
        from callsheet import choice, interval, lazy
        from train import Adam

        space = {
            "optim": choice(
                lazy(Adam)([1], lr=interval(1e-4, 1e-1, log=True), betas=choice((0.9, 0.99), (0.8, 0.9))),
            )
        }
        """,
    )
    cmd("sweep", "conf.py", "@space.py:space", "--trials", "1")
    (name,) = cmd.ids()
    lr = cmd.read("spec.json")["optim"]["lr"]
    assert cmd("why", name, "optim.lr").out.splitlines() == [
        f"{lr!s:<29}  command line  optim.lr={lr}",
        "tag(log,interval(0.0001,0.1))  space.py:6    replaced",
    ]
    assert "choice((0.9, 0.99), (0.8, 0.9))  space.py:6    replaced" in cmd("why", name, "optim.betas").out


def test_a_long_value_does_not_push_its_origin_out_of_sight(cmd):
    cmd.write("conf.py", f"names = {[f'name {n}' for n in range(20)]}\n")
    value, where = cmd.screen("why", "conf.py", "names").splitlines()
    assert (value[:17], where) == ("['name 0', 'name ", "  conf.py:1")


def test_the_chain_of_a_value_that_was_overridden_twice_and_of_what_stands_in_a_typed_one(cmd):
    cmd.config(
        """
        from callsheet import lazy
        hp = dict(lr=1, sizes=[1])
        held = [lazy(dict)(a=1)]
        main = lazy(dict)(held, lr=hp.lr)
        """
    )

    def why(path, *said):
        return [" ".join(line.split()) for line in cmd("why", "conf.py", path, *said).out.splitlines()]

    assert why("hp.lr", "hp.lr=2", "...lr=3") == [
        "3 command line ...lr=3",
        "2 command line hp.lr=2 replaced",
        "1 conf.py:2 replaced",
    ]
    assert why("hp.lr", "hp={lr: 2}", "hp.lr=3") == ["3 command line hp.lr=3", "2 command line replaced"]
    assert why("hp.sizes[0]", "hp.sizes+=[2]") == ["1 conf.py:2"]
    assert why("hp.sizes[1]", "hp.sizes+=[2]") == ["2 command line"]
    assert why("main[0][0].a", "held[0].a=2") == ["2 command line held[0].a=2", "1 conf.py:3 replaced"]
