"""Completion as a person meets it: real shells that have read the script, with a line typed and TAB pressed."""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import callsheet
from callsheet._shells import split_line
from command import Project

CONF = """
    from callsheet import lazy
    from train import Net, sgd

    epochs = 5
    model = lazy(Net)(width=64, mode="fast")
    optim = lazy(sgd)(0.1)
    names = ["a", "b"]
    resnet = lazy(Net)(width=50)
"""
TRAIN = """
    from pathlib import Path
    from typing import Literal


    class Net:
        def __init__(self, width: int = 32, mode: Literal["fast", "slow", "a b"] = "fast", bias: bool = True): ...


    def sgd(lr: float = 0.1, out: Path = Path("."), nesterov: bool | None = None): ...
"""
SCRIPT = """
    #!/usr/bin/env python
    from dataclasses import dataclass
    from pathlib import Path
    from typing import Literal

    import callsheet

    print("noise on standard output")


    @dataclass
    class Optim:
        lr: float = 0.1


    @dataclass
    class SGD(Optim):
        momentum: float = 0.0


    @dataclass
    class Model:
        depth: int = 18
        norm: Literal["batch", "layer"] = "batch"


    @callsheet.main
    def train(model: Model, data: Path, optim: Optim = Optim(), amp: bool = False): ...


    if __name__ == "__main__":
        train.main()
"""
PLAIN = "import pathlib\npathlib.Path('was_run').touch()\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project whose config was checked once, and a `callsheet` on the path."""
    project = Project(tmp_path_factory.mktemp("completion"))
    project.config(CONF, train=TRAIN)
    project.write("program.py", SCRIPT)
    project.write("bin/program.py", SCRIPT).chmod(0o755)
    project.write("plain.py", PLAIN)
    project.write("model/vgg.py", "from callsheet import lazy\nfrom train import Net\nvgg = lazy(Net)(width=8)\n")
    project.write("images/a.txt", "")
    command = project.write("bin/callsheet", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m callsheet "$@"\n')
    command.chmod(0o755)
    project("check", "conf.py", env={"CALLSHEET_CACHE": str(project.root / "cache")})
    return project.root


@pytest.fixture(scope="module")
def environment(folder):
    source = Path(callsheet.__file__).parent.parent
    path = [str(folder / "bin"), os.path.dirname(sys.executable), os.environ["PATH"]]
    return {
        "PATH": os.pathsep.join(path),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(source), os.environ.get("PYTHONPATH")))),
        "CALLSHEET_CACHE": str(folder / "cache"),
        "HOME": str(folder),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "200",
    }


class Terminal:
    """A shell in a terminal of its own: `typed` types a line that ends with TAB and gives the line that it became."""

    def __init__(self, argv: list[str], setup: str, folder: Path, environment: dict[str, str]) -> None:
        import pty

        self.pid, self.file = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execvpe(argv[0], argv, environment)
        self.seen = ""
        self.send(setup + "\n")
        self.wait("READY")

    def send(self, text: str) -> None:
        os.write(self.file, text.encode())

    def wait(self, pattern: str, limit_s: float = 60) -> re.Match[str]:
        """Read until a pattern has come, and forget what was read up to its end."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            found = re.search(pattern, self.seen, re.DOTALL)
            if found:
                self.seen = self.seen[found.end() :]
                return found
            if select.select([self.file], [], [], 0.1)[0]:
                self.seen += os.read(self.file, 65536).decode(errors="replace")
        raise AssertionError(f"no {pattern!r} in {self.seen!r}")

    def typed(self, text: str) -> str:
        """The line after a text was typed: ^T shows and empties it."""
        self.send(f"{text}\t\x14")
        return self.wait("LINE<(.*?)>LINE")[1]

    def listed(self, text: str, last: str) -> str:
        """What is printed where several words fit, as far as the last of them."""
        self.send(f"{text}\t\t")
        shown = self.wait(f"{re.escape(text)}.*?{re.escape(last)}")[0]
        self.send("\x14")
        self.wait("LINE<(.*?)>LINE")
        return shown

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.file)


BASH = r"""PS1='$ '; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind 'set page-completions off'
bind -x '"\C-t": printf "\nLINE<%s>LINE\n" "$READLINE_LINE"; READLINE_LINE='; eval "$(callsheet completion bash program.py)"; echo REA''DY"""
ZSH = r"""PS1='$ '; unsetopt beep zle_bracketed_paste list_beep; setopt interactive_comments
show-line() { zle -I; print -r -- "LINE<$BUFFER>LINE"; BUFFER= }; zle -N show-line; bindkey '^T' show-line
eval "$(callsheet completion zsh program.py)"; zstyle ':completion:*' list-prompt ''; echo REA''DY"""


@pytest.fixture(scope="module", params=["bash", "zsh"])
def terminal(request, folder, environment):
    assert shutil.which(request.param), f"{request.param} is missing: make shells"
    argv, setup = {
        "bash": (["bash", "--norc", "--noprofile", "-i"], BASH),
        "zsh": (["zsh", "-f", "-i"], ZSH),
    }[request.param]
    made = Terminal(argv, setup, folder, environment)
    yield made
    made.close()


LINES = [
    ("callsheet ru", "callsheet run "),
    ("callsheet run co", "callsheet run conf.py "),
    ("callsheet run conf.py:mo", "callsheet run conf.py:model"),
    ("callsheet run conf.py op", "callsheet run conf.py optim."),
    ("callsheet run conf.py optim.n", "callsheet run conf.py optim.nesterov="),
    ("callsheet run conf.py optim.nesterov=f", "callsheet run conf.py optim.nesterov=false "),
    ("callsheet run conf.py model.mode=s", "callsheet run conf.py model.mode=slow "),
    ("callsheet run conf.py model.mode=", "callsheet run conf.py model.mode="),
    ("callsheet run conf.py epochs=", "callsheet run conf.py epochs=5 "),
    ("callsheet run conf.py epochs=3 ++model.w", "callsheet run conf.py epochs=3 ++model.width="),
    ("callsheet run conf.py optim.out=im", "callsheet run conf.py optim.out=images/"),
    ("callsheet sweep conf.py model.mode=fast,s", "callsheet sweep conf.py model.mode=fast,slow "),
    ("callsheet why conf.py epo", "callsheet why conf.py epochs "),
    ("callsheet run --js", "callsheet run --json "),
    ("callsheet completion fi", "callsheet completion fish "),
    ("callsheet run conf.py model=@r", "callsheet run conf.py model=@resnet "),
    ("callsheet run conf.py model=@v", "callsheet run conf.py model=@vgg "),
    ("callsheet run conf.py model=@vgg model.mode=s", "callsheet run conf.py model=@vgg model.mode=slow "),
    ("callsheet run nothing.py x", "callsheet run nothing.py x"),
    ("python program.py mo", "python program.py model."),
    ("python program.py model.norm=l", "python program.py model.norm=layer "),
    ("python program.py amp=true data=im", "python program.py amp=true data=images/"),
    ("python program.py optim=S", "python program.py optim=SGD "),
    ("python program.py optim=SGD optim.m", "python program.py optim=SGD optim.momentum="),
    ("python plain.py im", "python plain.py images/"),
    ("program.py model.d", "program.py model.depth="),
]


@pytest.mark.parametrize(("text", "line"), LINES, ids=[text for text, _ in LINES])
def test_tab_completes(terminal, folder, text, line):
    assert terminal.typed(text).rstrip() == line.rstrip()
    assert not (folder / "was_run").exists()


def test_several_words_are_listed(terminal):
    shown = terminal.listed("callsheet run conf.py model.", "model.width=")
    assert "model.bias=" in shown.partition("model.")[2]
    assert "model.mode=" in shown.partition("model.")[2]


def test_a_value_with_a_space_is_quoted_by_the_shell(terminal):
    line = terminal.typed("callsheet run conf.py model.mode=\\'a")
    assert shlex.split(line)[-1].rstrip() == "model.mode='a b'"


def test_fish_completes(folder, environment):
    assert shutil.which("fish"), "fish is missing: make shells"
    for text, line in LINES:
        ask = f"callsheet completion fish program.py | source; complete -C {shlex.quote(text)}"
        done = subprocess.run(["fish", "-N", "-c", ask], cwd=folder, env=environment, capture_output=True, text=True)
        head, _, word = line.rstrip().rpartition(" ")
        words = [answer.partition("\t")[0] for answer in done.stdout.splitlines()]
        if word == text.rpartition(" ")[2]:
            assert len(words) != 1, (text, words)
        else:
            assert word in words, (text, words, done.stderr)
            assert all(other.startswith(word) for other in words), (text, words)


def test_fish_shows_what_is_known_of_a_word(folder, environment):
    ask = "callsheet completion fish | source; complete -C 'callsheet run conf.py model.w'"
    done = subprocess.run(["fish", "-N", "-c", ask], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.stdout == "model.width=\tint now 64\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", [""]),
        ("a ", ["a", ""]),
        ("a  b", ["a", "b"]),
        ("a '' ", ["a", "", ""]),
        ("a 'b c'd", ["a", "b cd"]),
        ('a "b\\"c', ["a", 'b"c']),
        ("a b\\ c", ["a", "b c"]),
        ("a b\\", ["a", "b"]),
        ("a 'b\\", ["a", "b\\"]),
    ],
)
def test_a_line_is_split_as_a_shell_does(line, words):
    assert split_line(line)[0] == words
