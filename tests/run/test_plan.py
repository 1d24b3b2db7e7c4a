"""A plan keeps trials as they were first drawn; a worker runs what was submitted or nothing (promises 12, 21)."""

import json
import os
from dataclasses import replace

import pytest

from callsheet import lazy, sweep
from callsheet.errors import RunError, SaveError, SpecError
from callsheet.run._draw import draw
from callsheet.run._place import Place
from callsheet.run._plan import Header, Plan, PlannedTrial
from callsheet.run._planindex import head
from saying import told


def trial(index, lr=0.1):
    return PlannedTrial(index, "main", (f"lr={lr}",), "abc", {"lr": lr}, {})


def drawn(plan):
    return {index: trial for index, _ in plan.records() if (trial := plan.trial(index))}


def digest(plan, index):
    return plan.record(index).digest.hex()


@pytest.fixture
def plan(tmp_path):
    header = Header("conf", "", "", (), str(tmp_path), (), ("lr=0.1,0.2",))
    made = Plan.of(tmp_path / "runs", header, "digest")
    made.add(header, [trial(0), trial(1)])
    return made, header


def test_what_is_written_reads_back_the_same(plan):
    made, header = plan
    assert drawn(made) == {0: trial(0), 1: trial(1)}
    assert made.read(1, digest(made, 1)) == (header, trial(1))


def test_of_a_trial_that_is_drawn_twice_the_first_line_counts(plan):
    made, header = plan
    before = dict(made.records())
    made.add(header, [trial(1, lr=0.9), trial(2)])
    assert drawn(made) == {0: trial(0), 1: trial(1), 2: trial(2)}
    assert {n: made.record(n) for n in before} == before


@pytest.mark.parametrize("cut", [1, 5, 40])
@pytest.mark.parametrize("name", ["plan.jsonl", "plan.index"])
def test_what_a_killed_writer_left_half_is_no_trial(plan, cut, name):
    made, header = plan
    index = made.folder / "plan.index"
    index.write_bytes(index.read_bytes()[: -48 if name == "plan.jsonl" else -cut])
    if name == "plan.jsonl":  # the record is written when the line is there, so that this one has none
        made.file.write_bytes(made.file.read_bytes()[:-cut])
    assert drawn(made) == {0: trial(0)}
    made.add(header, [trial(1), trial(2)])
    assert drawn(made) == {0: trial(0), 1: trial(1), 2: trial(2)}
    assert made.read(0, digest(made, 0))[1] == trial(0)


def test_a_line_that_was_damaged_is_drawn_anew(plan):
    made, header = plan
    made.file.write_text(made.file.read_text().replace('{"lr": 0.1}', '{"lr": 0.7}'))
    assert drawn(made) == {}
    made.add(header, [trial(1)])
    assert drawn(made) == {1: trial(1)}


def test_a_header_left_half_is_written_anew(plan):
    made, header = plan
    made.file.write_bytes(made.file.read_bytes()[:30])
    assert drawn(made) == {}
    made.add(header, [trial(0)])
    assert made.read(0, digest(made, 0)) == (header, trial(0))


def test_a_worker_refuses_a_trial_that_is_not_what_was_submitted(plan):
    made, _ = plan
    told_digest = digest(made, 1)
    made.file.write_text(made.file.read_text().replace("0.1", "0.7"))
    assert told(lambda: made.read(1, told_digest), RunError) == (
        f"trial 1 of {made.file} is not what was submitted\n  submit it again: the plan was changed"
    )
    assert told(lambda: made.read(5, told_digest), RunError) == f"the plan {made.file} has no trial 5"


def test_the_header_too_is_part_of_what_was_submitted(plan):
    made, _ = plan
    told_digest = digest(made, 0)
    made.file.write_text(made.file.read_text().replace('"paths": []', '"paths": ["/elsewhere"]'))
    with pytest.raises(RunError, match="is not what was submitted"):
        made.read(0, told_digest)


def test_a_plan_is_found_again_by_entry_overrides_and_source(tmp_path, plan):
    made, header = plan
    assert Plan.of(tmp_path / "runs", header, "digest").id == made.id
    other = Header("conf", "other", *list(header.__dict__.values())[2:])
    assert len({made.id, Plan.of(tmp_path, header, "changed").id, Plan.of(tmp_path, other, "digest").id}) == 3


def place(tmp_path):
    return Place(tmp_path, tmp_path / "runs", "conf")


def fit(lr: float, width: int = 1) -> float:
    return lr


def test_a_trial_that_was_drawn_does_not_change_when_the_config_draws_lots(project, tmp_path):
    project("train.py", "def fit(lr, draw): ...\n")
    conf = project(
        "conf.py",
        """
        import random
        from callsheet import lazy
        from train import fit
        draw = random.random()
        main = lazy(fit)(0.1, draw=draw)
        """,
    )
    first = draw(sweep(conf, ["main.0=1,2"]), Place.of(conf))
    again = draw(sweep(conf, ["main.0=1,2"]), Place.of(conf))
    assert [*drawn(first.plan).values()] == [*drawn(again.plan).values()]
    assert drawn(first.plan)[0].spec["draw"] != drawn(first.plan)[1].spec["draw"]


def test_faults_of_all_trials_are_told_with_the_trial_and_nothing_is_written(tmp_path):
    spec = {"main": lazy(fit)(0.1)}
    text = told(lambda: draw(sweep(spec, ["main.0=0.1,0.2", "main.width=1,a"]), place(tmp_path)), SpecError)
    first, *_, last = text.splitlines()
    assert first.startswith("main.width  must be int, found 'a'")
    assert last == "            in trial 1:  main.0=0.1 main.width=a  and in 1 more"
    assert os.listdir(tmp_path) == []


def test_a_fault_that_all_trials_have_is_told_once(tmp_path):
    spec = {"main": lazy(fit)(0.1)}
    text = told(lambda: draw(sweep(spec, ["main.width=x", "main.0=0.1,0.2,0.3"]), place(tmp_path)), SpecError)
    assert text.count("must be int") == 1
    assert "in trial" not in text


def test_a_live_object_is_refused_and_nothing_is_written(tmp_path):
    spec = {"main": lazy(fit)(0.1, width=object())}
    with pytest.raises((SaveError, SpecError), match=r"main\.width"):
        draw(sweep(spec, ["main.0=1,2"]), place(tmp_path))
    assert os.listdir(tmp_path) == []


def test_a_plan_that_says_where_its_runs_were_is_read_and_they_are_where_it_is(plan, tmp_path):
    made, header = plan
    old = json.dumps({**vars(header), "runs": "/elsewhere", "format": 2}).encode()
    made.file.write_bytes(old + b"\n")
    made._index.write_bytes(head(old))
    made.add(header, [trial(0)])
    assert made.file.read_bytes().startswith(old)
    assert made.read(0, digest(made, 0)) == (replace(header, format=2), trial(0))
    assert made.runs == tmp_path / "runs"
