"""The summary of a configuration: what it takes from the data, and that it makes no weights."""

import time

import pytest
import torch

from dlexp.build.summary import summary
from dlexp.config import trust
from dlexp.config.compose import Composed
from dlexp.config.resolve import resolve
from dlexp.data.synthetic import Fake
from dlexp.error import ConfigError, DataError
from tests.present import present

LAYER = {"name", "type", "output_shape", "num_params", "flops", "receptive_field", "stride", "share"}


def of(*overrides: str):
    return summary(resolve(list(overrides)))


def test_the_promised_keys_and_sums():
    document = of("model=cnn", "data=fake")
    assert document.keys() >= {"num_params", "num_trainable", "flops", "input_shape", "layers", "warnings", "auxiliary"}
    assert all(layer.keys() >= LAYER for layer in document["layers"])
    assert (
        document["num_params"] == document["num_trainable"] == sum(layer["num_params"] for layer in document["layers"])
    )
    assert sum(layer["share"] for layer in document["layers"]) == pytest.approx(1)
    assert (document["kind"], document["model"], document["data"], document["num_outputs"]) == (
        "summary",
        "CNN",
        "fake",
        10,
    )


def test_resnet152_takes_under_five_seconds_and_no_weights(monkeypatch):
    counted = []
    allocate = torch.nn.Parameter.__new__

    def remember(cls, data=None, requires_grad=True):
        counted.append(present(data).device.type)
        return allocate(cls, data, requires_grad)

    monkeypatch.setattr(torch.nn.Parameter, "__new__", remember)
    composed = resolve(["model=resnet", "model.depth=152", "data=fake", "data.shape=[3,224,224]", "data.num_classes=7"])
    started = time.perf_counter()
    document = summary(composed)
    assert time.perf_counter() - started < 5
    assert document["num_params"] == 60_192_808 - 993 * 2049
    assert set(counted) == {"meta"}


@pytest.mark.parametrize(
    ("data", "shape", "outputs"),
    [
        ("mnist", (1, 28, 28), 10),
        ("fashion_mnist", (1, 28, 28), 10),
        ("cifar10", (3, 32, 32), 10),
        ("cifar100", (3, 32, 32), 100),
        ("svhn", (3, 32, 32), 10),
    ],
)
def test_sets_of_known_shape_need_not_be_there(data, shape, outputs, tmp_path):
    document = of(f"data={data}", f"data.root={tmp_path}", "data.download=false", "model=softmax")
    assert (document["input_shape"], document["num_outputs"]) == (shape, outputs)
    assert list(tmp_path.iterdir()) == []


def test_a_fake_set_is_not_made(monkeypatch):
    load, sizes = Fake.load, []
    monkeypatch.setattr(Fake, "load", lambda self, task="auto": sizes.append(self.num_train) or load(self, task))
    of("data=fake", "data.num_train=1000000000", "model=softmax")
    assert sizes == [1]


def test_outputs_are_what_task_and_loss_need():
    assert of("data=diabetes", "model=softmax")["num_params"] == 10 + 1
    assert of("data=breast_cancer", "model=softmax")["num_params"] == 30 + 1
    assert of("data=breast_cancer", "model=softmax", "loss=cross_entropy")["num_params"] == 2 * 31


def test_absent_data_are_an_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        of("data=arrays", f"data.path={tmp_path}/none.npz")


def test_warnings_for_small_images():
    document = of("model=resnet", "model.stem=imagenet", "data=fake", "data.shape=[3,32,32]")
    # 7 and the pooling's 4; then 8 for each 3x3 filter at stride 4
    assert document["warnings"][0].startswith(
        "stages.0.1.convs.0: its receptive field of 35 pixels exceeds the image's 32"
    )
    assert "1x1 map" in document["warnings"][1]


def test_where_the_auxiliary_heads_of_inception_attach():
    document = of("model=inception", "data=cifar10")
    assert [(head["name"], head["behind"]) for head in document["auxiliary"]] == [
        ("aux1", "inception4a"),
        ("aux2", "inception4d"),
    ]
    assert of("model=inception", "model.aux_weights=[]", "data=cifar10")["auxiliary"] == []


def test_frozen_parameters_of_a_torchvision_net_are_counted_apart():
    document = of("model=torchvision", "freeze=[conv1,bn1,layer*]", "data=cifar10")
    assert document["num_trainable"] == 512 * 10 + 10
    assert document["num_params"] == 11_689_512 - 990 * 513


NEEDY = """
import torch

class Needy(torch.nn.Module):
    def __init__(self, *, in_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        width = int(torch.linspace(1, 9, 3)[1].item())
        self.net = torch.nn.Sequential(torch.nn.Linear(in_shape[0], width), torch.nn.Linear(width, num_outputs))

    def forward(self, x):
        return self.net(x) if {condition} else x


class Wrong(torch.nn.Module):
    def __init__(self, *, in_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        self.net = torch.nn.Linear(in_shape[0] + 1, num_outputs)

    def forward(self, x):
        return self.net(x)
"""


def composed_with(target: str) -> Composed:
    composed = resolve(["data=diabetes", "model=softmax"])
    composed.config["model"] = {"_target_": target}
    return composed


def test_a_users_net_may_compute_with_numbers_when_it_is_made_but_not_when_it_runs(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for name, condition in (("needy_made", "True"), ("needy_run", "x.sum() > 0")):
        (tmp_path / f"{name}.py").write_text(NEEDY.format(condition=condition))
    trust.grant(["needy_made", "needy_run"])
    assert summary(composed_with("needy_made.Needy"))["num_params"] == 10 * 5 + 5 + 5 + 1
    with pytest.raises(ConfigError, match="model: "):
        summary(composed_with("needy_run.Needy"))
    with pytest.raises(ConfigError, match=r"model: cannot take examples of shape \[10\]"):
        summary(composed_with("needy_made.Wrong"))
