"""Callables that data may never name, allowed or not: each would do whatever else it is told, past any policy."""

from __future__ import annotations

import sys

NEVER = {
    "runs text as code": """
        builtins:eval builtins:exec builtins:compile code codeop runpy timeit bdb pdb trace cProfile profile doctest
        typing:get_type_hints typing:ForwardRef typing:evaluate_forward_ref typing_extensions:get_type_hints
        typing_extensions:evaluate_forward_ref annotationlib inspect site dataclasses:make_dataclass
        sympy:sympify sympy.core.sympify pandas:eval pandas.core.computation.eval torch.hub
    """,
    "imports whatever a text names": """
        builtins:__import__ importlib imp zipimport pkgutil pydoc unittest logging.config
        hydra.utils hydra._internal.instantiate jsonpickle setuptools pip ensurepip venv
    """,
    "reads or sets whatever attribute a text names": """
        builtins:getattr builtins:setattr builtins:delattr builtins:hasattr builtins:vars builtins:globals
        builtins:locals builtins:super builtins:str.format builtins:str.format_map string:Formatter
        operator:attrgetter operator:itemgetter operator:setitem operator:delitem gc sys
    """,
    "calls whatever it is handed": """
        functools operator:call operator:methodcaller builtins:map builtins:filter builtins:iter builtins:property
        builtins:classmethod builtins:staticmethod itertools:starmap itertools:accumulate itertools:filterfalse
        itertools:takewhile itertools:dropwhile itertools:groupby collections:defaultdict dataclasses:field
        contextlib:ExitStack contextlib:AsyncExitStack contextlib:contextmanager contextlib:asynccontextmanager
        contextlib:closing contextvars threading _thread multiprocessing concurrent asyncio sched atexit signal weakref
    """,
    "makes functions and classes of what it is handed": """
        builtins:type builtins:function builtins:code builtins:method builtins:module builtins:cell types
        collections:namedtuple typing:NamedTuple typing:NewType typing:TypedDict enum:Enum enum:IntEnum enum:StrEnum
        enum:Flag enum:IntFlag enum:EnumType enum:EnumMeta abc:ABCMeta
    """,
    "unpickles, which calls whatever the bytes say": """
        pickle dill cloudpickle marshal shelve copyreg joblib:load joblib.numpy_pickle:load torch:load
        torch.serialization:load torch.package pandas:read_pickle pandas.io.pickle numpy:load numpy.lib._npyio_impl:load
        numpy.lib.npyio:load yaml:load yaml:load_all yaml:full_load yaml:full_load_all yaml:unsafe_load
        yaml:unsafe_load_all
    """,
    "opens whatever file it is told": "builtins:open io:open io:open_code io:FileIO",
    "reaches any memory": "ctypes cffi mmap",
    "waits for a person": "builtins:input builtins:breakpoint builtins:help",
}
"""By reason, whole modules with what lies below them, and single callables.

What can do harm only by its own purpose (`os.system`, `subprocess`, `shutil`)
is no dispatcher: it has one name, which has to be allowed. Modules of other
projects stand here where they are known to be named in configs; no list is
complete, so what is allowed stays to be chosen with care.
"""

_HARMLESS = frozenset([("types", "SimpleNamespace")])
_REASONS = {name: reason for reason, names in NEVER.items() for name in names.split()}

_ALIASES = {
    "posix": "os",
    "nt": "os",
    "posixpath": "os.path",
    "ntpath": "os.path",
    "genericpath": "os.path",
    "_frozen_importlib": "importlib",
    "_frozen_importlib_external": "importlib",
    "_pydatetime": "datetime",
}


def public_module(module: str) -> str:
    """The public name of a module of the standard library: `_functools` counts as `functools`.

    >>> public_module("_pickle"), public_module("posix"), public_module("_mine")
    ('pickle', 'os', '_mine')
    """
    if module in _ALIASES:
        return _ALIASES[module]
    public = module[1:]
    known = sys.stdlib_module_names
    return public if module[:1] == "_" and public in known and module in known else module


def why_never(module: str, qualname: str) -> str:
    """Why data may never name this, as a phrase; "" where a policy decides.

    >>> why_never("_functools", "partial"), why_never("os", "system")
    ('calls whatever it is handed', '')
    """
    module = public_module(module)
    first, _, rest = qualname.partition(".")
    if (module, first) in _HARMLESS:
        return ""
    for name in (f"{module}:{qualname}", f"{module}:{first}"):
        if name in _REASONS:
            return _REASONS[name]
    at = module
    while at:
        if at in _REASONS:
            return _REASONS[at]
        at = at.rpartition(".")[0]
    if not rest and f"{module}.{first}" in _REASONS:  # a module as a name within its package: `torch:hub`
        return _REASONS[f"{module}.{first}"]
    return ""
