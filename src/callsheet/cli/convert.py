"""`callsheet convert`: a config as another kind of file, also from the files of another system."""

from __future__ import annotations

import os
from importlib import import_module

import click

from callsheet._codegen import to_python
from callsheet._configfile import show_file
from callsheet._files import save
from callsheet._terminal import say
from callsheet.cli._config import allow_option, json_option, path_option, told
from callsheet.cli._subject import Config, Subject
from callsheet.cli._telling import Misuse
from callsheet.cli._text import print_json

SYSTEMS = ("config_spec", "detectron2")
"""Those whose files can be read; each is a module of `callsheet.compat` with a `read`."""


@click.command("convert")
@click.argument("source", metavar="FILE[:PATH]")
@click.argument("target", required=False, metavar="[NEW_FILE]")
@click.option("--from", "system", type=click.Choice(SYSTEMS), help="The system that FILE was written for.")
@click.option("--force", is_flag=True, help="Write over NEW_FILE where it exists.")
@path_option
@allow_option
@json_option
@told
def command(
    source: str,
    target: str | None,
    system: str | None,
    force: bool,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write a config as another kind of file: .py, .yaml or .json; without NEW_FILE, print it as Python.

    \b
    callsheet convert conf.py conf.yaml
    callsheet convert lazy_conf.py conf.py --from detectron2
    """  # noqa: D301  (click reads the backspace)
    if target is not None and os.path.exists(target) and not force:
        raise Misuse(f"{show_file(os.path.abspath(target))} exists", "--force  writes over it")
    if system is None:
        spec = Subject.read(source, (), paths=paths, allow=allow, runs=None).part
    else:
        config = Config(source, paths, allow)
        found = import_module(f"callsheet.compat.{system}").read(config.file, allow=allow)
        spec = Subject(found, config.entry, None).part
    if target is None:
        text = to_python(spec)
        if as_json:
            print_json({"python": text})
        else:
            say(text, end="")
        return
    save(spec, target)
    wrote = show_file(os.path.abspath(target))
    if as_json:
        print_json({"wrote": wrote})
    else:
        say(f"wrote {wrote}")
