"""PyTorch's own classes, as people describe them."""

import torch

from callsheet import build, lazy, ref


def test_a_model_and_its_optimizer_are_built_with_one_set_of_parameters():
    model = lazy(torch.nn.Linear)(4, out_features=2)
    spec = {"model": model, "optim": lazy(torch.optim.SGD)(ref(model).parameters(), lr=0.1)}
    built = build(spec)
    assert built["optim"].param_groups[0]["params"][0] is built["model"].weight
