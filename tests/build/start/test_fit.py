"""Weights of another model by name and shape, and what is said of those that do not fit."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dlexp.build.model import build_blank_model, build_module
from dlexp.build.start.fit import Start, as_named, load_start
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError

MLP = ("model.widths=[4,4]",)


def build(*overrides: str, num_outputs: int = 3):
    config = resolve(list(overrides or MLP)).config
    return build_module(config, (5,), num_outputs, seed=0), config


def config_of(path, *skip: str):
    return {"init_from": {"run": str(path), "skip": list(skip)}}


@pytest.fixture
def source(tmp_path):
    """Return a file of the weights of a model, statistics of its batch norms included."""

    def write(*overrides: str, rename=str, **sizes):
        model, _ = build(*overrides, **sizes)
        for number, value in enumerate(model.state_dict().values()):
            value.fill_(number + 2)
        weights = {rename(name): value for name, value in model.state_dict().items()}
        save_file(weights, tmp_path / "weights.safetensors")
        return tmp_path / "weights.safetensors", model.state_dict()

    return write


def test_parameters_and_buffers_go_in_by_name(source):
    path, weights = source()
    model, _ = build()
    assert load_start(config_of(path), model) == Start(list(weights), [])
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name]), name
    assert model.get_buffer("hidden.0.norm.running_mean").unique().tolist() == [5.0]


def test_the_type_is_the_models(source):
    path, weights = source()
    model, _ = build()
    load_start(config_of(path), model.double())
    assert model.get_parameter("output.bias").dtype == torch.float64
    assert torch.equal(model.get_parameter("output.bias"), weights["output.bias"].double())


def test_without_it_nothing_is_done():
    model, config = build()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert load_start(config, model) == Start([], [])
    torch.testing.assert_close(dict(model.state_dict()), before, rtol=0, atol=0)


def test_an_output_of_another_size_is_refused_unless_it_is_skipped(source):
    path, weights = source(num_outputs=7)
    model, _ = build()
    with pytest.raises(ConfigError) as refused:
        load_start(config_of(path), model)
    assert str(refused.value) == (
        f"init_from.run: got {path}, of which 2 weights do not fit: output.weight is [7, 4] there and [3, 4] "
        "here, output.bias is [7] there and [3] here; choose the model that it was, or leave them out by "
        "'init_from.skip=[output]'"
    )
    start = load_start(config_of(path, "output"), model)
    assert start.left == ["output.weight", "output.bias"]
    assert start.words == "12 of 14 weights (output at random)"
    assert torch.equal(model.get_parameter("hidden.1.linear.weight"), weights["hidden.1.linear.weight"])


@pytest.mark.parametrize(
    ("there", "here", "faults"),
    [
        (("model.widths=[4]",), MLP, "hidden.1.linear.weight is not in it, hidden.1.norm.weight is not in it"),
        (("model.widths=[4,4,4]",), MLP, "hidden.2.linear.weight is not in this model"),
        (("model=softmax",), MLP, "hidden.0.linear.weight is not in it"),
    ],
)
def test_another_architecture_is_refused_in_one_line(source, there, here, faults):
    path, _ = source(*there)
    model, _ = build(*here)
    with pytest.raises(ConfigError) as refused:
        load_start(config_of(path), model)
    assert faults in str(refused.value)
    assert "choose the model that it was" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600


def test_on_the_meta_device_it_is_seen_whether_they_fit(source):
    path, _ = source(num_outputs=7)
    config = resolve([*MLP]).config
    blank = build_blank_model(config, (5,), 7)
    assert len(load_start(config_of(path), blank).taken) == 14
    with pytest.raises(ConfigError, match="do not fit"):
        load_start(config_of(path), build_blank_model(config, (5,), 3))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"run": None, "skip": ["a"]}, "init_from.skip: got ['a'] without init_from; give init_from=RUN, or remove it"),
        (
            {"run": "FILE", "skip": ["conv*"]},
            "init_from.skip: got conv*, which names no weight; there are hidden.0.linear",
        ),
        (
            {"run": "absent.pth", "skip": []},
            "init_from.run: got absent.pth; there is no such file: name a run by its id",
        ),
    ],
)
def test_what_is_refused(source, config, message):
    path, _ = source()
    model, _ = build()
    run = str(path) if config["run"] == "FILE" else config["run"]
    with pytest.raises(ConfigError) as refused:
        load_start({"init_from": {**config, "run": run}}, model)
    assert message in str(refused.value)


def test_an_autoencoder_gives_its_encoder_and_what_it_lacks_begins_anew(tmp_path):
    model, _ = build()
    weights = {name: torch.full_like(value, 2) for name, value in model.state_dict().items() if "output" not in name}
    weights |= {"code.weight": torch.zeros(2, 4), "decoder.dense.0.linear.weight": torch.zeros(4, 2)}
    save_file(weights, tmp_path / "auto.safetensors")
    start = load_start(config_of(tmp_path / "auto.safetensors"), model)
    assert (len(start.taken), start.left) == (12, ["output.weight", "output.bias"])
    weights["hidden.0.linear.weight"] = torch.zeros(4, 9)
    save_file(weights, tmp_path / "auto.safetensors")
    with pytest.raises(ConfigError, match=r"hidden.0.linear.weight is \[4, 9\] there and \[4, 5\] here"):
        load_start(config_of(tmp_path / "auto.safetensors"), model)


@pytest.mark.parametrize("prefix", ["network.", "module.", "_orig_mod.module."])
def test_what_names_begin_with_in_other_files_is_left_off_and_what_stands_beside(source, prefix):
    path, weights = source(rename=lambda name: f"{prefix}{name}")
    model, _ = build()
    assert load_start(config_of(path), model).taken == list(weights)


def test_names_of_torchvision_lack_the_beginning_that_a_net_has_here():
    held = {"net.conv.weight": torch.zeros(1), "net.fc.bias": torch.zeros(1)}
    given = {"conv.weight": torch.ones(1), "fc.bias": torch.ones(1)}
    assert as_named(given, held).keys() == held.keys()
    assert as_named(held, held) is held
    wrapped = {f"_orig_mod.module.{name}": value for name, value in given.items()} | {"n_averaged": torch.ones(1)}
    assert as_named(wrapped, held).keys() == held.keys()


def test_a_count_of_batches_that_old_files_lack_is_no_fault(tmp_path):
    model, _ = build()
    weights = {name: value for name, value in model.state_dict().items() if "num_batches" not in name}
    save_file(weights, tmp_path / "old.safetensors")
    assert len(load_start(config_of(tmp_path / "old.safetensors"), model).taken) == 12
    assert isinstance(model, nn.Module)
