"""Weights are saved as tensors alone; they load whole, or every tensor that does not fit is named and nothing happens."""

import copy
import hashlib
import os
import pickle
import sys

import fsspec
import pytest
import safetensors.torch
import torch

from callsheet import lazy, load_weights, save_weights
from callsheet.errors import WeightsError
from saying import told

TRAPS = []


class Net(torch.nn.Module):
    def __init__(self, classes=10, width=4):
        super().__init__()
        self.body = torch.nn.Linear(3, width)
        self.norm = torch.nn.BatchNorm1d(width)
        self.head = torch.nn.Linear(width, classes)


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(5, 3)
        self.out = torch.nn.Linear(3, 5, bias=False)
        self.out.weight = self.words.weight


def spring(trap):
    TRAPS.append(trap)


class Trap:
    def __reduce__(self):
        return spring, ("sprung",)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    TRAPS.clear()


def same(a, b):
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def refused(model, *args, **options):
    """What the error says; the model must be as it was."""
    before = copy.deepcopy(model)
    text = told(lambda: load_weights(model, *args, **options), WeightsError)
    assert same(model, before)
    return text


# --- what fits --------------------------------------------------------------------------------------------------------


def test_what_is_saved_loads_equal_and_the_digest_is_that_of_the_file(tmp_path):
    net, other = Net(), Net()
    digest = save_weights(net, "net.safetensors")
    report = load_weights(other, "net.safetensors")
    assert same(net, other)
    assert report.loaded == tuple(net.state_dict())
    assert (report.missing, report.unexpected, report.misshaped) == ((), (), {})
    assert repr(report) == "net.safetensors: 9 of the model's 9 tensors loaded"
    assert digest == hashlib.sha256((tmp_path / "net.safetensors").read_bytes()).hexdigest()
    assert os.listdir() == ["net.safetensors"]


def test_a_folder_that_is_missing_is_made_so_that_no_training_is_lost(tmp_path):
    net = Net()
    save_weights(net, "of/a/training/net.safetensors")
    assert load_weights(net, tmp_path / "of" / "a" / "training" / "net.safetensors").loaded == tuple(net.state_dict())


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}])
def test_a_file_of_torch_loads_also_when_its_state_dict_lies_in_a_wrapper(zipped, wrap):
    net, other = Net(), Net()
    torch.save(wrap(net.state_dict()), "net.pth", _use_new_zipfile_serialization=zipped)
    load_weights(other, "net.pth")
    assert same(net, other)


def test_a_checkpoint_with_an_optimizer_has_one_state_dict_of_tensors():
    net, other = Net(), Net()
    optim = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net.head(torch.zeros(1, 4)).sum().backward()
    optim.step()
    torch.save({"net": net.state_dict(), "optim": optim.state_dict(), "rng": torch.get_rng_state()}, "all.pt")
    load_weights(other, "all.pt")
    assert same(net, other)


def test_of_several_state_dicts_one_is_named():
    net, ema = Net(), Net()
    torch.save({"model": net.state_dict(), "ema": ema.state_dict()}, "two.pth")
    other = Net()
    text = "two.pth holds 2 state dicts: 'model', 'ema'\n  say which:  entry='model'\n  say which:  entry='ema'"
    assert refused(other, "two.pth") == text
    load_weights(other, "two.pth", entry="ema")
    assert same(other, ema)
    text = "two.pth has no state dict 'modle'\n  did you mean  entry='model'?\n  it has 'model', 'ema'"
    assert refused(other, "two.pth", entry="modle") == text
    save_weights(net, "net.safetensors")
    text = "net.safetensors holds tensors alone, and no entry 'ema'\n  leave  entry=  out"
    assert refused(other, "net.safetensors", entry="ema") == text


def test_dtype_and_gradients_stay_as_the_model_has_them():
    net, half = Net(), Net().to(torch.bfloat16)
    half.body.weight.requires_grad_(False)
    weight = half.body.weight
    save_weights(net, "net.safetensors")
    load_weights(half, "net.safetensors")
    assert half.body.weight is weight
    assert (weight.dtype, weight.requires_grad, half.head.weight.requires_grad) == (torch.bfloat16, False, True)
    assert torch.equal(weight, net.body.weight.to(torch.bfloat16))


def test_tied_tensors_are_written_once_and_stay_tied():
    tied, other = Tied(), Tied()
    save_weights(tied, "tied.safetensors")
    with safetensors.safe_open("tied.safetensors", "pt") as file:
        assert (list(file.keys()), file.metadata()["out.weight"]) == (["words.weight"], "words.weight")
    assert load_weights(other, "tied.safetensors").loaded == ("words.weight", "out.weight")
    assert other.out.weight is other.words.weight
    assert same(tied, other)
    safetensors.torch.load_model(Tied(), "tied.safetensors")  # as the format's own reader does


def test_what_is_tied_in_the_model_need_not_stand_twice_in_a_file_of_others():
    tied, other = Tied(), Tied()
    safetensors.torch.save_file({"words.weight": tied.words.weight.detach()}, "one.safetensors")
    assert load_weights(other, "one.safetensors").loaded == ("words.weight", "out.weight")
    assert same(tied, other)


def test_two_tensors_for_one_that_is_tied_do_not_fit():
    torch.save({"words.weight": torch.zeros(5, 3), "out.weight": torch.ones(5, 3)}, "untied.pth")
    text = "out.weight  another tensor than words.weight in the file, the same in the model"
    assert refused(Tied(), "untied.pth").split("\n")[0] == text
    torch.save({"words.weight": torch.ones(5, 3), "out.weight": torch.ones(5, 3, dtype=torch.float64)}, "same.pth")
    load_weights(Tied(), "same.pth")
    torch.save({"words.weight": torch.ones(5, 3), "out.weight": torch.ones(3, 5)}, "turned.pth")
    text = "out.weight  (3, 5) in the file, (5, 3) in the model"
    assert refused(Tied(), "turned.pth").split("\n")[0] == text


def test_views_and_tensors_of_no_size_are_saved():
    net, other = torch.nn.Module(), torch.nn.Module()
    for module, start in ((net, 1), (other, 0)):
        module.register_buffer("turned", (torch.arange(6.0) * start).view(2, 3).t())
        module.register_buffer("empty", torch.zeros(0, 3))
        module.register_buffer("part", torch.arange(6.0)[2:4] * start)
        module.register_buffer("count", torch.tensor(start))
    save_weights(net, "net.safetensors")
    load_weights(other, "net.safetensors")
    assert same(net, other)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # PyTorch's own, of its compiler
def test_wrappers_for_devices_and_for_the_compiler_count_as_the_model_inside():
    net, other = Net(), Net()
    assert save_weights(torch.nn.DataParallel(net), "a.safetensors") == save_weights(net, "b.safetensors")
    save_weights(torch.compile(torch.nn.DataParallel(net)), "c.safetensors")
    load_weights(torch.compile(other), "c.safetensors")
    assert same(net, other)


def test_weights_lie_wherever_fsspec_reaches():
    net, other, third = Net(), Net(), Net()
    save_weights(net, "memory://weights/net.safetensors")
    load_weights(other, "memory://weights/net.safetensors")
    with fsspec.open("memory://weights/net.pth", "wb") as file:
        torch.save(net.state_dict(), file)
    load_weights(third, "memory://weights/net.pth")
    assert same(net, other)
    assert same(net, third)
    assert refused(net, "memory://weights/no.pth") == "there is no file memory://weights/no.pth"


# --- what does not ----------------------------------------------------------------------------------------------------


def test_everything_that_does_not_fit_is_named_together():
    save_weights(Net(), "net.safetensors")
    net = Net(classes=8)
    del net.norm
    net.neck = torch.nn.Linear(4, 4, bias=False)
    assert (
        refused(net, "net.safetensors")
        == """\
neck.weight               is not in net.safetensors
head.weight               (10, 4) in the file, (8, 4) in the model
head.bias                 (10,) in the file, (8,) in the model
norm.bias                 is in net.safetensors, but not in the model
norm.num_batches_tracked  is in net.safetensors, but not in the model
norm.running_mean         is in net.safetensors, but not in the model
norm.running_var          is in net.safetensors, but not in the model
norm.weight               is in net.safetensors, but not in the model
                          net.safetensors does not fit Net; the model is as it was
                          on_mismatch="skip"  loads the 2 tensors that fit"""
    )


def test_skip_loads_the_rest_and_tells_what_was_left():
    ten, eight = Net(), Net(classes=8)
    head = eight.head.weight.clone()
    save_weights(ten, "ten.safetensors")
    report = load_weights(eight, "ten.safetensors", on_mismatch="skip")
    assert torch.equal(eight.body.weight, ten.body.weight)
    assert torch.equal(eight.head.weight, head)
    assert report.misshaped["head.bias"] == "(10,) in the file, (8,) in the model"
    assert (
        repr(report)
        == """\
ten.safetensors: 7 of the model's 9 tensors loaded
  mis-shaped  head.weight  (10, 4) in the file, (8, 4) in the model
  mis-shaped  head.bias    (10,) in the file, (8,) in the model"""
    )


def test_skip_refuses_a_file_of_which_nothing_fits():
    torch.save({"other": torch.zeros(1)}, "other.pth")
    text = refused(torch.nn.Linear(1, 1), "other.pth", on_mismatch="skip")
    assert text.split("\n")[-1].strip() == "no tensor of other.pth fits Linear; the model is as it was"


def test_a_form_that_would_lose_its_meaning_does_not_fit():
    torch.save({"weight": torch.zeros(1, 1, dtype=torch.complex64), "bias": torch.zeros(1)}, "complex.pth")
    text = refused(torch.nn.Linear(1, 1), "complex.pth")
    assert text.split("\n")[0] == "weight  complex64 in the file, float32 in the model"


@pytest.mark.filterwarnings("ignore")  # quantized tensors are on their way out of PyTorch
def test_a_layout_that_is_another_does_not_fit():
    torch.save({"weight": torch.eye(2).to_sparse(), "bias": torch.zeros(2)}, "sparse.pth")
    text = refused(torch.nn.Linear(2, 2), "sparse.pth")
    assert text.split("\n")[0] == "weight  sparse_coo in the file, strided in the model"
    scaled = torch.quantize_per_tensor(torch.eye(2), 1.0, 0, torch.qint8)
    torch.save({"weight": scaled, "bias": torch.zeros(2)}, "small.pth")
    assert "weight  qint8 in the file, float32 in the model" in refused(torch.nn.Linear(2, 2), "small.pth")


def test_a_module_without_tensors_has_an_empty_file():
    save_weights(torch.nn.ReLU(), "none.safetensors")
    assert load_weights(torch.nn.ReLU(), "none.safetensors").loaded == ()


def test_a_model_without_data_is_refused():
    torch.save({"weight": torch.zeros(1, 1), "bias": torch.zeros(1)}, "one.pth")
    empty = torch.nn.Linear(1, 1, device="meta")
    text = told(lambda: load_weights(empty, "one.pth"), WeightsError)
    assert "weight  is on the device meta in the model" in text
    load_weights(empty.to_empty(device="cpu"), "one.pth")  # as the error says
    assert "has no shape in the model before its first call" in told(
        lambda: load_weights(torch.nn.LazyLinear(1), "one.pth"), WeightsError
    )


@pytest.mark.parametrize(
    ("prefix", "advice"),
    [("module.", 'key_map={"module": ""}'), ("a.b.", 'key_map={"a.b": ""}')],
)
def test_a_prefix_in_the_file_is_seen_and_the_advice_works(prefix, advice):
    net, other = Net(), Net()
    torch.save({prefix + name: tensor for name, tensor in net.state_dict().items()}, "net.pth")
    said = refused(other, "net.pth").split("\n")[-1].strip()
    assert said == f"{advice}  gives the tensors the names that they have in the model"
    load_weights(other, "net.pth", **eval(f"dict({advice})"))
    assert same(net, other)


def test_a_prefix_in_the_model_is_seen_and_the_advice_works():
    net, whole = Net(), torch.nn.ModuleDict({"net": Net()})
    save_weights(net, "net.safetensors")
    assert 'key_map={"": "net"}  gives the tensors' in refused(whole, "net.safetensors")
    load_weights(whole, "net.safetensors", key_map={"": "net"})
    assert same(net, whole["net"])


# --- key_map ----------------------------------------------------------------------------------------------------------


def test_names_are_mapped_by_the_longest_beginning_up_to_a_dot():
    ones, twos = {"a.w": torch.ones(1), "a.b.w": torch.ones(1) * 2}, torch.nn.Module()
    twos.x, twos.y, twos.ab = torch.nn.Module(), torch.nn.Module(), torch.nn.Module()
    for module in (twos.x, twos.y, twos.ab):
        module.w = torch.nn.Parameter(torch.zeros(1))
    torch.save({**ones, "ab.w": torch.ones(1) * 3}, "names.pth")
    load_weights(twos, "names.pth", key_map={"a": "x", "a.b.": "y"})
    assert [module.w.item() for module in (twos.x, twos.y, twos.ab)] == [1, 2, 3]


def test_none_leaves_a_tensor_out_and_a_function_names_each():
    net, body = Net(), torch.nn.Linear(3, 4)
    save_weights(net, "net.safetensors")
    load_weights(body, "net.safetensors", key_map={"body": "", "norm": None, "head": None})
    assert same(body, net.body)
    head = torch.nn.Linear(4, 10)
    load_weights(head, "net.safetensors", key_map=lambda name: name[5:] if name.startswith("head.") else None)
    assert same(head, net.head)


def test_a_key_that_fits_nothing_and_two_tensors_of_one_name_are_refused():
    save_weights(Net(), "net.safetensors")
    text = "key_map has 'hed', with which no name in net.safetensors begins\n  did you mean  head?"
    assert refused(Net(), "net.safetensors", key_map={"hed": "tail"}) == text
    text = "head.weight  is what key_map makes of both body.weight and head.weight"
    assert text in refused(Net(), "net.safetensors", key_map={"body": "head"})


# --- what is no file of weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("force", ["0", "1"])
def test_a_pickle_with_code_is_not_run(zipped, force, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", force)
    torch.save({"weight": torch.zeros(1), "trap": Trap()}, "trap.pth", _use_new_zipfile_serialization=zipped)
    text = refused(Net(), "trap.pth")
    assert "trap.pth is a pickle that asks for" in text
    assert "only tensors are read, nothing is run" in text
    assert TRAPS == []
    torch.load("trap.pth", weights_only=False)
    assert TRAPS == ["sprung"]  # so it would have


def test_a_bare_pickle_is_not_even_opened(tmp_path):
    (tmp_path / "bare.pth").write_bytes(pickle.dumps({"weight": Trap()}))
    assert (
        refused(Net(), "bare.pth")
        == """\
bare.pth is a pickle that torch.save did not write; to read it is to run what it says, so it is not read
  weights are a .safetensors file, or what torch.save made of a state dict"""
    )
    assert TRAPS == []


def test_a_whole_module_is_refused_with_the_way_out():
    torch.save(Net(), "whole.pth")
    first, *advice = refused(Net(), "whole.pth").split("\n")
    assert first.startswith("whole.pth is a pickle that asks for test_weights.Net: ")
    assert advice[0].endswith("save_weights(model, 'weights.safetensors')")


def test_pickles_are_not_read_by_a_torch_that_could_be_made_to_run_them(monkeypatch):
    torch.save(Net().state_dict(), "net.pth")
    monkeypatch.setattr(torch, "__version__", torch.torch_version.TorchVersion("2.5.1"))
    text = refused(Net(), "net.pth")
    assert text.startswith("net.pth is a pickle, which PyTorch 2.5.1 cannot read without running what it says")


@pytest.mark.parametrize("left", [4, 10, 200, -1])
def test_a_file_that_was_cut_off_is_damaged(left, tmp_path):
    save_weights(Net(), "net.safetensors")
    raw = (tmp_path / "net.safetensors").read_bytes()[:left]
    (tmp_path / "cut.safetensors").write_bytes(raw)
    first, advice = refused(Net(), "cut.safetensors").split("\n")
    assert first.startswith("cut.safetensors is damaged: ")
    assert advice == f"  it has {len(raw):,} bytes: was it copied whole?"


def test_other_files_are_refused_by_name(tmp_path):
    torch.save(Net().state_dict(), "net.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "net.pth").read_bytes()[:-80])
    assert refused(Net(), "cut.pth").startswith("cut.pth cannot be read as tensors alone: ")
    (tmp_path / "notes.txt").write_text("no weights")
    assert refused(Net(), "notes.txt").startswith("notes.txt is no file of weights\n")
    torch.save([1, 2], "list.pth")
    assert refused(Net(), "list.pth").startswith("list.pth holds no state dict, which gives tensors by name, but list")
    assert refused(Net(), "nte.pth") == "there is no file nte.pth\n  did you mean  net.pth?"
    assert refused(Net(), str(tmp_path)).endswith("cannot be read: Is a directory")


def test_what_is_no_module_is_a_type_error():
    text = "load_weights takes a torch.nn.Module, found a Call: build it first, load_weights(build(model), ...)"
    assert told(lambda: load_weights(lazy(Net)(), "x.pth"), TypeError) == text
    with pytest.raises(TypeError, match=r"save_weights takes a torch.nn.Module, found a str$"):
        save_weights("net", "x.safetensors")
    with pytest.raises(ValueError, match="on_mismatch must be 'error' or 'skip', found 'ignore'"):
        load_weights(Net(), "x.pth", on_mismatch="ignore")


def test_what_cannot_be_saved_is_refused_before_a_byte_is_written():
    text = "net.pth does not end in .safetensors, which weights are saved as\n  save_weights(model, 'net.safetensors')"
    assert told(lambda: save_weights(Net(), "net.pth"), WeightsError) == text

    class Extra(Net):
        def get_extra_state(self):
            return {"step": 3}

    text = "_extra_state  is a dict and no tensor, which is all that a .safetensors file holds"
    assert told(lambda: save_weights(Extra(), "x.safetensors"), WeightsError) == text
    text = "weight  cannot be saved: it is on the device meta and has no data"
    empty = torch.nn.Linear(1, 1, bias=False, device="meta")
    assert told(lambda: save_weights(empty, "x.safetensors"), WeightsError) == text
    assert os.listdir() == []


def test_a_file_is_replaced_whole_or_stays(tmp_path):
    save_weights(Net(), "net.safetensors")
    (tmp_path / "taken.safetensors" / "x").mkdir(parents=True)
    with pytest.raises(OSError):
        save_weights(Net(), "taken.safetensors")
    assert sorted(os.listdir()) == ["net.safetensors", "taken.safetensors"]


@pytest.mark.parametrize(
    ("package", "problem"),
    [
        ("torch", "weights need PyTorch, which is not installed"),
        ("safetensors", "weights are kept as .safetensors, which needs a package of that name"),
    ],
)
def test_what_is_not_installed_is_named_with_the_extra_that_brings_it(package, problem, monkeypatch):
    net = Net()
    save_weights(net, "net.safetensors")
    monkeypatch.setitem(sys.modules, package, None)
    advice = "\n  pip install 'callsheet[weights]'"
    assert told(lambda: load_weights(net, "net.safetensors"), WeightsError) == problem + advice
    assert told(lambda: save_weights(net, "other.safetensors"), WeightsError) == problem + advice
    assert os.listdir() == ["net.safetensors"]
