"""The components of a configuration are built once, when they are needed, and are what the configuration says."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.utils.weak import WeakTensorKeyDictionary

from dlexp.build import node
from dlexp.build.components import Components, components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError
from dlexp.job.cv import cv
from dlexp.job.sweep import sweep

QUICK = ["tracking=none", "trainer.threads=1", "data.limit=100", "trainer.epochs=1", "trainer.fuse=off"]


def test_nothing_is_built_twice():
    components = Components.of(resolve([*QUICK, "augment=flip_crop"]).config)
    for name in ("trainer", "structure", "seeds", "place", "augment", "affine", "unit", "metrics"):
        assert getattr(components, name) is getattr(components, name), name


def test_each_is_what_the_configuration_says():
    config = resolve([*QUICK, "data=diabetes", "seed=3", "seeds.order=7", "trainer.precision=fp64"]).config
    components = Components.of(config)
    data = components.data
    assert (components.trainer.epochs, components.trainer.batch_size, components.dtype) == (1, 32, torch.float64)
    assert [components.seeds.init, components.seeds.order, components.seeds.dropout] == [3, 7, 3]
    assert components.place[0] == torch.device("cpu")
    assert components.augment is None
    x, y = data.inputs[data.train].double(), data.targets[data.train].double()
    normed = components.affine.apply(data.inputs, dtype=torch.float64)[data.train]
    torch.testing.assert_close(normed.mean(0), torch.zeros(x.shape[1], dtype=torch.float64), atol=1e-9, rtol=0)
    assert components.unit is not None
    assert components.unit.mean.item() == pytest.approx(y.mean().item(), rel=1e-12)


def test_what_cannot_be_done_to_the_examples_is_refused_when_it_is_needed():
    components = Components.of(resolve([*QUICK, "data=diabetes"]).config)
    components.config["augment"] = resolve([*QUICK, "augment=flip_crop"]).config["augment"]
    with pytest.raises(ConfigError, match="augment"):
        _ = components.augment


def test_a_program_takes_the_components_that_are_there(monkeypatch):
    configs = [resolve([*QUICK, f"seed={seed}"]).config for seed in range(2)]
    components = components_of(configs, [load_data(configs[0])] * 2)
    made = make_program(components, "batched")
    assert made.components == components
    assert made.affine is components[0].affine
    assert made.run.trainer is components[0].trainer
    assert made.run.seeds == [each.seeds for each in components]


def test_other_inputs_of_the_same_name_are_normalised_by_themselves():
    config = resolve([*QUICK, "data=diabetes"]).config
    data = load_data(config)
    changed = replace(data, inputs=data.inputs * 3)
    of_data, of_changed = Components.of(config, data).affine, Components.of(config, changed).affine
    torch.testing.assert_close(of_changed.scale, of_data.scale / 3)
    assert Components.of(config, data).affine is of_data


class Deaf:
    def listen(self, event):
        pass

    def close(self):
        pass


def count(monkeypatch, job) -> Counter[str]:
    """Return how often each target was built while a job ran."""
    built: Counter[str] = Counter()
    make = node.factory

    def counted(entry, **program):
        built[entry["_target_"]] += 1
        return make(entry, **program)

    with monkeypatch.context() as patched:
        for module in ("dlexp.build.node", "dlexp.build.contract"):
            patched.setattr(f"{module}.factory", counted)
        patched.setattr("dlexp.build.program._FITTING", set())
        patched.setattr("dlexp.build.components._AFFINES", WeakTensorKeyDictionary())
        job()
    return built


def validate(tmp_path, k):
    cv.start([*QUICK, f"cv.k={k}", f"runs_dir={tmp_path}"], announce=lambda _: lambda _: None, has_figures=False)


def search(tmp_path, num):
    seeds = ",".join(str(seed) for seed in range(num))
    overrides = [*QUICK, f"seed={seeds}", f"runs_dir={tmp_path / str(num)}"]
    sweep.start(overrides, None, announce=lambda _: Deaf(), has_figures=False)


@pytest.mark.parametrize("job", [validate, search])
def test_a_further_fold_or_trial_builds_each_of_its_components_once(tmp_path, monkeypatch, job):
    few, many = (count(monkeypatch, lambda num=num: job(tmp_path, num)) for num in (2, 4))
    config = resolve(QUICK).config
    groups = ("trainer", "model", "norm", "dropout", "activation", "init", "loss", "optimizer", "schedule")
    for group in (*groups, "regularizer", "augment", "metric"):
        target = config[group]["_target_"]
        times = 2 if group == "activation" else 1  # in the model, and for the gain of its first weights
        assert (many - few)[target] == 2 * times, target
    target = config["normalize"]["_target_"]
    assert (many - few)[target] == (2 if job is validate else 0), "trials have the same training rows, folds have not"
    assert many[config["data"]["_target_"]] == few[config["data"]["_target_"]], "the data are read once"
