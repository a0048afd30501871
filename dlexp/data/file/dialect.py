"""How a delimited text file is written: what stands between fields, how numbers are written, which texts are gaps."""

from dataclasses import dataclass, field

from dlexp.data.file.number import Notation
from dlexp.error import ConfigError

GAPS = ("NA", "N/A", "NaN", "nan", "null", "NULL", "<NA>", "#N/A")
_WORDS = {"tab": "\t", "\\t": "\t"}


@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Attributes:
        delimiter: Character between fields; "tab" is understood.
        encoding: Of the characters; a file with a mark of UTF-16 is read so whatever this says.
        notation: Of numbers.
        gaps: Texts that stand for a missing value.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    notation: Notation = field(default_factory=Notation)
    gaps: tuple[str, ...] = ("", *GAPS)

    @property
    def separator(self) -> str:
        """The delimiter as one character.

        Raises:
            ConfigError: It is none.
        """
        character = _WORDS.get(self.delimiter, self.delimiter)
        if len(character) != 1 or character in '"\r\n':
            raise ConfigError(f"data.delimiter: got {self.delimiter!r}; one character is needed, or tab")
        if character == self.notation.decimal:
            raise ConfigError(f"data.decimal: got {self.notation.decimal!r}, as data.delimiter; they must differ")
        return character
