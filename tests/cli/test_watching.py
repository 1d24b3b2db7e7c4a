"""What a command says while its jobs run."""

from callsheet.cli import _watching
from command import until


class Held:
    """Jobs that something holds up; it counts how often somebody has asked."""

    def __init__(self):
        self.waits_for, self.held_by, self.asked = "", "", 0

    @property
    def trouble(self):
        self.asked += 1
        return self.held_by


def test_what_holds_jobs_up_is_told_each_time_it_changes_and_not_between(monkeypatch, capsys):
    monkeypatch.setattr(_watching, "_TROUBLE_S", 0.002)
    jobs = Held()

    def looked():
        before = jobs.asked
        until(lambda: jobs.asked > before + 3)

    with _watching.trouble_told(jobs):
        looked()
        for jobs.waits_for, jobs.held_by in ("Resources", ""), ("Resources", "it is away"), ("", ""), ("Priority", ""):
            looked()
    said = ["queued: Resources", "it is away", "queued: Priority"]
    assert capsys.readouterr().err.splitlines() == [f"callsheet: {text}" for text in said]
