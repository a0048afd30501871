"""From rules that fire to findings: a statistic beside a consequence, the first cause first, with a cure that works."""

import math

from dlexp.config.compose import Composed
from dlexp.config.resolve import resolve
from dlexp.config.wording import command_line
from dlexp.diagnose.document import Finding
from dlexp.diagnose.evidence import Evidence
from dlexp.diagnose.outcome import OUTCOMES
from dlexp.diagnose.rule import RULES, Reading, Rule
from dlexp.error import DlexpError
from dlexp.number import significant
from dlexp.statistic.proportion import judge

STUCK = 0.9  # of a constant's loss: what training must come below


def findings_of(evidence: Evidence, composed: Composed) -> list[Finding]:
    """Return what fires: findings by cause, then notes.

    Args:
        evidence: What was observed.
        composed: The configuration, by which cures are tried.
    """
    told = consequence(evidence)
    fired = [(rule, reading) for rule in (*RULES, *OUTCOMES) if (reading := rule.read(evidence)) is not None]
    made = [_finding(rule, reading, evidence, composed, told) for rule, reading in fired]
    return sorted(made, key=lambda finding: not finding["is_finding"])


def consequence(evidence: Evidence) -> str:
    """Return what is wrong with a training: a loss that does not fall, a score no better than a guess; or ""."""
    end, constant = evidence.end, evidence.constant
    if not math.isfinite(end) or not all(map(math.isfinite, evidence.losses)):
        return "the loss is not finite"
    if evidence.score is not None:
        return judge(*evidence.score)
    if constant > 0 and end > STUCK * constant:
        return (
            f"the loss, {significant(end)}, is not below {STUCK:g} of a constant prediction's, {significant(constant)}"
        )
    return ""


def _finding(rule: Rule, reading: Reading, evidence: Evidence, composed: Composed, told: str) -> Finding:
    is_finding = bool(told) and rule.is_cause
    override, command = cure(rule.cures(evidence), composed)
    return {
        "rule": rule.name,
        "is_finding": is_finding,
        "value": reading.value,
        "statistic": rule.statistic,
        "where": reading.where,
        "healthy": rule.healthy,
        "source": rule.source,
        "consequence": told if is_finding else "",
        "override": override,
        "command": command,
    }


def cure(candidates: list[str], composed: Composed) -> tuple[str | None, str | None]:
    """Return the first override that dlexp accepts and that changes something, and the command with it.

    What the user wrote of the same option gives way: ``init=normal init.std=1`` to ``init=kaiming_normal``.
    """
    for override in candidates:
        overrides = with_cure(composed.overrides, override)
        try:
            cured = resolve(overrides, composed.config_dir)
        except DlexpError:
            continue
        if cured.config != composed.config:
            return override, command_line("train", overrides, composed.config_dir)
    return None, None


def with_cure(overrides: list[str], override: str) -> list[str]:
    """Return overrides with one more, without those that it takes the place of."""
    key = override.partition("=")[0]
    names = [text.lstrip("+~").partition("=")[0] for text in overrides]
    stay = [text for text, name in zip(overrides, names, strict=True) if name != key and not name.startswith(f"{key}.")]
    return [*stay, override]
