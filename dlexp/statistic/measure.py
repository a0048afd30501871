"""What a metric needs to know of a run besides its outputs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """The free constants of the metrics.

    Attributes:
        link: How outputs become probabilities, "softmax", "sigmoid", "margin" or "similarity"; see
            `dlexp.metric.probability`.
        beta: Weight of recall in F-beta.
        delta: Error, in the target's own unit, from which Huber's loss grows linearly.
        positive: Which of two classes precision, recall, F1 and average precision are of.
    """

    link: str = "softmax"
    beta: float = 2.0
    delta: float = 1.0
    positive: int = 1
