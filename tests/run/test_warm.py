"""`--warm`: what trials need is imported once, and each trial is what it would be as a process of its own."""

import json
import os
import signal

import pytest

from callsheet import Process
from callsheet.run._job import Task
from callsheet.run._plan import Plan
from command import is_alive, until

CONF = """
    from callsheet import lazy
    from train import fit

    main = lazy(fit)(1, dir="${run.dir}", attempt="${run.attempt}")
"""

TRAIN = """
    import os, random, signal, subprocess, sys, time

    with open("imports", "a") as file:
        file.write(f"{os.getpid()}\\n")

    def say(*words):
        with open("log", "a") as file:
            file.write(" ".join(map(str, words)) + "\\n")

    def wait(n):
        while not (os.path.exists("go") or os.path.exists(f"go{n}")):
            time.sleep(0.005)
"""

WAITS = (
    TRAIN
    + """
    def fit(n: int, dir: str, attempt: int):
        say("begin", n, attempt, dir, os.getpid(), os.getppid())
        wait(n)
        say("end", n, attempt, dir)
        return n
"""
)


def lines(cmd, word):
    """The lines of the log that begin with a word, each as its further words."""
    path = cmd.root / "log"
    found = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [rest for first, *rest in found if first == word]


def imports(cmd):
    return (cmd.root / "imports").read_text().split()


def look(cmd):
    """Let the signatures of what is swept be known, so that the sweep itself imports nothing."""
    cmd("plan", "conf.py", "main.0=1,2")
    (cmd.root / "imports").unlink()


def servers(cmd):
    """The processes that have forked trials."""
    return {int(parent) for *_, parent in lines(cmd, "begin")}


def test_a_request_says_that_it_is_a_fork_and_what_it_stands_for(tmp_path):
    task = Task(Plan(tmp_path), 3, "digest")
    warm, cold = Process(warm=True).request(task), Process().request(task)
    assert (warm.argv, warm.log, warm.warm, cold.warm) == (cold.argv, cold.log, True, False)
    assert repr(Process(2, warm=True)) == "Process(slots=2, warm=True)"


def test_it_imports_once_what_each_process_of_its_own_imports_again(cmd):
    cmd.config(CONF, train=WAITS)
    cmd.write("go", "")
    look(cmd)
    cmd("sweep", "conf.py", "main.0=1,2,3,4,5", "--warm")
    (server,) = servers(cmd)
    assert imports(cmd) == [str(server)]
    assert not is_alive(server)
    cmd("sweep", "conf.py", "main.0=6,7,8")
    assert len(imports(cmd)) == 4


def test_the_records_are_those_of_processes_of_their_own(cmd):
    train = (
        TRAIN
        + """
    def fit(n: int, dir: str, attempt: int):
        print("out", n, os.isatty(0), os.getsid(0) == os.getpid(), sys.argv[2:3], os.read(0, 1))
        print("err", n, file=sys.stderr)
        subprocess.run(["echo", "child"])
        return {"n": n, "attempt": attempt, "dir": os.path.basename(dir)}
"""
    )
    cmd.config(CONF, train=train)
    seen = {}
    for how in ("cold", "warm"):
        cmd("sweep", "conf.py", "main.0=1,2,3", *(["--warm"] if how == "warm" else []))
        runs = cmd.runs.rename(cmd.root / how)
        for folder in runs.glob("[0-9a-f]*"):
            files = {file.name: file.read_text().replace(folder.name, "ID") for file in folder.iterdir()}
            record, status = json.loads(files["run.json"]), json.loads(files["status.json"])
            said = {**record, **status, "number": 0, "started": 0, "ended": 0, "pid": 0}
            texts = {name: files[name] for name in ("out.log", "err.log", "spec.json", "origins.json", "result.json")}
            seen[how, record["index"]] = said, texts, sorted(files)
    assert len(seen) == 6
    for index in range(3):
        assert seen["warm", index] == seen["cold", index]
    out = seen["warm", 0][1]["out.log"]
    assert out == "out 1 False True ['0'] b''\nchild\n"


ENDS = (
    TRAIN
    + """
    def raises():
        raise ValueError("no good")

    ENDS = [
        raises,
        lambda: sys.exit(3),
        lambda: sys.exit("a word"),
        lambda: os._exit(4),
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        lambda: os.kill(os.getpid(), signal.SIGTERM),
        lambda: sys.exit(0),
        lambda: os._exit(0),
    ]

    def fit(n: int, dir: str, attempt: int):
        import atexit
        atexit.register(say, "exit", n)
        say("begin", n)
        ENDS[n]()
"""
)


def test_however_a_trial_ends_it_ends_as_a_process_of_its_own(cmd):
    cmd.config(CONF, train=ENDS)
    told = {}
    for how in ((), ("--warm",)):
        data = cmd("sweep", "conf.py", "main.0=range(8)", "--json", *how, code=None).data
        runs = cmd.runs.rename(cmd.root / f"runs{how}")
        told[how] = []
        for trial in data["trials"]:
            folder = runs / trial["run"]
            status = json.loads((folder / "status.json").read_text())
            log = (folder / "err.log").read_text()
            told[how].append((trial["state"], status["state"], status.get("exit"), status.get("error"), log))
    assert told[()] == told[("--warm",)]
    assert [state for state, *_ in told[()]] == [
        "failed", "failed", "failed", "lost", "lost", "cancelled", "done", "lost",
    ]  # fmt: skip
    exits = [n for (n,) in lines(cmd, "exit")]
    assert sorted(exits) == sorted(2 * ["0", "1", "2", "5", "6"])  # what was to be done at the end was done


def test_what_cannot_be_imported_fails_in_each_trial_as_in_a_process_of_its_own(cmd):
    own = "import os\nif os.path.exists('go'): import nowhere\ndef fit(n: int, dir: str, attempt: int): return n\n"
    cmd.config(CONF, train="open('imports', 'a').write('once')\n" + own)
    look(cmd)
    cmd.write("go", "")
    errors = []
    for how in ((), ("--warm",)):
        cmd("sweep", "conf.py", "main.0=1,2", "--runs", f"r{how}", *how, code=1)
        logs = [folder / "err.log" for folder in (cmd.root / f"r{how}").glob("[0-9a-f]*")]
        errors.append([log.read_text().replace(f"r{how}", "") for log in logs])
    assert errors[0] == errors[1]
    assert len(errors[0]) == 2
    assert "No module named 'nowhere'" in errors[0][0]


SLOW = (
    TRAIN
    + """
    def fit(n: int, dir: str, attempt: int):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        say("begin", n, attempt, os.getpid(), child.pid)
        time.sleep(600 if n else 0)
        return n
"""
)


def test_one_that_takes_too_long_is_ended_with_its_children(cmd):
    cmd.config(CONF, train=SLOW)
    said = cmd("sweep", "conf.py", "main.0=1,2", "--timeout", "0.02", "--warm", code=1)
    assert said.out.count("cancelled: the time limit of 0.02 min is over\n") == 2
    pids = [int(pid) for *_, worker, child in lines(cmd, "begin") for pid in (worker, child)]
    assert len(pids) == 4
    assert not any(map(is_alive, pids))


def test_the_limit_of_memory_holds_for_forks(cmd):
    train = (
        TRAIN
        + """
    def fit(n: int, dir: str, attempt: int):
        block = b"x" * 400_000_000
        time.sleep(600)
"""
    )
    cmd.config(CONF, train=train)
    said = cmd("sweep", "conf.py", "main.0=1,2", "--memory", "0.3", "--slots", "1", "--warm", code=1)
    assert said.out.count("GB of memory, where the limit is 0.3 GB\n") == 2


@pytest.mark.parametrize("wait_for", ["begin", "imports"])
def test_interrupting_the_sweep_ends_all_its_processes(cmd, wait_for):
    cmd.config(CONF, train=SLOW + ("    wait('import')\n" if wait_for == "imports" else ""))
    if wait_for == "imports":
        cmd.write("go", "")
        look(cmd)
        (cmd.root / "go").unlink()
    process = cmd.start("sweep", "conf.py", "main.0=1,2,3", "--slots", "2", "--warm")
    if wait_for == "imports":
        until(lambda: (cmd.root / "imports").exists() and imports(cmd))
        pids = [*map(int, imports(cmd))]
    else:
        begun = until(lambda: len(found := lines(cmd, "begin")) == 2 and found)
        pids = [int(pid) for *_, worker, child in begun for pid in (worker, child)]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "\ncancelled  0 of 3 trials are done; the same command goes on\n")
    until(lambda: not any(map(is_alive, [*pids, *map(int, imports(cmd))])))
    assert [cmd.read("status.json", name)["state"] for name in cmd.ids()] == ["cancelled"] * len(lines(cmd, "begin"))


def test_a_sweep_that_is_killed_leaves_its_trials_running_and_the_same_command_waits_for_them(cmd):
    cmd.config(CONF, train=WAITS)
    words = ("sweep", "conf.py", "main.0=1,2,3", "--slots", "2", "--warm")
    process = cmd.start(*words)
    until(lambda: len(lines(cmd, "begin")) == 2)
    process.kill()
    process.communicate()
    (first,) = servers(cmd)
    until(lambda: not is_alive(first))
    again = cmd.start(*words)
    until(lambda: len(lines(cmd, "begin")) == 3)
    cmd.write("go", "")
    out, _ = again.communicate()
    assert (again.returncode, out.count("  result ")) == (0, 3)
    assert sorted(n for n, *_ in lines(cmd, "end")) == ["1", "2", "3"]
    assert len(cmd.ids()) == 3


@pytest.mark.parametrize("retry", ["0", "1"])
def test_when_what_imports_is_killed_its_trials_are_lost_or_run_again(cmd, retry):
    cmd.config(CONF, train=WAITS)
    words = ("sweep", "conf.py", "main.0=1,2,3", "--slots", "2", "--warm", "--json")
    process = cmd.start(*words, "--retry", retry)
    begun = until(lambda: len(found := lines(cmd, "begin")) == 2 and found)
    (server,) = servers(cmd)
    os.kill(server, signal.SIGKILL)
    until(lambda: not any(is_alive(int(pid)) for *_, pid, _ in begun))
    cmd.write("go", "")
    process.communicate()
    states = [cmd.read("status.json", name)["state"] for name in cmd.ids()]
    if retry == "1":
        assert (process.returncode, states) == (0, ["done"] * 3)
        assert {(n, attempt) for n, attempt, _ in lines(cmd, "end")} == {("1", "2"), ("2", "2"), ("3", "1")}
    else:
        assert process.returncode == 1
        said = cmd(*words).data
        assert [trial["state"] for trial in said["trials"]] == ["done"] * 3
        assert {(n, attempt) for n, attempt, _ in lines(cmd, "end")} == {("1", "2"), ("2", "2"), ("3", "1")}
    assert len(cmd.ids()) == 3  # each goes on in its own directory


def test_two_sweeps_at_once_share_the_trials(cmd):
    cmd.config(CONF, train=WAITS)
    words = ("sweep", "conf.py", "main.0=1,2,3,4", "--slots", "2", "--warm")
    both = [cmd.start(*words), cmd.start(*words)]
    until(lambda: len(lines(cmd, "begin")) == 4)
    cmd.write("go", "")
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [out.count("  result ") for out, _ in said] == [4, 4]
    assert sorted(n for n, *_ in lines(cmd, "end")) == ["1", "2", "3", "4"]
    assert len(servers(cmd)) == 2


def test_no_trial_runs_code_that_has_changed_since_it_was_imported(cmd):
    train = "import part\n" + WAITS.replace("return n", "return {'n': n, 'part': part.VALUE}").replace("\n    ", "\n")
    cmd.write("conf.py", CONF)
    cmd.write("train.py", train)
    cmd.write("part.py", "VALUE = 1\n")
    process = cmd.start("sweep", "conf.py", "main.0=1,2,3", "--slots", "1", "--warm", "--json", stdout=None)
    until(lambda: lines(cmd, "begin"))
    cmd.write("part.py", "VALUE = 2\n")
    cmd.write("go", "")
    process.communicate()
    results = sorted((cmd.read("result.json", name)["n"], cmd.read("result.json", name)["part"]) for name in cmd.ids())
    assert results == [(1, 1), (2, 2), (3, 2)]
    versions = [cmd.read("run.json", name)["code"]["version"] for name in cmd.ids()]
    assert versions[0] != versions[1] == versions[2]
    assert len(servers(cmd)) == 2


def test_code_that_changes_whenever_it_is_imported_is_refused(cmd):
    cmd.config(CONF, train=WAITS + "    open('made.py', 'a').write('# again\\n')\n")
    cmd.write("go", "")
    said = cmd("sweep", "conf.py", "main.0=1,2", "--warm", code=1)
    assert said.err == (
        "callsheet: trials cannot be forked: the code of the project changes whenever it is imported\n"
        "  run them without  --warm\n"
    )
    assert lines(cmd, "begin") == []


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            "import threading\nthreading.Thread(target=threading.Event().wait, name='pool-7', daemon=True).start()\n",
            "what they import has started 1 thread, which no fork has: pool-7",
        ),
        ("import torch\n", "what they import has begun to use CUDA, which no fork can go on with"),
    ],
    ids=["thread", "CUDA"],
)
def test_what_no_fork_can_go_on_with_is_refused_and_nothing_runs(cmd, more, problem):
    cmd.write("conf.py", CONF)
    cmd.write("torch.py", "class cuda:\n    is_initialized = staticmethod(lambda: True)\n")
    cmd.write("train.py", more + WAITS.replace("\n    ", "\n"))
    cmd.write("go", "")
    said = cmd("sweep", "conf.py", "main.0=1,2", "--warm", code=1)
    assert said.err == f"callsheet: trials cannot be forked: {problem}\n  run them without  --warm\n"
    assert lines(cmd, "begin") == []
    assert cmd.ids() == []


CHANCE = """
    import random
    import numpy as np

    {seeding}

    def fit(n: int, dir: str, attempt: int):
        return {{"random": random.random(), "numpy": float(np.random.random())}}
"""


@pytest.mark.parametrize(
    ("seeding", "different"),
    [
        ("", 3),
        ("[random.random() for _ in range(5000)]; np.random.random(5000)", 3),
        ("random.seed(0); np.random.seed(0)", 1),
    ],
    ids=["untouched", "drawn from", "seeded"],
)
def test_random_numbers_are_those_of_processes_of_their_own(cmd, seeding, different):
    cmd.config(CONF, train=CHANCE.format(seeding=seeding))
    for how in ((), ("--warm",)):
        data = cmd("sweep", "conf.py", "main.0=1,2,3", "--json", "--redo", *how).data
        for name in ("random", "numpy"):
            assert len({trial["result"][name] for trial in data["trials"]}) == different


HEAVY = "import os\nopen('imports', 'a').write(f'{os.getpid()}\\n')\n"


def test_each_choice_of_a_target_is_imported_when_it_is_first_needed(cmd):
    module = HEAVY + "def fit(n: int): return {'own': os.getpid(), 'parent': os.getppid()}\n"
    cmd.config("from callsheet import lazy\nfrom one import fit\nmain = lazy(fit)(n=1)\n", one=module, two=module)
    data = cmd("sweep", "conf.py", "main=one.fit,two.fit", "main.n=1,2,3", "--warm", "--slots", "1", "--json").data
    own = {str(trial["result"]["own"]) for trial in data["trials"]}
    (server,) = {str(trial["result"]["parent"]) for trial in data["trials"]}
    assert len(own) == 6
    assert own.isdisjoint(imports(cmd))
    assert imports(cmd).count(server) == 2


def test_what_a_config_defines_finds_what_the_config_imports(cmd):
    config = """
        import os
        from callsheet import lazy
        import heavy

        def fit(n: int):
            return {"own": os.getpid(), "parent": os.getppid()}

        main = lazy(fit)(n=1)
        """
    cmd.config(config, heavy=HEAVY)
    data = cmd("sweep", "conf.py", "main.n=1,2,3", "--warm", "--json").data
    assert imports(cmd).count(str(data["trials"][0]["result"]["parent"])) == 1
    assert {str(trial["result"]["own"]) for trial in data["trials"]}.isdisjoint(imports(cmd))
