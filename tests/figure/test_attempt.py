from dlexp.figure.attempt import attempt


def test_a_figure_that_fails_is_a_warning(capsys):
    lines = []
    assert not attempt(lambda: 1 / 0, lines.append)
    assert lines == [
        "warning: a figure could not be drawn (ZeroDivisionError: division by zero); the result is complete"
    ]
    assert capsys.readouterr().err.strip() == lines[0]
    assert attempt(lambda: None, lines.append)
    assert len(lines) == 1
