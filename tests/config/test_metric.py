"""The table of metrics lists exactly what results have."""

import subprocess
import sys

import torch

from dlexp.config.metric import CLASSES, INPUTS, METRICS, VALUES
from dlexp.metric import classification_report, reconstruction, regression_report


def test_the_table_is_what_reports_have():
    draw = torch.Generator().manual_seed(0)
    outputs, targets = torch.randn(1, 40, 7, generator=draw), torch.arange(40)[None]
    many = classification_report(outputs, targets.remainder(7), 7)
    two = classification_report(outputs[..., :2], targets.remainder(2), 2)
    values = regression_report(outputs[..., :1], targets.double())
    for task, reports in ((CLASSES, (many, two)), (VALUES, (values,))):
        known = {name for report in reports for name, value in report.items() if value.dim() == 1}
        listed = [row.name for row in METRICS if row.task == task]
        assert set(listed) == known
        assert len(set(listed)) == len(listed)
    of_inputs = {row.name for row in METRICS if row.task == INPUTS}
    assert set(reconstruction(torch.ones(1, 3, 2))) == {"mse", "rmse"} | of_inputs


def test_it_is_read_without_torch():
    code = (
        "import sys; from dlexp.config.options import describe_options as d; d('metric'); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
