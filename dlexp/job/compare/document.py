"""The documents of `dlexp compare`: runs with their pairs, and the noise of seeds."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from dlexp.type import Real, Span, one_of


class Difference(TypedDict):
    """The difference a - b of two runs, or of two settings of a cv, with its test.

    Attributes:
        difference: a - b.
        interval: Its 95 % interval.
        p_value: Of the test.
        test: Its name.
        smallest_p: The smallest p that so few differences allow.
        effect: Size of the effect; None without spread.
        effect_name: "d" (Cohen's d_z) or "g" (Cohen's g).
        num: Of examples, folds or seeds.
        over: What is counted.
        needed: How many more would tell a true difference of this size; None where none would, or it is told.
        only_a: Examples that a alone has right.
        only_b: Examples that b alone has right.
        by_seed: Differences.
        by_fold: Differences.
        interval_seeds: The 95 % interval over seeds alone.
        interval_examples: The 95 % interval over examples alone.
        k: Folds of a repeat.
    """

    difference: float
    interval: Span
    p_value: Real
    test: str
    smallest_p: NotRequired[float]
    effect: Real | None
    effect_name: Annotated[str, one_of("d", "g")]
    num: int
    over: Annotated[str, one_of("examples", "folds", "seeds")]
    needed: int | None
    only_a: NotRequired[int]
    only_b: NotRequired[int]
    by_seed: NotRequired[list[float]]
    by_fold: NotRequired[list[float]]
    interval_seeds: NotRequired[Span]
    interval_examples: NotRequired[Span]
    k: NotRequired[int]


class Pair(Difference):
    """Two runs, or two settings of a cv, and which of them is better.

    Attributes:
        a: Id of the first.
        b: Id of the second.
        p_holm: The p-value after Holm's correction over all pairs.
        verdict: Which is better.
        same_setting: True where the two differ by seeds alone.
    """

    a: str
    b: str
    p_holm: Real
    verdict: Annotated[str, one_of("a", "b", "cannot tell")]
    same_setting: NotRequired[bool]


class SideRecord(TypedDict):
    """One side of a comparison.

    Attributes:
        run_id: As pairs name it.
        run_dir: Its folder.
        run_ids: Of its runs, one a seed.
        kind: What is paired: runs on one split, or folds.
        label: Its id and what tells its setting from the others.
        seeds: Of its runs.
        value: The metric, over folds or seeds the mean.
        std: Over folds or seeds; None of one run.
    """

    run_id: str
    run_dir: str
    run_ids: list[str]
    kind: Annotated[str, one_of("train", "cv")]
    label: str
    seeds: list[str]
    value: float
    std: float | None


class Comparison(TypedDict):
    """What `dlexp compare` finds.

    Attributes:
        kind: "compare".
        metric: That is compared.
        positive: Of two classes, the one that the metric is of; absent where it is of both.
        alpha: Level of the verdicts.
        runs: The sides.
        pairs: Every two of them.
        notes: What the numbers alone do not say.
    """

    kind: Annotated[str, one_of("compare")]
    metric: str
    positive: NotRequired[str]
    alpha: float
    runs: list[SideRecord]
    pairs: list[Pair]
    notes: list[str]


class SeedSample(TypedDict):
    """The values of one metric under several seeds.

    Attributes:
        num: How many.
        mean: Of the values.
        std: Of the values.
        interval: The 95 % interval of the standard deviation.
        values: In the order of the seeds.
        seeds: As the configuration has them.
        sweep: Id of the sweep that trained them.
    """

    num: int
    mean: float
    std: float
    interval: Span
    values: list[float]
    seeds: list[str]
    sweep: str


class AllSources(SeedSample):
    """All sources of randomness at once.

    Attributes:
        source: "all".
        name: For people.
        key: "seed".
    """

    source: str
    name: str
    key: str


class PresentSource(SeedSample):
    """A source of randomness that moves the metric.

    Attributes:
        source: Its name in `seeds`.
        name: For people.
        key: Its config path.
        is_absent: False.
        share: Of the variance of all sources together; None where that is 0.
        share_interval: Its 95 % interval.
    """

    source: str
    name: str
    key: str
    is_absent: Literal[False]
    share: Real | None
    share_interval: list[Real | None]


class AbsentSource(TypedDict):
    """A source of randomness that plays no role.

    Attributes:
        source: Its name in `seeds`.
        name: For people.
        key: Its config path.
        is_absent: True.
        why: It plays none.
        sweep: Id of the sweep that showed it.
    """

    source: str
    name: str
    key: str
    is_absent: Literal[True]
    why: str
    sweep: NotRequired[str]


class Noise(TypedDict):
    """What `dlexp compare --noise` finds.

    Attributes:
        kind: "noise".
        run_id: Names the run.
        run_dir: The run's folder.
        metric: That is measured.
        seeds: Of each source.
        value: Of the run itself.
        sources: Of randomness.
        all: All of them at once.
        least_difference: By which two single runs differ in one of twenty cases by seeds alone.
        notes: What the numbers alone do not say.
    """

    kind: Annotated[str, one_of("noise")]
    run_id: str
    run_dir: str
    metric: str
    seeds: int
    value: float
    sources: list[PresentSource | AbsentSource]
    all: AllSources
    least_difference: float
    notes: list[str]
