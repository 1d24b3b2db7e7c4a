"""Makes images from this machine's own files, since nothing is pulled: one with its Python, and one that waits."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import cache_from_source
from io import BytesIO
from pathlib import Path

from _daemon import answers
from _place import EngineError

# Nobody listens at this port: whoever tries to pull such an image is told so at once.
OWN = "localhost:5999/callsheet"
DIGITS = ("numpy", "scipy", "scikit-learn", "joblib", "cloudpickle", "threadpoolctl", "narwhals")
PAUSE = f"{OWN}/pause:1"
SHELL = ("sh", "cat", "ls", "env", "sleep", "echo", "mkdir", "rm", "kill", "test", "true", "false", "dd", "head", "id")
LEFT_OUT = re.compile(
    r"/(site-packages|dist-packages|tests?|idlelib|lib2to3|ensurepip|config-3[^/]*)(/|$)|\.opt-\d\.pyc$"
)
WAITS = "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait $!; done"


def python_image() -> str:
    """The name of the image that has this machine's Python."""
    return f"{OWN}/python:{sys.version_info.major}.{sys.version_info.minor}"


def import_python(host: str) -> None:
    """Make the image with the Python that runs this, its standard library, and a shell; once.

    Args:
        host: The address of the Docker daemon.

    Raises:
        EngineError: The daemon did not take it.
    """
    _import(host, python_image(), lambda archive: _python(archive, []), _settings([]))


def _python(archive: tarfile.TarFile, libraries: list[str]) -> None:
    """Add the Python that runs this, a shell, and further shared libraries."""
    real, library = Path(sys.executable).resolve(), _library()
    _shell(archive, sorted({*_own_libraries(), *libraries}))
    archive.add(real, str(real))
    archive.add(library, str(library), filter=lambda info: None if LEFT_OUT.search(f"/{info.name}") else info)
    for name in {"python", "python3", real.name} if str(real.parent) != "/usr/local/bin" else {"python", "python3"}:
        _link(archive, f"usr/local/bin/{name}", str(real))
    _text(archive, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")


def _settings(libraries: list[str]) -> list[str]:
    """What an image says of itself: where programs and shared libraries are."""
    folders = sorted({str(Path(path).parent) for path in (*_own_libraries(), *libraries)})
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return [f"ENV PATH={path}", f"ENV LD_LIBRARY_PATH={':'.join(folders)}"]


def _own_libraries() -> list[str]:
    real = Path(sys.executable).resolve()  # not the virtual environment's
    return _needed([real, _busybox(), *_library().glob("lib-dynload/*.so")])


def _library() -> Path:
    """The standard library."""
    return Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix})).resolve()


def digits_image() -> str:
    """The name of the image that has what the example of handwritten digits needs, too."""
    return f"{OWN}/digits:{sys.version_info.major}.{sys.version_info.minor}"


def import_digits(host: str) -> None:
    """Make the image with this machine's Python and NumPy, SciPy and scikit-learn of this environment; once.

    Args:
        host: The address of the Docker daemon.

    Raises:
        EngineError: A package is missing, or the daemon did not take the image.
    """
    try:
        files = [path for name in DIGITS for path in distribution(name).files or ()]
    except PackageNotFoundError as error:
        raise EngineError(f"the image of the digits needs {error}, which this environment lacks") from None
    writing = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", "import sklearn.datasets"], check=True, env=writing)  # compiled here, once
    paths = {str(path): Path(str(path.locate())) for path in files if ".." not in path.parts}
    for name, path in [*paths.items()]:
        if path.suffix == ".py":
            paths[cache_from_source(name)] = Path(cache_from_source(path))
    home = Path(sysconfig.get_path("purelib", vars={"base": sys.base_prefix, "installed_base": sys.base_prefix}))
    here = os.path.realpath(sysconfig.get_path("purelib"))
    needed = _needed([path for path in paths.values() if ".so" in path.suffixes])
    libraries = [path for path in needed if not os.path.realpath(path).startswith(here)]

    def write(archive: tarfile.TarFile) -> None:
        _python(archive, libraries)
        for name, path in paths.items():
            if "/tests/" not in name and path.exists():
                archive.add(path, str(home / name))

    _import(host, digits_image(), write, _settings(libraries))


def import_pause(host: str) -> None:
    """Make the image of a container that only holds what a pod's others share; once.

    Raises:
        EngineError: The daemon did not take it.
    """
    _import(
        host,
        PAUSE,
        lambda archive: _shell(archive, _needed([_busybox()])),
        [f'ENTRYPOINT ["/bin/sh", "-c", "{WAITS}"]'],
    )


def _import(host: str, name: str, write: Callable[[tarfile.TarFile], None], changes: list[str]) -> None:
    env = {**os.environ, "DOCKER_HOST": host}
    if answers("docker", "image", "inspect", name, env=env):
        return
    options = [word for change in changes for word in ("--change", change)]
    command = ["docker", "import", *options, "-", name]
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w", dereference=True) as archive:
            write(archive)
        file.seek(0)
        ended = subprocess.run(command, env=env, stdin=file, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise EngineError(f"docker import of {name} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")


def _needed(programs: list[Path]) -> list[str]:
    """The shared libraries that programs are linked with, and the loader."""
    found: set[str] = set()
    for program in programs:
        said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
        found.update(re.findall(r"(?:=> |^\s*)(/\S+) \(0x", said, re.MULTILINE))
    return sorted(found)


def _busybox() -> Path:
    program = shutil.which("busybox")
    assert program, "installed before"
    return Path(program).resolve()


def _shell(archive: tarfile.TarFile, libraries: list[str]) -> None:
    """Add the folders of a machine, a few programs in one, and shared libraries."""
    for name in ("tmp", "root", "proc", "sys", "dev", "etc", "bin"):
        folder = tarfile.TarInfo(name)
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
        archive.addfile(folder)
    archive.add(_busybox(), "bin/busybox")
    for name in SHELL:
        _link(archive, f"bin/{name}", "busybox")
    for path in libraries:
        archive.add(os.path.realpath(path), path)


def _link(archive: tarfile.TarFile, name: str, target: str) -> None:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    archive.addfile(link)


def _text(archive: tarfile.TarFile, name: str, text: str) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(text)
    archive.addfile(info, BytesIO(text.encode()))
