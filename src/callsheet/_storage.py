"""Where files lie: read and written whole, on the local disk or, with fsspec, anywhere (`s3://`, `memory://`, `gs://`)."""

from __future__ import annotations

import os

from ._configfile import show_file
from .errors import Fault, LoadError, SaveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO


def is_remote(path: str) -> bool:
    """Whether a path names a store: `s3://bucket/x.yaml`."""
    return "://" in path


def full_path(path: str | os.PathLike[str]) -> str:
    """A local path as absolute, a remote one as it is."""
    text = os.fspath(path)
    return text if is_remote(text) else os.path.abspath(text)


def suffix_of(path: str) -> str:
    """What a file's name ends in, with its dot."""
    if is_remote(path):
        path = path.partition("::")[0]  # as in zip://x.yaml::s3://bucket/all.zip
        if path.startswith("http"):
            path = path.partition("?")[0].partition("#")[0]
    return os.path.splitext(path)[1]


def read_bytes(path: str) -> bytes:
    """What a file holds.

    Raises:
        FileNotFoundError: There is none.
        LoadError: It cannot be read, or fsspec is missing.
    """
    if is_remote(path):
        return _read_remote(path)
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LoadError(Fault("", f"{show_file(path)} cannot be read: {error.strerror}")) from None


def read_json_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The dict in a local JSON file; empty where there is no whole one."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def join_path(folder: str, name: str) -> str:
    """The path of a file in a folder, remote or not."""
    if not is_remote(folder):
        return os.path.join(folder, *name.split("/"))
    head, chain, rest = folder.partition("::")  # as in zip://zoo::s3://bucket/all.zip
    return f"{head.rstrip('/')}/{name}{chain}{rest}"


def files_below(folder: str) -> list[str]:
    """The paths of all files in a folder and below it, relative to it, in order; what compilers leave is left out.

    Raises:
        LoadError: The store cannot list its files, or says that some lie outside; or fsspec is missing.
    """
    if is_remote(folder):
        found = _remote_files(folder)
    else:
        walked = os.walk(folder)
        found = [os.path.relpath(os.path.join(at, name), folder) for at, _, names in walked for name in names]
        found = [path.replace(os.sep, "/") for path in found]
    return sorted(path for path in found if "__pycache__" not in path.split("/"))


def _remote_files(folder: str) -> list[str]:
    fs, inner = _store(folder, LoadError)
    try:
        paths = [str(path) for path in fs.find(inner)]
        if not paths:
            fs.ls(inner)  # a search finds nothing also where nothing answers
    except FileNotFoundError:
        raise LoadError(Fault("", f"there is nothing at {folder}")) from None
    except Exception as error:  # what a store raises is its own
        raise LoadError(Fault("", f"{folder} cannot be listed: {_told(error)}")) from error
    start = inner.strip("/")
    found = [path.partition(start)[2].strip("/") for path in paths]
    outside = [path for path in found if ".." in path.split("/") or "\\" in path]
    if outside:
        raise LoadError(Fault("", f"{folder} lists {outside[0]!r}, which does not lie in it"))
    return [path for path in found if path]


def copy_file(path: str, into: BinaryIO) -> None:
    """Copy what a file holds, piece by piece.

    Raises:
        FileNotFoundError: There is none.
        LoadError: It cannot be read to its end, or fsspec is missing.
    """
    import shutil

    fs, inner = _store(path, LoadError) if is_remote(path) else (None, path)
    try:
        with open(path, "rb") if fs is None else fs.open(inner, "rb") as file:
            shutil.copyfileobj(file, into, 1 << 20)
    except FileNotFoundError:
        raise
    except Exception as error:  # what a store raises is its own
        raise LoadError(Fault("", f"{show_file(path)} cannot be read: {_told(error)}")) from error


def text_of(raw: bytes, path: str) -> str:
    """The text of a data file: UTF-8, or what its byte order mark says.

    Raises:
        LoadError: It is not text; the error names the line.
    """
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise LoadError(Fault("", f"is not text: {error}", origin=f"{show_file(path)}:{row}")) from None


def unwritable(what: str, error: OSError, *advice: str) -> Fault:
    """What is said of what the file system does not let be written.

    Args:
        what: What was to be written, and where.
        error: Why not.
        advice: What to do.
    """
    return Fault("", f"{what} cannot be written: {error.strerror or error}", advice=advice)


def write_whole(path: str, content: str | bytes) -> None:
    """Write a file so that a reader sees all of it or what was there before.

    Raises:
        SaveError: The store refuses, or fsspec is missing.
        OSError: The file system refuses.
    """
    raw = content.encode() if isinstance(content, str) else content
    if is_remote(path):
        _write_remote(path, raw)
    else:
        _write_local(path, raw)


def _write_local(path: str, raw: bytes) -> None:
    path = os.path.realpath(path)  # a link stays one
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.urandom(8).hex()}")  # tempfile imports thirty modules for this
    try:
        with open(temporary, "xb") as file:
            file.write(raw)
        _keep_rights(path, temporary)
        os.replace(temporary, path)
    except FileExistsError:
        raise
    except BaseException as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        if isinstance(error, OSError):
            error.filename, error.filename2 = path, None  # the other name is nobody's business
        raise


def _keep_rights(path: str, new: str) -> None:
    """Who may read a file may read the one that takes its place, where its folder can be told so."""
    try:
        mode = os.stat(path).st_mode & 0o7777
    except FileNotFoundError:
        return
    try:
        os.chmod(new, mode)
    except OSError:  # a folder that keeps no rights
        return


# --- remote -----------------------------------------------------------------------------------------------------------


def _read_remote(path: str) -> bytes:
    store = _store(path, LoadError)
    try:
        fs, inner = store
        found: bytes = fs.cat_file(inner)
        return found
    except FileNotFoundError:
        raise
    except Exception as error:  # what a store raises is its own
        raise LoadError(Fault("", f"{path} cannot be read: {_told(error)}")) from error


def _write_remote(path: str, raw: bytes) -> None:
    fs, inner = _store(path, SaveError)
    if "file" in ([fs.protocol] if isinstance(fs.protocol, str) else fs.protocol):
        _write_local(inner, raw)
        return
    try:
        with fs.transaction:  # under another name until it is complete, where the store has no single put
            fs.pipe_file(inner, raw)
    except OSError:
        raise
    except Exception as error:  # what a store raises is its own
        raise SaveError(Fault("", f"{path} cannot be written: {_told(error)}")) from error


def _store(path: str, refusal: type[LoadError | SaveError]) -> tuple[Any, str]:
    """The file system that a path names, and the path there; an own instance, whose transaction nobody else uses."""
    try:
        import fsspec  # type: ignore[import-untyped]
    except ImportError:
        problem = f"{path} is a remote path, which needs fsspec"
        raise refusal(Fault("", problem, advice=["pip install 'callsheet[remote]'"])) from None
    try:
        fs, inner = fsspec.core.url_to_fs(path, skip_instance_cache=True)
    except ImportError as error:
        raise refusal(Fault("", f"{path} needs one more package: {error}")) from None
    except ValueError as error:
        raise refusal(Fault("", f"{path} names no store that is known: {error}")) from None
    return fs, inner


def _told(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
