"""How far a run, trial, fold, sweep or cross-validation has come."""

from enum import StrEnum


class Status(StrEnum):
    """What a manifest and a result say under ``status``."""

    RUNNING = "running"
    DETACHED = "detached"  # its trials are with jobs that need no command of dlexp's
    FINISHED = "finished"
    STOPPED_EARLY = "stopped_early"
    DIVERGED = "diverged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    KILLED = "killed"
    INVALID = "invalid"
    DAMAGED = "damaged"

    @property
    def has_value(self) -> bool:
        """Whether its metrics count."""
        return self in (Status.FINISHED, Status.STOPPED_EARLY)

    @property
    def is_over(self) -> bool:
        """Whether it came to its own end, good or bad, so that the same configuration would end so again."""
        return self.has_value or self is Status.DIVERGED

    @property
    def has_ended(self) -> bool:
        """Whether it is over or failed: nothing trains it until somebody asks again."""
        return self.is_over or self is Status.FAILED

    @property
    def has_failed(self) -> bool:
        """Whether it ended without a value."""
        return self.has_ended and not self.has_value

    @property
    def exit_code(self) -> int | None:
        """The exit code of the command that ended so; None where the signal decides it."""
        return {Status.DIVERGED: 3, Status.FAILED: 1}.get(self) if not self.has_value else 0
