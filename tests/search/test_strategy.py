"""What strategies share."""

import subprocess
import sys

import pytest

from dlexp.config.space import read_space
from dlexp.search.coarse_to_fine import CoarseToFine
from dlexp.search.grid import Grid
from dlexp.search.hyperband import Hyperband
from dlexp.search.random import Random
from dlexp.search.strategy import MOST_OPENED, Problem, Proposal, Round, Rounds, Strategy, opening, uniform


def test_draws_depend_on_seed_number_and_key_alone():
    assert uniform(0, 1, "lr") == uniform(0, 1, "lr")
    assert len({uniform(seed, number, key) for seed in (0, 1) for number in (0, 1) for key in ("a", "b")}) == 8
    assert all(0 <= uniform(0, number, "a") < 1 for number in range(1000))


def test_a_strategy_is_asked_and_told_until_it_has_no_round():
    told = []

    def rounds() -> Rounds:
        for number in (1, 2):
            told.append((yield Round(number, [Proposal(number, {})])))

    strategy = Strategy(rounds())
    first = strategy.ask()
    assert first is not None
    assert first.number == 1
    assert strategy.ask() is first
    strategy.tell([0.5])
    second = strategy.ask()
    assert second is not None
    assert second.number == 2
    strategy.tell([None])
    assert (strategy.ask(), told) == (None, [[0.5], [None]])


def test_a_strategy_without_a_round_is_over_at_once():
    def rounds() -> Rounds:
        yield from ()

    assert Strategy(rounds()).ask() is None


def test_no_strategy_imports_torch():
    code = "import sys, dlexp.search.grid, dlexp.search.random, dlexp.search.coarse_to_fine, dlexp.search.hyperband, "
    code += "dlexp.search.tpe, dlexp.config.space; assert not {'torch', 'optuna', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("search", "num"),
    [
        (Grid(), 600),
        (Random(trials=300), 300),
        (CoarseToFine(trials=900, rounds=3), 300),
        (Hyperband(trials=290), 290),
        (CoarseToFine(trials=2, rounds=3), 1),
    ],
)
def test_what_is_asked_for_before_any_score_is_known_whole(search, num):
    rates = ",".join(str(i) for i in range(1, 301))
    space, _ = read_space([f"optimizer.lr={rates}", "trainer.batch_size=8,16"])
    problem = Problem(space.dimensions, epochs=9)
    proposals = list(opening(search, problem))
    assert len(proposals) == num
    strategy, asked_first = Strategy(search.propose(problem)), []
    while (round_ := strategy.ask()) is not None and round_.number == 1:
        asked_first += round_.proposals
        strategy.tell([float(p.number) for p in round_.proposals])
    assert asked_first == proposals  # whatever they score


def test_a_billion_settings_are_not_held():
    proposals = list(
        opening(
            Random(trials=10**9),
            Problem(read_space(["optimizer.lr=tag(log,interval(1e-3,1))"])[0].dimensions, epochs=1),
        )
    )
    assert len(proposals) == MOST_OPENED
