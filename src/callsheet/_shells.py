"""How a shell asks for completions and is answered, and the scripts that make it ask.

A shell runs the command itself with `_CALLSHEET_COMPLETE` set to its name. The
answers go to file descriptor 3, so that nothing else that is printed counts: a
line for each word, behind a tab a note on it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SHELLS = ("bash", "zsh", "fish")
_ASKED = "_CALLSHEET_COMPLETE"
_ANSWERS = 3
_NOTE = 60
"""Characters of a note that are shown."""


class Question:
    """What a shell wants to know.

    Attributes:
        shell: Which shell.
        words: The words behind the command, as far as the cursor; the last is being typed.
        kept: How much of the last word the shell keeps, and so wants left out of the answers.
        quote: The quote in which the last word stands, or "".
    """

    __slots__ = ("kept", "quote", "shell", "words")

    def __init__(self, shell: str, words: list[str], *, kept: int = 0, quote: str = "") -> None:
        self.shell = shell
        self.words = words
        self.kept = kept
        self.quote = quote


def question() -> Question | None:
    """What a shell asks this process, None where nobody asks."""
    shell = os.environ.get(_ASKED, "")
    if shell not in SHELLS:
        return None
    if shell != "bash":
        return Question(shell, sys.argv[1:] or [""])
    breaks = os.environ.get("_CALLSHEET_BREAKS", "=:")
    words, quote, kept = split_line(os.environ.get("_CALLSHEET_LINE", ""), breaks)
    words = words[int(os.environ.get("_CALLSHEET_SKIP", "1")) :] or [""]
    return Question(shell, words, kept=kept, quote=quote)


def answer(asked: Question, found: Iterable[tuple[str, str]]) -> None:
    """Answer with words and a note on each."""
    lines = []
    for word, note in found:
        if "\n" in word or "\t" in word:
            continue
        if asked.shell == "bash":
            rest = word[asked.kept :]
            lines.append(rest if asked.quote else _escaped(rest))
        else:
            note = " ".join(note.split())
            lines.append(f"{word}\t{note if len(note) <= _NOTE else note[: _NOTE - 1] + '…'}")
    try:
        os.write(_ANSWERS, "".join(f"{line}\n" for line in lines).encode())
    except OSError:
        pass  # asked by hand, with nobody who listens


def split_line(line: str, breaks: str = "") -> tuple[list[str], str, int]:
    """The words of a line as a shell reads them, up to its end.

    Args:
        line: As it was typed.
        breaks: Characters behind which bash takes the rest of a word for a word of its own.

    Returns:
        The words, of which the last may be empty; the quote that is still open,
        or ""; and where in the last word that begins which bash completes.

    >>> split_line("run 'a b' x=[1", "=")
    (['run', 'a b', 'x=[1'], '', 2)
    >>> split_line("run x='a=b", "=")
    (['run', 'x=a=b'], "'", 2)
    """
    words, quote, kept, escaped, inside = [""], "", 0, False, False
    for c in line:
        if escaped:
            words[-1] += c
            escaped = False
        elif c == "\\" and quote != "'":
            escaped = inside = True
        elif c == quote:
            quote = ""
        elif quote:
            words[-1] += c
        elif c in "'\"":
            quote, kept, inside = c, len(words[-1]), True
        elif c.isspace():
            if words[-1] or inside:
                words.append("")
            kept, inside = 0, False
        else:
            words[-1] += c
            inside = True
            if c in breaks:
                kept = len(words[-1]) - (c == "@")  # which bash completes together with what follows it
    return words, quote, kept


def _escaped(text: str) -> str:
    return "".join("\\" + c if c in " \"'\\><;|&()$`*?[]{}!#" else c for c in text)


def script(shell: str, programs: Iterable[str] = ()) -> str:
    """What a shell must read to complete the command, scripts that it runs by `python`, and programs by their names."""
    text, more = _SCRIPTS[shell]
    return text + "".join(more.replace("NAME", name) for name in programs)


_BASH = r"""# Completion of callsheet, and of the programs that callsheet.main makes, for bash.
_callsheet_ask() {
    local skip=$1 line
    shift
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(_CALLSHEET_COMPLETE=bash _CALLSHEET_SKIP=$skip _CALLSHEET_BREAKS=$COMP_WORDBREAKS \
        _CALLSHEET_LINE=${COMP_LINE:0:COMP_POINT} "$@" 3>&1 >/dev/null 2>&1 </dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=./:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
_callsheet_command() {
    _callsheet_ask 1 "$1"
}
_callsheet_python() {
    local file=${COMP_WORDS[1]}
    COMPREPLY=()
    if [[ $COMP_CWORD -gt 1 && $file == *.py && -f $file ]] && _callsheet_is_program "$file"; then
        _callsheet_ask 2 "$1" "$file"
    fi
}
_callsheet_is_program() {
    grep -q callsheet "$1" && grep -q 'main()' "$1"
}
complete -F _callsheet_command callsheet
complete -o bashdefault -o default -F _callsheet_python python python3
"""

_ZSH = r"""#compdef callsheet
# Completion of callsheet, and of the programs that callsheet.main makes, for zsh.
_callsheet_ask() {
    local line
    local -a open_words open_notes words_done notes_done
    for line in "${(@f)$(_CALLSHEET_COMPLETE=zsh "${(@Q)words[1, CURRENT - 1]}" "${(Q)PREFIX}" \
        3>&1 >/dev/null 2>&1 </dev/null)}"; do
        [[ -n $line ]] || continue
        if [[ ${line%%$'\t'*} == *[=./:] ]]; then
            open_words+=("${line%%$'\t'*}") open_notes+=("${${line/$'\t'/  }%  }")
        else
            words_done+=("${line%%$'\t'*}") notes_done+=("${${line/$'\t'/  }%  }")
        fi
    done
    (( $#open_words )) && compadd -S '' -d open_notes -a open_words
    (( $#words_done )) && compadd -d notes_done -a words_done
}
_callsheet_python() {
    local file=${(Q)words[2]}
    if (( CURRENT > 2 )) && [[ $file == *.py && -f $file ]] && grep -q callsheet $file && grep -q 'main()' $file; then
        _callsheet_ask
    else
        _default
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u; }
compdef _callsheet_ask callsheet
compdef _callsheet_python python python3
"""

_FISH = r"""# Completion of callsheet, and of the programs that callsheet.main makes, for fish.
function __callsheet_ask
    env _CALLSHEET_COMPLETE=fish (commandline -opc) (commandline -ct) 3>&1 >/dev/null 2>/dev/null </dev/null
end
function __callsheet_is_program
    set -l words (commandline -opc)
    test (count $words) -gt 1; and string match -q '*.py' -- $words[2]; and test -f $words[2]
    and grep -q callsheet $words[2]; and grep -q 'main()' $words[2]
end
complete -c callsheet -f -k -a '(__callsheet_ask)'
complete -c python -c python3 -n __callsheet_is_program -f -k -a '(__callsheet_ask)'
"""

_SCRIPTS = {
    "bash": (_BASH, "complete -F _callsheet_command NAME\n"),
    "zsh": (_ZSH, "compdef _callsheet_ask NAME\n"),
    "fish": (_FISH, "complete -c NAME -f -k -a '(__callsheet_ask)'\n"),
}
"""By shell: what it reads, and the line that makes it complete a program by its name."""
