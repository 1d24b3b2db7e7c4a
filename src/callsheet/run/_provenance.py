"""What a run was made of beside its spec: code version, packages, host."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Code:
    """The code of a project at one moment.

    Attributes:
        version: Twelve hex digits over its Python files, config files left out.
        commit: The git commit, or "" outside of a repository.
        diff: What differs from the commit, as text, new Python files too that git does not know yet.
        untracked: Files that git does not know, relative to the root.
        files: The Python files that the version is of, each with a digest, and with "" the config files left out.
    """

    version: str
    commit: str = ""
    diff: str = ""
    untracked: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict, repr=False)

    def changed_since(self, then: Mapping[str, str]) -> set[str]:
        """The files that are not what another version was of; what is a config in either counts in the spec alone.

        >>> Code("", files={"train.py": "1", "conf.py": ""}).changed_since({"train.py": "2", "conf.py": "3"})
        {'train.py'}
        """
        names = {*then, *self.files}
        return {
            name
            for name in names
            if then.get(name) != self.files.get(name) and "" not in (then.get(name), self.files.get(name))
        }


def code_of(root: Path, configs: Iterable[str] = (), runs: Path | None = None) -> Code:
    """The code of a project now.

    Args:
        root: The project's root.
        configs: Absolute paths of config files, which a spec's identity counts already.
        runs: The directory of the runs, which is no code.
    """
    left_out = {os.path.realpath(path) for path in configs}
    # Files that git does not know yet count too: an edit to a `train.py` that nobody added is an edit.
    listed = _listed(root)
    tagged = listed or []
    known = {name for _, name in tagged if name.endswith(".py")}
    files = sorted(known if known else _python_files(root, runs))
    inside = os.path.relpath(runs, root) + "/" if runs is not None else "\0"
    others = tuple(name for tag, name in tagged if tag == "?" and not name.startswith(inside))
    new = set(others)
    digest = hashlib.sha256()
    digests, added = {}, {}
    for name in files:
        path = root / name
        if os.path.realpath(path) in left_out:
            digests[name] = ""
        elif path.is_file():
            content = path.read_bytes()
            own = hashlib.sha256(content)
            digest.update(f"{name}\0".encode())
            digest.update(own.digest())
            digests[name] = own.hexdigest()[:12]
            if name in new:
                added[name] = content
    version = digest.hexdigest()[:12]
    if listed is None:
        return Code(version, files=digests)
    commit = (_git(root, "rev-parse", "HEAD") or "").strip()
    diff = _git(root, "diff", *_PLAIN, "HEAD", "--", ".") if commit else ""
    return Code(version, commit, _with_new(diff or "", added), others, digests)


_MOST_NEW = 1_000_000
"""Bytes of new files that a diff holds in all; those beyond are only named."""


def _with_new(diff: str, added: Mapping[str, bytes]) -> str:
    """A diff that adds files too, in the form of `git diff`."""
    parts, left, beyond = [diff], _MOST_NEW, []
    for name, content in added.items():
        if len(content) <= left:
            left -= len(content)
            parts.append(_added(name, content.decode("utf-8", "replace")))
        else:
            beyond.append(name)
    if beyond:  # what stands before the first file `git apply` skips
        parts.insert(0, f"new files that are too large to be kept here: {', '.join(beyond)}\n")
    return "".join(parts)


def _added(name: str, text: str) -> str:
    ours, theirs = (f"{side}/{name}" for side in "ab")
    if any(letter in name for letter in '"\\\n\t'):
        ours, theirs = json.dumps(ours, ensure_ascii=False), json.dumps(theirs, ensure_ascii=False)
    head = f"diff --git {ours} {theirs}\nnew file mode 100644\n"
    if not text:
        return f"{head}index 0000000..e69de29\n"
    lines = text.removesuffix("\n").split("\n")
    tab = "\t" if " " in name else ""
    body = "".join(f"+{line}\n" for line in lines)
    end = "" if text.endswith("\n") else "\\ No newline at end of file\n"
    return f"{head}--- /dev/null\n+++ {theirs}{tab}\n@@ -0,0 +1,{len(lines)} @@\n{body}{end}"


def tracked_files(root: Path, runs: Path | None = None) -> set[str]:
    """The files that make a project, relative to its root.

    They are those that git tracks, and the Python files that it neither tracks nor ignores; outside of a repository all
    Python files.
    """
    tagged = _listed(root)
    if tagged is None:
        return set(_python_files(root, runs))
    return {name for tag, name in tagged if tag != "?" or name.endswith(".py")}


def _listed(root: Path) -> list[tuple[str, str]] | None:
    """What git tracks, and with a `?` what it neither tracks nor ignores; None outside of a repository."""
    listed = _git(root, "ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard", "--", ".")
    return None if listed is None else [(name[:1], name[2:]) for name in listed.split("\0") if name]


_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/")
"""Makes of a diff what `git apply` takes, whatever the user has set for reading diffs."""


def _git(root: Path, *arguments: str) -> str | None:
    """What a git command prints; None where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "--no-optional-locks", *arguments],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _python_files(root: Path, runs: Path | None) -> Iterator[str]:
    no_code = os.path.realpath(runs) if runs is not None else None
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if not name.startswith((".", "__pycache__"))
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
            and os.path.realpath(os.path.join(folder, name)) != no_code
        ]
        for name in files:
            if name.endswith(".py"):
                yield os.path.relpath(os.path.join(folder, name), root)


def packages() -> dict[str, str]:
    """The installed distributions and their versions, as the folders on `sys.path` have them."""
    # Reading so much itself takes a tenth of what `importlib.metadata` and the mails that it parses take.
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for name in names:
            for most in (512, -1):  # mostly the first lines say it; what follows may be a long description
                said = dict(_SAID.findall(_metadata(os.path.join(folder, name), most).partition("\n\n")[0]))
                if "Name" in said and "Version" in said:
                    found.setdefault(said["Name"], said["Version"])
                    break
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def other_versions(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """The distributions that two interpreters have in different versions, told of the first.

    >>> other_versions({"numpy": "1.26.4", "six": "1.17"}, {"numpy": "2.1.0", "six": "1.17", "torch": "2.13.0"})
    ['numpy 1.26.4 (here 2.1.0)']
    """
    both = sorted(there.keys() & here.keys(), key=str.lower)
    return [f"{name} {there[name]} (here {here[name]})" for name in both if there[name] != here[name]]


_SAID = re.compile(r"^(Name|Version): *(.*?)[ \t]*\n", re.MULTILINE)


def _metadata(path: str, most: int) -> str:
    """What a distribution says of itself: its first letters, or with -1 all."""
    for name in ("METADATA", "PKG-INFO", ""):
        try:
            with open(os.path.join(path, name) if name else path, encoding="utf-8", errors="replace") as file:
                return file.read() + "\n" if most < 0 else file.read(most)
        except OSError:
            continue
    return ""


def host() -> dict[str, object]:
    """The machine and the interpreter."""
    name, system = _machine()
    return {
        "name": name,
        "system": system,
        "cpus": os.cpu_count(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "executable": sys.executable,
    }


def engine() -> str:
    """What started this process, where that was an engine: "slurm 50_3", "ray", "kubernetes", "container"; else ""."""
    env = os.environ
    if "SLURM_JOB_ID" in env:
        array = env.get("SLURM_ARRAY_JOB_ID")
        return f"slurm {array}_{env.get('SLURM_ARRAY_TASK_ID')}" if array else f"slurm {env['SLURM_JOB_ID']}"
    if "RAY_JOB_CONFIG_JSON_ENV_VAR" in env:
        return "ray"
    if "CALLSHEET_CONTAINER" in env:
        return "kubernetes" if "KUBERNETES_SERVICE_HOST" in env else "container"
    return ""


def _machine() -> tuple[str, str]:
    """Its name, and what it runs: `Linux-6.1.0-x86_64`."""
    if hasattr(os, "uname"):  # what `platform` does besides is to start a process
        found = os.uname()
        return found.nodename, f"{found.sysname}-{found.release}-{found.machine}"
    import platform

    return platform.node(), platform.platform()
