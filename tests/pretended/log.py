"""What happens on the pretended device: kernels, copies, waits of the host, captured graphs, and what it refuses."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


class DeviceMismatch(RuntimeError):
    """An operator got tensors of two devices."""


class NotInCapture(RuntimeError):
    """Something that a graph cannot hold."""


@dataclass
class Log:
    """Counts since the last `clear`; `where` names the line of dlexp behind each wait.

    Attributes:
        kernels: Operators by name, about a kernel each; those of a replayed graph are not among them.
        replays: Graphs replayed.
        pending: Kernels and graphs since the host last waited.
        free_copies: To the device, from pinned memory and non-blocking.
        sent: Bytes copied to the device.
        waits: Of the host for the device, by what caused them.
        where: The same by cause, file and line.
        capture: The graph that is being captured.
        current: Number of the current device.
        streams: The current stream of each device.
    """

    kernels: Counter[str] = field(default_factory=Counter)
    replays: int = 0
    pending: int = 0
    free_copies: int = 0
    sent: int = 0
    waits: Counter[str] = field(default_factory=Counter)
    where: Counter[str] = field(default_factory=Counter)
    capture: Any = None
    current: int = 0
    streams: dict[int, Any] = field(default_factory=dict)

    def clear(self) -> None:
        """Count from zero."""
        self.kernels.clear()
        self.waits.clear()
        self.where.clear()
        self.replays = self.free_copies = self.sent = 0

    def reset(self) -> None:
        """Forget devices, streams and captures too."""
        self.clear()
        self.capture, self.current, self.streams, self.pending = None, 0, {}, 0

    @property
    def num_waits(self) -> int:
        """All waits of the host."""
        return sum(self.waits.values())

    def wait(self, cause: str) -> None:
        """Count a wait.

        Raises:
            NotInCapture: A graph is being captured.
        """
        if self.capture is not None:
            raise NotInCapture(f"{cause}: operation not permitted when stream is capturing")
        self.waits[cause] += 1
        self.pending = 0
        frame = sys._getframe(1)
        while frame.f_back is not None and "/dlexp/" not in frame.f_code.co_filename:
            frame = frame.f_back
        name = frame.f_code.co_filename.rpartition("/dlexp/")
        place = f"{name[2]}:{frame.f_lineno}" if name[1] else "outside dlexp"
        self.where[f"{cause} at {place}"] += 1


LOG = Log()
