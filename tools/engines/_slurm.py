"""Slurm: one controller and two nodes on this machine, without and with the accounting daemon."""

import contextlib
import os
import secrets
import subprocess
import time
from collections.abc import Callable
from typing import Any

from _daemon import Daemon, answers, running
from _engine import Engine
from _place import EngineError, Place

NODES = ("n1", "n2")
PROGRAMS = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client", "munged": "munge"}
DATABASE = {"slurmdbd": "slurmdbd", "mariadbd": "mariadb-server", "mariadb-install-db": "mariadb-server"}

CONF = """\
ClusterName={cluster}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/own-slurmctld.pid
SlurmdPidFile={folder}/run/own-slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/log/jobcomp.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
KillWait=2
MinJobAge=300
SlurmdTimeout=30
DefMemPerCPU=500
GresTypes=gpu
{accounting}
NodeName={nodes} NodeHostname={host} NodeAddr=127.0.0.1 Port=[{ports}] CPUs=2 RealMemory=8000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1 State=UP
PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF State=UP
"""
# Two files that can be opened pass for two devices.
GRES = "NodeName={nodes} Name=gpu File=/dev/null Count=1\nNodeName={nodes} Name=gpu File=/dev/zero Count=1\n"

WITHOUT = "JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none"
WITH = """\
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/run/munge.socket"""

DBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser=root
PidFile={folder}/run/own-slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
"""


def _prepare(place: Place) -> None:
    for folder in ("run", "log", "state", *(f"spool/{node}" for node in NODES)):
        place.made(folder)
    host = os.uname().nodename.partition(".")[0]
    ports = [place.port(f"slurmd-{node}") for node in NODES]
    accounting = WITH.format(folder=place.folder, port=place.port("slurmdbd")) if _accounts(place) else WITHOUT
    written = CONF.format(
        cluster=place.folder.name,
        host=host,
        folder=place.folder,
        slurmctld=place.port("slurmctld"),
        nodes=",".join(NODES),
        ports=",".join(map(str, ports)),
        accounting=accounting,
    )
    place.write("slurm.conf", written)
    place.write("gres.conf", GRES.format(nodes=",".join(NODES)))
    if not place.path("munge.key").exists():
        place.write("munge.key", secrets.token_hex(64), 0o600)
    if _accounts(place):
        place.write("slurmdbd.conf", DBD_CONF.format(folder=place.folder, port=place.port("slurmdbd")), 0o600)
        _database(place)


def _database(place: Place) -> None:
    """Make an empty database, once."""
    folder = place.folder / "mariadb"
    if folder.exists():
        return
    command = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={folder}", "--skip-test-db"]
    command += ["--auth-root-authentication-method=socket", "--auth-root-socket-user=root"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise EngineError(f"mariadb-install-db ended with {ended.returncode}:\n{ended.stdout[-2000:]}{ended.stderr}")


def _accounts(place: Place) -> bool:
    return place.folder.name == "slurmdbd"


def _daemons(place: Place) -> list[Daemon]:
    run, env = place.made("run"), _env(place)
    munge = Daemon(
        "munged",
        (
            *("munged", "--foreground", "--force", f"--socket={run}/munge.socket"),
            *(f"--key-file={place.folder}/munge.key", f"--pid-file={run}/own-munged.pid"),
            f"--seed-file={run}/munge.seed",
        ),
        ready=lambda: answers("munge", "--no-input", f"--socket={run}/munge.socket"),
    )
    control = Daemon("slurmctld", ("slurmctld", "-D"), lambda: answers("scontrol", "ping", env=env, says="UP"), env)
    nodes = [Daemon(f"slurmd-{node}", ("slurmd", "-D", "-N", node), _registered(place, node), env) for node in NODES]
    return [munge, *(_accounting(place) if _accounts(place) else []), control, *nodes]


def _registered(place: Place, node: str) -> Callable[[], bool]:
    """Whether the controller has heard of a node: one that is silent has a star behind its state."""

    def heard() -> bool:
        said = _ask(place, "sinfo", "--noheader", f"--nodes={node}", "--format=%T")
        return bool(said.strip()) and "*" not in said and "unknown" not in said

    return heard


def _accounting(place: Place) -> list[Daemon]:
    env = _env(place)
    socket = place.made("run") / "mariadb.socket"
    database = Daemon(
        "mariadbd",
        (
            *("mariadbd", "--no-defaults", "--user=root", f"--datadir={place.folder}/mariadb", f"--socket={socket}"),
            *(
                "--skip-networking",
                f"--pid-file={place.folder}/run/own-mariadbd.pid",
                "--innodb-flush-log-at-trx-commit=0",
            ),
        ),
        ready=lambda: answers("mariadb-admin", "--no-defaults", f"--socket={socket}", "ping"),
    )
    accounts = Daemon(
        "slurmdbd",
        ("slurmdbd", "-D"),
        # The first question adds the cluster, which the controller must find there.
        ready=lambda: (
            answers("sacctmgr", "--immediate", "list", "cluster", env=env, says="slurmdbd")
            or answers("sacctmgr", "--immediate", "add", "cluster", "slurmdbd", env=env)
        ),
        env={**env, "MYSQL_UNIX_PORT": str(socket)},
    )
    return [database, accounts]


def _env(place: Place) -> dict[str, str]:
    return {"SLURM_CONF": str(place.folder / "slurm.conf")}


def _reach(place: Place) -> dict[str, Any]:
    return {"env": _env(place), "nodes": list(NODES), "partitions": ["main", "urgent"]}


def _empty(place: Place) -> None:
    """Cancel all jobs; those of a node that does not answer are not waited for."""
    if not running(place, "slurmctld"):
        return
    deadline = time.monotonic() + 10
    with contextlib.suppress(subprocess.TimeoutExpired):
        jobs = _ask(place, "squeue", "--noheader", "--format=%A").split()
        if jobs:
            _ask(place, "scancel", *jobs)
        while _ask(place, "squeue", "--noheader", "--states=running,completing") and time.monotonic() < deadline:
            time.sleep(0.1)


def _ask(place: Place, *command: str) -> str:
    env = {**os.environ, **_env(place)}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=20, check=False).stdout


SLURM = Engine("slurm", 21_000, PROGRAMS, _prepare, _daemons, _reach, empty=_empty)
SLURMDBD = Engine("slurmdbd", 21_100, {**PROGRAMS, **DATABASE}, _prepare, _daemons, _reach, empty=_empty)
