"""`callsheet zoo` lists, shows and copies what is published, and runs nothing of it."""

import hashlib
import json
import os

import pytest

RAW = b"weights"
SHA256 = hashlib.sha256(RAW).hexdigest()
CARD = f"""
    description = "Handwritten digits of eight by eight pixels, by a network that is small enough for a lap"
    licence = "Apache-2.0"
    config = "config.json"
    weights = "w.safetensors"
    weights_sha256 = "{SHA256}"

    [metrics]
    accuracy = 0.97512

    [defaults."train.Net"]
    act = "'relu'"
    classes = "10"
"""


@pytest.fixture
def shelf(cmd):
    """A project with a zoo of one entry, and one that is code."""
    cmd.write("zoo/small/card.toml", CARD)
    cmd.write("zoo/small/config.json", '{"_target_": "train:Net", "width": 32}')
    (cmd.root / "zoo/small/w.safetensors").write_bytes(RAW)
    cmd.write("zoo/code/card.toml", 'description = "Code."\nlicence = "MIT"\nconfig = "config.py"\n')
    cmd.write("zoo/code/config.py", "raise SystemExit('it ran')\n")
    return cmd


def test_the_entries_of_a_folder_are_listed_within_the_width_of_the_terminal(shelf):
    assert (
        shelf("zoo", "list", "./zoo").out
        == """\
./zoo/code                             MIT         Code.
./zoo/small  accuracy 0.9751  weights  Apache-2.0  Handwritten digits of eigh...
"""
    )


def test_an_entry_is_shown_without_being_run(shelf):
    assert (
        shelf("zoo", "show", "./zoo/small").out
        == f"""\
description  Handwritten digits of eight by eight pixels, by a network that is small enough for a lap
licence      Apache-2.0
metrics      accuracy 0.9751
weights      w.safetensors
             SHA-256 {SHA256}
defaults     train.Net: act='relu', classes=10

lazy(Net)(width=32)
"""
    )
    assert shelf("zoo", "show", "./zoo/code").out.endswith("\n\nraise SystemExit('it ran')\n")


def test_an_entry_is_copied_and_its_config_can_be_used(shelf):
    shelf.write("train.py", "def Net(width: int): ...\n")
    assert (
        shelf("zoo", "copy", "./zoo/small").out
        == """\
wrote small/card.toml
wrote small/config.json
wrote small/w.safetensors
"""
    )
    assert (shelf.root / "small/w.safetensors").read_bytes() == RAW
    shelf("check", "small/config.json", "--allow", "train")
    said = shelf("zoo", "copy", "./zoo/small", code=1)
    assert said.err == "callsheet: small is there already\n  name a folder that is not\n"
    assert shelf("zoo", "copy", "./zoo/code", "here/too").out == "wrote here/too/card.toml\nwrote here/too/config.py\n"


def test_a_faulty_card_does_not_hide_the_others(shelf):
    shelf.write("zoo/broken/card.toml", 'description = "A"\nlicence = 3\n')
    said = shelf("zoo", "list", "./zoo", code=1)
    assert [line.split()[0] for line in said.out.splitlines()] == ["./zoo/code", "./zoo/small"]
    assert (
        said.err
        == """\
callsheet: 2 faults
  config   is missing                                 zoo/broken/card.toml
  licence  must be a text, found 3                    zoo/broken/card.toml:2
"""
    )
    data = shelf("zoo", "list", "./zoo", "--json", code=1).data
    assert sorted(data["entries"]) == ["./zoo/code", "./zoo/small"]
    assert data["entries"]["./zoo/small"]["metrics"] == {"accuracy": 0.97512}
    assert [fault["path"] for fault in data["faults"]] == ["config", "licence"]


def test_what_is_not_there_says_what_to_do(cmd):
    said = cmd("zoo", "list", code=1)
    assert (
        said.err
        == "callsheet: no installed package publishes a config\n  callsheet zoo list ./FOLDER  lists a folder\n"
    )
    assert cmd("zoo", "list", "./zoo", code=1).err == "callsheet: there is no folder zoo\n"
    (cmd.root / "zoo").mkdir()
    assert cmd("zoo", "list", "./zoo", code=1).err == "callsheet: ./zoo has no entries\n"
    said = cmd("zoo", "show", "./zoo/small", "--json", code=1)
    assert json.loads(said.out)["faults"][0]["problem"] == "there is no entry ./zoo/small"


@pytest.mark.parametrize("words", [("lst",), ("show",), ("copy",), ("list", "a", "b")], ids=" ".join)
def test_misuse_ends_with_2(cmd, words):
    assert "Usage: callsheet zoo" in cmd("zoo", *words, code=2).err


@pytest.mark.parametrize("verb", ["list", "show", "copy"])
def test_each_part_has_help_and_an_example(cmd, verb):
    said = cmd("zoo", verb, "--help")
    assert f"\n  callsheet zoo {verb}" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_what_others_wrote_cannot_command_the_terminal(shelf):
    card = 'description = "red \\u001b[31m"\nlicence = "MIT"\nconfig = "config.py"\n'
    shelf.write("zoo/code/card.toml", card)
    (shelf.root / "zoo/code/config.py").write_text("# \x1b[2J gone\n")
    for words in (("list", "./zoo"), ("show", "./zoo/code")):
        said = shelf("zoo", *words).out
        assert "red \\x1b[31m" in said
        assert "\x1b" not in said
    assert "# \\x1b[2J gone" in shelf("zoo", "show", "./zoo/code").out


def test_a_package_that_is_broken_does_not_hide_the_others(shelf):
    for name, module in (("good", "nets_of"), ("bad", "nowhere")):
        info = shelf.root / f"site/{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[callsheet.zoo]\n{name} = {module}.entries\n")
    (shelf.root / "zoo").rename(shelf.root / "entries")
    (shelf.root / "site/nets_of").mkdir()
    (shelf.root / "entries").rename(shelf.root / "site/nets_of/entries")
    (shelf.root / "site/nets_of/__init__.py").write_text("raise RuntimeError\n")
    env = {"PYTHONPATH": f"{shelf.root}/site:{os.environ.get('PYTHONPATH', '')}"}
    said = shelf("zoo", "list", code=1, env=env)
    assert [line.split()[0] for line in said.out.splitlines()] == ["good/code", "good/small"]
    assert said.err.startswith("callsheet: the zoo 'bad' should lie in 'nowhere.entries', which is no folder")
