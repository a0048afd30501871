"""The schema and the checker say the same of a configuration, whatever is changed in it.

What no schema can express is not among the mutations: whole numbers written with a fraction (32.0 for 32), numbers that
are not finite, classes of the user's own (whether they are trusted and there), settings that contradict each other or
have no effect, files that are absent, references to other values, and whole groups left out.
"""

import copy
import random
import re
from dataclasses import replace

import pytest
import yaml
from jsonschema import Draft202012Validator

from dlexp.config.catalog import EXPERIMENT, Loader, conf_folder, list_groups, read_option
from dlexp.config.check import check
from dlexp.config.resolve import resolve
from dlexp.config.rule.fitted import UNREAD
from dlexp.config.schema.whole import schema
from dlexp.error import ConfigError

GROUPS = list_groups()
SCHEMA = schema()
WHOLE = Draft202012Validator(SCHEMA)
NEEDED = {
    "arrays": ["data.path=x"],
    "csv": ["data.path=x", "data.target=y"],
    **{name: ["data.path=x"] for name in ("image_folder", "pair_folder", "pair_csv")},
}
TARGETS = sorted(
    {read_option(group, option)["_target_"] for group in GROUPS if group != EXPERIMENT for option in GROUPS[group]}
)
VALUES = [
    *(-1, 0, 1, 2, 3, 7, 33, 1_000_000_000, 1_000_000_001, 2**40, -0.5, 1e-3, 0.5, 1.5, 1.0001, 180.5, 1e9 + 0.5),
    *(True, False, None, "text", "auto", "none", "???", "val/loss", "cpu", "1", "null", "0.5"),
    *([], [1], [0], [-1], [0.5], [1.5], [2, 3], ["a"], [1, "a"], [True], [None], [[1]], [0.9, 0.999], [0.5, 0.5, 0.5]),
    *({}, {"a": 1}, {"a": 0.5}, {"_target_": "dlexp.augment.cutout.Cutout"}, {"_target_": "dlexp.augment.cutout.Cut"}),
    {"_target_": "dlexp.augment.cutout.Cutout", "size": -1},
]


def bases(count):
    """Return configurations in which the options of every group take turns."""
    made = []
    for turn in range(count):
        chosen = {group: GROUPS[group][turn % len(GROUPS[group])] for group in GROUPS if group != EXPERIMENT}
        job = ("train", "sweep", "cv")[turn % 3]
        if job == "train":
            del chosen["search"], chosen["launcher"]
        if job != "cv":
            del chosen["cv"]
        if turn % 2:  # its activation and norm are the model's own choice
            chosen |= {"model": "mlp"}
        else:
            del chosen["activation"], chosen["norm"], chosen["dropout"]
        if chosen["model"] in ("knn", "majority"):
            chosen = {group: option for group, option in chosen.items() if group not in UNREAD}
        texts = [f"{group}={option}" for group, option in chosen.items()] + NEEDED.get(chosen["data"], [])
        made.append(resolve(texts, job=job))
    return made


def places(node, path=()):
    """Return the path of every value, those of groups and their parameters more than once: they are what matters."""
    paths = []
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        paths += [(*path, key)] * (3 if len(path) == 1 else 1) + places(value, (*path, key))
    return paths


def mutate(config, draw):
    """Change one thing in place; return words for it."""
    path = draw.choice(places(config))
    parent = config
    for key in path[:-1]:
        parent = parent[key]
    kind = draw.choice(["replace", "replace", "replace", "unknown", "delete", "target"])
    if kind == "unknown" and isinstance(parent, dict):
        name = draw.choice(["x", "lr ", "weight_decays", "Lr", str(path[-1])[:-1] or "y", "momentum", "size"])
        parent.setdefault(name, draw.choice([1, "a", None]))
        return f"{path[:-1]} + {name}"
    if kind == "delete" and (len(path) > 1 or path[0] in ("seed", "task", "seeds", "metric")):
        del parent[path[-1]]
        return f"{path} deleted"
    if kind == "target" and isinstance(parent, dict) and "_target_" in parent:
        parent["_target_"] = draw.choice(
            [*TARGETS, "dlexp.optimizer.adam.Adm", "dlexp.doctor.examine", "dlexp", 3, None]
        )
        return f"{path[:-1]} is {parent['_target_']}"
    parent[path[-1]] = copy.deepcopy(draw.choice(VALUES))
    return f"{path} = {parent[path[-1]]!r}"


def texts_in(value):
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [value] if isinstance(value, str) else []


def foreign_targets(node):
    """Return what stands as a class of the user's own."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    target = node.get("_target_") if isinstance(node, dict) else None
    is_foreign = isinstance(target, str) and target.partition(".")[0] != "dlexp"
    return [target] * is_foreign + [text for value in inner for text in foreign_targets(value)]


def is_expressible(config):
    """Say whether a configuration has nothing of the kinds that the head of this file names."""
    groups = [config.get(name) for name in ("schedule", "trainer", "metric")]
    if not all(isinstance(group, dict) for group in groups):
        return not foreign_targets(config)
    schedule, trainer, metric = groups
    warmup, epochs = schedule.get("warmup"), trainer.get("epochs")
    is_longer = isinstance(warmup, int | float) and isinstance(epochs, int) and warmup > epochs
    foreign = [*texts_in(config.get("trusted")), *texts_in(metric.get("extra")), *foreign_targets(config)]
    return not is_longer and not foreign


def accepts(composed, config):
    try:
        check(replace(composed, config=config, changed=[], references={}), GROUPS)
    except ConfigError:
        return False
    return True


def disagreements(count, seed):
    """Return how many of the mutations the checker accepts, and where the schema says otherwise."""
    draw, made, accepted, differing = random.Random(seed), bases(15), 0, []
    for number in range(count):
        composed = made[number % len(made)]
        while True:
            config = copy.deepcopy(composed.config)
            words = mutate(config, draw)
            if is_expressible(config):
                break
        is_right = accepts(composed, copy.deepcopy(config))
        accepted += is_right
        if WHOLE.is_valid(config) != is_right:
            differing.append(f"{words}: checker {is_right}")
    return accepted, differing


def test_schema_and_checker_agree_on_150_mutations():
    accepted, differing = disagreements(150, seed=1)
    assert differing[:3] == []
    assert 15 < accepted < 120  # both verdicts are common


@pytest.mark.slow
def test_schema_and_checker_agree_on_1000_mutations():
    accepted, differing = disagreements(1000, seed=2)
    assert differing[:3] == []
    assert 100 < accepted < 800


def test_the_schema_is_one_and_its_files_are_those_that_are_shipped():
    Draft202012Validator.check_schema(SCHEMA)
    for path in sorted(conf_folder().glob("*/*.yaml")):
        if not path.stem.startswith("_"):
            assert faults(path.parent.name, path.read_text(encoding="utf-8")) == [], path


def faults(group, text):
    """Return what the schema of a group's files says of one."""
    validator = Draft202012Validator({"$ref": f"#/$defs/file/{group}", "$defs": SCHEMA["$defs"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(yaml.load(text, Loader))]


@pytest.mark.parametrize(
    ("group", "text", "is_right"),
    [
        ("optimizer", "defaults: [adam, _self_]\nlr: 0.5", True),
        ("optimizer", "defaults: [adam, _self_]\nlr: ${trainer.epochs}", True),
        ("optimizer", "defaults: [adm, _self_]\nlr: 0.5", False),
        ("optimizer", "defaults: [adam, _self_]\nlr: -1", False),
        ("optimizer", "defaults: [adam, _self_]\nlrr: 1", False),
        ("optimizer", "_target_: mine.Rule\nwhatever: 1", True),
        ("data", "defaults: [csv, _self_]\npath: ???", True),
        ("experiment", "defaults: [{override /model: cnn}]\ntrainer: {epochs: 3}", True),
        ("experiment", "defaults: [{override /model: cn}]", False),
        ("experiment", "trainer: {epochs: 0}", False),
        ("experiment", "trainer: {epoch: 3}", False),
        ("experiment", "hydra: {sweeper: {params: {optimizer.lr: '1,2'}}}", True),
        ("experiment", "hydra: {run: {dir: x}}", False),
        ("experiment", "seeds: {init: 1}\nseed: ${oc.env:SEED}", True),
    ],
)
def test_a_file_of_the_user_s(group, text, is_right):
    assert (faults(group, text) == []) == is_right


def test_every_parameter_says_what_it_is_and_its_default():
    lr = SCHEMA["$defs"]["targets"]["dlexp.optimizer.adam.Adam"]["properties"]["lr"]
    assert lr == {"exclusiveMinimum": 0, "type": "number", "description": "step size per update, > 0", "default": 0.001}
    for target, about in SCHEMA["$defs"]["targets"].items():
        for name, value in about["properties"].items():
            assert name == "_target_" or re.search(r"\w", value["description"]), f"{target} {name}"


def test_options_of_the_user_s_folder_are_choices_too(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "slow.yaml").write_text("defaults: [adam, _self_]\nlr: 1e-5\n")
    items = schema(tmp_path)["$defs"]["file"]["optimizer"]["properties"]["defaults"]["items"]["anyOf"]
    assert "slow" in items[0]["enum"]
