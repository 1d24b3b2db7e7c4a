"""Docker: a daemon without networks of its own, and the image that tests run in."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from _daemon import Daemon, answers, born, end
from _engine import Engine
from _images import digits_image, import_digits, import_python, python_image
from _place import Place

PROGRAMS = {"dockerd": "docker.io", "docker": "docker.io", "busybox": "busybox-static"}


def dockerd_conf(place: Place, **more: Any) -> None:
    """Write the configuration of a daemon whose containers have the host's network or none."""
    conf = {
        "bridge": "none",
        "iptables": False,
        "ip6tables": False,
        "ip-forward": False,
        "ip-masq": False,
        "userland-proxy": False,
        "data-root": str(place.folder / "data"),
        "exec-root": str(place.folder / "exec"),
        "pidfile": str(place.path("run", "own-dockerd.pid")),
        "hosts": [docker_host(place)],
        "group": os.environ.get("SUDO_GID", "0"),
        "storage-driver": "overlay2",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "log-level": "warn",
        "shutdown-timeout": 5,
        **more,
    }
    place.write("daemon.json", json.dumps(conf, indent=1))


def docker_host(place: Place) -> str:
    """The address of the daemon's socket."""
    return f"unix://{place.folder}/docker.sock"


def dockerd(place: Place) -> Daemon:
    """The daemon, which starts its own containerd."""
    return Daemon(
        "dockerd",
        ("dockerd", "--config-file", place.folder / "daemon.json"),
        ready=lambda: answers("docker", "version", env={"DOCKER_HOST": docker_host(place)}),
        clear=lambda: end_containerd(place),
    )


def end_containerd(place: Place) -> None:
    """End the containerd of a dockerd that was killed and could not do it; the next would wait for it in vain."""
    path = Path(place.folder, "exec", "containerd", "containerd.pid")
    if not path.exists():
        return
    pid = int(path.read_text())
    if born(pid) and str(place.folder) in Path(f"/proc/{pid}/cmdline").read_text():
        end(pid)
    path.unlink(missing_ok=True)


def sweep(place: Place) -> None:
    """End what a daemon that was killed has left running, and take away all mounts in its folder."""
    end_containerd(place)
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for path in reversed([path for path in mounted if path.startswith(f"{place.folder}/")]):
        subprocess.run(["umount", "--quiet", "--lazy", path], check=False)


def _reach(place: Place) -> dict[str, Any]:
    return {"env": {"DOCKER_HOST": docker_host(place)}, "image": python_image(), "digits": digits_image()}


def _settle(place: Place) -> None:
    import_python(docker_host(place))
    import_digits(docker_host(place))


DOCKER = Engine(
    "docker",
    first_port=21_200,
    programs=PROGRAMS,
    prepare=dockerd_conf,
    daemons=lambda place: [dockerd(place)],
    reach=_reach,
    settle=_settle,
    sweep=sweep,
)
