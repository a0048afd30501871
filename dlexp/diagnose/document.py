"""What `dlexp diagnose --json` prints."""

import math
from typing import Annotated

from typing_extensions import TypedDict

from dlexp.type import Real, one_of


class LayerState(TypedDict):
    """A layer in one batch.

    Attributes:
        pre_std: Standard deviation of the pre-activations; of the outputs where no activation follows.
        mean: Of the activations, or outputs.
        std: Likewise.
        dead: Share of units that are active for no example; None but for rectifiers.
        saturated: Share of activations at the flat ends; None but for tanh and sigmoid.
        weight_rms: Root mean square of the weights.
        grad_rms: Root mean square of their gradient.
    """

    pre_std: Real
    mean: Real
    std: Real
    dead: Real | None
    saturated: Real | None
    weight_rms: Real
    grad_rms: Real


class LayerRecord(TypedDict):
    """A layer before the first update and after the last.

    Attributes:
        name: Of its weight's module.
        num_units: Units, or channels.
        activation: That follows; "" for none.
        first: Before any update.
        last: After the last.
        update_ratio: Median over the first updates of |update| / |weight|; None where none was made.
    """

    name: str
    num_units: int
    activation: str
    first: LayerState
    last: LayerState
    update_ratio: Real | None


class Finding(TypedDict):
    """A rule that fired.

    Attributes:
        rule: Its name.
        is_finding: Whether there is a consequence; a note otherwise.
        value: The statistic.
        statistic: What it is.
        where: Of which layer or input; "" for the whole.
        healthy: Its healthy range.
        source: Where the rule is from.
        consequence: What it does to the training; "" of a note.
        override: That cures it; None where none is known.
        command: The training with it; None without.
    """

    rule: str
    is_finding: bool
    value: Real
    statistic: str
    where: str
    healthy: str
    source: str
    consequence: str
    override: str | None
    command: str | None


class Diagnosis(TypedDict):
    """What is known of a configuration, or a run, and what it means.

    Attributes:
        kind: "diagnosis".
        run_id: Of the run; None before training.
        status: How the run ended; None before training.
        updates: Made in memory.
        constant: Loss of a constant prediction; of classes the entropy of guessing.
        first_loss: Of the first update.
        last_loss: Mean of the last ten updates, or the run's last epoch.
        layers: In the order of their calls.
        findings: The first cause first, then what follows from it, then notes.
        figure: Where it was drawn; None where it was not asked for.
    """

    kind: Annotated[str, one_of("diagnosis")]
    run_id: str | None
    status: str | None
    updates: int
    constant: Real
    first_loss: Real
    last_loss: Real
    layers: list[LayerRecord]
    findings: list[Finding]
    figure: str | None


def reading(finding: Finding) -> str:
    """Return what a finding reads and what it should be, in words."""
    where = f" ({finding['where']})" if finding["where"] else ""
    value = f"{finding['value']:.4g}" if math.isfinite(finding["value"]) else "not finite"
    return f"{finding['statistic']} {value}{where}; healthy: {finding['healthy']}"
