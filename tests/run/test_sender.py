"""How an engine is asked: gently, with patience while it is away, with doubt where a result does not come."""

import json
from dataclasses import dataclass, replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from callsheet import lazy, sweep
from callsheet.errors import Fault, RunError
from callsheet.run import _pace, _sender
from callsheet.run._draw import draw
from callsheet.run._engine import Refused, Seen, Unreachable
from callsheet.run._place import Place
from callsheet.run._remote import RemoteExecutor
from callsheet.run._sender import RemoteSender
from callsheet.run._store import Store


def fit(lr: float) -> float:
    return lr


@dataclass
class Request:
    name: str
    tasks: tuple


class Clock:
    """Time that passes only while somebody sleeps or is asked."""

    now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Distant:
    """An engine that takes its time, can be away, and says of its tasks what it is told to say."""

    address = "there"

    def __init__(self, clock):
        self.clock, self.took_s, self.is_away, self.refuses = clock, 0.0, False, False
        self.looks, self.asked, self.has, self.says, self.forgotten = [], [], [], lambda name: {}, []
        self.ended, self.wants_token = [], False

    def _answer(self, what):
        self.asked.append((self.clock.now, what))
        if self.wants_token:
            raise RunError(Fault("", "it wants a token", advice=["export TOKEN=…"]))
        if self.is_away:
            raise Unreachable("it is away")

    def submit(self, request):
        self._answer("submit")
        if self.refuses:
            raise Refused(Fault("", "no such partition"))
        self.has.append(request.name)
        return request.name

    def find(self, name):
        self._answer("find")
        return name if name in self.has else None

    def look(self, ids):
        self.looks.append(self.clock.now)
        self._answer("look")
        self.clock.now += self.took_s
        return {id: self.says(id) for id in ids}

    def end(self, id, positions=None):
        self._answer("end")
        self.ended.append((id, positions))

    def output(self, id, position):
        return b"what it wrote"

    def forget(self, id):
        self.forgotten.append(id)

    def close(self): ...


@dataclass(frozen=True, kw_only=True)
class Elsewhere(RemoteExecutor):
    array: int = 1

    def requests(self, tasks):
        parts = [tasks[n : n + self.array] for n in range(0, len(tasks), self.array)]
        return [Request(f"job-{part[0].index}-{part[0].turn}", tuple(part)) for part in parts]

    def engine(self):
        raise AssertionError("the tests give their own")


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in (_sender, _pace):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def sent(clock, tmp_path):
    """A trial that was sent to an engine: the sender and the engine."""
    drawing = draw(sweep({"main": lazy(fit)(0.1)}, "main.0=1,2"), Place(tmp_path, tmp_path / "runs", "conf"))
    drawing.decide("refuse")
    engine = Distant(clock)
    sender = RemoteSender(Elsewhere(code="there", poll_s=5.0), drawing.plan, engine)
    return SimpleNamespace(sender=sender, engine=engine, task=drawing.next().task, plan=drawing.plan)


def rests(looks):
    return [later - before for before, later in pairwise(looks)]


def test_where_looks_are_quick_the_first_follow_soon_and_the_others_ever_more_seldom(sent):
    sent.sender.send([sent.task])
    sent.engine.says = lambda name: {0: Seen("running")}
    sent.sender.poll(60.0)
    found = rests(sent.engine.looks)
    assert found[0] == pytest.approx(0.1)
    assert found[1:] == sorted(found[1:])
    assert found[-1] == pytest.approx(5.0)


def test_a_look_that_takes_long_is_followed_by_a_rest_ten_times_as_long_but_no_longer_than_a_minute(sent):
    sent.sender.send([sent.task])
    sent.engine.says, sent.engine.took_s = lambda name: {0: Seen("running")}, 2.0
    sent.sender.poll(200.0)
    assert rests(sent.engine.looks) == pytest.approx([22.0] * 9)
    sent.engine.took_s = 30.0
    sent.engine.looks.clear()
    sent.sender.poll(600.0)
    assert rests(sent.engine.looks)[1:] == pytest.approx([90.0] * 5)


def test_of_tasks_that_take_long_several_are_seen_to_end_and_sent_between_two_looks(sent, clock):
    waiting = [replace(sent.task, index=n) for n in range(60)]
    ends = {}

    def says(name):
        return {0: Seen("ended", 1) if clock.now >= ends[name] else Seen("running")}

    sent.engine.says = says
    began, ended = clock.now, 0
    while ended < 60:
        while waiting and len(ends) - ended < 20:
            n = waiting[0].index
            ends[f"job-{n}-1"] = clock.now + 100.0 + n % 20
            sent.sender.send([waiting.pop(0)])
        ended += len(sent.sender.poll(1.0))
    assert 300.0 < clock.now - began < 400.0
    assert sum(when >= began + 100.0 for when in sent.engine.looks) <= (clock.now - began - 100.0) / 5.0 + 2


def test_an_engine_that_is_away_is_asked_ever_more_seldom_and_nothing_is_given_up(sent):
    sent.engine.is_away = True
    assert sent.sender.send([sent.task]) == 1
    assert (sent.sender.trouble, sent.sender.room()) == ("it is away", 0)
    assert sent.sender.poll(600.0) == []
    found = rests([when for when, _ in sent.engine.asked])
    assert found == sorted(found)
    assert found[-1] == pytest.approx(60.0)
    sent.engine.is_away = False
    sent.sender.poll(61.0)
    assert (sent.sender.trouble, sent.engine.has) == ("", ["job-0-1"])


def test_what_arrived_although_nobody_said_so_is_found_and_not_sent_twice(sent):
    sent.engine.is_away = True
    sent.sender.send([sent.task])
    sent.engine.is_away, sent.engine.has = False, ["job-0-1"]
    sent.sender.poll(61.0)
    assert sent.engine.has == ["job-0-1"]
    assert [what for _, what in sent.engine.asked if what == "submit"] == ["submit"]


def test_a_job_that_ended_well_without_its_result_is_waited_for_and_then_told_with_the_folder(sent, clock):
    sent.sender.send([sent.task])
    sent.engine.says = lambda name: {0: Seen("ended", 0)}
    began = clock.now
    assert sent.sender.poll(19.0) == []
    (exit,) = sent.sender.poll(60.0)
    assert clock.now - began > 20.0
    runs = sent.plan.folder.parent.parent
    assert exit.limit == f"it ended well, but no result of it came to {runs}: is that the same folder there?"
    assert exit.code == 1
    assert (sent.plan.folder / "logs" / "0.log").read_bytes() == b"what it wrote"
    assert sent.engine.forgotten == ["job-0-1"]


def test_what_an_engine_never_takes_ends_with_its_words(sent):
    sent.engine.refuses = True
    sent.sender.send([sent.task])
    (exit,) = sent.sender.poll(1.0)
    assert (exit.refused, exit.limit, exit.blame) == (True, "no such partition", "program")
    assert sent.sender.poll(100.0) == []
    assert sent.engine.looks == []


def test_who_shall_end_while_the_engine_is_away_ends_when_it_is_back(sent):
    sent.sender.send([sent.task])
    sent.engine.says = lambda name: {0: Seen("running")}
    sent.engine.is_away = True
    sent.sender.stop(0)
    assert sent.engine.ended == []
    sent.engine.is_away = False
    sent.sender.poll(10.0)
    assert sent.engine.ended == [("job-0-1", None)]


def test_who_shall_end_before_the_engine_has_it_is_never_handed_over(sent):
    sent.engine.is_away = True
    sent.sender.send([sent.task])
    sent.sender.stop(0)
    sent.engine.is_away = False
    (exit,) = sent.sender.poll(61.0)
    assert (exit.index, exit.code, sent.engine.has) == (0, -15, [])


def test_who_shall_end_and_had_arrived_unseen_is_ended_there(sent):
    sent.engine.is_away = True
    sent.sender.send([sent.task])
    sent.sender.cancel()
    sent.engine.is_away, sent.engine.has = False, ["job-0-1"]
    sent.engine.says = lambda name: {0: Seen("running")}
    sent.sender.poll(61.0)
    assert sent.engine.ended == [("job-0-1", None)]


def test_of_an_array_those_positions_are_ended_that_are_meant_also_by_who_comes_later(sent):
    on = Elsewhere(code="there", array=3)
    RemoteSender(on, sent.plan, sent.engine).send([replace(sent.task, index=n) for n in (5, 7, 9)])
    later = RemoteSender(on, sent.plan, sent.engine)
    assert sorted(later.resumed()) == [5, 7, 9]
    later.stop(7)
    assert sent.engine.ended == [("job-5-1", [1])]
    later.cancel()
    assert sent.engine.ended[1:] == [("job-5-1", None)]


def test_what_another_engine_of_the_kind_has_is_not_looked_for_here(sent, clock):
    sent.sender.send([sent.task])
    other = Distant(clock)
    other.address = "elsewhere"
    with pytest.raises(RunError, match="Elsewhere there has trials of this, and Elsewhere elsewhere is another"):
        RemoteSender(Elsewhere(code="there"), sent.plan, other).resumed()
    assert other.asked == []
    assert list(RemoteSender(Elsewhere(code="there"), sent.plan, sent.engine).resumed()) == [0]


def test_an_engine_that_wants_another_token_is_waited_for_unless_it_wants_one_from_the_beginning(sent):
    sent.engine.wants_token = True
    with pytest.raises(RunError, match="wants a token"):
        sent.sender.send([sent.task])
    sent.engine.wants_token = False
    sent.sender.poll(1.0)
    assert sent.engine.has == ["job-0-1"]
    sent.engine.says, sent.engine.wants_token = lambda name: {0: Seen("running")}, True
    assert sent.sender.poll(100.0) == []
    assert sent.sender.trouble == "it wants a token"
    sent.engine.wants_token = False
    sent.sender.poll(100.0)
    assert sent.sender.trouble == ""


@pytest.mark.parametrize(
    ("status", "code", "blame"),
    [
        ({"state": "failed", "exit": 3}, 3, "program"),
        ({"state": "done"}, 0, "program"),
        ({"state": "interrupted", "exit": -9}, -9, "machine"),
        (None, -9, "machine"),
    ],
)
def test_what_an_engine_has_forgotten_is_told_by_its_run(sent, status, code, blame):
    sent.sender.send([sent.task])
    if status is not None:
        run = Store(sent.plan.runs).new_run()
        sent.plan.note_run(0, run.name)
        (run / "run.json").write_text("{}")
        (run / "status.json").write_text(json.dumps(status))
    sent.engine.says = lambda name: {0: Seen("unknown")}
    (exit,) = sent.sender.poll(1.0)
    assert (exit.code, exit.blame) == (code, blame)
    assert ("nothing is known of it any more" in exit.limit) is (blame == "machine")
