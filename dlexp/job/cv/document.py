"""The documents of `dlexp cv`: the result of one setting, of several compared, an audit, and what a cv would take."""

from typing import Annotated, Any, NotRequired, final

from typing_extensions import TypedDict

from dlexp.job.compare.document import Pair
from dlexp.job.inference.document import OpenedTest
from dlexp.run.document import Confusion, DataIdentity, Ending, FoldRecord, Mode, Task
from dlexp.type import Metrics, Real, Span, one_of


class CVData(DataIdentity):
    """The data of a cv.

    Attributes:
        num_examples: In the folds.
        num_test: Examples of the sealed test part.
        positive: Of two classes, the one that precision, recall, F1 and average precision are of.
    """

    num_examples: int
    num_test: int
    positive: NotRequired[str]


class TriedSetting(TypedDict):
    """A setting that the search inside a fold scored.

    Attributes:
        number: Of the setting.
        overrides: The setting.
        value: Its mean over inner folds and seeds; None where a training has no score.
        std: Over the same.
    """

    number: int
    overrides: dict[str, Any]
    value: Real | None
    std: Real | None


class SearchRecord(TypedDict):
    """The search inside one fold.

    Attributes:
        repeat: Of the fold.
        fold: Of the fold.
        chosen: The winner; None where no setting could be scored.
        value: Its score.
        tried: Every setting, best first.
    """

    repeat: int
    fold: int
    chosen: dict[str, Any] | None
    value: Real | None
    tried: list[TriedSetting]


class Choice(TypedDict):
    """How often a setting was chosen.

    Attributes:
        overrides: The setting.
        count: Of folds.
    """

    overrides: dict[str, Any]
    count: int


class Guess(TypedDict):
    """What a guess made in each fold scores: the training part's most frequent class, or its mean, for all.

    Attributes:
        metric: "val/accuracy", "val/rmse" or "val/explained_variance".
        value: The mean over folds, as the cv's own is.
        standard_error: Of an accuracy, on all different held-out examples.
        is_beaten: Whether the cv is better: by more than two standard errors, or by its value.
        note: What is said where it is not; "" where it is.
    """

    metric: str
    value: Real
    standard_error: Real | None
    is_beaten: bool
    note: str


class Suspect(TypedDict):
    """An example whose label is probably wrong; probabilities are those of folds that held it out.

    Attributes:
        id: Of the example.
        label: As the data have it.
        label_probability: Of that class.
        likelier: The likeliest class.
        likelier_probability: Its probability.
    """

    id: str
    label: str
    label_probability: Real
    likelier: str
    likelier_probability: Real


class Suspects(TypedDict):
    """Labels that are probably wrong, by confident learning.

    Attributes:
        num: Of suspects.
        num_examples: That were held out and judged.
        note: Why they are to be doubted; empty where nothing speaks against them.
        examples: The suspects, the most suspect first, at most 1,000.
    """

    num: int
    num_examples: int
    note: NotRequired[str]
    examples: list[Suspect]


class CVIdentity(TypedDict):
    """What every result of a cv begins with.

    Attributes:
        kind: "cv".
        run_id: Names the cv.
        run_dir: The cv's folder.
        task: Of the data.
        device: That it trained on.
        seed: Of the cv.
        own_metrics: Names of the user's metrics; absent in cvs of version 0.1.
        seeds: That each fold is trained under.
        k: Folds of a repeat.
        repeats: Of the dealing.
        data: Of the cv.
    """

    kind: Annotated[str, one_of("cv")]
    run_id: str
    run_dir: str
    task: Task
    device: str
    seed: int
    own_metrics: NotRequired[list[str]]
    seeds: list[int]
    k: int
    repeats: int
    data: CVData


class CVSummary(CVIdentity):
    """How a cv ended, and what its folds say together.

    Attributes:
        status: How it ended.
        complete: Whether every fold is there.
        folds: The trainings; empty where there are several settings.
        mean: Over folds, by metric; empty where incomplete.
        std: Over folds (n - 1).
        interval: 95 % of Student's t over folds; optimistic.
        out_of_fold: Metrics of the pooled held-out predictions, and of classes their `confusion_matrix`.
        metrics: The means; of several settings best, mean, standard deviation and count.
        seconds: Of training.
    """

    status: Ending
    complete: bool
    folds: list[FoldRecord]
    mean: Metrics
    std: Metrics
    interval: dict[str, Span]
    out_of_fold: dict[str, Real | Confusion]
    metrics: Metrics
    seconds: float


class FoldSpread(TypedDict):
    """Mean, spread and intervals over folds, by metric.

    Attributes:
        mean: Over folds.
        std: Over folds (n - 1).
        interval: 95 % of Student's t over folds; optimistic.
        interval_corrected: 95 % intervals that allow for shared training data.
        std_seeds: Of several seeds the spread due to seeds.
        std_folds: Of several seeds the spread due to folds.
    """

    mean: Metrics
    std: Metrics
    interval: dict[str, Span]
    interval_corrected: dict[str, Span]
    std_seeds: NotRequired[Metrics]
    std_folds: NotRequired[Metrics]


@final
class CVResult(CVSummary):
    """What a cv of one setting, or of a search, found.

    Attributes:
        interval_corrected: 95 % intervals that allow for shared training data.
        interval_note: What `interval` is.
        pooled: Metrics whose mean is that of the pooled predictions, where a fold holds out one example.
        std_seeds: Of several seeds the spread due to seeds.
        std_folds: Of several seeds the spread due to folds.
        searches: Of a nested cv, by fold.
        choices: Of a nested cv, the most frequent first.
        metric: That trainings and settings are judged by; absent in cvs of version 0.1.
        test: Once the test part was opened by name.
        guess: What guessing scores; absent where incomplete, and in cvs of version 0.1.
        suspects: Labels that are probably wrong; absent for values, where incomplete or no better than a guess, and in
            cvs of version 0.1.
    """

    interval_corrected: dict[str, Span]
    interval_note: str
    pooled: NotRequired[list[str]]
    std_seeds: NotRequired[Metrics]
    std_folds: NotRequired[Metrics]
    searches: NotRequired[list[SearchRecord]]
    choices: NotRequired[list[Choice]]
    test: NotRequired[OpenedTest]
    metric: NotRequired[str]
    guess: NotRequired[Guess]
    suspects: NotRequired[Suspects]


class SettingRecord(TypedDict):
    """One of the settings that a cv compares.

    Attributes:
        run_id: Names its cv.
        run_dir: Its folder.
        status: How it ended.
        complete: Whether every fold is there.
        mean: Over folds, by metric.
        std: Over folds.
        interval: 95 %, optimistic.
        interval_corrected: 95 %, allowing for shared training data.
        seconds: Of training.
        overrides: The setting.
        value: Its mean of the metric; None without one.
        against_best: What the comparison with the best says; None of the best itself, and without a value.
        guess: What guessing scores; absent where incomplete.
    """

    run_id: str
    run_dir: str
    status: Ending
    complete: bool
    mean: Metrics
    std: Metrics
    interval: dict[str, Span]
    interval_corrected: dict[str, Span]
    seconds: float
    overrides: dict[str, Any]
    value: Real | None
    against_best: str | None
    guess: NotRequired[Guess]


@final
class CVSettingsResult(CVSummary):
    """What a cv of several settings found.

    Attributes:
        metric: That they are compared by.
        mode: Its direction.
        settings: Best first.
        picked_among: Settings with a mean.
        note: What picking the best does to its score.
        comparisons: The best with each other one.
        compared_pairs: Pairs of settings that Holm's correction counts: all of them.
    """

    metric: str
    mode: Mode
    settings: list[SettingRecord]
    picked_among: int
    note: str
    comparisons: list[Pair]
    compared_pairs: int


AnyCVResult = CVResult | CVSettingsResult
