"""Builds Kubernetes from Debian's source package, which has all that it needs: once, into the cache."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from _packages import apt, install
from _place import EngineError, cache_folder, locked

VERSION = "1.20.2"
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet")
TOOLS = {"go": "golang-go", "rsync": "rsync", "jq": "jq", "dpkg-source": "dpkg-dev", "make": "make"}
SOURCES = Path("/etc/apt")


def kubernetes_folder() -> Path:
    """Where the server's programs are, once they are built."""
    return cache_folder() / f"kubernetes-{VERSION}"


def build_kubernetes() -> None:
    """Build the server's programs, unless they are there.

    Raises:
        EngineError: The source is not to be had, or the build failed; the end of its log is in the text.
    """
    with locked(cache_folder() / "kubernetes.lock"):
        if not kubernetes_folder().exists():
            _build(kubernetes_folder())


def _build(built: Path) -> None:
    began = time.monotonic()
    print(f"kubernetes: {VERSION} is built once, which takes 10 minutes and more: {built}", flush=True)
    work = built.with_name(f"{built.name}.building")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    install(TOOLS)
    _fetch(work)
    source = _unpacked(work)
    home = work / "home"
    inside = source / ".go" / "src" / "k8s.io"
    for folder in (home, inside):
        folder.mkdir(parents=True)
    (inside / "kubernetes").symlink_to("../../..")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GOPATH": str(source / ".go"),
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
        "KUBE_GIT_VERSION": f"v{VERSION}",
        "KUBE_GIT_MAJOR": VERSION.split(".")[0],
        "KUBE_GIT_MINOR": VERSION.split(".")[1],
        "KUBE_GIT_COMMIT": "debian",
        "KUBE_GIT_TREE_STATE": "clean",
    }
    made = " ".join(f"cmd/{name}" for name in PROGRAMS)
    _logged(work, ["nice", "-n", "3", "make", f"WHAT={made}"], cwd=source, env=env)
    finished = work / "bin"
    finished.mkdir()
    for name in PROGRAMS:
        shutil.copy2(next(source.glob(f"_output/local/bin/linux/*/{name}")), finished)
    finished.replace(built)
    shutil.rmtree(work)
    print(f"kubernetes: built in {time.monotonic() - began:.0f} s", flush=True)


def _fetch(work: Path) -> None:
    """Get the source package from wherever this machine gets its packages from."""
    for folder in ("sources", "lists/partial"):
        (work / folder).mkdir(parents=True)
    for path in (SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*"))):
        if path.suffix in (".list", ".sources") and path.exists():
            (work / "sources" / path.name).write_text(_of_sources(path.read_text()))
    options = [
        "Dir::Etc::sourcelist=/dev/null",
        f"Dir::Etc::sourceparts={work}/sources",
        f"Dir::State::lists={work}/lists",
        "APT::Sandbox::User=root",
    ]
    apt("update", options=options)
    apt("source", "--download-only", "--only-source", "kubernetes", cwd=work, options=options)


def _of_sources(text: str) -> str:
    """A list of where packages are had from, turned into one of where their sources are."""
    lines = []
    for line in text.splitlines():
        if line.startswith("Types:"):
            line = "Types: deb-src"
        elif line.startswith("deb "):
            line = f"deb-src {line.removeprefix('deb ')}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _unpacked(work: Path) -> Path:
    described = next(work.glob("kubernetes_*.dsc"), None)
    if described is None or VERSION not in described.name:
        raise EngineError(f"Debian's source package of Kubernetes {VERSION} is needed (bookworm's); here: {described}")
    source = work / "src"
    _logged(work, ["dpkg-source", "--no-check", "-x", described.name, source.name], cwd=work, env={**os.environ})
    return source


def _logged(work: Path, command: list[str], *, cwd: Path, env: dict[str, str]) -> None:
    log = work / "build.log"
    with log.open("ab") as output:
        ended = subprocess.run(command, cwd=cwd, env=env, stdout=output, stderr=output, check=False)
    if ended.returncode:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise EngineError(f"{' '.join(command)} ended with {ended.returncode}; the end of {log}:\n{last}")
