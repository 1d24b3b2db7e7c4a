"""What names PyTorch is the same before PyTorch is imported and after, in any process, and when it was saved."""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch

from callsheet import equal, from_data, hash_of, lazy, load, ref, save, to_data, to_python
from callsheet._spec import attach

SPEC = """
import sys
from callsheet import from_data, hash_of, lazy, ref
model = lazy("torch.nn:Sequential")(lazy("torch.nn.Linear")(4, 2), norm=from_data({"_value_": "name", "of": "torch.nn:ReLU"}))
spec = {
    "model": model,
    "optim": lazy("torch.optim:AdamW")(ref(model).parameters(), lr=1e-3),
    "dtype": from_data({"_value_": "name", "of": "torch:float32"}),
}
"""


def printed(program, seed):
    source = str(Path(sys.modules["callsheet"].__file__).parent.parent)
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_hash_is_the_same_before_torch_is_imported_and_after_in_every_process():
    before, torch_is_there, after = printed(
        SPEC + "print(hash_of(spec), 'torch' in sys.modules)\nimport torch\nprint(hash_of(spec))", "0"
    )
    assert torch_is_there == "False"
    (other,) = printed("import torch\n" + SPEC + "print(hash_of(spec))", "4711")
    here = {}
    exec(SPEC, here)
    assert before == after == other == hash_of(here["spec"])


def test_dtypes_and_classes_come_back_from_data_and_from_python(tmp_path):
    model = lazy(torch.nn.Linear)(4, 2, dtype=torch.float64)
    spec = attach(
        {
            "model": model,
            "optim": lazy(torch.optim.SGD)(ref(model).parameters(), lr=0.1),
            "dtype": torch.float32,
            "act": lazy(dict)(act=torch.nn.ReLU, functions=[torch.relu, torch.nn.functional.relu]),
        }
    )
    again = from_data(json.loads(json.dumps(to_data(spec))))
    assert equal(again, spec)
    assert to_python(spec).partition("\n\n")[2] == (
        """\
model = lazy(Linear)(4, 2, dtype=torch.float64)
optim = lazy(SGD)(ref(model).parameters(), lr=0.1)
dtype = torch.float32
act = lazy(dict)(act=ReLU, functions=[torch.relu, relu])
"""
    )
    for which in (spec, again):
        save(which, tmp_path / "conf.py")
        assert equal(load(tmp_path / "conf.py"), spec)
        assert hash_of(load(tmp_path / "conf.py")) == hash_of(spec)
