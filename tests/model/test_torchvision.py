import pytest
import torch
from safetensors.torch import save_file

from dlexp.dropout import Inverted
from dlexp.error import ConfigError
from dlexp.init import KaimingNormal, Torch, initialize


@pytest.fixture(scope="module")
def net():
    from dlexp.model.torchvision import TorchvisionNet

    return TorchvisionNet


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A squeezenet1_1 for 7 classes in a file, as if it had been downloaded."""
    import torchvision

    with torch.random.fork_rng():
        torch.manual_seed(0)
        reference = torchvision.models.squeezenet1_1(weights=None, num_classes=7)
    path = tmp_path_factory.mktemp("weights") / "squeezenet.safetensors"
    save_file(reference.state_dict(), path)
    torch.save(reference.state_dict(), path.with_suffix(".pth"))
    return reference.eval(), path


@pytest.mark.parametrize(
    "name",
    ["resnet18", "convnext_tiny", "regnet_x_400mf", "googlenet", "swin_t", "squeezenet1_1"],
)
def test_head_fits_the_data(name, net):
    with torch.device("meta"):
        model = net(name, in_shape=(1, 48, 48), num_outputs=7)
        for training in (True, False):
            assert model.train(training)(torch.empty(2, 1, 48, 48)).shape == (2, 7)
    assert len(model.head_names) == 2
    assert [layer.weight.shape[0] for layer in model.output_layers] == [7]


@pytest.mark.slow
def test_every_classification_network_builds_at_its_size(net):
    import torchvision

    for name in torchvision.models.list_models(module=torchvision.models):
        with torch.device("meta"):
            model = net(name, in_shape=(3, 224, 224), num_outputs=7)
            assert model(torch.empty(2, 3, 224, 224)).shape == (2, 7), name


def test_weights_of_the_file_survive_the_initialisation(net, published):
    reference, path = published
    for suffix in (".safetensors", ".pth"):
        model = net("squeezenet1_1", str(path.with_suffix(suffix)), in_shape=(3, 48, 48), num_outputs=7)
        initialize(model, KaimingNormal(), torch.Generator().manual_seed(1))
        x = torch.randn(2, 3, 48, 48)
        assert torch.equal(model.eval()(x), reference(x))


def test_a_head_of_another_size_is_left_out(net, published):
    reference, path = published
    model = net("squeezenet1_1", str(path), in_shape=(3, 48, 48), num_outputs=3)
    initialize(model, Torch(), torch.Generator().manual_seed(1))
    weights, read = model.net.state_dict(), reference.state_dict()
    assert model.head_names == {"classifier.1.weight", "classifier.1.bias"}
    assert all(torch.equal(weights[name], read[name]) for name in weights.keys() - model.head_names)
    assert weights["classifier.1.weight"].shape[0] == 3


def test_random_layers_draw_from_the_seeds(net):
    model = net("efficientnet_b0", in_shape=(3, 32, 32), num_outputs=7)
    droppers = [module for module in model.modules() if isinstance(module, Inverted)]
    assert len(droppers) > 5
    x = torch.rand(4, 3, 32, 32)
    state = torch.random.get_rng_state()
    first, second = model(x), model(x)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(first, second)
    for dropper in droppers:
        dropper.seed += 1
    assert not torch.equal(model(x), first)


def test_stochastic_depth_drops_whole_examples_and_keeps_the_expectation():
    from dlexp.model.torchvision import DropExample

    y = DropExample(0.25)(torch.ones(4000, 2, 3, 3))
    values = y.flatten(1)
    assert torch.equal(values, values[:, :1].expand_as(values))
    torch.testing.assert_close(values.unique(), torch.tensor([0.0, 4 / 3]))
    # Standard error of the mean: sqrt(p / (1 - p) / n) = 0.009
    assert values.mean() == pytest.approx(1, abs=0.04)


def test_old_names_of_the_published_densenets_are_understood(net):
    now = "features.denseblock1.denselayer2.norm1.weight"
    assert [net.modern_name(name) for name in ("features.denseblock1.denselayer2.norm.1.weight", now)] == [now, now]


def test_what_cannot_work_is_refused(net, published, tmp_path):
    _, path = published
    garbage = tmp_path / "garbage.pth"
    garbage.write_bytes(b"no tensors")
    cases = [
        ({"name": "resnet81"}, r"model\.name: got resnet81; .*did you mean resnet18"),
        ({"in_shape": (13,)}, "needs images"),
        ({"in_shape": (4, 32, 32)}, "images of 4 channels"),
        ({"name": "alexnet", "in_shape": (3, 32, 32)}, "it reads 63x63 and more"),
        ({"name": "vit_b_32", "in_shape": (3, 32, 32)}, "it reads 224x224$"),
        ({"weights": "nowhere.pth"}, r"model\.weights: got nowhere\.pth; there is no such file"),
        ({"weights": str(garbage)}, "cannot be read as weights by name"),
        ({"weights": str(path)}, "names or shapes differ in"),
    ]
    for options, message in cases:
        with pytest.raises(ConfigError, match=message), torch.device("meta"):
            net(**{"name": "resnet18", "in_shape": (3, 32, 32), "num_outputs": 7, **options})
