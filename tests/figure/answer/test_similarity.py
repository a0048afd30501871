"""The figure of similarities and their ROC curve."""

import numpy as np

from dlexp.figure.answer.similarity import similarity_figure


def test_both_kinds_stand_in_the_histogram_and_the_curve_goes_from_corner_to_corner():
    lead_N = np.array([-0.5, -0.1, 0.2, 0.4], np.float32)
    figure = similarity_figure(lead_N, np.array([0, 0, 1, 1]), ["different", "same"])
    left, right = figure.axes
    heights = [sum(patch.get_height() for patch in container) for container in left.containers]
    assert heights == [2, 2]
    fpr, tpr = (np.asarray(values) for values in right.lines[-1].get_data())
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert tpr[fpr == 0].max() == 1
