"""What names a trial."""

import copy

import pytest

from dlexp.config.resolve import resolve
from dlexp.search.trial_id import code_version, sweep_key, trial_id


@pytest.fixture(scope="module")
def config():
    return resolve(["model=cnn", "search=random"], job="sweep").config


def train_config(config):
    return {name: node for name, node in config.items() if name not in ("search", "launcher")}


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", 1), ("optimizer.lr", 0.2), ("trainer.epochs", 7), ("data.split_seed", 3), ("trainer.device", "cpu")],
)
def test_what_numbers_depend_on_makes_another_trial(config, key, value):
    config = train_config(config)
    other = _changed(config, key, value)
    assert trial_id(other, "data", "code") != trial_id(config, "data", "code")


@pytest.mark.parametrize(
    ("key", "value"), [("runs_dir", "elsewhere"), ("tracking.experiment", "x"), ("trainer.fuse", "off")]
)
def test_what_they_do_not_depend_on_makes_the_same(config, key, value):
    config = train_config(config)
    assert trial_id(_changed(config, key, value), "data", "code") == trial_id(config, "data", "code")


def test_data_and_code_count(config):
    config = train_config(config)
    names = {trial_id(config, data, code) for data in ("a", "b") for code in ("c", "d")}
    assert len(names) == 4
    assert all(name.isalnum() and len(name) == 12 for name in names)
    assert code_version() == code_version()


def test_the_modules_of_trusted_packages_count_and_are_not_imported(tmp_path, monkeypatch):
    package, single = tmp_path / "my_nets", tmp_path / "my_loss.py"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    (package / "inner" / "deep.py").write_text("WIDTH = 8\n")
    single.write_text("raise AssertionError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    seen = [code_version(), code_version(["my_nets"]), code_version(["my_nets", "my_loss"])]
    assert code_version(["my_loss", "my_nets"]) == seen[-1]
    (package / "notes.txt").write_text("no code")
    assert code_version(["my_nets"]) == seen[1]
    for path in (package / "inner" / "deep.py", single, package / "inner" / "new.py"):
        path.write_text("WIDTH = 9\n")
        seen.append(code_version(["my_nets", "my_loss"]))
    assert len(set(seen)) == len(seen)


def test_a_sweep_that_met_a_limit_is_the_same_sweep(config):
    key = sweep_key(config, ["optimizer.lr=1,2"], "data", "code")
    assert sweep_key(_changed(config, "search.max_seconds", 9.0), ["optimizer.lr=1,2"], "data", "code") == key
    assert sweep_key(_changed(config, "launcher._target_", "another"), ["optimizer.lr=1,2"], "data", "code") == key
    assert sweep_key(_changed(config, "search.trials", 9), ["optimizer.lr=1,2"], "data", "code") != key
    assert sweep_key(config, ["optimizer.lr=1,3"], "data", "code") != key


def _changed(config, key, value):
    config = copy.deepcopy(config)
    *parents, leaf = key.split(".")
    node = config
    for name in parents:
        node = node[name]
    assert leaf in node
    node[leaf] = value
    return config
