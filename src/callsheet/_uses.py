"""The uses of what a config file imports: each asks for the object, and where a name is enough it stays a name.

An import of a config waits until what it binds is used for real. So a use
(`Net(3)`, `class A(Net)`, `LR * 2`) becomes a call of a hook that imports,
while what is handed to a lazy call (`lazy(Net)(norm=BatchNorm2d)`) is handed
over as it is. What a name holds decides at run time, so that Python's rules of
scope and of binding anew hold as they do everywhere.
"""

from __future__ import annotations

import _ast as ast

from ._imports import CALLSHEET, CONFIG, DEFERRED, IMPORTED, LAZY, OWN, PACKAGE, TAKEN, is_ordinary
from ._syntax import FUNCTIONS, assign, dotted, hook, names_in, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._imports import Meanings, Words

_NAMEABLE = (DEFERRED, IMPORTED, TAKEN)
_INERT = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Starred),
    *(ast.keyword, ast.UnaryOp, ast.BinOp),
)


class Uses:
    """Rewrites the statements of one file.

    Args:
        lines: The file's lines.
        meanings: What its imports bind; assignments that rename `lazy` are added on the way.
        postponed: Whether the file says `from __future__ import annotations`.
        words: In which it describes calls.
    """

    def __init__(self, lines: list[str], meanings: Meanings, *, postponed: bool, words: Words = CALLSHEET) -> None:
        self.words = words
        self.lines = lines
        self.meanings = meanings
        self.postponed = postponed
        self.temporaries = 0

    def mentions(self, node: Any) -> bool:
        """Whether a statement may hold anything that has to be rewritten, told by its text alone."""
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
        text = "\n".join(self.lines[first - 1 : node.end_lineno])
        return any(name in text for name in self.meanings) or "import" in text

    def statement(self, node: Any, scope: str) -> list[Any]:
        """A statement as it shall run, with what has to run before it.

        Args:
            node: Any statement.
            scope: What it stands in: "module", "function" or "class".
        """
        if isinstance(node, ast.ImportFrom) and node.level:
            # Python allows a star at module level only, and says so itself.
            return [node] if node.names[0].name == "*" and scope != "module" else self.take(node, scope)
        if isinstance(node, ast.Import | ast.ImportFrom):
            return [node] if scope == "class" else self.imported(node, waits=False)
        before: list[Any] = []
        if isinstance(node, ast.Assign) and any(map(self._stays, node.targets)):
            todo = list(node.targets)
            node.value = self._given(node.value, todo, "stay")
            self._rewrite(todo, scope)
            return [node]
        if isinstance(node, ast.Assign) and self._means(node.value) in (LAZY, CONFIG):
            self.meanings.update({t.id: self._means(node.value) for t in node.targets if isinstance(t, ast.Name)})
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            name, at = node.target.id, place(node)
            if self.meanings.get(name) == DEFERRED:
                before.append(assign(name, hook("use", [ast.Name(name, ast.Load(), **at)], at), at))
        elif isinstance(node, ast.Match):
            before += self._patterns(node)
        elif isinstance(node, (FUNCTIONS, ast.ClassDef, ast.AnnAssign)):
            before += self._annotations(node, scope)
        self._rewrite([node], scope)
        return [*before, node]

    def heads(self, node: Any) -> None:
        """Rewrite what a compound statement holds beside its blocks: a test, contexts, types of exceptions."""
        todo: list[Any] = list(getattr(node, "items", ()))
        for holder, field in ((node, "test"), *((handler, "type") for handler in getattr(node, "handlers", ()))):
            if getattr(holder, field, None) is not None:
                setattr(holder, field, self._used(getattr(holder, field), todo))
        self._rewrite(todo, "module")

    def _rewrite(self, todo: list[Any], scope: str) -> None:
        """Rewrite all that nodes hold, in place."""
        while todo:
            x = todo.pop()
            if isinstance(x, ast.Call) and self._described(x, todo):
                continue
            if isinstance(x, ast.Dict) and any(map(self._stays, x.keys)):
                pairs = zip(x.keys, x.values, strict=True)
                x.values = [self._given(v, todo, "stay") if self._stays(k) else self._used(v, todo) for k, v in pairs]
                todo += [key for key in x.keys if key is not None]
                continue
            if isinstance(x, ast.Subscript) and self._means(x.value) == CONFIG:
                x.slice = self._given(x.slice, todo)
                continue
            inner = "function" if isinstance(x, FUNCTIONS) else "class" if isinstance(x, ast.ClassDef) else scope
            for field in x._fields:
                part = getattr(x, field, None)
                if field in ("annotation", "returns") and self.postponed:
                    continue
                if isinstance(part, list) and part:
                    if isinstance(part[0], ast.stmt):
                        part[:] = [s for statement in part for s in self.statement(statement, inner)]
                    elif isinstance(part[0], ast.AST) or part[0] is None:
                        part[:] = [self._used(p, todo) if isinstance(p, ast.AST) else p for p in part]
                elif isinstance(part, ast.AST) and not isinstance(part, ast.pattern):
                    setattr(x, field, self._used(part, todo))

    def _described(self, call: Any, todo: list[Any]) -> bool:
        """Rewrite a call to which names may be given, if it is one."""
        whole = self._is_description(call.func)
        if not whole and not any(self._stays(keyword) for keyword in call.keywords):
            return False
        call.args = [self._given(a, todo) if whole else self._used(a, todo) for a in call.args]
        for keyword in call.keywords:
            if self._stays(keyword):
                keyword.value = self._given(keyword.value, todo, "stay")
            else:
                keyword.value = self._given(keyword.value, todo) if whole else self._used(keyword.value, todo)
        call.func = self._used(call.func, todo)
        return True

    def _stays(self, x: Any) -> bool:
        """Whether what stands under a key, an argument or an attribute stays a name."""
        if not self.words.stays:
            return False
        if isinstance(x, ast.Subscript):
            x = x.slice
        said = {ast.keyword: "arg", ast.Attribute: "attr", ast.Constant: "value"}.get(type(x), "")
        return bool(said) and getattr(x, said) == self.words.stays

    def _used(self, node: Any, todo: list[Any]) -> Any:
        """An expression where its object is wanted; what it holds is left to be done."""
        if isinstance(node, ast.Name):
            wrapped = isinstance(node.ctx, ast.Load) and self.meanings.get(node.id) == DEFERRED
            return hook("use", [node], place(node)) if wrapped else node
        todo.append(node)
        return node

    def _given(self, node: Any, todo: list[Any], word: str = "name") -> Any:
        """An expression where a name is enough; a hook of that word gives it."""
        if isinstance(node, ast.List | ast.Tuple):  # not a set, which nobody looks into for names
            node.elts = [self._given(v, todo) for v in node.elts]
            return node
        if isinstance(node, ast.Dict):
            node.keys = [k and self._used(k, todo) for k in node.keys]
            node.values = [self._given(v, todo) for v in node.values]
            return node
        if isinstance(node, ast.Starred):
            node.value = self._given(node.value, todo)
            return node
        head, _, rest = dotted(node).partition(".")
        if self.meanings.get(head) not in _NAMEABLE:
            return self._used(node, todo)
        at = place(node)
        return hook(word, [ast.Name(head, ast.Load(), **at), head, rest, node.lineno], at)

    def _is_description(self, func: Any) -> bool:
        """Whether what is called is `lazy`, or the result of `lazy(T)`."""
        return self._means(func) == LAZY or (isinstance(func, ast.Call) and self._means(func.func) == LAZY)

    def only_binds(self, node: Any) -> bool:
        """Whether a statement binds names and changes nothing: it names, writes, describes, and calls nothing else."""
        if not isinstance(node, ast.Assign) or not all(isinstance(target, ast.Name) for target in node.targets):
            return False
        todo: list[Any] = [node.value]
        while todo:
            x = todo.pop()
            if isinstance(x, list):
                todo += x
            elif isinstance(x, ast.Call):
                if not self._is_description(x.func):
                    return False
                todo += [getattr(x.func, "args", []), getattr(x.func, "keywords", []), x.args, x.keywords]
            elif isinstance(x, _INERT):
                todo += [getattr(x, name) for name in x._fields if name not in ("ctx", "op")]
            elif isinstance(x, ast.AST):
                return False
        return True

    def _means(self, node: Any) -> str:
        if isinstance(node, ast.Name):
            return self.meanings.get(node.id, "")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return OWN.get(node.attr, "") if self.meanings.get(node.value.id) == PACKAGE else ""
        return ""

    # --- imports -------------------------------------------------------------------------------------------------

    def imported(self, node: Any, *, waits: bool) -> list[Any]:
        """An absolute import: bound as names that wait for their use, or as it stands, and noted."""
        module = getattr(node, "module", None)
        if module is not None and (not is_ordinary(module) or node.names[0].name == "*"):
            return [node]
        waits = waits or module in self.words.modules  # they may be served, whether or not there is such a module
        out: list[Any] = [] if waits else [node]
        at = place(node)
        for alias in node.names:
            bound = alias.asname or (alias.name if module is not None else alias.name.partition(".")[0])
            if module is None and not is_ordinary(alias.name):
                out += [ast.Import([alias], **at)] if waits else []
                continue
            if module is not None:
                arguments = [bound, module, alias.name, node.lineno]
            else:
                arguments = [bound, alias.name if alias.asname else bound, "", node.lineno]
            if not waits:
                out.append(ast.Expr(hook("note", [*arguments, ast.Name(bound, ast.Load(), **at)], at), **at))
            elif module is None and not alias.asname and not self._mentioned_beside(bound, node):
                out.append(ast.Import([alias], **at))  # nothing but what importing it does can be wanted
            else:
                out.append(assign(bound, hook("bind", [*arguments, "" if module is not None else alias.name], at), at))
        return out

    def _mentioned_beside(self, name: str, node: Any) -> bool:
        return any(name in line for line in (*self.lines[: node.lineno - 1], *self.lines[node.end_lineno :]))

    def take(self, node: Any, scope: str) -> list[Any]:
        """A relative import, which goes by place: assignments from the hooks."""
        at = place(node)
        out: list[Any] = []
        for alias in node.names:
            arguments = [node.level, node.module or ""]
            if alias.name == "*":
                namespace = ast.Call(ast.Name("globals", ast.Load(), **at), [], [], **at)
                update = ast.Attribute(namespace, "update", ast.Load(), **at)
                taken = ast.Call(update, [hook("take_all", [*arguments, node.lineno], at)], [], **at)
                out.append(ast.Expr(taken, **at))
            else:
                bound = alias.asname or alias.name
                taken = hook("take", [*arguments, alias.name, bound, node.lineno], at)
                out.append(assign(bound, taken if scope == "module" else hook("use", [taken], at), at))
        return out

    # --- patterns and annotations, where no call can stand --------------------------------------------------------

    def _patterns(self, match: Any) -> list[Any]:
        """Statements that import what patterns name, under names of their own."""
        before: list[Any] = []
        known: dict[str, str] = {}
        for case in match.cases:
            for name in names_in(case.pattern):
                if not isinstance(name, ast.Name) or self.meanings.get(name.id) != DEFERRED:
                    continue
                if name.id not in known:
                    self.temporaries += 1
                    known[name.id] = f"_callsheet_{self.temporaries}"
                    at = place(match)
                    used = hook("use", [ast.Name(name.id, ast.Load(), **at)], at)
                    before.append(assign(known[name.id], used, at))
                name.id = known[name.id]
        return before

    def _annotations(self, node: Any, scope: str) -> list[Any]:
        """Annotations that only describe become texts; before those that a decorator or base class reads, an import.

        They are read by name in the module, whenever someone asks for them.
        """
        if isinstance(node, ast.AnnAssign):
            if scope == "module" and not self.postponed and self._deferred_in(node.annotation):
                node.annotation = self._as_text(node.annotation)
            return []
        read = node.decorator_list or getattr(node, "bases", ()) or getattr(node, "keywords", ())
        if isinstance(node, ast.ClassDef):
            found = [s.annotation for s in node.body if isinstance(s, ast.AnnAssign)]
        else:
            given = node.args
            every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
            holders = [(arg, "annotation") for arg in every if arg is not None] + [(node, "returns")]
            found = [getattr(holder, field) for holder, field in holders if getattr(holder, field) is not None]
            if not read and not self.postponed:
                for holder, field in holders:
                    if getattr(holder, field) is not None and self._deferred_in(getattr(holder, field)):
                        setattr(holder, field, self._as_text(getattr(holder, field)))
        names = {name for annotation in found for name in self._deferred_in(annotation)} if read else ()
        at = place(node)
        return [ast.Expr(hook("settle", [*sorted(names)], at), **at)] if names else []

    def _deferred_in(self, annotation: Any) -> list[str]:
        waiting = [name for name, meaning in self.meanings.items() if meaning == DEFERRED]
        found = [*names_in(annotation)]
        return [
            name for name in waiting if any(x.id == name if isinstance(x, ast.Name) else name in x.value for x in found)
        ]

    def _as_text(self, node: Any) -> Any:
        raw = [line.encode() for line in self.lines[node.lineno - 1 : node.end_lineno]]
        raw[-1] = raw[-1][: node.end_col_offset]
        raw[0] = raw[0][node.col_offset :]
        return ast.Constant(b" ".join(line.strip() for line in raw).decode(), **place(node))
