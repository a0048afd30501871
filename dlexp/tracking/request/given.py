"""What MLflow was given of a run by this process, which made it there; nobody else writes to it."""

from dataclasses import dataclass, field


@dataclass
class Given:
    """Tags, params and the place of the artifacts: what need not be asked for.

    Attributes:
        tags: By name.
        place: URI of the run's artifacts.
        params: By name.
    """

    tags: dict[str, str]
    place: str
    params: dict[str, str] = field(default_factory=dict)

    def add(self, params: dict[str, str], tags: dict[str, str]) -> None:
        """Note what was sent since."""
        self.params |= params
        self.tags |= tags
