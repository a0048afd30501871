"""Every YAML file that dlexp ships keeps the contract: signature and file say the same, each parameter explained."""

import re

import pytest

from dlexp.config.catalog import EXPERIMENT, conf_folder, default_choices, list_groups, list_jobs, read_option
from dlexp.config.options import describe_options
from dlexp.config.resolve import resolve
from dlexp.config.rule.fitted import UNREAD
from dlexp.config.signature import read

OPTIONS = [(group, option) for group, options in list_groups().items() if group != EXPERIMENT for option in options]
NAMES = [f"{group}={option}" for group, option in OPTIONS]
FILES = sorted(path for path in conf_folder().glob("*/*.yaml") if path.parent.name != EXPERIMENT)


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=NAMES)
def test_yaml_states_every_parameter_at_its_default(group, option):
    node = read_option(group, option)
    parameters = read(node.pop("_target_")).parameters
    assert node == {name: parameter.default for name, parameter in parameters.items()}


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=NAMES)
def test_options_explain_the_option_and_every_parameter(group, option):
    about = describe_options(group, option)[group][option]
    assert about["doc"]
    assert "\n" not in about["doc"]
    for name, parameter in about["parameters"].items():
        assert parameter["doc"], name
        assert parameter["type"], name


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_yaml_opens_with_what_it_is_and_comments_each_parameter(path):
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"# .*\.", first)
    for line in lines:
        if re.match(r"\w+:", line) and not line.startswith(("_target_:", "defaults:")):
            assert re.search(r"\s# \S", line), line


def rounds(groups):
    """One option of each group a round, until every option had its turn: composing takes 0.1 s."""
    options = {group: list_groups()[group] for group in groups}
    turns = range(max(map(len, options.values())))
    return [{group: names[turn % len(names)] for group, names in options.items()} for turn in turns]


BLOCKS = ("activation", "norm", "dropout")
GROUPS = [group for group in default_choices() if group not in BLOCKS]
ROUNDS = [("train", chosen) for chosen in rounds(BLOCKS) + rounds(GROUPS)]
for job in list_jobs():
    job_groups = [group for group in default_choices(job) if group not in default_choices()]
    ROUNDS += [(job, chosen) for chosen in rounds(job_groups)] if job_groups else []


@pytest.mark.parametrize(("job", "chosen"), ROUNDS, ids=[f"{job}-{'-'.join(c.values())}" for job, c in ROUNDS])
def test_every_option_composes_and_passes_the_check(job, chosen):
    if {"knn", "majority"} & set(chosen.values()):
        chosen = {group: option for group, option in chosen.items() if group not in UNREAD}
    needed = {
        "arrays": ["data.path=x.npz"],
        "csv": ["data.path=x.csv", "data.target=y"],
        **{name: ["data.path=x"] for name in ("image_folder", "pair_folder", "pair_csv")},
    }
    overrides = [f"{group}={option}" for group, option in chosen.items()] + needed.get(str(chosen.get("data")), [])
    composed = resolve(overrides, job=job)
    assert chosen.items() <= composed.choices.items()
    for group, option in chosen.items():
        assert composed.config[group]["_target_"] == read_option(group, option)["_target_"]


def test_every_group_has_a_default_among_its_options():
    groups = list_groups()
    defaults = {group: option for job in list_jobs() for group, option in default_choices(job).items()}
    assert set(defaults) == set(groups) - {EXPERIMENT}
    assert all(option in groups[group] for group, option in defaults.items())
