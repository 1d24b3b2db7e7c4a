"""Promise 12 where a whole package is allowed: what of it runs text, unpickles or imports is still not for data."""

import json
import os
import subprocess
import sys
from importlib import import_module

import pytest

from callsheet import build, check, factory, from_data, partial
from callsheet._target import parse_name, resolve
from callsheet._trust import Policy
from callsheet.errors import CallsheetError, TrustError
from saying import told

CODE = "open('pwned', 'w').close()"
PICKLE = f"cbuiltins\nexec\n(V{CODE}\ntR.".encode()
YAML = f'!!python/object/apply:builtins.exec ["{CODE}"]'


def call(target, *args, **kwargs):
    return {"_target_": target, "_args_": list(args), **kwargs}


def then(base, *steps):
    return {"_ref_": base, "_then_": list(steps)}


ATTACKS = {
    "numpy runstring": ["numpy", {"x": call("numpy.testing:runstring", CODE, {})}],
    "numpy measure": ["numpy", {"x": call("numpy.testing:measure", CODE)}],
    "numpy measure, where it is": ["numpy", {"x": call("numpy.testing._private.utils:measure", CODE)}],
    "numpy myeval": ["numpy", {"x": call("numpy.f2py.crackfortran:myeval", f"exec({CODE!r})", {}, {})}],
    "numpy through a reference": [
        "numpy",
        {
            "a": {"_value_": "name", "of": "numpy:testing"},
            "x": then("a", ["attr", "runstring"], ["call", [CODE, {}], {}]),
        },
    ],
    "numpy as a partial": [
        "numpy",
        {"p": call("numpy.testing:runstring", CODE, {}, _partial_=True), "x": {"_target_": {"_ref_": "p"}}},
    ],
    "numpy handed on": [
        "numpy",
        {"x": call("numpy:apply_along_axis", {"_value_": "name", "of": "numpy.testing:measure"}, 0, [CODE])},
    ],
    "numpy pytest": ["numpy", {"x": call("numpy:test", extra_argv=["evil.py"])}],
    "numpy pytest, of another module": ["numpy", {"x": call("numpy.linalg:test", extra_argv=["evil.py"])}],
    "numpy add_newdoc": ["numpy", {"x": call("numpy.lib:add_newdoc", "evil", "x", "text")}],
    "numpy add_newdoc, where it is": ["numpy", {"x": call("numpy._core.function_base:add_newdoc", "evil", "x", "")}],
    "numpy library": ["numpy", {"x": call("numpy.ctypeslib:load_library", "evil", ".")}],
    "numpy load": ["numpy", {"x": call("numpy:load", "evil.pkl", allow_pickle=True)}],
    "numpy read_array": [
        "numpy",
        {
            "f": call("numpy.lib._datasource:open", "evil.npy", "rb"),
            "x": call("numpy.lib.format:read_array", {"_ref_": "f"}, allow_pickle=True),
        },
    ],
    "numpy read_array, where it is": [
        "numpy",
        {"x": call("numpy.lib._format_impl:read_array", {"_ref_": "f"}, True), "f": None},
    ],
    "numpy NpzFile": [
        "numpy",
        {
            "f": call("numpy.lib._datasource:open", "evil.npz", "rb"),
            "z": call("numpy.lib.npyio:NpzFile", {"_ref_": "f"}, allow_pickle=True),
            "x": then("z", ["item", "a"]),
        },
    ],
    "numpy DataSource": ["numpy", {"x": call("numpy.lib.npyio:DataSource", ".")}],
    "scipy pytest": ["scipy", {"x": call("scipy:test", extra_argv=["evil.py"])}],
    "scipy unpickle_function": [
        "scipy",
        {"x": call("scipy._lib._uarray._backend:unpickle_function", "evil", "f", None)},
    ],
    "yaml UnsafeLoader": [
        "yaml",
        {"a": call("yaml:UnsafeLoader", YAML), "x": then("a", ["attr", "get_single_data"], ["call", [], {}])},
    ],
    "yaml CUnsafeLoader": [
        "yaml",
        {"a": call("yaml:CUnsafeLoader", YAML), "x": then("a", ["attr", "get_single_data"], ["call", [], {}])},
    ],
    "yaml Loader": [
        "yaml",
        {"a": call("yaml.loader:Loader", YAML), "x": then("a", ["attr", "get_single_data"], ["call", [], {}])},
    ],
    "yaml unsafe_load": ["yaml", {"x": call("yaml:unsafe_load", YAML)}],
    "yaml constructor handed on": [
        "yaml",
        {
            "a": call(
                "yaml:add_constructor",
                "!x",
                {"_value_": "name", "of": "yaml.constructor:UnsafeConstructor.construct_python_object_apply"},
            )
        },
    ],
    "yaml metaclass": ["yaml", {"x": call("yaml:YAMLObjectMetaclass", "X", [], {})}],
    "jinja2 Template": [
        "jinja2",
        {
            "a": call("jinja2:Template", "{{ cycler.__init__.__globals__.os.system('touch pwned') }}"),
            "x": then("a", ["attr", "render"], ["call", [], {}]),
        },
    ],
    "jinja2 Environment": [
        "jinja2",
        {
            "a": call("jinja2:Environment"),
            "x": then("a", ["attr", "from_string"], ["call", ["{{ cycler.__init__.__globals__ }}"], {}]),
        },
    ],
    "pandas eval": ["pandas", {"x": call("pandas:eval", f"@__builtins__.exec({CODE!r})")}],
    "pandas read_pickle": ["pandas", {"x": call("pandas:read_pickle", "evil.pkl")}],
    "pandas query": [
        "pandas",
        {"a": call("pandas:DataFrame", {"b": [1]}), "x": then("a", ["attr", "query"], ["call", ["@evil"], {}])},
    ],
    "pandas eval by the name of a method": [
        "pandas",
        {"a": call("pandas:DataFrame", {"b": [1]}), "x": then("a", ["attr", "agg"], ["call", ["eval"], {}])},
    ],
    "pandas plotting": ["pandas", {"x": call("pandas:set_option", "plotting.backend", "evil")}],
    "sklearn fetch": ["sklearn", {"x": call("sklearn.datasets:fetch_covtype", data_home=".")}],
    "joblib load": ["joblib", {"x": call("joblib:load", "evil.pkl")}],
    "joblib load, where it is": ["joblib", {"x": call("joblib.numpy_pickle:load", "evil.pkl")}],
    "sympy sympify": ["sympy", {"x": call("sympy:sympify", f"exec({CODE!r})")}],
    "sympy sin": ["sympy", {"x": call("sympy:sin", f"exec({CODE!r})")}],
    "matplotlib backend": ["matplotlib", {"x": call("matplotlib:use", "module://evil")}],
    "rlcompleter": [
        "rlcompleter",
        {
            "a": call("rlcompleter:Completer", {}),
            "x": then("a", ["attr", "complete"], ["call", [f"exec({CODE!r}).", 0], {}]),
        },
    ],
    "optparse": ["optparse", {"a": call("optparse:Values"), "x": then("a", ["attr", "read_file"])}],
    "xml.sax": ["xml", {"x": call("xml.sax:make_parser", ["evil"])}],
    "tracemalloc": ["tracemalloc", {"x": call("tracemalloc:Snapshot.load", "evil.pkl")}],
}


@pytest.fixture
def evil(project):
    project("evil.py", CODE)
    with open("evil.pkl", "wb") as file:
        file.write(PICKLE)
    return project


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_package_that_is_allowed_runs_no_code_of_the_files_choosing(evil, attack):
    allow, data = ATTACKS[attack]
    with pytest.raises(CallsheetError, match="so data may never"):
        build(from_data(data, allow=[allow]))
    assert not os.path.exists("pwned")


@pytest.mark.parametrize("attack", ["numpy runstring", "numpy NpzFile", "yaml UnsafeLoader", "jinja2 Template"])
def test_the_command_refuses_it_before_anything_runs(evil, attack):
    allow, data = ATTACKS[attack]
    evil("x.json", json.dumps({**data, "main": {"_ref_": "x"}}))
    for verb in ("check", "run"):
        words = [sys.executable, "-m", "callsheet", verb, "x.json", "--allow", allow]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert "so data may never name it" in done.stderr
    assert not os.path.exists("pwned")


REALLY = """
    torch:load torch:hub torch.hub:load torch.ops:load_library torch.classes:load_library torch.package:PackageImporter
    torch.utils.benchmark:Timer torch.utils.cpp_extension:load_inline torch.utils.collect_env:run torch:fx
    torch.testing:assert_close torch.jit:annotations torch.distributed.checkpoint:FileSystemReader
    sklearn.datasets:fetch_california_housing pandas:DataFrame.query pandas:DataFrame.eval pandas:HDFStore
    pandas:Series.agg pandas:test scipy.stats:test numpy.random:test numpy:f2py numpy.lib:npyio.NpzFile
    matplotlib:rc matplotlib.pyplot:switch_backend yaml:FullLoader yaml:CLoader
"""


@pytest.mark.parametrize("name", REALLY.split())
def test_what_is_never_for_data_is_known_by_what_it_is_whatever_it_is_called(name):
    found, package = resolve(parse_name(name)), name.partition(".")[0].partition(":")[0]
    with pytest.raises(TrustError, match="so data may never name it"):
        Policy([package, "alias"]).judge_object(found, "alias", "x", "")


USUAL = """
    numpy:array numpy:zeros numpy:arange numpy:float32 numpy:mean numpy:loadtxt numpy:vectorize numpy.linalg:norm
    numpy.random:default_rng numpy.random:RandomState numpy.random._generator:Generator numpy.fft:fft numpy:dtype
    torch:tensor torch:zeros torch:device torch:Generator torch:compile torch.nn:Linear torch.nn:Sequential
    torch.nn.functional:relu torch.nn.init:kaiming_normal_ torch.optim:Adam torch.optim:AdamW torch.optim.adamw:AdamW
    torch.optim.lr_scheduler:CosineAnnealingLR torch.utils.data:DataLoader torch.utils.data:TensorDataset
    torch.utils.data:IterDataPipe torch.nn.parallel:DistributedDataParallel torch.distributions:Normal
    sklearn.linear_model:LogisticRegression sklearn.linear_model._logistic:LogisticRegression
    sklearn.ensemble:RandomForestClassifier sklearn.pipeline:make_pipeline sklearn.datasets:load_digits
    sklearn.model_selection:GridSearchCV sklearn.preprocessing:StandardScaler sklearn.metrics:accuracy_score
    scipy.stats:norm scipy.optimize:minimize scipy.signal:butter scipy.sparse:csr_matrix
    pandas:DataFrame pandas:read_csv pandas:Timestamp matplotlib.pyplot:subplots matplotlib.colors:Normalize
    yaml:safe_load yaml:SafeLoader yaml:dump builtins:dict datetime:timedelta random:Random collections:OrderedDict
    fractions:Fraction pathlib:Path logging:getLogger
"""


@pytest.mark.parametrize("name", USUAL.split())
def test_what_configs_usually_name_needs_no_more_than_its_package(name):
    module, _, qualname = name.partition(":")
    package = module.partition(".")[0]
    policy = Policy([package])
    assert resolve(parse_name(name, policy=policy)) is getattr(import_module(module), qualname)


# --- arguments --------------------------------------------------------------------------------------------------------

READS = """
    def read(path, allow_pickle=False, *, trust_remote_code=False, weights_only=True):
        return [allow_pickle, trust_remote_code, weights_only]
    def more(path, **options): return options
    def two(allow_pickle, width): return width
    def reader(): return read
    class Reader:
        @classmethod
        def made(cls, path, allow_pickle=False): return allow_pickle
        def read(self, path, allow_pickle=False): return allow_pickle
"""


@pytest.fixture
def reads(project):
    project("pyproject.toml", "")
    return project("reads.py", READS)


LIFTED = {
    "by name": call("reads:read", "f", allow_pickle=True),
    "by position": call("reads:read", "f", True),
    "remote code": call("reads:read", "f", trust_remote_code=True),
    "weights": call("reads:read", "f", weights_only=False),
    "any value but False": call("reads:read", "f", allow_pickle=1),
    "a value that is made": call("reads:read", "f", allow_pickle=call("builtins:bool", 1)),
    "a value that is referred to": call("reads:read", "f", allow_pickle={"_ref_": "yes"}),
    "passed on": call("reads:more", "f", allow_pickle=True),
    "of a classmethod": call("reads:Reader.made", "f", True),
    "as a partial": call("reads:read", "f", allow_pickle=True, _partial_=True),
    "of what is made": {"_target_": call("reads:reader"), "_args_": ["f"], "allow_pickle": True},
    "of what is made, by position": {"_target_": call("reads:reader"), "_args_": ["f", True]},
    "by a step": then("object", ["attr", "read"], ["call", ["f"], {"allow_pickle": True}]),
    "by a step, by position": then("object", ["attr", "read"], ["call", ["f", True], {}]),
}


@pytest.mark.parametrize("lifted", LIFTED)
def test_data_has_no_callable_run_what_it_reads_that_is_not_allowed_by_its_own_name(reads, lifted):
    data = {"yes": True, "object": call("reads:Reader"), "x": LIFTED[lifted]}
    spec = from_data(data, allow=["reads", "builtins"])
    problem = "run what it reads, and no entry names that itself"
    for verb in (build, lambda spec: factory(spec)()):
        with pytest.raises(CallsheetError, match=problem):
            verb(spec)
    names = ["reads:read", "reads:more", "reads:Reader.made", "reads:Reader.read"]
    build(from_data(data, allow=["reads", "builtins", *names]))


def test_each_call_is_looked_at_also_after_one_like_it(reads):
    calls = [call("reads:two", False, n) for n in range(3)]
    assert build(from_data(calls, allow=["reads"])) == [0, 1, 2]
    with pytest.raises(CallsheetError, match=r"\[3\]\.?.*  allow_pickle=True would let reads:two"):
        build(from_data([*calls, call("reads:two", True, 3)], allow=["reads"]))
    named = [call("reads:read", "f", allow_pickle=value) for value in (False, False, True)]
    with pytest.raises(CallsheetError, match="allow_pickle=True would let reads:read"):
        build(from_data(named, allow=["reads"]))


def test_the_refusal_of_an_argument_says_how_to_allow_it(reads):
    spec = from_data({"a": call("reads:read", "f", allow_pickle=True)}, allow=["reads"], where="x.json")
    text = (
        "a.allow_pickle  allow_pickle=True would let reads:read run what it reads, and no entry names that itself\n"
        "                set by x.json\n"
        '                to allow it in Python:   load("x.json", allow=["reads", "reads:read"])\n'
        "                on the command line:     --allow reads --allow reads:read\n"
        '                in pyproject.toml:       allow = ["reads:read"]  under [tool.callsheet]'
    )
    assert told(lambda: check(spec)) == told(lambda: build(spec)) == text


def test_trusted_python_passes_what_it_likes(reads):
    import reads as module

    assert build(partial(module.read)("f", allow_pickle=True))() == [True, False, True]
    assert build(from_data({"a": call("reads:read", "f", allow_pickle=False)}, allow=["reads"])) == {
        "a": [False, False, True]
    }
