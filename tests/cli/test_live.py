"""The table of a sweep at a terminal: as a person sees it, drawn by a real terminal's rules; plain lines elsewhere."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

import pyte
import pytest

from callsheet.cli._live import Row, laid_out
from command import Project, until

CONF = """
    from callsheet import lazy
    from train import fit

    main = lazy(fit)(n=1, fixed=7, dir="${run.dir}")
"""

TRAIN = """
    import json, os, time

    def fit(n: int, fixed: int, dir: str):
        with open(f"{dir}/metrics.jsonl", "w") as file:
            file.write(json.dumps({"step": n, "steps": 40, "loss": 1 / n}) + "\\n" + '{"step": 39, "half')
        while not (os.path.exists("go") or os.path.exists(f"go{n}")):
            time.sleep(0.01)
        if n == 3:
            raise ValueError("no good")
        return {"loss": 1 / n}
"""

ANEW = b"\r\x1b[2K"
"""How a table begins to be drawn anew."""


@pytest.fixture
def open_terminal():
    """Opens a terminal; what still runs there when the test has ended is ended."""
    opened = []

    def terminal(cmd, *words, **options):
        opened.append(Terminal(cmd, *words, **options))
        return opened[-1]

    yield terminal
    for shown in opened:
        if shown.process.poll() is None:
            shown.process.send_signal(signal.SIGINT)
            shown.process.wait()


class Terminal:
    """A command at a terminal, and what its screen shows."""

    def __init__(self, cmd: Project, *words: str, columns: int = 80, rows: int = 24, **env: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = {"COLUMNS": "", "FORCE_COLOR": "", "NO_COLOR": "", "TERM": "xterm-256color", **env}
        self.process = cmd.start(*words, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._unfinished = b""
        self.written = b""
        self.is_open = True

    def look(self) -> list[str]:
        """The lines on the screen, never a table that is half drawn; times and ids masked, columns two spaces apart."""
        if self.is_open and select.select([self._ours], [], [], 0.05)[0]:
            try:
                data = os.read(self._ours, 65536)
            except OSError:
                data = b""
            self.is_open = bool(data)
            self.written += data
            data = self._unfinished + data
            # A table that begins here may go on in the next read: it is drawn when another begins, or at the end.
            whole = data.rfind(ANEW) if self.is_open and ANEW in data else len(data)
            self._unfinished = data[whole:]
            self._stream.feed(data[:whole])
        shown = "\n".join(line.rstrip() for line in self._screen.display).rstrip()
        shown = re.sub(r"\b[0-9a-f]{6}\b", "IDIDID", re.sub(r"\d:\d\d", "0:00", shown))
        shown = re.sub(r"(, about 0:00 left|, 0:00 left)", "", shown)
        return re.sub(r"(?<=\S) {2,}", "  ", shown).split("\n")

    def until(self, *lines: str) -> list[str]:
        """Wait until all of some lines are on the screen; gives the screen."""
        return until(lambda: set(lines) <= set(shown := self.look()) and shown)

    def end(self) -> list[str]:
        """The screen when the command has ended."""
        until(lambda: self.look() and not self.is_open)
        self.process.wait()
        os.close(self._ours)
        return self.look()


def test_it_shows_what_runs_and_how_far_it_is_what_has_ended_and_the_best(cmd, open_terminal):
    cmd.config(CONF, train=TRAIN)
    words = ("sweep", "conf.py", "main.n=1,2,3,10", "main.fixed=8", "--slots", "2", "--minimize", "loss")
    shown = open_terminal(cmd, *words)
    assert shown.until(
        "main.n=1  running  1/40  loss 1  0:00",
        "main.n=2  running  2/40  loss 0.5  0:00",
    ) == [
        "4 trials, 4 to run, 2 at a time",
        "main.n=1  running  1/40  loss 1  0:00",
        "main.n=2  running  2/40  loss 0.5  0:00",
        "0 of 4 done, 2 running  0:00",
    ]
    cmd.write("go1", "")
    cmd.write("go3", "")
    shown.until("main.n=10  running  10/40  loss 0.1  0:00")
    cmd.write("go", "")
    last = shown.end()
    assert last[:3] == [
        "4 trials, 4 to run, 2 at a time",
        "IDIDID  main.n=3 main.fixed=8  failed: ValueError: no good",
        "          its output: runs/IDIDID/err.log",
    ]
    assert sorted(last[3:6]) == [
        "main.n=1  done  IDIDID  loss 1  0:00",
        "main.n=10  done  IDIDID  loss 0.1  0:00",
        "main.n=2  done  IDIDID  loss 0.5  0:00",
    ]
    assert last[6:] == ["3 of 4 done, 1 failed  0:00", "best  IDIDID  loss 0.1  main.n=10 main.fixed=8"]
    assert shown.process.returncode == 1


def test_on_a_narrow_terminal_a_trial_takes_two_lines(cmd, open_terminal):
    cmd.config(CONF, train=TRAIN.replace('"steps": 40, ', ""))
    shown = open_terminal(cmd, "sweep", "conf.py", "main.n=1,3", "--slots", "2", "--minimize", "loss", columns=40)
    both = shown.until("  running  step 1  loss 1  0:00", "  running  step 3  loss 0.3333  0:00")
    assert both[1:] == [
        "main.n=1",
        "  running  step 1  loss 1  0:00",
        "main.n=3",
        "  running  step 3  loss 0.3333  0:00",
        "0 of 2 done, 2 running",
        "0:00",
    ]
    cmd.write("go3", "")
    shown.until("  failed: ValueError: no good")
    cmd.write("go", "")
    assert shown.end()[1:] == [
        "IDIDID",
        "  main.n=3",
        "  failed: ValueError: no good",
        "  its output: runs/IDIDID/err.log",
        "main.n=1",
        "  done  IDIDID  loss 1  0:00",
        "1 of 2 done, 1 failed",
        "0:00",
        "best  IDIDID  loss 1  main.n=1",
    ]


def test_interrupted_it_leaves_the_last_state_to_be_read(cmd, open_terminal):
    cmd.config(CONF, train=TRAIN)
    cmd.write("go1", "")
    shown = open_terminal(cmd, "sweep", "conf.py", "main.n=1,2,4", "--slots", "1")
    shown.until("main.n=2  running  2/40  loss 0.5  0:00")
    shown.process.send_signal(signal.SIGINT)
    assert shown.end() == [
        "3 trials, 3 to run, 1 at a time",
        "main.n=1  done  IDIDID  loss 1  0:00",
        "1 of 3 done, cancelled  0:00",
        "",
        "cancelled  1 of 3 trials are done; the same command goes on",
    ]
    assert shown.process.returncode == 130
    assert shown.written.rstrip().endswith(b"the same command goes on")
    assert b"\x1b[?25h" in shown.written  # the cursor is there again


def test_of_ten_thousand_trials_it_shows_those_that_run_and_the_last_few(cmd, open_terminal):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=1)\n",
        train="def fit(n: int): return n\n",
    )
    shown = open_terminal(cmd, "sweep", "conf.py", "main.n=range(10000)", "--warm", rows=10)
    until(lambda: any(re.match(r"\d\d+ of 10000 done", line) for line in shown.look()))
    for _ in range(20):
        lines = shown.look()
        assert lines[0] == "10000 trials, 10000 to run, 2 at a time"
        assert len([line for line in lines if "  done  " in line]) <= 4
        assert len([line for line in lines if "  running  " in line]) <= 2
        assert lines[-1] == "" or re.match(r"\d+ of 10000 done", lines[-1])
    shown.process.send_signal(signal.SIGINT)
    assert re.match(r"cancelled  \d+ of 10000 trials are done; the same command goes on", shown.end()[-1])


def test_without_colours_it_is_a_table_all_the_same(cmd, open_terminal):
    cmd.config(CONF, train=TRAIN)
    cmd.write("go", "")
    shown = open_terminal(cmd, "sweep", "conf.py", "main.n=1,2", NO_COLOR="1")
    assert shown.end()[-1] == "2 of 2 done  0:00"
    assert b"\x1b[?25l" in shown.written
    assert re.findall(rb"\x1b\[3\dm", shown.written) == []


@pytest.mark.parametrize("how", ["pipe", "dumb", "without rich"])
def test_elsewhere_it_is_plain_lines(cmd, open_terminal, how):
    cmd.config(CONF, train=TRAIN)
    cmd.write("go", "")
    words = ("sweep", "conf.py", "main.n=1,2", "--slots", "1")
    expected = ["2 trials, 2 to run, 1 at a time", "IDIDID  main.n=1  loss 1", "IDIDID  main.n=2  loss 0.5"]
    if how == "pipe":
        out = cmd(*words, env={"FORCE_COLOR": "1"}).out
        assert re.sub(r"\b[0-9a-f]{6}\b +", "IDIDID  ", out).splitlines() == expected
        return
    cmd.write("own/sitecustomize.py", "import sys\nsys.modules['rich'] = None\n")
    path = os.pathsep.join([str(cmd.root / "own"), os.environ.get("PYTHONPATH", "")])
    more = {"TERM": "dumb"} if how == "dumb" else {"PYTHONPATH": path}
    shown = open_terminal(cmd, *words, **more)
    assert shown.end() == expected
    assert b"\x1b" not in shown.written


@pytest.mark.parametrize("width", [40, 41, 71, 72, 80, 200])
def test_no_line_is_longer_than_there_are_columns_whatever_it_says(width):
    from rich.cells import cell_len

    row = Row("model=" + "解像度" * 30, "cancelled", "loss 0.5  " * 20, "10:00:00, 12:00:00 left")
    lines = laid_out(row, width, [row.name, "a"])
    assert [cell_len("".join(part for part, _ in line)) for line in lines] == [width] * len(lines)
