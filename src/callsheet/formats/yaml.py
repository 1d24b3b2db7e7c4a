"""YAML 1.2: the events of PyYAML's parser, read by the core schema; aliases share, merge keys are followed."""

from __future__ import annotations

from callsheet._configfile import show_file
from callsheet._tree import MAX_DEPTH
from callsheet.errors import Fault, LoadError, nearest

from ._text import MAX_DIGITS, MAX_VALUES, SMALLER, TOO_MANY, broken, line_at, shown, too_deep
from ._yamltext import without_halves as without_halves
from ._yamltext import write as write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._text import Lines


def read(text: str, path: str) -> Any:
    """The data of a YAML text; where an alias stands for a container, that is the same object.

    Raises:
        LoadError: It is no YAML, or more than data; the error names the line.
        DepthError: It is nested too deeply.
    """
    return _Reader(text, path, None).read()


def read_lines(text: str, path: str) -> tuple[Any, Lines]:
    """The data of a YAML text, and the line of each value; raises as `read` does."""
    lines: Lines = {}
    return _Reader(text, path, lines).read(), lines


_NONE = object()
"""No key yet, or what is still open."""
_MERGE = object()
"""The key `<<`."""
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMBER = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+"
_STANDARD = "tag:yaml.org,2002:"
_TYPES: dict[str, tuple[type, ...]] = {"null": (type(None),), "bool": (bool,), "int": (int,), "float": (int, float)}


class _Reader:
    """One reading of a text, event by event.

    Attributes:
        lines: Where the line of each value is noted, or None.
        known: Plain texts and what they stand for.
        anchors: What the name of an anchor stands for now; `_NONE` while that is still open.
        merges: By the `id` of a mapping, what its `<<` brings.
        count: Values so far.
    """

    def __init__(self, text: str, path: str, lines: Lines | None) -> None:
        import re

        self.text = text
        self.path = path
        self.lines = lines
        self.known = dict(_WORDS)
        self.anchors: dict[str, Any] = {}
        self.merges: dict[int, dict[Any, Any]] = {}
        self.count = 0
        self.is_number = re.compile(_NUMBER).fullmatch

    def read(self) -> Any:
        yaml = _library(self.path)
        try:
            loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)(self.text)
            return self.document(yaml, loader)
        except yaml.reader.ReaderError as error:
            found = yaml.reader.Reader.NON_PRINTABLE.search(self.text)
            if found is None:
                raise broken(f"is not text: {error.reason}", self.path) from None
            problem = f"is not text: it holds the character U+{ord(found.group()):04X}"
            raise broken(problem, self.path, line_at(self.text, found.start())) from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            rows = self.text.split("\n")
            row = min(mark.line, len(rows) - 1)
            raise broken(f"is not valid YAML: {error.problem}", self.path, row + 1, advice=shown(rows[row])) from None

    def document(self, yaml: Any, loader: Any) -> Any:  # noqa: C901  (one loop, which must call nothing for a scalar)
        """The data of the one document; where there is none, an empty mapping."""
        scalar, alias = yaml.ScalarEvent, yaml.AliasEvent
        starts = {yaml.MappingStartEvent: dict, yaml.SequenceStartEvent: list}
        ends = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        known, anchors, lines = self.known, self.anchors, self.lines
        root: Any = []
        holder, key = root, _NONE
        stack: list[Any] = []
        for event in iter(loader.get_event, None):
            cls = event.__class__
            if lines is not None and holder.__class__ is list and cls not in ends:
                lines.setdefault(id(holder), {})[len(holder)] = _line(event)
            if cls is scalar:
                value = event.value
                if event.tag is not None:
                    value = self.tagged(value, event)
                elif not event.style:
                    found = known.get(value, _NONE)
                    value = found if found is not _NONE else self.plain(value, event)
                if event.anchor is not None:
                    anchors[event.anchor] = value
            elif cls is alias:
                value = self.aliased(event)
            elif cls in ends:
                value = self.merged(holder) if self.merges else holder
                holder, key, anchor = stack.pop()
                if anchor is not None:
                    anchors[anchor] = value
            elif cls in starts:
                stack.append((holder, key, event.anchor))
                holder, key = starts[cls](), _NONE
                self.opened(event, holder, len(stack))
                continue
            else:
                if cls is yaml.DocumentStartEvent and root:
                    raise self.bad("starts a second document, and a config is one", event)
                continue
            if holder.__class__ is list:
                holder.append(value)
            elif key is _NONE:
                key = self.key(value, holder, event)
                continue
            else:
                if key is _MERGE:
                    self.merge(holder, value, event)
                else:
                    holder[key] = value
                key = _NONE
            self.count += 1
            if self.count > MAX_VALUES:
                raise self.bad(TOO_MANY, event, *SMALLER)
        return root[0] if root else {}

    def opened(self, event: Any, made: Any, depth: int) -> None:
        """A container starts: what may be wrong with that."""
        if depth > MAX_DEPTH:
            raise too_deep(self.path, _line(event))
        if event.tag not in (None, "!", _STANDARD + ("map" if made.__class__ is dict else "seq")):
            raise self.bad_tag(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = _NONE
        if self.lines is not None:
            self.lines[id(made)] = {}

    def plain(self, text: str, event: Any) -> Any:
        """What an unquoted text stands for, by the core schema of YAML 1.2; remembered."""
        value: Any = text
        if text[0] in "+-.0123456789" and self.is_number(text):
            if len(text) > MAX_DIGITS:
                raise self.bad(f"holds a number of {len(text):,} digits, and {MAX_DIGITS:,} are allowed", event)
            if text[:2] in ("0x", "0o"):
                value = int(text, 0)
            else:
                value = int(text) if text.lstrip("+-").isdecimal() else float(text)
        self.known[text] = value
        return value

    def tagged(self, text: str, event: Any) -> Any:
        """A scalar with a tag: one that says what it is by the core schema, or none at all."""
        kind = event.tag.removeprefix(_STANDARD)
        if event.tag == "!" or kind == "str":
            return text
        if kind not in _TYPES:
            raise self.bad_tag(event)
        value = self.known[text] if text in self.known else self.plain(text, event)
        if type(value) not in _TYPES[kind]:
            raise self.bad(f"{text!r} is no {kind}", event)
        return float(value) if kind == "float" else value

    def aliased(self, event: Any) -> Any:
        """What an alias stands for."""
        name = event.anchor
        if name not in self.anchors:
            close = nearest(name, self.anchors)
            advice = [f"did you mean  *{close[0]}?"] if close else []
            raise self.bad(f"*{name} stands for nothing: above it is no &{name}", event, *advice)
        value = self.anchors[name]
        if value is _NONE:
            raise self.bad(f"*{name} stands inside of what it stands for", event)
        return value

    def key(self, value: Any, holder: Any, event: Any) -> Any:
        """A key of a mapping, which must be new."""
        if value.__class__ in (dict, list):
            kind = "mapping" if value.__class__ is dict else "list"
            raise self.bad(f"has a key that is a {kind}", event, "write  _items_: [[key, value], ...]")
        if value == "<<" and event.__class__.__name__ == "ScalarEvent" and not event.style and event.tag is None:
            if id(holder) in self.merges:
                raise self.bad("has the key '<<' twice", event, "write  <<: [*a, *b]")
            return _MERGE
        if value in holder:
            raise self.bad(f"has the key {value!r} twice", event)
        if self.lines is not None:
            self.lines[id(holder)][value] = _line(event)
        return value

    def merge(self, holder: Any, value: Any, event: Any) -> None:
        """Take over the keys of one mapping or several; of several, the first that has a key counts."""
        parts = value if value.__class__ is list else [value]
        if any(part.__class__ is not dict for part in parts):
            raise self.bad("'<<' takes a mapping, or a list of mappings", event)
        found: dict[Any, Any] = {}
        lines: dict[Any, int] = {}
        for part in reversed(parts):
            self.count += len(part)
            if self.count > MAX_VALUES:
                raise self.bad(TOO_MANY, event, *SMALLER)
            found.update(part)
            if self.lines is not None:
                lines.update(self.lines[id(part)])
        self.merges[id(holder)] = found
        if self.lines is not None:
            self.lines[id(holder)] = {**lines, **self.lines[id(holder)]}

    def merged(self, holder: Any) -> Any:
        """A container that is complete, with what it merges below its own keys."""
        found = self.merges.pop(id(holder), None)
        if found is not None:
            own = dict(holder)
            holder.clear()
            holder.update(found)
            holder.update(own)
        return holder

    def bad(self, problem: str, event: Any, *advice: str) -> LoadError:
        return broken(problem, self.path, _line(event), advice=advice)

    def bad_tag(self, event: Any) -> LoadError:
        tag = event.tag
        short = f"!!{tag[len(_STANDARD) :]}" if tag.startswith(_STANDARD) else tag
        return self.bad(f"has the tag {short}, and data has none", event, "a call is written  _target_: module:name")


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _library(path: str) -> Any:
    try:
        import yaml
    except ImportError:
        problem = f"{show_file(path)} is YAML, which needs PyYAML"
        raise LoadError(Fault("", problem, advice=["pip install 'callsheet[yaml]'"])) from None
    return yaml
