"""Every verb explains itself, and misuse ends with 2 (the command)."""

import pytest

VERBS = ["help", "show", "check", "run", "why", "sweep", "compare", "zoo", "completion", "init"]


def test_the_command_lists_its_verbs(cmd):
    said = cmd("--help")
    for verb in VERBS:
        assert f"\n  {verb} " in said.out
    assert "\n    callsheet run conf.py epochs=8 optim.lr=3e-3\n" in said.out
    assert cmd("-h").out == said.out
    assert max(map(len, said.out.splitlines())) <= 80
    assert cmd("--version").out.startswith("callsheet, version ")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_within_80_columns_and_an_example(cmd, verb):
    said = cmd(verb, "--help")
    assert said.out.startswith(f"Usage: callsheet {verb} ")
    assert f"\n  callsheet {verb} " in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_help_of_a_verb_is_what_the_verb_says_of_itself(cmd):
    assert cmd("help", "run").out == cmd("run", "--help").out


def test_a_misspelt_verb_is_answered_with_the_nearest(cmd):
    said = cmd("swep", code=2)
    assert (
        said.err
        == """\
callsheet: there is no verb 'swep'
  did you mean  callsheet sweep?
  Usage: callsheet [OPTIONS] VERB ...
  callsheet --help  tells more
"""
    )


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("check",),
        ("run", "conf.py", "--nothing"),
        ("sweep", "conf.py", "a=1,2", "--slots", "0"),
        ("sweep", "conf.py", "a=1,2", "--maximize", "a", "--minimize", "b"),
        ("compare", "--maximize", "a", "--minimize", "b"),
    ],
    ids=" ".join,
)
def test_misuse_ends_with_2_and_makes_nothing(cmd, words):
    said = cmd.listing()(*words, code=2)
    assert said.out == ""
    assert "Usage: callsheet" in said.err
    assert not cmd.runs.exists()
