"""`callsheet convert`: a config as another kind of file, also from the files of another system."""

from __future__ import annotations

import os
from importlib import import_module

import click

from callsheet._codegen import to_python
from callsheet._configfile import show_file
from callsheet._files import save
from callsheet.cli._config import allow_option, path_option, told
from callsheet.cli._subject import Config, Subject

SYSTEMS = ("config_spec", "detectron2")
"""Those whose files can be read; each is a module of `callsheet.compat` with a `read`."""


@click.command("convert")
@click.argument("source", metavar="FILE[:PATH]")
@click.argument("target", required=False, metavar="[NEW_FILE]")
@click.option("--from", "system", type=click.Choice(SYSTEMS), help="The system that FILE was written for.")
@click.option("--force", is_flag=True, help="Write over NEW_FILE where it exists.")
@path_option
@allow_option
@told
def command(
    source: str,
    target: str | None,
    system: str | None,
    force: bool,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
) -> None:
    """Write a config as another kind of file: .py, .yaml or .json; without NEW_FILE, print it as Python.

    \b
    callsheet convert conf.py conf.yaml
    callsheet convert lazy_conf.py conf.py --from detectron2
    """  # noqa: D301  (click reads the backspace)
    if target is not None and os.path.exists(target) and not force:
        raise click.UsageError(f"{show_file(os.path.abspath(target))} exists: --force writes over it.")
    if system is None:
        spec = Subject.read(source, (), paths=paths, allow=allow, runs=None).part
    else:
        config = Config(source, paths, allow)
        found = import_module(f"callsheet.compat.{system}").read(config.file, allow=allow)
        spec = Subject(found, config.entry, None).part
    if target is None:
        click.echo(to_python(spec), nl=False)
    else:
        save(spec, target)
        click.echo(f"wrote {show_file(os.path.abspath(target))}")
