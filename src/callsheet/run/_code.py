"""Code that travels: an archive of the project as it is now, and the library itself for where there is none of it."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import callsheet
from callsheet._storage import write_whole
from callsheet.errors import Fault, RunError
from callsheet.run._plan import Header
from callsheet.run._provenance import Code, code_of, tracked_files

_NOTE = ".callsheet-code.json"
"""The file of an archive that says which version it is."""

_MOST_MB = 200
"""How large an archive may be."""


def carry_code(header: Header, runs: Path) -> str:
    """Put an archive of a project's code among its runs, once for each content; gives its digest.

    It holds what git tracks, as it is now, and what it does not ignore of Python; outside of a repository the Python
    files. And the config files.

    Raises:
        RunError: It would be too large.
    """
    content = _packed(header, runs)
    digest = hashlib.sha256(content).hexdigest()[:32]
    path = _archive(runs, digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(str(path), content)
    return digest


def code_digest(header: Header, runs: Path) -> str:
    """The digest that `carry_code` would give; nothing is written."""
    return hashlib.sha256(_packed(header, runs)).hexdigest()[:32]


def _packed(header: Header, runs: Path) -> bytes:
    import tarfile

    root = Path(header.project)
    files = tracked_files(root, runs)
    for config in header.configs:
        if os.path.isfile(config) and Path(config).is_relative_to(root):
            files.add(os.path.relpath(config, root))
    files = {name for name in files if (root / name).is_file()}
    size_mb = sum((root / name).stat().st_size for name in files) / 1e6
    if size_mb > _MOST_MB:
        large = sorted(files, key=lambda name: -(root / name).stat().st_size)[:3]
        advice = [f"the largest are  {', '.join(large)}", "code='there'  runs what is there, where that is shared"]
        raise RunError(Fault("", f"the code would be an archive of {size_mb:.0f} MB", advice=advice))
    code = code_of(root, header.configs, runs)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:

        def add(name: str, content: bytes, mode: int) -> None:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))

        for name in sorted(files):
            add(name, (root / name).read_bytes(), (root / name).stat().st_mode & 0o777)
        add(_NOTE, json.dumps(asdict(code)).encode(), 0o644)
    return _squeezed(raw.getvalue())


def _squeezed(raw: bytes) -> bytes:
    import gzip

    return gzip.compress(raw, compresslevel=6, mtime=0)


def unpacked(runs: Path, digest: str) -> tuple[Path, Code]:
    """Where an archive is unpacked on this machine, for whoever comes after too; and which code that is.

    Args:
        runs: The directory of the runs, among which it is.
        digest: Of the archive, which is verified.

    Raises:
        RunError: It is not there, or not what was submitted.
    """
    import tempfile

    home = Path(tempfile.gettempdir()) / f"callsheet-code-{os.getuid()}"
    folder = home / digest
    if not (folder / _NOTE).exists():
        _unpack(_archive(runs, digest), digest, home, folder)
    elif home.stat().st_uid != os.getuid():
        raise RunError(Fault("", f"{home} belongs to somebody else"))
    said = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    return folder, Code(**{**said, "untracked": tuple(said["untracked"])})


def _unpack(path: Path, digest: str, home: Path, folder: Path) -> None:
    import shutil
    import tarfile
    import tempfile

    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(Fault("", f"the code {path} cannot be read: {error.strerror}")) from None
    if hashlib.sha256(content).hexdigest()[:32] != digest:
        raise RunError(Fault("", f"the code {path} is not what was submitted", advice=["submit it again"]))
    home.mkdir(mode=0o700, exist_ok=True)
    if home.stat().st_uid != os.getuid():
        raise RunError(Fault("", f"{home} belongs to somebody else"))
    new = Path(tempfile.mkdtemp(dir=home))
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        archive.extractall(new, filter="data")
    try:
        new.rename(folder)
    except OSError:  # another worker was faster
        shutil.rmtree(new)


def _archive(runs: Path, digest: str) -> Path:
    return runs / ".code" / f"{digest}.tar.gz"


_MORE = ("jinja2", "markupsafe")
"""Packages that commands need, which are carried too where they are here: what has them itself has its own."""


@functools.cache
def library_name() -> str:
    """The name of the folder among the runs, below `.code`, in which this very library is put."""
    digest = hashlib.sha256()
    for name, path in _library_files():
        digest.update(f"{name}\0".encode() + path.read_bytes())
    return f"callsheet-{digest.hexdigest()[:12]}"


def carry_library(runs: Path) -> None:
    """Put this library among the runs, where it is not yet: `PYTHONPATH` then leads to it."""
    import shutil
    import tempfile

    folder = runs / ".code" / library_name()
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder.parent))
    new.chmod(0o755)
    for name, path in _library_files():
        there = new / name
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, there)
        compiled = Path(importlib.util.cache_from_source(str(path)))
        if compiled.exists():  # so that workers need not, each anew where they may not keep it
            (there.parent / "__pycache__").mkdir(exist_ok=True)
            shutil.copy2(compiled, there.parent / "__pycache__" / compiled.name)
    try:
        new.rename(folder)
    except OSError:  # another submission was faster
        shutil.rmtree(new)


def find_carried() -> None:
    """Where this library was carried, let what came along be imported, after all that is there itself."""
    folder = Path(callsheet.__file__).parents[1] / "carried"
    if folder.is_dir():
        sys.path.append(str(folder))


def _library_files() -> list[tuple[str, Path]]:
    """The files of this library and of what comes along, with their names where they are carried."""
    found = [("callsheet", Path(callsheet.__file__).parent)]
    for name in _MORE:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            found.append((f"carried/{name}", Path(spec.origin).parent))
    return sorted((f"{name}/{path.relative_to(home)}", path) for name, home in found for path in home.rglob("*.py"))
