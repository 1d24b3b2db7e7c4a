"""Tensors are noted as they come, wherever they lie and whatever they are made of."""

import torch

from callsheet.track._entries import histogram_of, image_of, number_of


def test_tensors_are_numbers_images_and_histograms():
    loss = torch.nn.functional.mse_loss(torch.ones(2, requires_grad=True), torch.zeros(2))
    assert number_of(loss) == 1.0
    assert number_of(torch.tensor(0.5, dtype=torch.bfloat16)) == 0.5
    image = image_of(torch.tensor([[0.0, 1.0]], dtype=torch.float16, requires_grad=True))
    assert (image.height, image.width, image.pixels) == (1, 2, b"\x00\xff")
    assert image_of(torch.tensor([[[1, 2, 3]]], dtype=torch.uint8)).pixels == b"\x01\x02\x03"
    weights = torch.nn.Parameter(torch.tensor([[1.0, 2.0], [2.0, float("nan")]], dtype=torch.bfloat16))
    histogram = histogram_of(weights)
    assert (histogram.edges[0], histogram.edges[-1], sum(histogram.counts), histogram.left_out) == (1.0, 2.0, 3, 1)
