"""Settings that cannot be trained, found on the meta device before anything is spent on them.

Settings that differ in values of one structure only (learning rates, weights of a penalty, seeds) are valid or invalid
together, so that thousands of them cost one look.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dlexp.build.node import is_per_trial
from dlexp.build.probe import reason_against
from dlexp.config.signature import declaration
from dlexp.config.source.fault import user_fault
from dlexp.config.space import Space
from dlexp.config.wording import show
from dlexp.data.dataset import Dataset
from dlexp.error import ConfigError, DlexpError
from dlexp.job.sweep.document import TrialRecord
from dlexp.number import noun
from dlexp.search.strategy import Proposal, Settings, signature

ANY_VALUE = ("seed", "seeds", "init")  # as in dlexp.build.structure: they give values, not structure
NAMED = 3  # settings that a message names
CURE = "leave them out, or search.invalid=skip does"


@dataclass(frozen=True)
class InvalidSetting:
    """A setting that cannot be trained.

    Attributes:
        proposal: What was asked.
        round: By which round.
        reason: Why not, in one line.
        is_fault: Whether the user's code raised it: a failure of this setting, the others train.
    """

    proposal: Proposal
    round: int
    reason: str
    is_fault: bool = False

    def record(self) -> TrialRecord:
        """Return it as a sweep's result has trials."""
        return {
            "run_id": None,
            "run_dir": None,
            "number": self.proposal.number,
            "round": self.round,
            "overrides": self.proposal.settings,
            "status": "failed" if self.is_fault else "invalid",
            "value": None,
            "metrics": {},
            "epochs": 0,
            "seconds": 0.0,
            "error": self.reason,
        }


@dataclass
class ValidityCheck:
    """Tells valid from invalid settings; each structure is looked at once.

    Attributes:
        space: Turns settings into configurations.
        load: Returns the data of a configuration.
    """

    space: Space
    load: Callable[[dict[str, Any]], Dataset]
    _reasons: dict[str, tuple[str, bool]] = field(default_factory=dict)
    _data_faults: dict[str, str] = field(default_factory=dict)

    def reason(self, settings: Settings) -> tuple[str, bool]:
        """Return why a setting cannot be trained, "" when it can, and whether the user's code raised that."""
        key = signature(self.structure(settings))
        if key not in self._reasons:
            try:
                self._reasons[key] = self._look(settings), False
            except Exception as error:
                if not user_fault(error):
                    raise
                self._reasons[key] = user_fault(error), True
        return self._reasons[key]

    def partition(self, proposals: list[Proposal], round_number: int) -> tuple[list[Proposal], list[InvalidSetting]]:
        """Return the valid proposals and the others."""
        looks = [(proposal, *self.reason(proposal.settings)) for proposal in proposals]
        invalid = [InvalidSetting(p, round_number, reason, is_fault) for p, reason, is_fault in looks if reason]
        refused = {setting.proposal.number for setting in invalid}
        return [p for p in proposals if p.number not in refused], invalid

    def with_data(self, proposals: list[Proposal], round_number: int) -> tuple[list[Proposal], list[InvalidSetting]]:
        """Return the proposals whose data can be read, and those in which the user's code failed to."""
        if not any(d.group == "data" for d in self.space.dimensions):
            return proposals, []
        faults = {proposal.number: self._data_fault(proposal.settings) for proposal in proposals}
        failing = [InvalidSetting(p, round_number, faults[p.number], True) for p in proposals if faults[p.number]]
        return [proposal for proposal in proposals if not faults[proposal.number]], failing

    def _data_fault(self, settings: Settings) -> str:
        """Return what the user's code raised when it was to give the data; "" where it did not."""
        key = signature(self.structure(settings))
        if key not in self._data_faults:
            self._data_faults[key] = ""
            try:
                self.load(self.space.compose(settings).config)
            except DlexpError:  # told where the setting is looked at
                pass
            except Exception as error:
                self._data_faults[key] = user_fault(error)
        return self._data_faults[key]

    def _look(self, settings: Settings) -> str:
        try:
            config = self.space.compose(settings).config
            dataset = self.load(config)
        except DlexpError as error:
            return str(error)
        return reason_against(config, dataset)

    def structure(self, settings: Settings) -> Settings:
        """Leave out of a setting what is a value of any structure."""
        config = self.space.base(settings).config
        structure = {}
        for key, value in settings.items():
            parameter = declaration(config, key)
            is_value = key.partition(".")[0] in ANY_VALUE and "." in key
            if is_value or (parameter is not None and is_per_trial(parameter.annotation)):
                structure[key] = len(value) if isinstance(value, list) else value is not None
            else:
                structure[key] = value
        return structure


def require_valid(
    valid: list[Proposal], invalid: list[InvalidSetting], policy: str = "refuse", cure: str = CURE
) -> Proposal:
    """Return the first setting that can be trained.

    Args:
        valid: Those that can.
        invalid: The others.
        policy: `search.invalid`.
        cure: What makes the others train.

    Raises:
        ConfigError: Others cannot and the policy is "refuse", or none can.
        DlexpError: The user's code fails under every setting.
    """
    total = len(valid) + len(invalid)
    refused = [setting for setting in invalid if not setting.is_fault]
    if refused and (policy == "refuse" or not valid):
        raise _refuse(refused, total, cure)
    if not valid:
        raise DlexpError(invalid[0].reason)
    return valid[0]


def _refuse(invalid: list[InvalidSetting], total: int, cure: str) -> ConfigError:
    """Return the error that names invalid settings, a few of them, each reason once."""
    by_reason = _by_reason(invalid)
    if len(by_reason) == 1 and len(invalid) == total:
        return ConfigError(invalid[0].reason)
    shown = [f"{named(settings[0])}: {why}" for why, settings in list(by_reason.items())[:NAMED]]
    way_out = "" if len(invalid) == total else f"; {cure}"
    return ConfigError(f"{len(invalid)} of {noun(total, 'setting')} cannot be trained: {' | '.join(shown)}{way_out}")


def skipped(invalid: list[InvalidSetting]) -> list[str]:
    """Return a line for each reason for which settings were skipped, or fail."""
    lines = []
    for why, settings in _by_reason(invalid).items():
        more = f" and {len(settings) - 1} more" if len(settings) > 1 else ""
        lines.append(f"{'fails' if settings[0].is_fault else 'skipped'} {named(settings[0])}{more}: {why}")
    return lines


def named(setting: InvalidSetting) -> str:
    """Return a setting as one would type it: ``model.depth=13 trainer.batch_size=64``."""
    return " ".join(f"{key}={show(value)}" for key, value in setting.proposal.settings.items()) or "the only setting"


def _by_reason(invalid: list[InvalidSetting]) -> dict[str, list[InvalidSetting]]:
    by_reason: dict[str, list[InvalidSetting]] = {}
    for setting in invalid:
        by_reason.setdefault(setting.reason, []).append(setting)
    return by_reason
