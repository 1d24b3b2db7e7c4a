"""Trackers (issue 6): what a training notes is kept where the spec says, and no tracker ever ends a training."""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import zlib

import pytest

from callsheet import Secret, from_data, lazy, save, to_data
from callsheet.errors import ArgumentError
from callsheet.testing import Noted, TrackerSuite, tracked_run
from callsheet.track import JSONL, Backend, MLflow, Moment, TensorBoard, Trackers, environment
from callsheet.track._entries import histogram_of, image_of, number_of
from callsheet.track._params import params_of
from callsheet.track._sender import Entry, Sender
from command import Project


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class TestJSONL(TrackerSuite):
    """What needs no package passes the suite where no package is."""

    def make(self, directory):
        return JSONL(directory)

    def read(self, tracker, directory):
        scalars = {}
        for data in lines(directory / "metrics.jsonl"):
            for name in data.keys() - {"step", "time"}:
                scalars.setdefault(name, []).append((data["step"], data[name]))
        params = json.loads((directory / "params.json").read_text())
        return Noted({name: str(value) for name, value in params.items()}, scalars)


class Broken(Backend):
    """Fails where it is told to."""

    def __init__(self, *kinds, queued=False):
        super().__init__()
        self.kinds, self.is_queued, self.wait_s = kinds, queued, 5.0

    def _do(self, kind):
        if kind in self.kinds:
            raise RuntimeError(f"no {kind} today")

    def on_start(self, run):
        self._do("start")
        return "id", "http://here"

    def on_params(self, values):
        self._do("params")

    def on_scalars(self, rows):
        self._do("scalars")

    def on_text(self, name, text, at):
        self._do("text")

    def on_image(self, name, image, at):
        self._do("image")

    def on_histogram(self, name, histogram, at):
        self._do("histogram")

    def on_artifact(self, path, name):
        self._do("artifact")

    def on_end(self, state):
        self._do("end")

    def environment(self):
        return {}


# --- in a run ---------------------------------------------------------------------------------------------------------

TRAIN = """
    def fit(log, epochs=2, state="done"):
        for epoch in range(epochs):
            log.scalars({"loss": 1 / (epoch + 1)}, step=epoch)
        if state == "failed":
            raise ValueError("the loss is too high")
        return 1 / epochs
"""
CONF = """
    from callsheet import lazy
    from callsheet.track import JSONL, Trackers
    from train import fit
    from broken import Broken

    log = lazy(Trackers)(here=lazy(JSONL)("${run.dir}"), broken=lazy(Broken)())
    main = lazy(fit)(log=log, epochs=3)
"""
BROKEN = """
    import os
    from test_trackers import Broken as Failing


    class Broken(Failing):
        def on_end(self, state):
            super().on_end(state)
            with open(os.path.join(self.run.directory, "ended"), "a") as file:
                file.write(state)
"""


@pytest.fixture
def cmd(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]))
    project = Project(tmp_path)
    for name, text in {"train.py": TRAIN, "conf.py": CONF, "broken.py": BROKEN}.items():
        (tmp_path / name).write_text(textwrap.dedent(text))
    return project


def test_a_run_starts_its_trackers_and_ends_them_with_its_state(cmd):
    cmd("run", "conf.py")
    assert [(row["loss"], row["step"]) for row in lines(cmd.file("metrics.jsonl"))] == [(1, 0), (0.5, 1), (1 / 3, 2)]
    assert json.loads(cmd.text("params.json")) == {"main": "train.fit", "main.epochs": 3}
    assert cmd.text("ended") == "done"
    here = str(cmd.file("metrics.jsonl").parent)
    assert cmd.read("trackers.json") == {
        "here": {"id": here, "url": "", "failures": []},
        "broken": {"id": "id", "url": "http://here", "failures": []},
    }


def test_a_run_that_fails_ends_its_trackers_as_failed(cmd):
    cmd("run", "conf.py", "+main.state=failed", code=1)
    assert (cmd.text("ended"), cmd.read("status.json")["state"]) == ("failed", "failed")


@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("kind", ["start", "params", "scalars", "end"])
def test_a_tracker_that_fails_ends_no_training_and_is_told_of(cmd, kind, queued):
    config = cmd.root / "conf.py"
    config.write_text(config.read_text().replace("lazy(Broken)()", f"lazy(Broken)({kind!r}, queued={queued})"))
    said = cmd("run", "conf.py")
    assert cmd.read("result.json") == {"result": 1 / 3}
    assert len(lines(cmd.file("metrics.jsonl"))) == 3
    told = [line for line in said.err.splitlines() if line.startswith("callsheet: tracker broken")]
    assert told[0] == f"callsheet: tracker broken: {kind}: RuntimeError: no {kind} today"
    assert told[-1].startswith("callsheet: tracker broken failed: ")
    assert kind in told[-1]
    failures = cmd.read("trackers.json")["broken"]["failures"]
    assert {"what": kind, "error": f"RuntimeError: no {kind} today"}.items() <= failures[0].items()
    counts = {failure["what"]: failure["count"] for failure in failures}
    expected = {"start": {"start": 1, "params": 1, "scalars": 3}}.get(kind, {kind: 3 if kind == "scalars" else 1})
    assert counts == expected


def test_a_run_that_is_killed_keeps_what_it_noted_and_goes_on_in_whole_lines(cmd, tmp_path):
    run = tmp_path / "run"
    child = textwrap.dedent(
        f"""
        import os, signal
        from callsheet.track import JSONL
        log = JSONL({str(run)!r})
        log.scalars({{"loss": 1.0}}, step=0)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert subprocess.run([sys.executable, "-c", child]).returncode == -signal.SIGKILL
    with open(run / "metrics.jsonl", "ab") as file:
        file.write(b'{"loss": 0.5, "st')
    with JSONL(run) as log:
        log.scalars({"loss": 0.25}, step=2)
    assert [(row["step"], row["loss"]) for row in lines(run / "metrics.jsonl")] == [(0, 1.0), (2, 0.25)]


def test_what_a_tracker_describes_is_data(tmp_path):
    spec = {"log": lazy(Trackers)(here=lazy(JSONL)("${run.dir}"), there=lazy(MLflow)("sqlite:///m.db", "digits"))}
    assert from_data(to_data(spec), allow=["callsheet"]) == spec
    save(spec, tmp_path / "spec.yaml")


def test_a_tracker_that_was_made_before_the_run_belongs_to_it_from_its_first_use(tmp_path, monkeypatch):
    monkeypatch.setenv("KEY", "sesame")
    log = JSONL(tmp_path / "run")
    with tracked_run(tmp_path / "run", {"lr": 0.1, "key": Secret("env:KEY")}):
        log.params({"url": "http://me:sesame@here"})
        log.scalars({"loss": 1, "of sesame": 2, "at sesame": "none"})
    log.scalars({"loss": 2})  # after the end
    assert json.loads((tmp_path / "run" / "params.json").read_text()) == {"lr": 0.1, "url": "http://me:***@here"}
    assert "sesame" not in (tmp_path / "run" / "metrics.jsonl").read_text()
    assert "sesame" not in (tmp_path / "run" / "trackers.json").read_text()
    assert log.failures == {"scalars": (2, "at *** must be a number, found 'none'")}


def test_threads_of_a_run_note_in_it(tmp_path):
    with tracked_run(tmp_path / "run", {}):
        log = JSONL(tmp_path / "run")
        threads = [threading.Thread(target=log.scalars, args=({"loss": n},)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(row["loss"] for row in lines(tmp_path / "run" / "metrics.jsonl")) == [*range(20)]
    assert json.loads((tmp_path / "run" / "trackers.json").read_text())["jsonl"]["failures"] == []


# --- what becomes of what is noted ------------------------------------------------------------------------------------


def test_params_are_the_leaves_of_the_spec_without_secrets_references_and_trackers():
    net = lazy(dict)(width=8, betas=(0.9, 0.99), norm=int)
    spec = {
        "net": net,
        "again": net,
        "log": lazy(Trackers)(here=lazy(JSONL)("${run.dir}")),
        "key": Secret("env:HOME"),
        "out": lazy(str)("${run.id}"),
        "sizes": [1, {"a": 2}],
    }
    assert params_of(spec) == {
        "net": "dict",
        "net.width": 8,
        "net.betas": "(0.9, 0.99)",
        "net.norm": "int",
        "out": "str",
        "sizes[0]": 1,
        "sizes[1].a": 2,
    }


def test_what_is_no_number_is_told_and_the_rest_is_noted(tmp_path, capsys):
    log = JSONL(tmp_path)
    log.scalars({"loss": 0.5, "note": "high"}, step=3)
    log.scalars({"loss": 0.25}, step=3.5)
    log.scalars(0.5)
    assert [(row["loss"], row["step"]) for row in lines(tmp_path / "metrics.jsonl")] == [(0.5, 3)]
    assert log.failures == {"scalars": (3, "note must be a number, found 'high'")}
    assert capsys.readouterr().err == "callsheet: tracker jsonl: scalars: note must be a number, found 'high'\n"
    log.end()
    assert capsys.readouterr().err == "callsheet: tracker jsonl failed: scalars 3 times\n"


def test_numbers_of_numpy_are_numbers_and_arrays_are_not():
    numpy = pytest.importorskip("numpy")
    assert [number_of(x) for x in (numpy.float32(0.5), numpy.int64(3), numpy.ones((1, 1)))] == [0.5, 3, 1]
    with pytest.raises(TypeError, match=r"must be one number, found ndarray of the shape \(2,\)"):
        number_of(numpy.ones(2))


def test_infinity_and_nan_are_texts_in_json(tmp_path):
    with JSONL(tmp_path) as log:
        log.scalars({"a": float("inf"), "b": -float("inf"), "c": float("nan")})
    (row,) = lines(tmp_path / "metrics.jsonl")
    assert (row["a"], row["b"], row["c"], "step" in row) == ("inf", "-inf", "nan", False)


def pixels_of(png):
    """What a PNG of 8 bits without filters holds."""
    file = io.BytesIO(png)
    assert file.read(8) == b"\x89PNG\r\n\x1a\n"
    found = {}
    while head := file.read(8):
        data = file.read(int.from_bytes(head[:4], "big"))
        assert zlib.crc32(head[4:] + data) == int.from_bytes(file.read(4), "big")
        found[head[4:]] = data
    width, height = (int.from_bytes(found[b"IHDR"][n : n + 4], "big") for n in (0, 4))
    return width, height, found[b"IHDR"][9], zlib.decompress(found[b"IDAT"])


@pytest.mark.parametrize("library", ["lists", "numpy"])
def test_an_image_is_what_was_given(library):
    given = [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [1, 2, 3]]]
    grey = [[0.0, 1.0, 0.5]]
    if library == "numpy":
        numpy = pytest.importorskip("numpy")
        given, grey = numpy.array(given, "uint8"), numpy.array(grey, "float32")
    assert pixels_of(image_of(given).png()) == (2, 2, 2, bytes([0, 255, 0, 0, 0, 255, 0, 0, 0, 0, 255, 1, 2, 3]))
    assert pixels_of(image_of(grey).png()) == (3, 1, 0, bytes([0, 0, 255, 128]))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([1, 2, 3], r"has the shape \(height, width\) or \(height, width, 3\), found \(3,\)"),
        ([[[1, 2]]], r"found \(1, 1, 2\)"),
        ([[-1.0, 2.0]], "integers from 0 to 255 or floats from 0 to 1"),
        ([[300]], "integers from 0 to 255"),
    ],
)
def test_what_is_no_image_is_refused(given, problem):
    with pytest.raises(TypeError, match=problem):
        image_of(given)


def test_a_histogram_counts_alike_with_and_without_numpy():
    numpy = pytest.importorskip("numpy")
    values = [n * n / 7 for n in range(200)] + [float("nan"), float("inf")]
    plain, quick = histogram_of(values), histogram_of(numpy.array(values))
    assert plain.counts == quick.counts
    assert plain.edges == pytest.approx(quick.edges)
    assert (sum(plain.counts), plain.left_out, quick.left_out) == (200, 2, 2)
    assert sum(histogram_of([3, 3]).counts) == 2
    with pytest.raises(TypeError, match="at least one finite number"):
        histogram_of([float("nan")])


def test_an_artifact_is_kept_as_it_was(tmp_path):
    (tmp_path / "best.pt").write_text("one")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("a")
    log = JSONL(tmp_path / "run")
    log.artifact(tmp_path / "best.pt", "epochs/1.pt")
    log.artifact(tmp_path / "folder")
    log.artifact(tmp_path / "best.pt", "../out.pt")
    log.artifact(tmp_path / "gone.pt")
    (tmp_path / "best.pt").write_text("two")
    kept = tmp_path / "run" / "artifacts"
    assert ((kept / "epochs/1.pt").read_text(), (kept / "folder/a").read_text()) == ("one", "a")
    assert log.failures["artifact"][0] == 2
    assert "does not name a file" in log.failures["artifact"][1]
    assert not (tmp_path / "run" / "out.pt").exists()
    log.end()


def test_a_full_disk_leaves_whole_lines(tmp_path):
    child = textwrap.dedent(
        f"""
        import resource, signal
        from callsheet.track import JSONL
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        log = JSONL({str(tmp_path)!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))
        for step in range(50):
            log.scalars({{"loss": 0.5}}, step=step)
        print(log.failures["scalars"][0])
        """
    )
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
    rows = lines(tmp_path / "metrics.jsonl")
    assert 0 < len(rows) < 50
    assert int(done.stdout) == 50 - len(rows)


# --- several at once --------------------------------------------------------------------------------------------------


def test_one_of_several_is_told_by_its_name(tmp_path):
    log = Trackers(one=JSONL(tmp_path / "1"), two=JSONL(tmp_path / "2"), off=None)
    log.scalars({"both": 1})
    log.one.scalars({"first": 1})
    log["two"].scalars({"second": 1})
    log.end()
    names = [[name for row in lines(tmp_path / n / "metrics.jsonl") for name in row if name != "time"] for n in "12"]
    assert names == [["both", "first"], ["both", "second"]]
    assert list(log) == ["one", "two"]
    with pytest.raises(AttributeError, match="there is no tracker 'tow'; did you mean 'two'"):
        _ = log.tow
    with pytest.raises(KeyError, match="there is no tracker 'x' among one, two"):
        log["x"]


def test_what_is_no_tracker_is_refused_with_its_name():
    with pytest.raises(ArgumentError) as refused:
        Trackers(mine=print, scalars=JSONL("x"))
    assert [fault.path for fault in refused.value.faults] == ["mine", "scalars"]


def test_settings_are_the_environment_of_a_command(tmp_path):
    with tracked_run(tmp_path / "7f3a9c", {}):
        log = Trackers(here=JSONL("/r"), m=MLflow("http://h:5000"), tb=TensorBoard("/r/tb"))
        assert environment(log) == {
            "CALLSHEET_METRICS": "/r/metrics.jsonl",
            "MLFLOW_TRACKING_URI": "http://h:5000",
            "MLFLOW_EXPERIMENT_NAME": "suite",
            "TENSORBOARD_LOGDIR": "/r/tb",
        }


# --- outside of a run -------------------------------------------------------------------------------------------------


def test_what_no_command_can_go_on_with_is_not_begun_for_one(tmp_path):
    log = Trackers(here=JSONL(tmp_path / "run"), none=None, tb=TensorBoard(tmp_path / "tb"))
    assert (
        log.hand_over()
        == environment(log)
        == {
            "CALLSHEET_METRICS": str(tmp_path / "run" / "metrics.jsonl"),
            "TENSORBOARD_LOGDIR": str(tmp_path / "tb"),
        }
    )
    log.end()
    assert [*tmp_path.iterdir()] == []


def test_an_error_inside_with_is_a_failure(tmp_path):
    log, ended = Broken(), []
    log.on_end = ended.append
    with pytest.raises(ValueError, match="mine"), log:
        raise ValueError("mine")
    assert ended == ["failed"]
    log.scalars({"a": 1})
    assert log.failures == {"scalars": (1, "noted after the end")}


@pytest.mark.parametrize(("last", "state"), [("", "done"), ("raise ValueError", "failed")])
def test_the_end_of_the_process_ends_what_nobody_has_ended(last, state):
    child = f"from test_trackers import Broken\nlog = Broken()\nlog.on_end = print\nlog.scalars({{'a': 1}})\n{last}"
    done = subprocess.run([sys.executable, "-c", child], cwd=os.path.dirname(__file__), capture_output=True, text=True)
    assert done.stdout == f"{state}\n"


def test_a_forked_process_is_told_that_the_tracker_is_not_its_own(tmp_path):
    log = JSONL(tmp_path)
    log.scalars({"a": 1})
    child = os.fork()
    if child == 0:
        log.scalars({"a": 2})
        os._exit(0 if "forked" in log.failures["scalars"][1] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(lines(tmp_path / "metrics.jsonl")) == 1
    log.end()


def test_a_package_that_is_missing_is_named_with_its_extra(tmp_path):
    child = textwrap.dedent(
        f"""
        import sys
        for name in ("mlflow", "tensorboardX", "wandb", "clearml"):
            sys.modules[name] = None
        from callsheet.track import ClearML, MLflow, TensorBoard, WandB
        for log in (MLflow("sqlite:///{tmp_path}/m.db"), TensorBoard({str(tmp_path)!r}), WandB(), ClearML()):
            log.scalars({{"a": 1}})
            log.end()
        """
    )
    done = subprocess.run([sys.executable, "-c", child], cwd=tmp_path, capture_output=True, text=True, check=True)
    told = [line.partition("start: ")[2] for line in done.stderr.splitlines() if "start: " in line]
    assert [line.rpartition(" — ")[2] for line in told] == [
        f"pip install 'callsheet[{extra}]'" for extra in ("mlflow", "tensorboard", "wandb", "clearml")
    ]
    assert [*tmp_path.iterdir()] == []


# --- a far side that is away ------------------------------------------------------------------------------------------


class Far:
    """A far side that can be away, and a sender to it."""

    def __init__(self):
        self.is_away, self.got, self.failed = False, [], []
        self.sender = Sender(self.reach, lambda *told: self.failed.append(told), "test")

    def reach(self):
        if self.is_away:
            raise ConnectionError("nobody there")

    def take(self, rows):
        self.reach()
        self.got += rows

    def put(self, *rows):
        entry = Entry("scalars", self.take, [*rows])
        self.sender.put(entry)
        return entry


def test_what_waits_for_a_far_side_is_passed_on_in_order_when_it_is_back(monkeypatch):
    monkeypatch.setattr("callsheet.track._sender.FIRST_PAUSE_S", 0.01)
    far = Far()
    far.is_away = True
    first = far.put(0)
    far.sender.wait_for(first, 30)  # until it is known to be away
    for n in range(1, 1200):
        far.put(n)
    assert not first.is_done
    far.is_away = False
    far.sender.end(30)
    assert far.got == [*range(1200)]
    assert {what for what, *_ in far.failed} == {"away"}


def test_what_a_far_side_never_gets_is_counted_and_nobody_waits_for_it():
    far = Far()
    far.is_away = True
    for n in range(5):
        far.put(n)
    far.sender.end(30)
    assert sum(count for what, _, count, _ in far.failed if what == "scalars") == 5


def test_a_far_side_that_hangs_is_left_alone_after_a_while():
    hold, far = threading.Event(), Far()
    far.sender.put(Entry("text", lambda rows: hold.wait(60) and None))
    far.put(1)
    far.sender.end(0.2)
    hold.set()
    assert [(what, why) for what, why, *_ in far.failed] == [
        (k, "not passed on within 0.2 s") for k in ("text", "scalars")
    ]


def test_when_too_much_waits_the_newest_is_lost_and_the_end_is_not(monkeypatch):
    monkeypatch.setattr("callsheet.track._sender.LIMIT", 3)
    far = Far()
    far.is_away = True
    far.sender.wait_for(far.put(0), 30)
    for n in range(1, 6):
        far.put(n)
    far.is_away = False
    far.sender.end(30, Entry("end", lambda rows: far.got.append("end")))
    assert far.got == [0, 1, 2, 3, "end"]
    assert [told[:3] for told in far.failed if told[0] == "scalars"] == [("scalars", "3 entries wait already", 1)] * 2


def test_what_waits_holds_no_more_than_a_training_can_spare(monkeypatch):
    monkeypatch.setattr("callsheet.track._sender.LIMIT_BYTES", 3_000_000)
    far = Far()
    far.is_away = True
    far.sender.wait_for(far.put(0), 30)
    for n in range(1, 6):
        far.sender.put(Entry("image", lambda rows, n=n: far.got.append(n), size=1_000_000))
    far.put(6)
    far.is_away = False
    far.sender.end(30)
    assert far.got == [0, 1, 2, 3, 6]
    assert [told[:3] for told in far.failed if told[0] == "image"] == [("image", "3 MB wait already", 1)] * 2


def test_a_moment_without_a_step_is_counted():
    assert (Moment(step=7, count=3).x, Moment(count=3).x) == (7, 3)
