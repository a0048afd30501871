"""What one sweep command asks for: metric and direction, trials by setting and seed, invalid settings left out."""

import pytest

from dlexp.error import ConfigError
from dlexp.job.sweep.spec import prepare
from dlexp.search.strategy import ROUND, Proposal, Strategy

BASE = ["data=wine", "tracking=none", "trainer.threads=1", "model.widths=[8]"]


def spec_of(*overrides: str):
    return prepare([*BASE, *overrides])


def test_the_objective_is_the_task_s_and_its_direction_the_metric_s():
    spec = spec_of("optimizer.lr=0.1,1")
    assert (spec.metric, spec.is_high_better) == ("val/accuracy", True)
    spec = spec_of("optimizer.lr=0.1,1", "search.metric=val/loss")
    assert (spec.metric, spec.is_high_better) == ("val/loss", False)
    trial = spec.trials(Proposal(0, {"optimizer.lr": 0.1}), 1)[0]
    assert trial.composed.config["trainer"]["monitor"] == "val/loss"


def test_a_proposal_has_a_trial_for_each_seed():
    spec = spec_of("optimizer.lr=0.1,1", "seed=0,4")
    trials = spec.trials(Proposal(0, {"optimizer.lr": 1.0}, epochs=3), 1)
    assert [trial.overrides for trial in trials] == [{"optimizer.lr": 1.0, "seed": seed} for seed in (0, 4)]
    assert [trial.composed.config["seed"] for trial in trials] == [0, 4]
    assert {trial.composed.config["trainer"]["epochs"] for trial in trials} == {3}
    assert len({trial.id for trial in trials}) == 2


def test_sweeps_for_the_same_trials_have_one_key():
    keys = [spec_of(*texts).key for texts in (["optimizer.lr=0.1,1"], ["optimizer.lr=0.1,1", "search.invalid=refuse"])]
    assert keys[0] == keys[1]
    assert spec_of("optimizer.lr=0.1,2").key != keys[0]
    assert spec_of("optimizer.lr=0.1,1", "seed=0,1").key != keys[0]


def test_settings_that_cannot_be_trained_are_left_out_and_told_to_the_strategy_as_failed():
    spec = spec_of("trainer.batch_size=16,5000,32", "search.invalid=skip")
    strategy = Strategy(spec.rounds())
    asked_round = strategy.ask()
    assert asked_round is not None
    assert [p.settings["trainer.batch_size"] for p in asked_round.proposals] == [16, 32]
    assert [invalid.record()["status"] for invalid in spec.invalid] == ["invalid"]
    assert any("5000" in note for note in asked_round.notes)
    strategy.tell([0.5, 0.6])
    assert strategy.ask() is None


def test_invalid_settings_may_be_refused():
    with pytest.raises(ConfigError, match="5000"):
        spec_of("trainer.batch_size=16,5000", "search.invalid=refuse")


@pytest.mark.parametrize("search", [["search=grid"], ["search=random", "search.trials=600"]])
def test_those_of_a_later_batch_are_refused_before_the_first_trial_too(search):
    rates = ",".join(f"{0.001 * i:.3f}" for i in range(1, ROUND + 45))
    with pytest.raises(ConfigError, match=r"^300 of 600 settings cannot be trained: trainer\.batch_size=5000 "):
        spec_of("trainer.batch_size=16,5000", f"optimizer.lr={rates}", *search)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["optimizer.lr=0.1,1", "train_on=train+val"], "train_on: got train+val; settings are compared on"),
        (["optimizer.lr=0.1,1", "search.mode=min"], "search.mode: got min; val/accuracy is better when high"),
        (["optimizer.lr=0.1,1", "search.metric=val/los"], "did you mean val/loss?"),
        (["trainer.batch_size=5000,6000"], "batch_size"),
    ],
)
def test_refusals(overrides, message):
    with pytest.raises(ConfigError) as error:
        spec_of(*overrides)
    assert message in str(error.value)


def test_the_experiment_is_the_data_s_name_unless_the_user_names_it():
    assert spec_of("optimizer.lr=0.1,1").experiment == "wine"
    assert spec_of("optimizer.lr=0.1,1", "tracking.experiment=my test").experiment.startswith("my")
