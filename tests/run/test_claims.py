"""Sweeps that share trials and run at the same time run each of them once (promise 21)."""

import os
import signal
import subprocess
from functools import partial

import pytest

from callsheet.run._claims import claiming, is_alive
from callsheet.run._store import Store, take_lock
from command import is_alive as process_is_alive
from command import until as until_soon

until = partial(until_soon, limit_s=120)  # two commands start after one another, each with workers

CONF = "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1, dir='${run.dir}')\n"
TRAIN = """
    import os, time

    def fit(n: int, dir: str, fails: bool = False):
        with open("log", "a") as file:
            file.write(f"begin {n} {os.getpid()} {os.path.basename(dir)}\\n")
        while n == 1 and not os.path.exists("go"):
            time.sleep(0.005)
        if fails:
            raise ValueError("not yet")
        with open("log", "a") as file:
            file.write(f"end {n} {os.getpid()} {os.path.basename(dir)}\\n")
        return n
"""


@pytest.fixture
def cmd(cmd):
    """A project whose first trial waits until there is a file `go`."""
    return cmd.config(CONF, train=TRAIN)


def logged(cmd, word):
    """The further words of the log's lines that begin with a word."""
    path = cmd.root / "log"
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [rest for first, *rest in lines if first == word]


def tried(cmd, word="begin"):
    """The numbers of the trials that have begun, or come to their end, each as often as it did."""
    return sorted(int(n) for n, *_ in logged(cmd, word))


def begin(cmd, *words):
    """Start a sweep in the background, in one slot unless more are said."""
    return cmd.start("sweep", "conf.py", "--slots", "1", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process, code=0):
    """What a sweep has printed in the end."""
    out, err = process.communicate()
    assert process.returncode == code, (out, err)
    assert code or not err
    return out


def spread(*numbers):
    return "main.0=" + ",".join(map(str, numbers))


def test_a_trial_that_another_sweep_runs_is_waited_for_and_counts_as_done(cmd):
    one = begin(cmd, spread(1, 2))
    until(lambda: tried(cmd) == [1])
    two = begin(cmd, spread(1, 3), "--json")
    until(lambda: tried(cmd, "end") == [3])  # it goes on with what is its own
    assert two.poll() is None
    _, shared, *_ = cmd("plan", "conf.py", spread(9, 1)).out.splitlines()
    assert shared.split() == ["1", "main.0=1", "running"]
    cmd.write("go", "")
    ended(one)
    told = ended(two)
    assert tried(cmd) == [1, 2, 3]
    (run,) = [run for n, _, run in logged(cmd, "end") if n == "1"]
    assert f'"{run}"' in told  # the run of the other sweep is the one that it tells of
    for words in (spread(1, 2), spread(1, 3)):
        assert cmd("sweep", "conf.py", words).out == "2 trials, 2 done before\n"


@pytest.mark.parametrize("more", [(), ("--warm",)])
def test_two_sweeps_that_begin_together_run_each_trial_once(cmd, more):
    cmd.write("go", "")
    shared = list(range(1, 15))
    sweeps = [begin(cmd, spread(*shared, own), "--slots", "2", *more) for own in (20, 30)]
    for process in sweeps:
        ended(process)
    assert tried(cmd) == tried(cmd, "end") == [*shared, 20, 30]
    assert len(cmd.ids()) == 16


@pytest.mark.parametrize("is_parent_killed", [False, True])
def test_where_who_runs_it_is_killed_the_other_sweep_runs_it(cmd, is_parent_killed):
    one = begin(cmd, spread(1, 2))
    ((_, worker, killed),) = until(lambda: logged(cmd, "begin"))
    two = begin(cmd, spread(1, 3))
    until(lambda: tried(cmd, "end") == [3])
    if is_parent_killed:
        one.kill()
    os.killpg(int(worker), signal.SIGKILL)
    until(lambda: not process_is_alive(int(worker)))
    cmd.write("go", "")
    ended(two)
    one.communicate()
    assert tried(cmd, "end") == ([1, 3] if is_parent_killed else [1, 2, 3])
    assert cmd.read("status.json", killed)["state"] == "running"  # nobody else writes there
    again = cmd("sweep", "conf.py", spread(1, 2)).out
    assert again.startswith("2 trials, 1 done before, 1 to run" if is_parent_killed else "2 trials, 2 done before")
    assert tried(cmd, "end") == [1, 2, 3]


def test_a_trial_that_failed_elsewhere_is_tried_here(cmd):
    one = begin(cmd, spread(1, 2), "main.fails=true")
    until(lambda: tried(cmd) == [1])
    two = begin(cmd, spread(1, 3), "main.fails=true")
    until(lambda: tried(cmd) == [1, 3])
    cmd.write("go", "")
    ended(one, 1)
    ended(two, 1)
    assert tried(cmd) == [1, 1, 2, 3]


def test_who_is_retried_takes_what_the_other_has_done_meanwhile(cmd):
    one = begin(cmd, spread(1, 2), "--retry", "1")
    ((_, worker, _),) = until(lambda: logged(cmd, "begin"))
    two = begin(cmd, spread(1, 3), "--retry", "1")
    until(lambda: tried(cmd, "end") == [3])
    os.killpg(int(worker), signal.SIGKILL)
    until(lambda: tried(cmd).count(1) == 2)  # one of them has it
    cmd.write("go", "")
    ended(one)
    ended(two)
    assert tried(cmd, "end") == [1, 2, 3]


@pytest.mark.parametrize(("more", "times"), [(("--repeat", "2"), 2), (("--redo",), 1)])
def test_replicates_and_what_is_redone_are_runs_of_their_own(cmd, more, times):
    one = begin(cmd, spread(1, 2))
    until(lambda: tried(cmd) == [1])
    two = begin(cmd, spread(1, 3), "--slots", "3", *more)
    until(lambda: tried(cmd).count(1) == 1 + times)
    cmd.write("go", "")
    ended(one)
    ended(two)
    assert tried(cmd) == sorted([1, 2, *(times * [1, 3])])


def test_a_spec_alone_is_run_whatever_runs(cmd):
    one = begin(cmd, spread(1, 2))
    until(lambda: tried(cmd) == [1])
    cmd.write(
        "alone.py",
        """
        from callsheet import load, submit
        jobs = [submit(load("conf.py")) for _ in range(2)]
        print([job.results() for job in jobs])
        """,
    )
    two = cmd.start(module="alone")
    until(lambda: tried(cmd) == [1, 1, 1])
    cmd.write("go", "")
    ended(one)
    assert ended(two) == "[[{'result': 1}], [{'result': 1}]]\n"


# --- what is written ------------------------------------------------------------------------------------------------------


def test_a_claim_stands_until_the_next_one_and_is_told_from_others(tmp_path):
    store = Store(tmp_path / "runs")
    names = [store.new_run().name for _ in range(3)]
    with claiming(store, "same", "code") as claim:
        assert claim.run() is None
        claim.note(names[0])
        claim.note(names[1])
        assert claim.run().id == names[1]
    for identity, version in (("same", "other"), ("other", "code")):
        with claiming(store, identity, version) as claim:
            assert claim.run() is None
    for last in (1, 0):
        (store.directory / names[last]).rmdir()  # somebody removes it
        with claiming(store, "same", "code") as claim:
            assert (claim.run() and claim.run().id) == (names[0] if last else None)


@pytest.mark.parametrize("length", [1, 20, 34, 36, 39])
def test_what_a_killed_writer_left_half_is_no_claim_and_spoils_none(tmp_path, length):
    store = Store(tmp_path / "runs")
    names = [store.new_run().name for _ in range(3)]
    with claiming(store, "same", "code") as claim:
        claim.note(names[0])
        (path,) = (store.directory / ".claims").iterdir()
        whole = path.read_bytes()
        claim.note(names[1])
    with open(path, "r+b") as file:
        file.truncate(len(whole) + length)
    assert len(whole) == 41
    with claiming(store, "same", "code") as claim:
        assert claim.run().id == names[0]
        claim.note(names[2])
        assert claim.run().id == names[2]
    (store.directory / names[2]).rmdir()
    with claiming(store, "same", "code") as claim:
        assert claim.run().id == names[0]


def test_a_run_is_alive_from_the_moment_its_lock_is_taken(tmp_path):
    store = Store(tmp_path / "runs")
    run = store.read(store.new_run().name)
    assert not is_alive(run)
    lock = take_lock(run.directory / "lock")
    assert is_alive(run)
    os.close(lock)
    assert not is_alive(run)


def test_there_are_few_files_whatever_the_number_of_trials(tmp_path):
    store = Store(tmp_path / "runs")
    name = store.new_run().name
    for n in range(1000):
        with claiming(store, f"trial {n}", "code") as claim:
            claim.note(name)
    assert len(list((store.directory / ".claims").iterdir())) <= 256
