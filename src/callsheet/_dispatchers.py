"""Callables that data may never name, allowed or not: each would do whatever else it is told, past any policy."""

from __future__ import annotations

import sys

NEVER = {
    "runs text as code": """
        builtins:eval builtins:exec builtins:compile code codeop runpy timeit bdb pdb trace cProfile profile doctest
        typing:get_type_hints typing:ForwardRef typing:evaluate_forward_ref typing_extensions:get_type_hints
        typing_extensions:evaluate_forward_ref annotationlib inspect site dataclasses:make_dataclass
        rlcompleter idlelib turtle turtledemo tkinter optparse:Values gettext:c2py distutils IPython Cython pyximport
        pytest _pytest numpy.testing numpy.f2py numpy.distutils numpy.conftest numpy:test numpy._pytesttester
        scipy:test scipy._lib._testutils scipy.conftest sympy numexpr jinja2 mako tornado.template
        pandas:eval pandas:test pandas.util._tester pandas._testing pandas.core.computation
        pandas.core.frame:DataFrame.eval pandas.core.frame:DataFrame.query
        pandas.io.formats.style:Styler.from_custom_template
        sklearn.conftest sklearn.externals sklearn.utils._testing matplotlib.sphinxext matplotlib.testing
        torch.hub torch.testing torch.fx torch._inductor torch._dynamo.repro torch._dynamo.testing
        torch._dynamo.test_case torch._guards:Source torch._guards:ChainedSource torch.jit.annotations
        torch.utils.benchmark torch.utils.bottleneck torch.utils.cpp_extension torch.cuda.jiterator
        torch.distributed.nn.jit transformers.dynamic_module_utils
    """,
    "imports whatever a text names": """
        builtins:__import__ importlib imp zipimport pkgutil pydoc unittest logging.config modulefinder
        xml.sax:make_parser xml.dom:getDOMImplementation xml.dom:registerDOMImplementation xml.dom.domreg
        hydra.utils hydra._internal.instantiate jsonpickle jsonargparse gin setuptools pip ensurepip venv
        numpy.lib:add_newdoc numpy._core.function_base:add_newdoc numpy.core.function_base:add_newdoc numpy.compat
        scipy._lib._uarray._backend:unpickle_function
        scipy._lib.array_api_compat pandas.compat._optional pandas:set_option pandas:option_context
        pandas._config.config:set_option pandas._config.config:option_context pandas.plotting
        pandas.core.frame:DataFrame.hist pandas.core.frame:DataFrame.boxplot
        matplotlib:use matplotlib:rc matplotlib:rc_file matplotlib:rc_context matplotlib.pyplot:switch_backend
        matplotlib.backends.registry matplotlib.backend_bases:register_backend
        matplotlib.backend_bases:get_registered_canvas_class torch._ops:_Ops torch.ops:import_module
        torch.utils._config_module torch.utils._pytree:treespec_loads
    """,
    "reads or sets whatever attribute a text names": """
        builtins:getattr builtins:setattr builtins:delattr builtins:hasattr builtins:vars builtins:globals
        builtins:locals builtins:super builtins:str.format builtins:str.format_map string:Formatter
        operator:attrgetter operator:itemgetter operator:setitem operator:delitem gc sys fire
        pandas.core.frame:DataFrame.apply pandas.core.frame:DataFrame.agg pandas.core.frame:DataFrame.aggregate
        pandas.core.frame:DataFrame.transform pandas.core.series:Series.apply pandas.core.series:Series.agg
        pandas.core.series:Series.aggregate pandas.core.series:Series.transform
    """,
    "calls whatever it is handed": """
        functools operator:call operator:methodcaller builtins:map builtins:filter builtins:iter builtins:property
        builtins:classmethod builtins:staticmethod itertools:starmap itertools:accumulate itertools:filterfalse
        itertools:takewhile itertools:dropwhile itertools:groupby collections:defaultdict dataclasses:field
        contextlib:ExitStack contextlib:AsyncExitStack contextlib:contextmanager contextlib:asynccontextmanager
        contextlib:closing contextvars threading _thread multiprocessing concurrent asyncio sched atexit signal weakref
        torch.multiprocessing torch.distributed.rpc
    """,
    "makes functions and classes of what it is handed": """
        builtins:type builtins:function builtins:code builtins:method builtins:module builtins:cell types
        collections:namedtuple typing:NamedTuple typing:NewType typing:TypedDict enum:Enum enum:IntEnum enum:StrEnum
        enum:Flag enum:IntFlag enum:EnumType enum:EnumMeta abc:ABCMeta
    """,
    "unpickles, which calls whatever the bytes say": """
        pickle dill cloudpickle marshal shelve copyreg joblib pstats lib2to3 tracemalloc:Snapshot
        numpy:load numpy.lib._npyio_impl:load numpy.lib.npyio:load numpy.lib.npyio:NpzFile
        numpy.lib._npyio_impl:NpzFile numpy.lib.format:read_array numpy.lib._format_impl:read_array
        pandas:read_pickle pandas.io.pickle pandas.compat.pickle_compat pandas:read_hdf pandas:HDFStore
        pandas.io.pytables sklearn.utils.estimator_checks
        sklearn.datasets:fetch_20newsgroups sklearn.datasets:fetch_20newsgroups_vectorized
        sklearn.datasets:fetch_california_housing sklearn.datasets:fetch_covtype sklearn.datasets:fetch_kddcup99
        sklearn.datasets:fetch_lfw_pairs sklearn.datasets:fetch_lfw_people sklearn.datasets:fetch_olivetti_faces
        sklearn.datasets:fetch_rcv1 sklearn.datasets:fetch_species_distributions
        sklearn.datasets._twenty_newsgroups sklearn.datasets._california_housing sklearn.datasets._covtype
        sklearn.datasets._kddcup99 sklearn.datasets._lfw sklearn.datasets._olivetti_faces sklearn.datasets._rcv1
        sklearn.datasets._species_distributions
        torch:load torch.serialization:load torch.package torch.export:load torch.export.pt2_archive
        torch.distributed.checkpoint torch.utils.model_zoo torch.utils.model_dump torch.utils._content_store
        torch.utils.data.datapipes.utils.decoder torch.utils.data.datapipes.iter.routeddecoder
        torch.cuda._memory_viz torch.cuda._annotate_cuda_graph_trace
    """,
    "makes whatever the tags of its text name": """
        yaml:load yaml:load_all yaml:full_load yaml:full_load_all yaml:unsafe_load yaml:unsafe_load_all
        yaml:Loader yaml:FullLoader yaml:UnsafeLoader yaml:CLoader yaml:CFullLoader yaml:CUnsafeLoader
        yaml.loader:Loader yaml.loader:FullLoader yaml.loader:UnsafeLoader
        yaml.cyaml:CLoader yaml.cyaml:CFullLoader yaml.cyaml:CUnsafeLoader
        yaml.constructor:Constructor yaml.constructor:FullConstructor yaml.constructor:UnsafeConstructor ruamel
    """,
    "starts whatever program it is told": """
        torch.utils.collect_env torch.backends.xeon torch.distributed.run torch.distributed.launch
        torch.distributed.launcher torch.distributed.elastic
    """,
    "opens whatever file it is told": """
        builtins:open io:open io:open_code io:FileIO numpy.lib._datasource numpy.lib.npyio:DataSource
    """,
    "reaches any memory": """
        ctypes cffi mmap numpy.ctypeslib numpy._core._multiarray_tests torch.ops:load_library torch.classes:load_library
        torch._classes:_Classes torch.cuda.memory:CUDAPluggableAllocator torch.xpu.memory:XPUPluggableAllocator
    """,
    "waits for a person": "builtins:input builtins:breakpoint builtins:help",
}
"""By reason, whole modules with what lies below them, and single callables.

What can do harm only by its own purpose (`os.system`, `subprocess`, `shutil`)
is no dispatcher: it has one name, which has to be allowed. Modules of other
projects stand here where who allows the project would not expect them; no list
is complete, so what is allowed stays to be chosen with care.
"""

GUARDS = {"allow_pickle": False, "weights_only": True, "trust_remote_code": False}
"""Arguments by which callables are told not to run what they read, and the value that tells them so."""

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
