"""The names of the verbs, for whoever only has to tell them."""

from __future__ import annotations

VERBS: dict[str, str] = {
    "help": "tell what can be changed in a config, with types and origins",
    "show": "print a spec, or one of its parts",
    "check": "report every fault of a spec; build nothing",
    "run": "build a spec's `main` and record the run",
    "why": "tell who set a value, and what it replaced",
    "sweep": "run every combination of some choices; go on where it stopped",
    "submit": "hand over a run or a sweep, and return at once",
    "status": "list what was submitted, wherever it is, and how it stands",
    "logs": "print what a run has written",
    "cancel": "end what was submitted, or a run",
    "wait": "wait until what was submitted has ended",
    "retry": "submit again what has not ended well",
    "plan": "list the trials of a sweep, checked, and what is done; start nothing",
    "diff": "tell what differs between two configs, runs or parts of them",
    "runs": "list runs: filter, sort, choose columns",
    "compare": "put runs side by side",
    "rerun": "run the spec of a run once more",
    "report": "write runs as one page, with curves and specs, for a browser",
    "schema": "print the JSON Schema of a config, for editors",
    "convert": "write a config as another kind of file, also from another system",
    "zoo": "list, show and copy what others publish",
    "completion": "print what makes a shell complete all this",
    "image": "build the container image of an experiment",
    "init": "write the files of an example into this folder",
}

QUICK = ("help", "completion")
"""Verbs that answer while a person types, and so read their few words themselves, without click."""

PLAIN = ("show", "diff")
"""Verbs that answer without click where their words are plain."""

CONFIGS = (".py", ".yaml", ".yml", ".toml", ".json")
"""How the name of a config ends."""
