"""Laws that every strategy keeps, in every space."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlexp.config.dimension import Dimension
from dlexp.search.coarse_to_fine import CoarseToFine
from dlexp.search.distinct import every, size, unseen
from dlexp.search.grid import Grid
from dlexp.search.hyperband import Hyperband
from dlexp.search.random import Random
from dlexp.search.strategy import ROUND, Problem, signature, uniform
from dlexp.search.tpe import TPE

OPTIONS = ["a", "b", "c"]


@st.composite
def dimensions(draw, key):
    """One dimension: listed, real or integer, linear or logarithmic."""
    kind = draw(st.sampled_from(["listed", "mixed", "real", "integer"]))
    is_log = draw(st.booleans())
    if kind == "listed":
        return Dimension(key, "", values=draw(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True)))
    if kind == "mixed":  # values that are equal in Python and not in a configuration
        return Dimension(key, "", values=draw(st.permutations([1, True, 1.0, "1", [1], None])))
    if kind == "integer":
        low = draw(st.integers(1 if is_log else -5, 20))
        high = low + draw(st.integers(1, 40))
        limits = (low - draw(st.sampled_from([0, math.inf])), high + draw(st.sampled_from([0, 3, math.inf])))
        limits = (max(limits[0], 1) if is_log else limits[0], limits[1])
        return Dimension(key, "", low=low, high=high, is_log=is_log, is_int=True, limits=limits)
    low = draw(st.floats(1e-6, 1) if is_log else st.floats(-10, 10))
    high = low + draw(st.floats(1e-3, 100))
    limits = draw(st.sampled_from([(low, high), (5e-324 if is_log else -math.inf, math.inf)]))
    return Dimension(key, "", low=low, high=high, is_log=is_log, limits=limits)


@st.composite
def problems(draw):
    """A space of up to four dimensions, some of which exist with some options only."""
    options = draw(st.lists(st.sampled_from(OPTIONS), min_size=1, max_size=3, unique=True))
    space = [Dimension("o", "", values=options)] if draw(st.booleans()) else []
    for i in range(draw(st.integers(0 if space else 1, 3))):
        d = draw(dimensions(f"k{i}"))
        if space and draw(st.booleans()):
            subset = draw(st.sets(st.sampled_from(options), min_size=1))
            d = Dimension(**{**vars(d), "owner": "o", "options": frozenset(subset)})
        space.append(d)
    return Problem(space, draw(st.integers(1, 30)))


def score(proposal):
    """Return a number that only the setting decides; one in six fails."""
    chance = uniform(7, 0, signature(proposal.settings))
    return None if chance < 1 / 6 else chance


STRATEGIES = {
    "random": lambda trials, seed: Random(trials=trials, seed=seed),
    "sobol": lambda trials, seed: Random(trials=trials, seed=seed, sobol=True),
    "coarse_to_fine": lambda trials, seed: CoarseToFine(trials=trials, seed=seed),
    "coarse_to_fine, equal epochs": lambda trials, seed: CoarseToFine(trials=trials, seed=seed, epochs=[3, 3, 3]),
    "tpe": lambda trials, seed: TPE(trials=trials, seed=seed, startup=5),
    "hyperband": lambda trials, seed: Hyperband(trials=trials, seed=seed, brackets=None),
}


@pytest.mark.parametrize("name", STRATEGIES)
@given(problem=problems(), trials=st.integers(1, 40), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_strategy_in_every_space(drive, name, problem, trials, seed):
    driven, again = (drive(STRATEGIES[name](trials, seed), problem, score) for _ in range(2))
    assert driven.rounds == again.rounds
    assert all(round_.proposals for round_ in driven.rounds)
    assert [round_.number for round_ in driven.stages] == list(range(1, len(driven.stages) + 1))
    for proposal in driven.proposals:
        assert list(proposal.settings) == [d.key for d in problem.active(proposal.settings)]
        for d in problem.active(proposal.settings):
            check(d, proposal.settings[d.key], grows=name.startswith("coarse"))
    trainings = [(signature(p.settings), p.epochs, p.until) for p in driven.proposals]
    assert len(set(trainings)) == len(trainings)
    numbers = {p.number: signature(p.settings) for p in driven.proposals}
    assert all(numbers[p.number] == signature(p.settings) for p in driven.proposals)
    if name == "coarse_to_fine" and problem.epochs > 1:
        assert len(driven.proposals) <= trials  # a round trains the best of the one before again, longer
    elif not name.startswith("coarse"):
        assert len(set(numbers.values())) == len(numbers) == min(trials, size(problem))
    else:
        assert min(trials, size(problem)) <= len(numbers) <= trials


def check(d, value, *, grows):
    """Assert that a value lies in its dimension: listed, or between its ends, or what the parameter allows."""
    if d.values is not None:
        assert repr(value) in [repr(listed) for listed in d.values]
        return
    low, high = d.limits if grows else (d.low, d.high)
    assert min(low, d.low) <= value <= max(high, d.high)
    assert isinstance(value, int) == d.is_int


@given(problems())
@settings(deadline=None)
def test_a_grid_is_every_setting_once(problem):
    listed = Problem([d for d in problem.dimensions if d.values is not None], 1)
    names = [signature(p.settings) for round_ in Grid().propose(listed) for p in round_.proposals]
    assert len(names) == len(set(names)) == size(listed)
    assert names == [signature(setting) for setting in every({}, listed.dimensions)]


def test_a_space_is_searched_to_the_last_setting(drive):
    problem = Problem([Dimension("a", "", low=1, high=30, is_int=True), Dimension("b", "", values=list(range(30)))], 1)
    for name, make in STRATEGIES.items():
        if name not in ("tpe", "hyperband"):
            assert len({signature(p.settings) for p in drive(make(1000, 0), problem, score).proposals}) == 900


def test_the_size_is_that_of_the_formula():
    inner = [
        Dimension("o.m", "", values=[1, 2, 3], owner="o", options=frozenset({"a"})),
        Dimension("o.n", "", low=1, high=10, is_int=True, owner="o", options=frozenset({"a", "b"})),
    ]
    problem = Problem([Dimension("o", "", values=["a", "b", "c"]), Dimension("x", "", values=[0, 1]), *inner], 1)
    assert size(problem) == 2 * (3 * 10 + 10 + 1)
    assert size(Problem([Dimension("x", "", low=0.0, high=1.0)], 1)) == math.inf


@pytest.mark.parametrize("name", ["random", "sobol"])
def test_all_settings_of_a_listed_space_are_drawn(drive, name):
    # 64 values each of which is one of 64 draws, and 625 of 625
    for num_keys, num_values in ((3, 4), (4, 5)):
        problem = Problem([Dimension(f"k{i}", "", values=list(range(num_values))) for i in range(num_keys)], 1)
        total = num_values**num_keys
        for trials in (total, total + 1, 10 * total):
            driven = drive(STRATEGIES[name](trials, 0), problem, score)
            assert len({signature(p.settings) for p in driven.proposals}) == len(driven.proposals) == total
            assert STRATEGIES[name](trials, 0).total(problem) == total


@pytest.mark.parametrize("name", STRATEGIES)
def test_budgets_are_as_promised_for_all_small_numbers(drive, name):
    real = Problem([Dimension("x", "", low=0.0, high=1.0)], 9)
    for trials in range(1, 31):
        driven = drive(STRATEGIES[name](trials, 0), real, lambda p: p.settings["x"])
        assert len({p.number for p in driven.proposals}) == trials
        longest = [p for p in driven.proposals if p.until is None]
        assert longest, "no setting is trained to the end"


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name != "tpe"])
def test_a_billion_trials_begin_at_once(name):
    real = Problem([Dimension("x", "", low=0.0, high=1.0)], 27)
    rounds = STRATEGIES[name](10**9, 0).propose(real)
    batches = [next(rounds), *(rounds.send([0.0] * ROUND) for _ in range(2))]
    assert [len(batch.proposals) for batch in batches] == [ROUND] * 3
    assert len({p.number for batch in batches for p in batch.proposals}) == 3 * ROUND
    assert {batch.number for batch in batches} == {1}


def test_longer_searches_begin_as_shorter_ones(drive):
    real = Problem([Dimension("x", "", low=0.0, high=1.0)], 1)
    for name in ("random", "sobol"):
        longer = drive(STRATEGIES[name](700, 3), real, score).proposals
        assert drive(STRATEGIES[name](300, 3), real, score).proposals == longer[:300]


def test_what_cannot_be_listed_is_not():
    real = Dimension("x", "", low=0.0, high=1.0)
    assert unseen(Problem([real], 1), set(), 3) == []
    huge = Problem([Dimension(f"k{i}", "", low=1, high=1000, is_int=True) for i in range(3)], 1)
    assert unseen(huge, set(), 3) == []
    small = Problem([Dimension("a", "", values=[1, 2, 3])], 1)
    assert unseen(small, {signature({"a": 2})}, 9) in ([{"a": 1}, {"a": 3}], [{"a": 3}, {"a": 1}])


def test_an_interval_that_no_setting_has_keeps_nothing_from_being_listed():
    """Of an option that is not searched: 3 settings, of which chance had missed the last for 50 draws."""
    absent = Dimension("b", "", low=0.0, high=1.0, limits=(0.0, 1.0), owner="o", options=frozenset({"x"}))
    problem = Problem([Dimension("a", "", values=[1, 2, 3]), absent], 1)
    assert unseen(problem, {signature({"a": 2})}, 9) in ([{"a": 1}, {"a": 3}], [{"a": 3}, {"a": 1}])
