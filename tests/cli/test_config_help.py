"""`callsheet help` tells what a config takes: values, types, choices, origins, what is said about them (the command)."""

from __future__ import annotations

import pytest

TRAIN = '''
    from dataclasses import dataclass
    from typing import Literal


    class Net:
        """A network of one layer.

        Args:
            width: How many units
                it has.
            mode (str, optional): What it is trained for.
        """

        def __init__(self, width: int, mode: Literal["fast", "slow"] = "fast", bias: bool = True): ...


    def sgd(params: list, lr: float = 0.1, momentum=0.0):
        """Go down.

        Parameters
        ----------
        lr : float
            The step.
        momentum
            What stays of the last one.

        Returns
        -------
        lr : no parameter
        """
'''
CONF = """
    from callsheet import lazy, ref
    from train import Net, sgd

    epochs = 5
    model = lazy(Net)(width=64)
    main = {"net": model, "optim": lazy(sgd)(ref(model).width), "names": ["a b", "c"]}
"""


@pytest.fixture
def known(cmd, tmp_path):
    """A project whose config was checked once, and whose `train` may not be imported any more."""
    cmd.config(CONF, train=TRAIN)
    cmd("check", "conf.py", env={"CALLSHEET_CACHE": str(tmp_path / "cache")})

    def help_of(*words, code=0, **env):
        return cmd(*words, code=code, env={"CALLSHEET_CACHE": str(tmp_path / "cache"), **env})

    return help_of


def test_it_tells_values_types_choices_origins_and_descriptions(known):
    said = known("help", "conf.py", "model.mode=slow", "main.optim.lr=1")
    assert (
        said.out
        == """\
  epochs=5                                     conf.py:4

model: Net
A network of one layer.
  model.width=64                  int          conf.py:5
      How many units it has.
  model.mode=slow                 fast | slow  command line, was fast
      What it is trained for.
  model.bias=true                 bool         default

main
  main.net=model                               conf.py:6
  main.names=['a b',c]                         conf.py:6

main.optim: sgd
Go down.
  main.optim[0]=ref(model).width  list         conf.py:6
      params
  main.optim.lr=1                 float        command line, was 0.1
      The step.
  main.optim.momentum=0.0                      default
      What stays of the last one.
"""
    )
    assert said.err == ""


def test_a_part_can_be_asked_for(known):
    said = known("help", "conf.py:model", "model.width=3")
    assert said.out.startswith("model: Net\nA network of one layer.\n  model.width=3 ")
    assert "epochs" not in said.out


def test_the_help_of_a_verb_behind_a_config_is_that_of_the_config(known):
    asked = known("run", "conf.py", "model.width=3", "--runs", "x", "--help").out
    assert asked == known("help", "conf.py", "model.width=3").out + "\nThe options of the verb:  callsheet run --help\n"
    assert known("run", "--help").out.startswith("Usage: callsheet run ")


def test_without_what_check_has_read_types_are_unknown_and_nothing_is_imported(cmd, tmp_path):
    cmd.config(CONF, train="raise RuntimeError('imported')")
    said = cmd("help", "conf.py:model", env={"CALLSHEET_CACHE": str(tmp_path / "cache")})
    assert (
        said.out
        == """\
model: Net
types unknown here: callsheet check reads and remembers them
  model.width=64  conf.py:5
"""
    )


def test_what_is_wrong_with_the_words_comes_after_the_help_of_the_rest(known):
    said = known("help", "conf.py", "modle.width=3", "epochs=7", "x", code=1)
    assert "  epochs=7 " in said.out
    assert "modle" in said.err
    assert "did you mean  model" in said.err
    assert "'x' is not an override" in said.err


def test_what_must_be_given_is_marked(cmd):
    cmd.config("from callsheet import MISSING, lazy\nmodel = lazy(dict)(width=MISSING)\nseed = MISSING\n")
    said = cmd("help", "conf.py")
    assert "  seed=…         required  conf.py:3\n\nmodel: dict\n  model" in said.out
    assert "  model.width=…  required  conf.py:2\n" in said.out


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_lines_keep_to_the_terminal(known, columns):
    said = known("help", "conf.py", "model.mode=slow", COLUMNS=str(columns))
    assert max(map(len, said.out.splitlines())) <= columns
    for word in ("command line, was fast", "What it is trained for.", "conf.py:5"):
        assert word in said.out


def test_a_data_file_is_told_like_a_config(cmd):
    cmd.write("conf.yaml", "model:\n  _target_: train:Net\n  width: 8\nseed: 1\n")
    said = cmd("help", "conf.yaml", "seed=2")
    assert "  seed=2         command line, was 1\n" in said.out
    assert "model: Net\n" in said.out
    assert "  model.width=8  conf.yaml:3\n" in said.out


def test_errors_of_the_config_are_told_as_by_the_other_verbs(cmd):
    cmd.config("import nothing_like_it\nnothing_like_it.x()\n")
    assert cmd("help", "conf.py", code=1).err == cmd("show", "conf.py", code=1).err
    assert cmd("help", "cnf.py", code=1).err == "callsheet: there is no file cnf.py\n  did you mean  conf.py?\n"


@pytest.mark.parametrize("words", [("help",), ("help", "conf.py", "--nothing")], ids=" ".join)
def test_misuse_ends_with_2(cmd, words):
    said = cmd.listing()(*words, code=2)
    assert said.out == ""
    assert "\n  Usage: callsheet help " in said.err
