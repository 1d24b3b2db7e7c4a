"""Installs what an engine needs from the machine's own packages, and only what is missing."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping

from _place import EngineError

# Where root's programs lie, which not every caller's PATH names.
os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def install(programs: Mapping[str, str]) -> None:
    """Install the packages of programs that are missing.

    Args:
        programs: Debian's package for each program.

    Raises:
        EngineError: This machine has no apt-get, or it failed.
    """
    packages = sorted({package for program, package in programs.items() if not shutil.which(program)})
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise EngineError(f"the engines are installed by Debian's apt-get; here, install: {' '.join(packages)}")
    apt("update")
    apt("install", "--yes", "--no-install-recommends", *packages)


def apt(*words: str, cwd: str | os.PathLike[str] | None = None, options: Iterable[str] = ()) -> None:
    """Run apt-get, after whoever else is at it; services of what it installs are not started.

    Raises:
        EngineError: It failed, with the end of what it printed.
    """
    command = ["apt-get", "--quiet=2", "-o", "DPkg::Lock::Timeout=600"]
    for option in options:
        command += ["-o", option]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    ended = subprocess.run([*command, *words], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = "\n".join((ended.stdout + ended.stderr).splitlines()[-20:])
        raise EngineError(f"{' '.join([*command, *words])} ended with {ended.returncode}:\n{said}")
