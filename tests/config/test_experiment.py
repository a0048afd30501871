"""The recipes that dlexp ships: each says what came out and how long it took, composes, and can be built."""

import re

import numpy as np
import pytest
import yaml
from PIL import Image

from dlexp.build.program import assemble
from dlexp.config.catalog import EXPERIMENT, conf_folder, header, list_groups, sweeper_params
from dlexp.config.resolve import resolve
from dlexp.config.source.question import with_searched
from dlexp.config.space import combinations, read_space
from tests import command

RECIPES = list_groups()[EXPERIMENT]
CV = ("architectures",)
DOWNLOADED = {"cifar10_resnet20": (32, 32, 3), "fashion_mnist_cnn": (28, 28)}


def test_there_are_at_least_eight():
    assert len(RECIPES) >= 8


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_header_is_a_question_its_command_the_result_and_the_time(recipe):
    question, *rest = header(EXPERIMENT, recipe)
    text = " ".join(rest)
    assert re.fullmatch(r"[A-Z].*\.", question)
    job = "cv" if recipe in CV else "sweep" if sweeper_params(EXPERIMENT, recipe) else "train"
    assert f"`dlexp {job} +experiment={recipe}`" in text
    assert re.search(r"Result: .*\d", text)
    assert re.search(r"Time: .*\d+ (s|min)", text)
    for line in (conf_folder() / EXPERIMENT / f"{recipe}.yaml").read_text().splitlines():
        if re.match(r"\w+:", line) and not line.startswith("defaults:"):
            assert re.search(r"\s# \S", line), line


def stand_in(recipe, folder):
    """Return the overrides that put few examples of the same form in place of data that are not there."""
    if recipe in DOWNLOADED:
        draw = np.random.default_rng(0)
        pictures = draw.integers(0, 255, (60, *DOWNLOADED[recipe]), dtype=np.uint8)
        np.savez(folder / "few.npz", x=pictures, y=np.arange(60) % 10)
        return ["data=arrays", f"data.path={folder / 'few.npz'}", "data.val_count=20", "trainer.batch_size=20"]
    if recipe == "unequal_classes":
        for label, count in enumerate((12, 6)):
            (folder / "pictures" / str(label)).mkdir(parents=True)
            for number in range(count):
                Image.new("L", (8, 8), 20 * number).save(folder / "pictures" / str(label) / f"{number}.png")
        return [f"data.path={folder / 'pictures'}"]
    return []


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_setting_composes_and_the_first_can_be_built(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = [f"+experiment={recipe}", *stand_in(recipe, tmp_path)]
    searched = with_searched(texts)
    if searched == texts:
        composed = resolve(texts)
    else:
        space, _ = read_space(searched, job="cv" if recipe in CV else "sweep")
        chosen = [{d.key: d.value(0.0) for d in space.active(options)} | options for options in combinations(space)]
        composed = space.compose(chosen[0])
        assert len(space.dimensions) + len(space.seeds) > 1 or recipe in (*CV, "regularization_path")
    built = assemble(composed.config)
    assert len(built.dataset.train) > 0
    assert built.run.trainer.epochs == composed.config["trainer"]["epochs"]


def test_cifar10_is_trained_as_in_the_paper():
    """He et al. (2016), section 4.2: 64,000 updates of 128 examples, drops at 32,000 and 48,000."""
    config = resolve(["+experiment=cifar10_resnet20"]).config
    updates = -(-45_000 // config["trainer"]["batch_size"])
    assert abs(config["trainer"]["epochs"] * updates - 64_000) < updates
    assert [round(mark * updates) for mark in config["schedule"]["milestones"]] == [32_000, 47_999]
    optimizer = config["optimizer"]
    assert (optimizer["lr"], optimizer["momentum"], optimizer["weight_decay"], optimizer["biases"]) == (
        0.1,
        0.9,
        1e-4,
        True,
    )
    assert (config["model"]["depth"], config["data"]["val_count"], config["augment"]["padding"]) == (20, 5000, 4)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_dry_run_says_what_it_takes(recipe, tmp_path):
    job = "cv" if recipe in CV else "sweep" if sweeper_params(EXPERIMENT, recipe) else "train"
    done = command.run(tmp_path, job, f"+experiment={recipe}", *stand_in(recipe, tmp_path), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "nothing was trained and nothing written" in done.stdout


def test_options_list_the_recipes(tmp_path):
    done = command.run(tmp_path, "options", EXPERIMENT, "--json")
    assert set(yaml.safe_load(done.stdout)[EXPERIMENT]) == set(RECIPES)
