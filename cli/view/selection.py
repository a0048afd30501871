"""What having been picked did to a value, in the words that `train` and `sweep` share."""

from typing import TYPE_CHECKING

from rich.console import Console

from ..text import escape

if TYPE_CHECKING:
    from dlexp.run.document import SelectionBias


def show_selection(console: Console, picked: str, what: str, selection: "SelectionBias") -> None:
    """Print the corrected value with its interval, or why it is not corrected.

    Args:
        console: For people.
        picked: The value, and how it was picked.
        what: What was chosen: setting, epoch or both.
        selection: Not empty.
    """
    if "not_corrected" in selection:
        console.print(f"{picked}, which flatters it; not corrected: {escape(selection['not_corrected'])}")
        return
    assert "corrected" in selection
    assert "corrected_interval" in selection
    assert "corrected_notes" in selection
    low, high = selection["corrected_interval"]
    wins = f"; it wins on {selection['wins']:.0%} of validation parts drawn anew" if "wins" in selection else ""
    console.print(
        f"{picked}; corrected for having been picked ({what}) {selection['corrected']:.4f}, 95 % interval {low:.4f} to "
        f"{high:.4f}{wins}"
    )
    for note in selection["corrected_notes"]:
        console.print(f"[yellow]{escape(note)}[/]")
