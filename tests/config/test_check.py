"""Values against signatures: type, range, choice, presence and target."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError
from tests import option


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("optimizer.lr=abc", "optimizer.lr: got abc; a number > 0 is needed"),
        ("optimizer.lr=-1", "optimizer.lr: got -1; a number > 0 is needed"),
        ("optimizer.lr=0", "optimizer.lr: got 0; a number > 0 is needed"),
        ("optimizer.lr=nan", "optimizer.lr: got nan (not finite); a number > 0 is needed"),
        ("optimizer.lr=inf", "optimizer.lr: got inf (not finite); a number > 0 is needed"),
        ("optimizer.lr=true", "optimizer.lr: got true; a number > 0 is needed"),
        ("optimizer.lr=null", "optimizer.lr: got null; a number > 0 is needed"),
        ("optimizer.lr=[0.1]", "optimizer.lr: got [0.1]; a number > 0 is needed"),
        ("optimizer.lr={a:1}", "optimizer.lr: got {a:1}; a number > 0 is needed"),
        ("optimizer.lr='0.1'", "optimizer.lr: got '0.1'; a number > 0 is needed"),
        ("trainer.epochs=0", "trainer.epochs: got 0; an integer >= 1 is needed"),
        ("trainer.epochs=2.5", "trainer.epochs: got 2.5; an integer >= 1 is needed"),
        ("trainer.epochs=1e3", "trainer.epochs: got 1000.0; an integer >= 1 is needed: write 1000"),
        (
            "trainer.epochs=2000000000",
            "trainer.epochs: got 2000000000; an integer from 1 to 1,000,000,000 is needed",
        ),
        (
            "model.widths=[8,2000000000]",
            "model.widths: got [8,2000000000]; a list of integers from 1 to 1,000,000,000 is needed",
        ),
        ("trainer.threads=1025", "trainer.threads: got 1025; auto or an integer in [1, 1024] or null is needed"),
        ("trainer.compile=1", "trainer.compile: got 1; true or false is needed"),
        ("trainer.ema=1", "trainer.ema: got 1; a number in [0, 1) or null is needed"),
        (
            "trainer.precision=bf61",
            "trainer.precision: got bf61; choose one of fp32, bf16, fp16, fp64; did you mean bf16?",
        ),
        (
            "task=clasification",
            "task: got clasification; choose one of auto, multiclass, binary, regression, reconstruct, pairs",
        ),
        ("seed=-1", "seed: got -1; an integer >= 0 is needed"),
        ("seeds.init=x", "seeds.init: got x; an integer >= 0 or null is needed"),
        ("seeds=null", "seeds: got null; set seeds.init=1 or others"),
        ("model.widths=[]", "model.widths: got []; a list of integers >= 1 is needed"),
        ("model.widths=[64,0]", "model.widths: got [64,0]; a list of integers >= 1 is needed"),
        ("model.widths=64", "model.widths: got 64; a list of integers >= 1 is needed"),
        ("trusted=my_package", "trusted: got my_package; a list of texts is needed"),
        ("+foo=3", "unknown key foo; see `dlexp options`"),
        ("+trainer.epoch=3", "unknown key trainer.epoch; did you mean trainer.epochs?"),
        (
            "+model.depth=3",
            f"unknown key model.depth: it has no effect here; model={option.having('model', 'depth')} has it",
        ),
        ("~seed", "missing values: seed; set each as key=value"),
        ("data=csv", "missing values: data.path, data.target; set each as key=value"),
        (
            "data=csv seed=??? optimizer.lr=???",
            "missing values: data.path, data.target, optimizer.lr, seed; set each as key=value",
        ),
        (
            "optimizer.lr=${model}",
            "optimizer.lr: got {_target_:dlexp.model.mlp.MLP,widths:[128,128],shortcut:f...; a number > 0 is needed",
        ),
        (
            "model._target_=os.system",
            "model._target_: got os.system; only dlexp and trusted packages are built",
        ),
        ("model._target_=3", "model._target_: got 3; the dotted path of a class is needed"),
        (
            "norm._target_=dlexp.norm.BatchNrom",
            "norm._target_: got dlexp.norm.BatchNrom; the target of a shipped option is needed; "
            "did you mean dlexp.norm.BatchNorm?",
        ),
        (
            "model._target_=dlexp.disk.durable.write_text",
            "model._target_: got dlexp.disk.durable.write_text; the target of a shipped option is needed",
        ),
        (
            "augment=compose augment.steps=[{_target_:dlexp.disk.durable.write_text}]",
            "augment.steps[0]._target_: got dlexp.disk.durable.write_text; the target of a shipped option is needed",
        ),
        (
            "augment=compose augment.steps=[{_target_:dlexp.augment.cutout.Cutout,sixe:3}]",
            "unknown key augment.steps[0].sixe; did you mean augment.steps[0].size?",
        ),
        ("data=fake data.num_classes=1", "data.num_classes: got 1; an integer in [2, 1000000] is needed"),
        ("metric.beta=0", "metric.beta: got 0; a number > 0 is needed"),
        ("metric=3", "metric: got 3; set metric.beta=1 or others"),
        (
            "metric.extra=[os.system]",
            "metric.extra[0]._target_: got os.system; only dlexp and trusted packages are built",
        ),
        (
            "metric.extra=[dlexp.loss.MSE]",
            "metric.extra[0]._target_: got dlexp.loss.MSE; the target of a shipped option is needed",
        ),
        (
            "seeds._target_=dlexp.disk.durable.write_text",
            "seeds._target_: got dlexp.disk.durable.write_text; the target of a shipped option is needed",
        ),
        (
            "~model._target_",
            "model: got {widths:[128,128],shortcut:false,output_shortcut:false,in...; "
            f"choose one of {option.names('model')}",
        ),
    ],
)
def test_refusals(overrides, message):
    with pytest.raises(ConfigError) as caught:
        resolve(overrides.split(" "))
    assert str(caught.value) == message


def test_an_integer_is_a_number_and_comes_out_as_one():
    lr = resolve(["optimizer.lr=1"]).config["optimizer"]["lr"]
    assert isinstance(lr, float)
    assert lr == 1.0


def test_a_parameter_that_is_not_stated_takes_the_signatures_default():
    config = resolve(["~optimizer.lr", "augment=compose", "augment.steps=[{_target_: dlexp.augment.blur.Blur}]"]).config
    assert config["optimizer"]["lr"] == 0.1
    assert len(config["augment"]["steps"][0]) > 1


def test_the_checked_config_can_be_checked_again():
    first = resolve(["model=resnet", "model.depth=34"])
    assert first.config == resolve(["model=resnet", "model.depth=34"]).config
    assert set(first.config) >= {"data", "model", "trainer", "seed", "seeds", "runs_dir", "trusted", "task"}


def test_a_path_may_begin_at_home_and_any_other_text_is_as_it_was_typed(monkeypatch):
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("WHERE", "~/e.csv")
    typed = ["data=csv", "data.path=~/x.csv", "data.target=~/y", "data.cache='~/c'", "runs_dir=~", "tracking=none"]
    config = resolve(typed).config
    assert config["runs_dir"] == "/h"
    assert [config["data"][name] for name in ("path", "target", "cache")] == ["/h/x.csv", "~/y", "/h/c"]
    assert resolve(["data=csv", "data.target=y", "data.path=${oc.env:WHERE}"]).config["data"]["path"] == "/h/e.csv"
    assert resolve(["data=mnist", "data.root=~/d"]).config["data"]["root"] == "/h/d"
    assert resolve(["data=arrays", "data.path=./~/x.npz"]).config["data"]["path"] == "./~/x.npz"
    assert resolve(["model=torchvision", "model.weights=~/w.pt"]).config["model"]["weights"] == "/h/w.pt"
