"""Elements of HTML as text, with everything that is not markup escaped."""

import html


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Return a text that is shown as it is; what HTML has no character for is a replacement."""
    plain = "".join(c if c >= " " or c in "\n\t" else "\ufffd" for c in text)
    return Markup(html.escape(plain.encode("utf-8", "replace").decode(), quote=True))


def element(tag: str, *content: str, **attributes: str | bool) -> Markup:
    """Return an element.

    Args:
        tag: Its name.
        content: Markup as it is, other text escaped.
        attributes: ``class_`` and ``data_key`` stand for class and data-key; True for one without a value, False for
            none.
    """
    given = "".join(_attribute(name, value) for name, value in attributes.items() if value is not False)
    inner = "".join(piece if isinstance(piece, Markup) else escape(piece) for piece in content)
    return Markup(f"<{tag}{given}>{inner}</{tag}>")


def join(pieces: "list[Markup]") -> Markup:
    """Return markup one after the other."""
    return Markup("".join(pieces))


def _attribute(name: str, value: str | bool) -> str:
    shown = name.rstrip("_").replace("_", "-")
    return f" {shown}" if value is True else f' {shown}="{escape(str(value))}"'
