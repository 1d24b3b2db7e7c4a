"""What travels to a worker elsewhere: trials by their positions, the code as it was, signs of life (12, 21, 23)."""

import json
import os
import subprocess
import sys
import time

import pytest

from callsheet import sweep
from callsheet.errors import RunError
from callsheet.run._beat import beating, boot
from callsheet.run._code import carry_code, code_digest, unpacked
from callsheet.run._draw import draw
from callsheet.run._job import Task
from callsheet.run._parcel import parcel_of, read_parcel
from callsheet.run._place import Place
from callsheet.run._plan import Plan
from callsheet.run._sendings import Sending, Sendings
from callsheet.run._store import Store
from command import until
from saying import told

WORKER = "callsheet.run.worker"
CONF = """
from callsheet import lazy
from train import fit

def doubled(n):
    return 2 * n

main = lazy(fit)(n=lazy(doubled)(n=1))
"""
OLD, NEW = (f"def fit(n): return {{'n': n, 'code': '{word}'}}\n" for word in ("old", "new"))


@pytest.fixture
def planned(cmd, monkeypatch):
    """The plan of three trials of a project under git; nothing has run."""
    cmd.config(CONF, train=OLD)
    cmd.write(".gitignore", "runs/\nignored.py\n")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.email=a@b", "-c", "user.name=a", "commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=cmd.root, check=True)
    conf = str(cmd.root / "conf.py")
    monkeypatch.syspath_prepend(str(cmd.root))
    try:
        return draw(sweep(conf, ["main.n.n=1,2,3"]), Place.of(conf))
    finally:
        sys.modules.pop("train", None)


def tasks(planned):
    return [Task(planned.plan, n, planned.plan.record(n).digest.hex()) for n in range(3)]


def test_the_code_that_runs_is_that_which_was_submitted(cmd, planned):
    digest = carry_code(planned.plan.header(), cmd.runs)
    assert digest == code_digest(planned.plan.header(), cmd.runs)
    cmd.write("train.py", NEW)
    cmd.write("conf.py", CONF.replace("2 * n", "3 * n"))
    first = tasks(planned)[0]
    cmd(str(first.plan.file), "0", first.digest, "--code", digest, module=WORKER)
    assert cmd.read("result.json") == {"n": 2, "code": "old"}
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=cmd.root, capture_output=True, text=True, check=True)
    assert cmd.read("run.json")["code"]["commit"] == commit.stdout.strip()
    assert code_digest(planned.plan.header(), cmd.runs) != digest


def test_an_archive_has_changes_and_new_modules_and_nothing_that_is_ignored(cmd, planned, monkeypatch, tmp_path):
    cmd.write("train.py", NEW)
    cmd.write("helper.py", "")
    cmd.write("ignored.py", "")
    cmd.write("data.bin", "not Python, and nobody has added it")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "there"))
    (tmp_path / "there").mkdir()
    folder, code = unpacked(cmd.runs, carry_code(planned.plan.header(), cmd.runs))
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names - {".callsheet-code.json"} == {".gitignore", "conf.py", "helper.py", "pyproject.toml", "train.py"}
    assert (folder / "train.py").read_text() == NEW
    assert "+def fit(n): return {'n': n, 'code': 'new'}" in code.diff


def test_what_is_too_large_to_travel_is_named_and_nothing_is_written(cmd, planned):
    (cmd.root / "small.py").touch()
    with open(cmd.root / "weights.py", "wb") as file:
        file.truncate(201_000_000)  # of which the disk holds nothing
    with pytest.raises(RunError) as caught:
        carry_code(planned.plan.header(), cmd.runs)
    (fault,) = caught.value.faults
    assert fault.problem == "the code would be an archive of 201 MB"
    assert fault.advice[0].startswith("the largest are  weights.py, ")
    assert not (cmd.runs / ".code").exists()


def test_an_archive_that_was_changed_is_not_run(cmd, planned, tmp_path):
    digest = carry_code(planned.plan.header(), cmd.runs)
    path = cmd.runs / ".code" / f"{digest}.tar.gz"
    path.write_bytes(path.read_bytes() + b"!")
    first = tasks(planned)[0]
    said = cmd(
        str(first.plan.file), "0", first.digest, "--code", digest, module=WORKER, code=2, env={"TMPDIR": str(tmp_path)}
    )
    assert "is not what was submitted" in said.err
    assert cmd.ids() == []


def test_the_trial_of_an_array_is_found_by_its_position(cmd, planned):
    parcel = parcel_of([tasks(planned)[2], tasks(planned)[0]])
    parcel.write()
    words = (str(parcel.file), "@POSITION", parcel.digest)
    cmd(*words, module=WORKER, env={"POSITION": "0"})
    assert cmd.read("result.json") == {"n": 6, "code": "old"}
    cmd(*words, module=WORKER, env={"POSITION": "1"})
    assert cmd.read("run.json", cmd.ids()[1])["index"] == 0
    for position, problem in (("2", "has no position 2"), ("x", "POSITION is to tell the position")):
        assert problem in cmd(*words, module=WORKER, env={"POSITION": position}, code=2).err


def test_a_parcel_that_was_changed_is_refused(planned):
    parcel = parcel_of(tasks(planned))
    parcel.write()
    raw = bytearray(parcel.file.read_bytes())
    raw[0] ^= 1
    parcel.file.write_bytes(raw)
    assert "is not what was submitted" in told(lambda: read_parcel(parcel.file, 0, parcel.digest), RunError)


def test_what_was_sent_is_read_back_also_after_a_crash(tmp_path):
    sendings = Sendings(Plan(tmp_path))
    sendings.intend("a", "Slurm", [3, 4, 5, 9])
    sendings.intend("b", "Slurm", [7])
    sendings.sent("a", "17")
    sendings.ended([("a", 0), ("a", 3)])
    with open(tmp_path / "sent.jsonl", "ab") as file:
        file.write(b'\n{"name": "b", "i')  # its writer was killed
    sendings.intend("c", "Slurm", [3])
    first, second, third = sendings.read().values()
    assert first == Sending("a", "Slurm", (3, 4, 5, 9), "17", frozenset({0, 3}))
    assert [*first.left()] == [(1, 4), (2, 5)]
    assert (second.id, second.is_open, third.indices) == ("", True, (3,))
    assert sendings.turns() == {3: 2, 4: 1, 5: 1, 9: 1, 7: 1}


@pytest.mark.parametrize(
    ("machine", "age_s", "state"),
    [("another", 5, "running"), ("another", 120, "lost"), ("this", 5, "lost")],
)
def test_a_run_on_another_machine_lives_as_long_as_it_gives_signs(tmp_path, machine, age_s, state):
    directory = Store(tmp_path).new_run()
    with beating(directory):
        beat = directory / "beat"
        until(beat.exists)
        os.utime(beat, (time.time() - age_s,) * 2)
        said = {"state": "running", "boot": boot() if machine == "this" else "elsewhere"}
        (directory / "status.json").write_text(json.dumps(said))
        assert Store(tmp_path).read(directory.name).state == state
    assert Store(tmp_path).read(directory.name).state == "lost"
