"""Plays the blocks of a Markdown file as a reader would: writes its files, runs its commands and its Python.

A block ```python file=NAME``` is written to NAME; where a command has written
that file already, it must be the same. ```python``` is run. In a ```console```
block each line that starts with `$ ` is a command, followed by what it prints.
Run ids and measured numbers may differ from one machine to the next;
everything else must be as it stands in the text.
"""

import argparse
import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

COLUMNS = 80
ID = re.compile(r"\b[0-9a-f]{6}\b")
STARTED = re.compile(r"\b\d+ (done|failed)\b")  # trials that start together are numbered in any order
NUMBER = re.compile(r"\d+\.\d+(e-?\d+)?")


@dataclass
class Block:
    """A fenced block: its language, the file that it is, its text and the line where its text starts."""

    language: str
    file: str
    text: str
    line: int


@dataclass
class Command:
    """A command of a console block, and what the document says that it prints."""

    text: str
    expected: list[str] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a Markdown text."""
    found, lines, n = [], text.split("\n"), 0
    while n < len(lines):
        opened = re.match(r"^```(\w+)(?:\s+file=(\S+))?\s*$", lines[n])
        if opened:
            end = lines.index("```", n + 1)
            found.append(Block(opened[1], opened[2] or "", "\n".join(lines[n + 1 : end]) + "\n", n + 2))
            n = end
        n += 1
    return found


def commands(text: str) -> list[Command]:
    """The commands of a console block."""
    found: list[Command] = []
    for line in text.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif found and found[-1].text.endswith("\\"):
            found[-1].text += "\n" + line
        else:
            found[-1].expected.append(line)
    return found


def at_terminal(command: str, folder: Path) -> str:
    """Run a command at a terminal of 80 columns, and give what stays on the screen."""
    reading, writing = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "LINES": "40", "PYTHONPATH": "", "NO_COLOR": "1"}
    environment["TERM"] = "dumb"  # lines as a pipe has them, no table that is drawn anew
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
        start_new_session=True,
    )
    os.close(writing)
    raw = b""
    with contextlib.suppress(OSError):  # the terminal closes with its last user
        while data := os.read(reading, 4096):
            raw += data
    os.close(reading)
    process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    lines = raw.decode().replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2].rstrip() for line in lines)


def masked(lines: list[str], command: str) -> list[str]:
    """Lines without what differs from run to run."""
    out = [re.sub(r" +", " ", NUMBER.sub("#", ID.sub("ID", line))).rstrip() for line in lines]
    out = [STARTED.sub(r"N \1", line) for line in out]
    return sorted(out) if " sweep " in command else out  # trials end in any order


def play(path: Path, folder: Path) -> tuple[str, list[str]]:
    """Play a document in a folder.

    Args:
        path: The Markdown file.
        folder: Where its files are written and its commands run.

    Returns:
        The document with what was really printed, and what differs from what it said.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    namespace: dict[str, object] = {"__name__": "__page__"}
    ids: dict[str, str] = {}  # run ids of the document -> those of today
    printed_blocks: list[tuple[Block, list[str]]] = []
    differences: list[str] = []
    for block in blocks("\n".join(lines)):
        if block.file and (folder / block.file).exists():
            if (folder / block.file).read_text(encoding="utf-8") != block.text:
                differences.append(f"{path.name}:{block.line}: {block.file} was written before, and differs")
        elif block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            _run_python(block, folder, namespace, path)
        elif block.language == "console":
            shown: list[str] = []
            for command in commands(block.text):
                real = ID.sub(lambda found: ids.get(found[0], found[0]), command.text)
                printed = at_terminal(real, folder).rstrip("\n").split("\n")
                printed = [] if printed == [""] else printed
                if masked(printed, real) != masked(command.expected, real):
                    differences.append(_difference(path, block, command, printed))
                ids.update(zip(_ids(command.expected, real), _ids(printed, real), strict=False))
                shown += [f"$ {real}", *printed]
            printed_blocks.append((block, shown))
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]  # another page has other modules of that name
    for block, shown in reversed(printed_blocks):
        lines[block.line - 1 : block.line - 1 + block.text.count("\n")] = shown
    return "\n".join(lines), differences


def _ids(lines: list[str], command: str) -> list[str]:
    ordered = sorted(lines, key=lambda line: NUMBER.sub("#", ID.sub("ID", line))) if " sweep " in command else lines
    return [found for line in ordered for found in ID.findall(line)]


def _run_python(block: Block, folder: Path, namespace: dict[str, object], path: Path) -> None:
    code = compile("\n" * (block.line - 1) + block.text, str(path), "exec")
    before = os.getcwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        exec(code, namespace)
    finally:
        sys.path.remove(str(folder))
        os.chdir(before)


def _difference(path: Path, block: Block, command: Command, printed: list[str]) -> str:
    said = "\n".join("    " + line for line in command.expected)
    real = "\n".join("    " + line for line in printed)
    return f"{path.name}:{block.line}: $ {command.text}\n  the document says\n{said}\n  it printed\n{real}"


def main() -> int:
    """Play documents, and write back what was printed where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("documents", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="write the true output into the documents")
    chosen = parser.parse_args()
    wrong = 0
    for document in chosen.documents:
        with tempfile.TemporaryDirectory() as folder:
            text, differences = play(document, Path(folder))
        if chosen.write and differences:
            document.write_text(text, encoding="utf-8")
            print(f"wrote {document}")
        elif differences:
            print(*differences, sep="\n\n")
            wrong += len(differences)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
