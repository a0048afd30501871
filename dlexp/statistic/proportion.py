"""The interval of a share of examples."""

import math

NORMAL = 1.959964  # 97.5 % quantile


def wilson(share: float, num: int, deviations: float = NORMAL) -> tuple[float, float]:
    """Return Wilson's interval (p + z^2 / 2N -+ z sqrt(p (1 - p) / N + z^2 / 4N^2)) / (1 + z^2 / N).

    Args:
        share: p, in [0, 1].
        num: N examples, at least 1.
        deviations: z; the default is that of 95 %.

    References:
        E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    z = deviations
    reach = z * math.sqrt(share * (1 - share) / num + z**2 / (4 * num**2))
    middle, scale = share + z**2 / (2 * num), 1 + z**2 / num
    return (middle - reach) / scale, (middle + reach) / scale
