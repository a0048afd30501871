"""What strategies share."""

import subprocess
import sys

from dlexp.search.strategy import Proposal, Round, Rounds, Strategy, uniform


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
