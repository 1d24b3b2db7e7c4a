"""`callsheet init digits` writes the files of the listing, and overwrites nothing."""

from importlib.resources import files


def test_the_files_are_written_and_checked_without_a_fault(cmd):
    said = cmd("init", "digits")
    assert said.out == "wrote conf.py\nwrote train.py\nnext: callsheet run conf.py\n"
    for name in ("conf.py", "train.py"):
        assert (cmd.root / name).read_text() == (files("callsheet") / "examples" / "digits" / name).read_text()
    assert "callsheet" not in (cmd.root / "train.py").read_text().lower().partition('"""')[2].partition('"""')[2]


def test_nothing_is_overwritten_and_nothing_half_written(cmd):
    cmd.write("train.py", "mine = 1\n")
    said = cmd("init", "digits", code=1)
    assert said.err == "callsheet: train.py would be overwritten\n  start in an empty folder, or  --into DIR\n"
    assert not (cmd.root / "conf.py").exists()
    assert (cmd.root / "train.py").read_text() == "mine = 1\n"
    assert cmd("init", "digits", "--into", "a/b").out.startswith("wrote a/b/conf.py\nwrote a/b/train.py\n")


def test_an_example_that_is_not_there_is_misuse(cmd):
    assert "'digits'" in cmd("init", "nothing", code=2).err
