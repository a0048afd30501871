"""What one cv command asks for: form, settings, seeds, folds and metric, and what is refused before any training."""

import pytest

from dlexp.error import ConfigError
from dlexp.job.cv.spec import prepare

BASE = ["data=wine", "tracking=none", "trainer.threads=1", "model.widths=[8]", "trainer.epochs=1", "cv.k=4"]


def prepared(*overrides: str):
    return prepare([*BASE, *overrides])


def test_a_plain_cv():
    spec = prepared("seed=3")
    assert (spec.form, spec.seeds, len(spec.settings), spec.repeats) == ("plain", [3], 1, 1)
    assert (spec.metric, spec.is_high_better, spec.inner) == ("val/accuracy", True, None)
    assert len(spec.folds) == 4
    assert spec.held_out == pytest.approx(1 / 3, rel=0.02)
    held_out = sorted(row for fold in spec.folds for row in fold.val.tolist())
    assert held_out == sorted([*spec.dataset.train.tolist(), *spec.dataset.val.tolist()])


@pytest.mark.parametrize(
    "overrides",
    [
        ["data=digits", "cv.k=4"],
        ["data=diabetes", "cv.k=4"],
        ["data=digits", "cv=leave_one_out"],
        ["data=digits", "data.stratify=false", "cv.stratify=false", "cv.k=4"],
        ["data=csv", "data.target=y", "data.group=who", "cv.k=4"],
        ["data=csv", "data.target=y", "data.time=when", "cv=rolling", "cv.k=3"],
        ["data=digits", "cv=nested", "cv.k=4", "optimizer.lr=0.1,0.2"],
    ],
    ids=["classes", "values", "one left out", "as they come", "groups", "times", "nested"],
)
def test_a_limit_is_the_number_of_examples_that_are_dealt(tmp_path, overrides):
    rows = [f"{i},{i // 5},{i},{'abc'[i % 3]}" for i in range(200)]
    (tmp_path / "t.csv").write_text("\n".join(["x,who,when,y", *rows]))
    path = [f"data.path={tmp_path / 't.csv'}"] if "data=csv" in overrides else []
    spec = prepare([*BASE[1:-1], *overrides, *path, "data.limit=60", "trainer.batch_size=8"])
    for fold in spec.folds:
        part = spec.dataset.with_parts(fold.train, fold.val)
        if "cv=rolling" not in overrides:
            assert len(part.train) + len(part.val) == 60
        if spec.dataset.num_classes:
            assert set(spec.dataset.targets[part.train].tolist()) == set(range(spec.dataset.num_classes))
    dealt = {row for fold in spec.folds for row in [*fold.train.tolist(), *fold.val.tolist()]}
    assert len(dealt) == 60
    assert not dealt & set(spec.dataset.test.tolist())


def test_a_larger_limit_deals_the_examples_of_a_smaller_one_too():
    small, large = (prepared(f"data.limit={limit}").dataset for limit in (40, 80))
    pools = [{*data.train.tolist(), *data.val.tolist()} for data in (small, large)]
    assert pools[0] < pools[1]


def test_values_are_compared_by_their_error():
    spec = prepare([*BASE[1:], "data=diabetes"])
    assert (spec.metric, spec.is_high_better) == ("val/rmse", False)


def test_every_combination_of_listed_values_is_a_setting():
    spec = prepared("optimizer.lr=0.1,0.2", "activation=relu,tanh", "cv.repeats=2")
    assert (spec.form, spec.repeats, len(spec.folds)) == ("settings", 2, 8)
    values = [(setting.values["optimizer.lr"], setting.values["activation"]) for setting in spec.settings]
    assert sorted(values) == sorted([(lr, name) for lr in (0.1, 0.2) for name in ("relu", "tanh")])
    assert [setting.config["optimizer"]["lr"] for setting in spec.settings] == [value[0] for value in values]
    assert spec.params["optimizer.lr"] == "0.1,0.2"


def test_listed_seeds_are_seeds_of_every_fold_and_no_settings():
    spec = prepared("seed=range(0,3)")
    assert (spec.form, spec.seeds, len(spec.settings)) == ("plain", [0, 1, 2], 1)
    assert spec.params["seed"] == [0, 1, 2]


@pytest.mark.parametrize("settings", [["seed=4"], ["seed=4,5"], ["seed=4,5", "optimizer.lr=0.1,0.2"]])
def test_a_seed_that_refers_to_the_seed_is_that_of_each_fold(settings):
    spec = prepared("seeds.init=${seed}", "seeds.order=${seeds.init}", "seeds.dropout=7", "dropout=inverted", *settings)
    expected = {"init": None, "order": None, "augment": None, "dropout": 7}
    for config in (spec.config, *(setting.config for setting in spec.settings)):
        assert {name: value for name, value in config["seeds"].items() if name != "_target_"} == expected


def test_a_division_that_follows_several_seeds_is_refused():
    assert prepared("seed=4", "data.split_seed=${seed}").config["data"]["split_seed"] == 4
    with pytest.raises(ConfigError, match=r"^data\.split_seed: got \${seed}; folds are dealt once for all seeds"):
        prepared("seed=4,5", "data.split_seed=${seed}")


def test_a_nested_cv_searches_inside():
    spec = prepared("cv=nested", "search=random", "search.trials=3", "optimizer.lr=interval(0.01,1)")
    assert spec.form == "nested"
    assert spec.inner is not None
    assert [d.key for d in spec.inner.space.dimensions] == ["optimizer.lr"]
    assert len(spec.settings) == 1


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data=wine,iris"], "settings share their examples: run dlexp cv for each"),
        (["search.trials=3"], "search.trials: has no effect; cv=nested and `dlexp sweep` read it"),
        (["optimizer.lr=interval(0.01,1)"], "list values (optimizer.lr=a,b), or use cv=nested or dlexp sweep"),
        (["cv=nested"], "nothing to search; give at least one sweep expression"),
        (["cv=nested", "seed=0,1"], "cv=nested: got nothing to search"),
        (["cv=nested", "optimizer.lr=0.1,1", "trainer.monitor=val/loss"], "trainer.monitor: got val/loss"),
        (["cv=nested", "optimizer.lr=0.1,1", "search.max_seconds=5"], "search.max_seconds: has no effect"),
        (["cv=nested", "optimizer.lr=0.1,1", "search.metric=train/loss"], "search.metric: got train/loss"),
        (["cv=nested", "optimizer.lr=0.1,1", "search.mode=min"], "val/accuracy is better when high"),
        (["trainer.batch_size=8,5000"], "trainer.batch_size=5000: "),
    ],
)
def test_refusals(overrides, message):
    shared = [text for text in BASE if text.partition("=")[0] not in [o.partition("=")[0] for o in overrides]]
    with pytest.raises(ConfigError) as error:
        prepare([*shared, *overrides])
    assert message in str(error.value)
