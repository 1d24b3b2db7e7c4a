"""What may happen while a sweep runs: nothing finished is lost or run twice, nothing unfinished is called done (21)."""

import contextlib
import fcntl
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import termios
import textwrap
import time

import pytest

from callsheet.run._store import Store
from command import Project, is_alive, until

CONF = "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1, dir='${run.dir}')\n"
TRAIN = """
    import os, time

    def fit(n: int, dir: str, size: int = 0, pause: float = 0):
        with open("log", "a") as file:
            file.write(f"begin {n} {os.getpid()} {dir}\\n")
        if size:
            with open(os.path.join(dir, "big"), "wb") as file:
                file.write(bytes(size))
        time.sleep(pause)
        with open("log", "a") as file:
            file.write(f"end {n} {os.getpid()} {dir}\\n")
        return n
"""


@pytest.fixture
def cmd(tmp_path):
    project = Project(tmp_path)
    project.config(CONF, train=TRAIN)
    return project


def logged(cmd, word):
    """The further words of the log's lines that begin with a word."""
    path = cmd.root / "log"
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [rest for first, *rest in lines if first == word]


def finished(cmd):
    """The results of the runs that are done, as their own records have them."""
    return sorted(run.result["result"] for run in Store(cmd.runs).runs() if run.state == "done")


def ends_well(cmd, words, count):
    """The same command, until nobody runs any more, does the rest; each trial is done once, and once more does nothing."""
    cmd(*words)
    assert finished(cmd) == list(range(1, count + 1))
    assert cmd(*words).out == f"{count} trials, {count} done before\n"


def spread(count):
    return "main.0=" + ",".join(str(n) for n in range(1, count + 1))


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_moments_parents_workers_or_both(cmd, seed):
    draw, count, kills = random.Random(seed), 10, 0
    words = ("sweep", "conf.py", spread(count), "--slots", "2")
    cmd.config(CONF.replace("dir=", "pause=0.3, dir="), train=TRAIN)
    for _ in range(5):
        process = cmd.start(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(draw.uniform(0.4, 1.1))
        if draw.random() < 0.7:
            workers = [int(pid) for _, pid, _ in logged(cmd, "begin") if is_alive(int(pid))]
            for pid in draw.sample(workers, min(len(workers), draw.choice((1, 2)))):
                os.killpg(pid, signal.SIGKILL)
                kills += 1
        if draw.random() < 0.7:
            process.kill()
            kills += 1
        else:
            process.send_signal(signal.SIGTERM)
        process.wait()
    ends_well(cmd, words, count)
    ends = [n for n, *_ in logged(cmd, "end")]
    # A worker that was killed between its function's end and its record has run it in vain: it was not called done.
    repeated = len(ends) - len(set(ends))
    print(f"seed {seed}: {kills} kills, {count} trials, 0 lost, {repeated} run to their end once more")
    assert repeated <= kills


def test_two_sweeps_on_one_directory_of_which_one_is_killed(cmd):
    words = ("sweep", "conf.py", spread(8), "--slots", "2")
    one, two = (cmd.start(*words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2))
    until(lambda: logged(cmd, "end"))
    one.kill()
    one.communicate()
    assert (two.communicate()[1], two.returncode) == ("", 0)
    ends_well(cmd, words, 8)
    assert sorted(int(n) for n, *_ in logged(cmd, "end")) == list(range(1, 9))


HALF = '{\n "state": "do'


DAMAGES = (HALF, "", "\0\xff garbage", "[1]", '{"state": "splendid"}', '{"state": "done', None)


def test_a_damaged_status_is_no_end(cmd):
    words = ("sweep", "conf.py", spread(len(DAMAGES) + 1))
    cmd(*words)
    *damaged, whole = cmd.ids()
    for run, damage in zip(damaged, DAMAGES, strict=True):
        status = cmd.file("status.json", run)
        if damage is None:
            status.unlink()
            status.mkdir()
        else:
            status.write_bytes(damage.encode("latin-1"))
    said = cmd(*words)
    assert said.out.startswith("8 trials, 1 done before, 7 to run")
    assert finished(cmd) == [*range(1, 9)]
    assert cmd.read("status.json", whole)["attempt"] == 1


def test_a_damaged_record_is_no_end(cmd):
    words = ("sweep", "conf.py", "main.0=1,2")
    cmd(*words)
    cmd.file("run.json", cmd.ids()[0]).write_text("{")
    assert cmd(*words).out.startswith("2 trials, 1 done before, 1 to run")
    assert finished(cmd) == [1, 2]


def test_a_clock_that_jumps_back_by_years(cmd, tmp_path_factory):
    words = ("sweep", "conf.py", spread(3), "--slots", "1")
    process = cmd.start(*words)
    until(lambda: len(logged(cmd, "end")) >= 1)
    process.kill()
    process.communicate()
    folder = tmp_path_factory.mktemp("early")
    (folder / "sitecustomize.py").write_text(textwrap.dedent(EARLY))
    early = {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
    said = cmd(*words, "--timeout", "1", env=early)
    assert "failed" not in said.out
    assert finished(cmd) == [1, 2, 3]
    years = {json.loads(path.read_text())["started"][:4] for path in cmd.runs.glob("*/status.json")}
    assert "1999" in years  # the clock was back, and they were recorded so
    assert len(years) == 2
    assert cmd(*words).out == "3 trials, 3 done before\n"


EARLY = """
    import datetime

    class Early(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz).replace(year=1999)

    datetime.datetime = Early
"""


def heeding():
    """Let a child heed the end of its terminal, also where these tests do not, under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_told_to_end_it_ends_all_its_processes_and_says_how_to_go_on(cmd, number, code):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n",
        train="""
        import os, subprocess, sys, time

        def fit(n: int):
            if os.path.exists("go"):
                return n
            deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
            children = [
                subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, process_group=group)
                for group in (None, 0)
            ]
            for child in children:
                child.stdout.readline()
            with open("pids", "a") as file:
                file.write(" ".join(map(str, (os.getpid(), *(child.pid for child in children)))) + "\\n")
            time.sleep(600)
        """,
    )
    words = ("sweep", "conf.py", "main.0=1,2,3", "--slots", "2")
    process = cmd.start(*words, preexec_fn=heeding)
    path = cmd.root / "pids"
    pids = until(lambda: path.exists() and len(found := path.read_text().split()) == 6 and [*map(int, found)])
    process.send_signal(number)
    _, err = process.communicate()
    assert (process.returncode, err) == (code, "\ncancelled  0 of 3 trials are done; the same command goes on\n")
    assert [pid for pid in pids if is_alive(pid)] == []
    cmd.write("go", "")
    ends_well(cmd, words, 3)


SLEEPS = """
    import os, subprocess, sys, time

    def fit(seconds: float):
        print("begun", flush=True)
        open("pid", "w").write(str(os.getpid()))
        time.sleep(seconds)

    if __name__ == "__main__":
        fit(600)
"""
CALL = "from callsheet import lazy\nfrom sleeps import fit\nmain = lazy(fit)(600)\n"
COMMAND = "from callsheet.run import Command\nmain = Command('python sleeps.py')\n"


@pytest.mark.parametrize(("main", "words"), [(CALL, ("run",)), (COMMAND, ("run",)), (CALL, ("run", "--on", "process"))])
def test_when_its_terminal_is_closed_a_run_ends_and_says_so(cmd, main, words):
    cmd.config(main, sleeps=SLEEPS)
    ours, theirs = os.openpty()

    def take_terminal():
        heeding()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    process = cmd.start(
        *words, "conf.py", stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take_terminal, env={"TERM": "xterm"}
    )
    os.close(theirs)
    path = cmd.root / "pid"
    pid = int(until(lambda: path.exists() and path.read_text()))
    os.close(ours)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGHUP)  # as the shell does, too
    process.wait()
    assert not is_alive(pid)
    status = cmd.read("status.json")
    assert (status["state"], status["error"], status["exit"]) == ("cancelled", "told to stop", 143)


def test_under_nohup_a_run_outlives_its_terminal(cmd):
    cmd.config(CALL.replace("600", "0.5"), sleeps=SLEEPS)
    process = cmd.start("run", "conf.py", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    until((cmd.root / "pid").exists)
    process.send_signal(signal.SIGHUP)
    process.communicate()
    assert (process.returncode, cmd.read("status.json")["state"]) == (0, "done")


def test_a_killed_worker_leaves_no_children(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n",
        train="""
        import multiprocessing, os, time

        def sleep():
            time.sleep(600)

        def fit(n: int):
            if os.path.exists("go"):
                return n
            child = multiprocessing.get_context("fork").Process(target=sleep)  # one that holds the lock of the run
            child.start()
            with open(f"pids{n}", "w") as file:
                file.write(f"{os.getpid()} {child.pid}")
            time.sleep(600)
        """,
    )
    words = ("sweep", "conf.py", "main.0=1,2", "--slots", "2")
    process = cmd.start(*words)
    pids = [
        until(lambda: (path := cmd.root / f"pids{n}").exists() and [*map(int, path.read_text().split())])
        for n in (1, 2)
    ]
    for worker, _ in pids:
        os.kill(worker, signal.SIGKILL)
    out, _ = process.communicate()
    assert (process.returncode, out.count("  lost\n")) == (1, 2)
    assert [pid for both in pids for pid in both if is_alive(pid)] == []
    cmd.write("go", "")
    ends_well(cmd, words, 2)


needs_root = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounts a small disk")


@needs_root
@pytest.mark.parametrize("free", [0, 20_000, 60_000])
def test_a_full_disk(cmd, free):
    """A disk of a megabyte, of which a trial fills what is left; then somebody makes room."""
    cmd.runs.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(cmd.runs)], check=True)
    try:
        filler = cmd.runs / "filler"
        words = ("sweep", "conf.py", "main.0=1,2,3,4", "--slots", "1")
        disk = os.statvfs(cmd.runs)
        filler.write_bytes(bytes(max(disk.f_bavail * disk.f_frsize - free, 0)))
        said = cmd(*words, code=None)
        assert said.code == 1
        assert "Traceback" not in said.err
        done = finished(cmd)
        assert all(run.state != "done" or run.result for run in Store(cmd.runs).runs())
        filler.unlink()
        ends_well(cmd, words, 4)
        assert len([n for n, *_ in logged(cmd, "end") if int(n) in done]) == len(done)
        print(f"{free} bytes free: {len(done)} of 4 trials were done before the disk was full, 0 lost, 0 repeated")
    finally:
        subprocess.run(["umount", "-l", str(cmd.runs)], check=True)


@needs_root
def test_a_disk_that_is_read_only_is_told_by_what_cannot_be_written(cmd):
    words = ("sweep", "conf.py", "main.0=1,2")
    cmd(*words)
    (plan,) = (cmd.runs / ".sweeps").iterdir()
    runs, goes_on = cmd.runs, "  the same command goes on once it can\n"
    disk = "cannot be written: Read-only file system\n"
    subprocess.run(["mount", "--bind", str(cmd.root), str(cmd.root)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(cmd.root)], check=True)
        elsewhere = "  callsheet run FILE --runs DIR  keeps runs elsewhere\n"
        assert cmd("run", "conf.py", code=1).err == f"callsheet: a run in {runs} {disk}{elsewhere}"
        assert cmd("rerun", cmd.ids()[0], code=1).err == f"callsheet: a run in {runs} {disk}{elsewhere}"
        assert cmd("retry", plan.name, code=1).err == f"callsheet: the submission {plan} {disk}{goes_on}"
        assert cmd("convert", "conf.py", "x.json", code=1).err == f"callsheet: x.json {disk}"
    finally:
        subprocess.run(["umount", "-l", str(cmd.root)], check=True)


@needs_root
def test_a_run_that_a_full_disk_cannot_record_says_so(cmd):
    cmd.runs.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(cmd.runs)], check=True)
    try:
        (cmd.runs / "filler").write_bytes(bytes(60_000))
        said = cmd("run", "conf.py", code=1).err
        assert re.fullmatch(r"callsheet: .* cannot be written: No space left on device\n  callsheet run .*\n", said), (
            said
        )
    finally:
        subprocess.run(["umount", "-l", str(cmd.runs)], check=True)


@pytest.mark.parametrize(
    "words", [("run", "conf.py"), ("sweep", "conf.py", "main.0=1,2"), ("plan", "conf.py", "main.0=1,2")]
)
def test_runs_that_are_to_be_kept_in_a_file_are_refused(cmd, words):
    file = cmd.write("file", "")
    said = cmd(*words, "--runs", "file", code=1).err
    assert said == f"callsheet: runs cannot be kept in {file}: it is a file\n  --runs DIR  keeps runs elsewhere\n"
    assert not cmd.runs.exists()


def test_files_that_cannot_grow(cmd):
    """What a file may hold is less than a trial's record."""
    words = ("sweep", "conf.py", "main.0=1,2")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1200, 1200))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    process = cmd.start(*words, preexec_fn=limit)
    process.communicate()
    assert process.returncode == 1
    assert finished(cmd) == []
    ends_well(cmd, words, 2)
