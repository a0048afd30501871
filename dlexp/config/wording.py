"""A parameter's type in words, from the text of its annotation."""

TYPE_WORDS = {
    "Count": "an integer >= 1",
    "NonNegativeInt": "an integer >= 0",
    "Positive": "a number > 0",
    "NonNegative": "a number >= 0",
    "Probability": "a number in [0, 1)",
    "Fraction": "a number in (0, 1)",
    "Unit": "a number in [0, 1]",
    "Finite": "a finite number",
    "Widths": "a list of integers >= 1",
    "int": "an integer",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "None": "null",
    "Any": "anything",
}


def type_text(annotation: str) -> str:
    """Return a type in words, for example "a number > 0 or null"; choices as "a|b|c"."""
    return " or ".join(_words(part.strip()) for part in _split(annotation, "|"))


def plural(words: str) -> str:
    """Return "integers >= 1" for "an integer >= 1"."""
    noun, _, rest = words.removeprefix("an ").removeprefix("a ").partition(" ")
    return f"{noun}s {rest}".strip()


def _words(text: str) -> str:
    if text.startswith(("PerTrial[", "Annotated[")):
        return type_text(_split(text[text.index("[") + 1 : -1], ",")[0])
    if text.startswith("Literal["):
        return text[8:-1].replace("'", "").replace(", ", "|")
    if text.startswith("list["):
        return f"a list of {plural(type_text(text[5:-1]))}"
    return TYPE_WORDS.get(text, text)


def _split(text: str, separator: str) -> list[str]:
    """Split at separators outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
