"""Runs looked up in their index: a hundred thousand small run directories, filtered, sorted and listed."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator

from measure import medians, process_times

from callsheet.run._index import Index

RUNS = 100_000
FILES = {
    "status.json": '{"state": "done", "started": "2026-11-22T08:00:00+00:00", "ended": "2026-11-22T08:01:00+00:00"}',
    "metrics.jsonl": '{"step": 0, "loss": 1.5}\n{"step": 1, "loss": 0.5}\n',
}


def make_runs(folder: str, count: int) -> None:
    """Write run directories as workers leave them, with twenty values each."""
    for n in range(count):
        directory = os.path.join(folder, f"{n:06x}")
        os.makedirs(directory)
        values = {"optim.lr": 10.0 ** -(n % 5), **{f"model.option{k}": k for k in range(19)}}
        link = {"kind": "file", "where": "conf.py:5", "text": ""}
        files = {
            "run.json": {"experiment": "conf", "number": n, "identity": f"{n:064x}", "code": {"version": "c"}},
            "result.json": {"loss": 1 / (n + 1), "accuracy": n / count},
            "origins.json": {path: [{"value": repr(value), **link}] for path, value in values.items()},
        }
        for name, text in [*FILES.items(), *((name, json.dumps(data)) for name, data in files.items())]:
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(text)


LISTED = """
import json
with open("rows.jsonl") as file:
    rows = [json.loads(line) for line in file]
rows = [row for row in rows if row["state"] == "done" and row["result"]["accuracy"] > 0.9]
rows.sort(key=lambda row: -row["result"]["accuracy"])
for row in rows[:50]:
    print(row)
"""
"""What one would write by hand, with all that is shown in one file of JSON lines."""


def rows(count: int = RUNS) -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """Labels, goals and seconds of processor time: of the whole command, and of what the scheduler asks."""
    with tempfile.TemporaryDirectory() as folder:
        make_runs(folder, count)
        index = Index(folder)
        with open(os.path.join(folder, "rows.jsonl"), "w", encoding="utf-8") as file:
            for run, row in index.rows().items():
                data = {
                    "id": run,
                    "state": row[3],
                    "started": row[4],
                    "result": {"loss": 1.0, "accuracy": row[2] / count},
                }
                file.write(json.dumps(data) + "\n")
        command = [sys.executable, "-m", "callsheet", "runs", "--runs", folder]
        filtered = [*command, "state=done and result.accuracy>0.9", "--sort", "-result.accuracy"]
        by_spec = [*command, "optim.lr<1e-2 and metrics.loss<1", "--sort", "result.loss"]
        by_hand = [sys.executable, "-c", LISTED]
        for label, arguments in (("", command), (" by result", filtered), (" by spec", by_spec)):
            took = process_times({"callsheet": (arguments, {}), "plain": (by_hand, {})}, folder, rounds=5)
            yield f"runs{label}, of {count:,}", None, took
        wanted = {f"{n:064x}" for n in range(0, 2 * count, 2)}
        found = dict.fromkeys(f"{n:064x}" for n in range(count))
        asked = {
            "callsheet": lambda: wanted.intersection(identity for _, identity, _ in index.finished()),
            "plain": lambda: [text for text in wanted if text in found],
        }
        yield f"which of {count:,} specs are done", None, medians(asked)
        index.close()


if __name__ == "__main__":
    for label, _, seconds in rows(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS):
        print(f"{label:<40} {seconds['callsheet']:8.3f} s {seconds['plain']:8.3f} s")
