from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from dlexp.error import ConfigError
from dlexp.model.inception import MODULES, GoogLeNet
from dlexp.norm import NoNorm


def build(blocks, side=224, **options) -> Any:
    with torch.device("meta"):
        return GoogLeNet(in_shape=(3, side, side), num_outputs=1000, **{**blocks, **options})


def test_modules_have_the_papers_output_channels(blocks):
    model = build(blocks)
    channels = [model.get_submodule(f"inception{name}").out_channels for name in MODULES]
    assert list(MODULES) == ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
    assert channels == [256, 480, 512, 512, 512, 528, 832, 832, 1024]


def test_paper_variant_has_5x5_filters_and_no_norm_but_two_response_norms(blocks):
    model = build(blocks, norm=partial(NoNorm))
    assert model.inception3a.branch5[1].conv.kernel_size == (5, 5)
    assert sum(isinstance(m, nn.LocalResponseNorm) for m in model.modules()) == 2
    # Table 1 of the paper prints 159K and 380K for the modules 3a and 3b, 364K and 1388K for 4a and 5b.
    for name, printed in {"3a": 159, "3b": 380, "4a": 364, "5b": 1388}.items():
        weights = [
            m.weight.numel() for m in model.get_submodule(f"inception{name}").modules() if isinstance(m, nn.Conv2d)
        ]
        assert sum(weights) / 1024 == pytest.approx(printed, rel=0.04)


def test_a_norm_replaces_the_response_norms(blocks):
    assert not any(isinstance(m, nn.LocalResponseNorm) for m in build(blocks).modules())


def test_auxiliary_heads_speak_in_training_only(blocks):
    model = build(blocks)
    x = torch.empty(2, 3, 224, 224, device="meta")
    assert [output.shape for output in model(x)] == 3 * [(2, 1000)]
    assert model.aux_weights == [0.3, 0.3]
    assert model.aux1.dense.in_features == 4 * 4 * 128  # section 5: 5x5 pooling of stride 3 leaves 4x4
    assert model.eval()(x).shape == (2, 1000)


def test_without_weights_there_are_no_heads(blocks):
    model = build(blocks, aux_weights=[])
    assert model(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 1000)
    assert not any(name.startswith("aux") for name, _ in model.named_parameters())


def test_one_weight_is_refused(blocks):
    with pytest.raises(ConfigError, match=r"model\.aux_weights: got \[0\.3\]; give two"):
        build(blocks, aux_weights=[0.3])
