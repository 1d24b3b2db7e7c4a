"""`callsheet image build`: runs the commands that make the container image of an experiment."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import Any

import click

from callsheet._build import build as build_part
from callsheet._lazy import get, walk
from callsheet._project import home_of
from callsheet._terminal import say, tell_error
from callsheet.cli._config import allow_option, overrides_argument, path_option, told
from callsheet.cli._subject import Config
from callsheet.errors import Fault, SpecError
from callsheet.run._shape import BUILD_STEPS, IMAGE_URL, said


@click.group("image", subcommand_metavar="build ...")
def command() -> None:
    """Build the container image in which an experiment runs.

    \b
    callsheet image build conf.py --dry-run
    """  # noqa: D301  (click reads the backspace)


@command.command("build")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@path_option
@allow_option
@click.option("--dry-run", is_flag=True, help="Only print the steps.")
@told
def build(
    config: str, overrides: tuple[str, ...], paths: tuple[str, ...], allow: tuple[str, ...], dry_run: bool
) -> None:
    """Run the build steps of an experiment's image in the project's root, until one fails.

    \b
    callsheet image build conf.py image.url=nets:4
    """  # noqa: D301  (click reads the backspace)
    named = Config(config, paths, allow)
    spec = named.load(overrides)
    part = _part(spec, named.entry)
    if not named.file.endswith(".py"):
        named.policy.judge_name("callsheet.run", "Image", named.file)  # its steps are run as they stand
    url, steps = build_part(said(part, IMAGE_URL, ""), root=spec), _steps(part, spec, named)
    for n, step in enumerate(steps, 1):
        say(f"step {n}    {step}")
        code = 0 if dry_run else _run(step, home_of(named.file))
        if code:
            tell_error(f"callsheet: step {n} of {len(steps)} ended with exit code {code}: {step}")
            sys.exit(1)
    if not dry_run:
        say(f"built     {url or 'all steps'}")


def _part(spec: Any, entry: str) -> Any:
    """What is meant: what stands at the entry, else `main`, else the whole spec, whichever has build steps first."""
    if entry:
        return get(spec, entry)
    main = get(spec, "main", None)
    return spec if main is None or said(main, BUILD_STEPS) is None else main


def _steps(part: Any, spec: Any, named: Config) -> list[str]:
    """The commands, each a text for a shell."""
    steps = build_part(said(part, BUILD_STEPS), root=spec)
    if not steps:
        have = [f"callsheet image build {named.file}:{path}" for path, each in walk(spec) if path and _has_steps(each)]
        how = ['Image("nets:3", build_steps=["docker build -t nets:3 ."])', "it stands in an Experiment as `image`"]
        what = f"{named.file}:{named.entry}" if named.entry else named.file
        raise SpecError(Fault("", f"{what} has no image with build steps", advice=have or how))
    return [step if isinstance(step, str) else shlex.join(map(str, step)) for step in steps]


def _has_steps(part: Any) -> bool:
    return bool(said(part, BUILD_STEPS))


def _run(step: str, folder: str) -> int:
    """Run a step as a shell does, its output where this one's goes; gives its exit code."""
    sys.stdout.flush()
    return subprocess.run(step, shell=True, cwd=folder, env=os.environ, check=False).returncode  # noqa: S602  (it is one)
