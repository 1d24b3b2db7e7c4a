"""What a run prints is kept as it comes, whoever prints it, and a terminal stays one (promises 22, 25)."""

import os
import pty
import select
import subprocess

import pytest

from command import until

LOUD = """
    import os, subprocess, sys

    def speak():
        print("python")
        print("to err", file=sys.stderr)
        os.write(1, b"C level\\n")
        os.write(2, b"C level err\\n")
        subprocess.run([sys.executable, "-c", "print('child')"])
        subprocess.run("echo shell; echo shell err >&2", shell=True)
        sys.stdout.write("no newline at the end")
"""
LOUD_CONF = "from callsheet import lazy\nfrom train import speak\nmain = lazy(speak)()\n"


def test_output_of_python_c_and_children_is_kept_and_shown(cmd):
    cmd.config(LOUD_CONF, train=LOUD)
    said = cmd("run", "conf.py")
    out, err = cmd.text("out.log"), cmd.text("err.log")
    assert sorted(out.split("\n")) == sorted(["python", "C level", "child", "shell", "no newline at the end"])
    assert err == "to err\nC level err\nshell err\n"
    assert said.out == f"{out}\nrecorded    runs/{cmd.ids()[0]}\n" or said.out.startswith(out)
    assert said.err == err


def test_a_worker_keeps_them_too(cmd):
    cmd.config(LOUD_CONF + "n = 1\n", train=LOUD)
    said = cmd("sweep", "conf.py", "n=1,2", "--slots", "1")
    for name in cmd.ids():
        assert cmd.text("out.log", name).split("\n") == ["python", "C level", "child", "shell", "no newline at the end"]
        assert cmd.text("err.log", name) == "to err\nC level err\nshell err\n"
    assert "python" not in said.out


WAITING = """
    import os, time

    def wait(flag: str):
        print("before")
        while not os.path.exists(flag):
            time.sleep(0.005)
        print("after")
"""


@pytest.mark.parametrize("verb", ["run", "sweep"])
def test_lines_are_in_the_file_as_they_come(cmd, verb):
    cmd.config("from callsheet import lazy\nfrom train import wait\nmain = lazy(wait)('flag')\n", train=WAITING)
    process = cmd.start(
        verb, "conf.py", *(["main.0=flag,flag"] if verb == "sweep" else []), env={"PYTHONUNBUFFERED": "1"}
    )
    seen = until(lambda: [log for log in cmd.runs.glob("*/out.log") if log.read_text() == "before\n"])
    cmd.write("flag", "")
    process.communicate()
    assert seen[0].read_text() == "before\nafter\n"


def at_terminal(cmd, *words):
    """What a command sends to a terminal of 100 columns, and its exit code."""
    ours, its = pty.openpty()
    subprocess.run(["stty", "cols", "100"], stdin=its, check=True)
    process = cmd.start(*words, stdin=its, stdout=its, stderr=its)
    os.close(its)
    seen = b""
    while True:
        select.select([ours], [], [])
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(ours)
    return seen.decode(), process.wait()


BAR = """
    import os, sys

    def fit():
        print("first", file=sys.stderr)
        print(f"out {sys.stdout.isatty()} err {sys.stderr.isatty()} columns {os.get_terminal_size(1).columns}")
        for n in range(3):
            print(f"\\r{n}/3", end="", flush=True)
        print()
"""


def test_at_a_terminal_a_program_finds_a_terminal_of_the_same_size_and_its_progress_bar_arrives(cmd):
    cmd.config("from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)()\n", train=BAR)
    seen, code = at_terminal(cmd, "run", "conf.py")
    assert code == 0
    assert "out True err True columns 100\r\n" in seen
    assert "\r0/3\r1/3\r2/3\r\n" in seen
    assert "first\r\n" in seen
    assert seen.splitlines()[-1].startswith("recorded")
    assert cmd.file("out.log").read_bytes() == b"out True err True columns 100\n\r0/3\r1/3\r2/3\n"
    assert cmd.text("err.log") == "first\n"


def test_without_a_terminal_there_is_none(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)()\n",
        train="import sys\ndef fit(): print(sys.stdout.isatty(), sys.stderr.isatty())\n",
    )
    assert cmd("run", "conf.py").out.startswith("False False\n")


def test_with_json_standard_output_holds_the_report_only(cmd):
    cmd.config(LOUD_CONF, train=LOUD)
    said = cmd("run", "conf.py", "--json")
    (name,) = cmd.ids()
    told = {"run": name, "directory": str(cmd.runs / name), "state": "done", "result": {}, "faults": []}
    assert said.data == told
    assert "child\n" in said.err
    assert "child\n" in cmd.text("out.log")


def test_much_output_is_kept_whole(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)()\n",
        train="def fit():\n    for n in range(40000): print(f'line {n}')\n",
    )
    said = cmd("run", "conf.py")
    assert cmd.text("out.log") == "".join(f"line {n}\n" for n in range(40000))
    assert said.out.startswith(cmd.text("out.log"))


def test_a_reader_that_has_gone_does_not_end_the_run(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)()\n",
        train="def fit():\n    for n in range(20000): print(f'line {n}')\n    return 1\n",
    )
    process = cmd.start("run", "conf.py")
    process.stdout.close()
    with process.stderr:
        err = process.stderr.read()
    process.wait()
    assert cmd.read("status.json")["state"] == "done"
    assert cmd.text("out.log").endswith("line 19999\n")
    assert err == ""


def test_a_child_that_outlives_the_run_does_not_hold_it_up(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)()\n",
        train="import subprocess\ndef fit():\n    print(subprocess.Popen(['sleep', '60']).pid)\n    return 1\n",
    )
    process = cmd.start("run", "conf.py")
    line = until(lambda: process.stdout.readline())
    status = until(lambda: process.poll() is not None and cmd.read("status.json"))
    assert status["state"] == "done"
    os.kill(int(line), 9)  # which it was not
    process.communicate()


TALKS = """
    import os, sys
    from pathlib import Path
    from callsheet.run._capture import tee

    with tee(*map(Path, sys.argv[1:])):
        for n in range(100):
            print(str(n) * 4096)
        print("the end")
    os.write(1, b"after")
"""


def test_a_full_disk_ends_no_run_and_is_told_once(cmd):
    cmd.write("talks.py", TALKS)
    said = cmd("/dev/full", str(cmd.root / "err.log"), module="talks")
    assert said.out.endswith("the end\nafter")
    assert len(said.out) > 4096 * 100
    assert said.err == "callsheet: full is cut short: No space left on device\n"
