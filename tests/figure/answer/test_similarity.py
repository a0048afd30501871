"""The figure of similarities and their ROC curve."""

import numpy as np

from dlexp.figure.answer.similarity import similarity_figure


def test_both_kinds_stand_in_the_histogram_and_the_curve_goes_from_corner_to_corner():
    lead_N = np.array([-0.5, -0.1, 0.2, 0.4], np.float32)
    figure = similarity_figure(lead_N, np.array([0, 0, 1, 1]), ["different", "same"])
    left, right = figure.axes
    heights = [sum(patch.get_height() for patch in container) for container in left.containers]
    assert heights == [2, 2]
    curve = right.lines[-1]
    assert (curve.get_xdata()[0], curve.get_ydata()[0]) == (0, 0)
    assert (curve.get_xdata()[-1], curve.get_ydata()[-1]) == (1, 1)
    assert max(curve.get_ydata()[curve.get_xdata() == 0]) == 1
