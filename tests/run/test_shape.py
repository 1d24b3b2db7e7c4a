"""What an executor needs, read from anybody's classes."""

from collections import namedtuple
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from callsheet import Config
from callsheet.run import Command, Experiment, Folders, Image, Launch, Resources, Storage, needs_of
from callsheet.run._shape import CPU_UNITS, GB_UNITS, IMAGE_URL, MINUTE_UNITS, Needs, amount, has_shape, needs_at, said
from saying import told


@dataclass
class Run:
    cmd: str = "ls"
    max_cpu: str = "500m"
    max_memory: str = "2Gi"


@dataclass
class Build:
    image_url: str = "net:1"


@dataclass
class Er:
    build: Build = field(default_factory=Build)


@dataclass
class Own:
    er: Er = field(default_factory=Er)
    run: Run = field(default_factory=Run)


def test_anybodys_classes_say_what_a_run_needs():
    assert needs_of(Own()) == Needs(0.5, None, 2.147483648, None, 1, 1, image="net:1")
    assert said(Own(), IMAGE_URL) == "net:1"
    ours = Experiment(Launch("ls"), resources=Resources(2, 1, memory_gb=3, timeout_min="2h", nodes=4))
    assert needs_of(ours) == Needs(2.0, 1, 3.0, 120.0, 4, 1)
    assert needs_of(Experiment(Launch("ls"))) == Needs(None, None, None, None, 1, 1)
    folders = Storage(Folders(data="/data/here", output="out"), Folders("/p", "/d", ""))
    held = Experiment(Launch("ls"), image=Image("net:2", pull_policy="Never"), storage=folders)
    mounts = {"data": ("/data/here", "/d"), "output": ("out", "/output")}
    assert needs_of(held) == Needs(image="net:2", pull_policy="Never", mounts=mounts)
    assert Needs(mounts=mounts | {"mlflow": ("/ml", "/mlflow-data")}).written_here() == ["out", "/ml"]
    assert Needs.of_data(needs_of(held).as_data(), Path("/home/me")).mounts["output"] == ("/home/me/out", "/output")


@pytest.mark.parametrize(
    ("text", "units", "is_"),
    [
        ("500m", CPU_UNITS, 0.5),
        (2, CPU_UNITS, 2.0),
        ("1024m", CPU_UNITS, 1.024),
        ("512Mi", GB_UNITS, 0.536870912),
        ("2G", GB_UNITS, 2.0),
        ("2g", GB_UNITS, 2.147483648),
        ("1.5", GB_UNITS, 1.5),
        ("1e9B", GB_UNITS, 1.0),
        ("90s", MINUTE_UNITS, 1.5),
    ],
)
def test_amounts_are_read_with_their_units(text, units, is_):
    assert amount(text, units) == pytest.approx(is_)


@pytest.mark.parametrize("text", ["2Gb", "-1", "", "nan", "inf", True, "1 2", [1]])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError):
        amount(text, GB_UNITS)


def test_all_amounts_that_cannot_be_read_are_told_together():
    experiment = Experiment(Launch("ls"), resources=Resources(cpus="half", memory_gb="2Gx"))
    assert told(lambda: needs_of(experiment)).splitlines() == [
        "resources.cpus       'half' is no amount",
        "                     a number, or one with m",
        "resources.memory_gb  '2Gx' is no amount",
        "                     a number, or one with B K M G T Ki Mi Gi Ti b k m g t",
    ]


class Built(Config):
    command: str = "ls"

    def build(self):
        return 1


def test_a_command_makes_an_experiment_and_a_build_does_not():
    assert has_shape(Own())
    assert has_shape(Experiment(Launch("ls")))
    assert has_shape(namedtuple("Flat", "command lr")("ls", 1))
    assert not has_shape(Own(run=Run(cmd="")))
    assert not has_shape({"command": "ls"})
    assert not has_shape(Built())
    assert not has_shape(Command("ls"))


def test_of_a_part_that_is_built_the_resources_beside_it_count_and_the_nearest_ones_first():
    spec = {
        "cpus": 7,
        "resources": {"cpus": 1, "gpus": 2},
        "main": print,
        "far": {"gpus": 9, "near": {"resources": Resources(gpus=1), "main": print}},
        "C1": Experiment(Launch("ls"), resources=Resources(cpus=4)),
        "odd": {"resources": "res/", "main": print},
    }
    assert needs_at(spec, "main") == Needs(cpus=1, gpus=2)
    assert needs_at(spec, "far.near.main") == Needs(cpus=1, gpus=1)
    assert needs_at(spec, "C1") == Needs(cpus=4, gpus=2)
    assert needs_at(spec, "odd.main") == Needs(cpus=1, gpus=2)
    assert needs_at(spec["main"], "") == Needs()
    assert "far.near.resources.gpus" in told(
        lambda: needs_at({"far": {"near": {"resources": {"gpus": -1}, "main": 1}}}, "far.near.main")
    )
