"""What other processes do to the figures. dlexp comes first: it says how threads wait before torch is imported."""

import dlexp

__all__ = ["dlexp"]
