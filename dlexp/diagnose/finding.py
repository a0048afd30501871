"""From rules that fire to findings: a statistic beside a consequence, the first cause first, with a cure that works.

Where cures are tried, the first cause of which an override lowers the loss of the same updates by a fifth is the
finding, and that override is its cure: a consequence too, of a fault that slows training down and does not stop it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dlexp.config.compose import Composed
from dlexp.config.resolve import resolve
from dlexp.config.wording import command_line
from dlexp.diagnose.document import Finding
from dlexp.diagnose.evidence import Evidence
from dlexp.diagnose.outcome import OUTCOMES
from dlexp.diagnose.rule import RULES, Reading, Rule
from dlexp.error import DlexpError
from dlexp.number import noun, significant
from dlexp.statistic.proportion import judge

STUCK = 0.9  # of a constant's loss: what training must come below
BETTER = 0.8  # of the loss: what a cure must come below
MOST_TRIED = 3  # cures of a rule
Attempt = Callable[[Composed], float]  # from a configuration to its loss after the same updates


@dataclass(frozen=True)
class Cure:
    """An override that dlexp accepts and that changes something.

    Attributes:
        override: One, or two with a space between.
        composed: The configuration with it.
        loss: After the same updates; NaN where it was not tried.
    """

    override: str
    composed: Composed
    loss: float = math.nan

    @property
    def command(self) -> str:
        """The training with it."""
        return command_line(job_of(self.composed), self.composed.overrides, self.composed.config_dir)


def findings_of(
    evidence: Evidence,
    composed: Composed,
    attempt: Attempt | None = None,
    rules: Sequence[Rule] = (*RULES, *OUTCOMES),
) -> list[Finding]:
    """Return what fires: findings by cause, then notes.

    Args:
        evidence: What was observed.
        composed: The configuration, by which cures are tried.
        attempt: Tries a cure; None prints the likeliest untried.
        rules: That are asked.
    """
    harm = consequence(evidence)
    fired = [(rule, reading) for rule in rules if (reading := rule.read(evidence)) is not None]
    first, cure, gain = _proven(fired, evidence, composed, attempt)
    made = []
    for rule, reading in fired:
        chosen = cure if rule is first else next(cures(rule.cures(evidence), composed), None)
        told = harm or (gain if rule is first else "")
        made.append(_finding(rule, reading, chosen, told if rule.is_cause else ""))
    return sorted(made, key=lambda finding: (not finding["is_finding"], first is None or finding["rule"] != first.name))


def consequence(evidence: Evidence) -> str:
    """Return what is wrong with a training: a loss that does not fall, a score no better than a guess; or ""."""
    end, constant = evidence.end, evidence.constant
    if not math.isfinite(end) or not all(map(math.isfinite, evidence.losses)):
        return "the loss is not finite"
    if evidence.score is not None:
        if guessing := judge(*evidence.score):
            return guessing
        name, value, floor, _ = evidence.score
        if name.endswith("accuracy") and value >= (1 + floor) / 2:  # huge margins that are right have a huge loss
            return ""
    if constant > 0 and end > STUCK * constant:
        return (
            f"the loss, {significant(end)}, is not below {STUCK:g} of a constant prediction's, {significant(constant)}"
        )
    return ""


def _proven(
    fired: list[tuple[Rule, Reading]], evidence: Evidence, composed: Composed, attempt: Attempt | None
) -> tuple[Rule | None, Cure | None, str]:
    """Return the first rule of which a cure lowers the loss, its best cure, and by how much, in words."""
    tail = evidence.losses[-10:]
    loss = sum(tail) / len(tail) if tail else math.nan
    for rule, _ in fired if attempt is not None else []:
        if not rule.is_cause:
            continue
        tried = [_tried(cure, attempt) for cure in _first(cures(rule.cures(evidence), composed))]
        best = min((cure for cure in tried if math.isfinite(cure.loss)), key=lambda cure: cure.loss, default=None)
        if best is not None and not best.loss > BETTER * loss:
            after = f"after {noun(len(evidence.losses), 'update')} the loss is {significant(loss)}"
            return rule, best, f"{after}, with {best.override} {significant(best.loss)}"
    return None, None, ""


def _first(given: Iterator[Cure]) -> list[Cure]:
    return [cure for cure, _ in zip(given, range(MOST_TRIED), strict=False)]


def _tried(cure: Cure, attempt: Attempt | None) -> Cure:
    try:
        return cure if attempt is None else Cure(cure.override, cure.composed, attempt(cure.composed))
    except DlexpError:
        return cure


def _finding(rule: Rule, reading: Reading, cure: Cure | None, told: str) -> Finding:
    return {
        "rule": rule.name,
        "is_finding": bool(told),
        "value": reading.value,
        "statistic": rule.statistic,
        "where": reading.where,
        "healthy": rule.healthy,
        "source": rule.source,
        "consequence": told,
        "override": None if cure is None else cure.override,
        "command": None if cure is None else cure.command,
    }


def cures(candidates: list[str], composed: Composed) -> Iterator[Cure]:
    """Yield the overrides that dlexp accepts and that change something.

    What the user wrote of the same option gives way: ``init=normal init.std=1`` to ``init=kaiming_normal``.
    """
    for override in candidates:
        try:
            cured = resolve(with_cure(composed.overrides, override), composed.config_dir, job_of(composed))
        except DlexpError:
            continue
        if cured.config != composed.config:
            yield Cure(override, cured)


def job_of(composed: Composed) -> str:
    """Return the command that trains a configuration: train, or cv for one that says how folds are dealt."""
    return "cv" if "cv" in composed.choices else "train"


def with_cure(overrides: list[str], override: str) -> list[str]:
    """Return overrides with one more, or two with a space between, without those that it takes the place of."""
    added = override.split()
    keys = [text.partition("=")[0] for text in added]
    names = [text.lstrip("+~").partition("=")[0] for text in overrides]
    stay = [
        text
        for text, name in zip(overrides, names, strict=True)
        if not any(name == key or name.startswith(f"{key}.") for key in keys)
    ]
    return [*stay, *added]
