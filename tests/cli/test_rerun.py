"""`callsheet rerun` runs the spec of a run once more (promises 21, 25)."""

from command import is_alive, until


def test_the_same_resolved_spec_makes_a_new_run(cmd):
    cmd.listing()("run", "conf.py", "optim.lr=0.5", "epochs=2")
    (first,) = cmd.ids()
    cmd.write("conf.py", "raise RuntimeError('a config that is no more')\n")
    said = cmd("rerun", first[:5])
    assert "epoch 2/2" in said.out
    assert said.err == ""
    _, second = cmd.ids()
    assert said.out.endswith(f"recorded    runs/{second}\n")
    for name in ("spec.json", "origins.json", "result.json"):
        assert cmd.read(name, second) == cmd.read(name, first)
    one, two = cmd.read("run.json", first), cmd.read("run.json", second)
    for key in ("identity", "experiment", "overrides", "entry", "config"):
        assert one[key] == two[key]
    assert (one["number"], two["number"]) == (1, 2)
    assert cmd("why", second, "optim.lr").out == cmd("why", first, "optim.lr").out
    assert cmd("diff", first, second).out == "no changes\n"


def test_a_sweep_counts_it_as_done_and_other_code_is_said(cmd):
    cmd.listing()("run", "conf.py", "optim.lr=0.5")
    (first,) = cmd.ids()
    cmd.write("train.py", cmd.file("../../train.py", first).read_text() + "\n# changed\n")
    said = cmd("rerun", first)
    assert said.err == f"callsheet: the code has changed since {first} ran\n"
    assert "1 done before" in cmd("sweep", "conf.py", "optim.lr=0.5,0.25").out


def test_a_run_is_what_it_was(cmd):
    cmd.listing()("run", "conf.py", "optim.lr=0.5")
    (first,) = cmd.ids()
    assert cmd("rerun", first, "epochs=8", code=2).err.splitlines() == [
        f"callsheet: run {first} runs as it was: overrides change a config",
        "  callsheet run conf.py optim.lr=0.5 epochs=8",
        "  Usage: callsheet rerun [OPTIONS] RUN",
        "  callsheet rerun --help  tells more",
    ]
    assert cmd.ids() == [first]


def test_a_run_that_fails_again_says_so_by_its_exit_code(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=0)\n",
        train="def fit(n: int): return 1 / n\n",
    )
    cmd("run", "conf.py", code=1)
    (first,) = cmd.ids()
    said = cmd("rerun", first, "--json", code=1)
    assert said.data["state"] == "failed"
    assert "division by zero" in said.data["faults"][0]["problem"]
    assert "ZeroDivisionError" in said.err
    cmd.write("train.py", "def fit(m: int): return m\n")
    assert "main.n" in cmd("rerun", first, code=1).err
    assert len(cmd.ids()) == 2


def test_one_that_is_told_to_end_is_cancelled_with_all_its_processes(cmd):
    nap = "import os, time\nprint(os.getpid(), flush=True)\nwhile not os.path.exists('go'): time.sleep(0.01)\n"
    cmd.config('from callsheet.run import Command\nmain = Command("python nap.py")\n', nap=nap)
    cmd.write("go", "")
    cmd("run", "conf.py")
    (first,) = cmd.ids()
    (cmd.root / "go").unlink()
    process = cmd.start("rerun", first)
    pid = int(process.stdout.readline())
    process.terminate()
    process.communicate()
    _, second = cmd.ids()
    assert cmd.read("status.json", second)["state"] == "cancelled"
    until(lambda: not is_alive(pid))


def test_a_command_is_known_by_what_its_template_names(cmd):
    cmd.config('from callsheet.run import Command\nlr = 0.1\nmain = Command("echo {{lr}}")\n', train="")
    cmd("run", "conf.py", "lr=0.5")
    (first,) = cmd.ids()
    cmd("rerun", first)
    _, second = cmd.ids()
    assert cmd.read("run.json", second)["identity"] == cmd.read("run.json", first)["identity"]


def test_it_imports_from_where_the_run_did(cmd):
    cmd.config("from callsheet import lazy\nfrom tr import fit\nmain = lazy(fit)(n=1)\n")
    cmd.write("src/tr.py", "def fit(n: int): return n\n")
    assert "  --path src  finds src/tr.py\n" in cmd("check", "conf.py", code=1).err
    cmd("run", "conf.py", "--path", "src")
    cmd("sweep", "conf.py", "--single", "main.n=2", "--path", "src")
    for name in cmd.ids():
        assert cmd.read("run.json", name)["paths"] == [str(cmd.root / "src")]
        assert "recorded" in cmd("rerun", name).out
        assert cmd.read("run.json", cmd.ids()[-1])["paths"] == [str(cmd.root / "src")]
    first = cmd.ids()[0]
    assert "recorded" in cmd("rerun", first, "--on", "process").out
