"""Figures of matplotlib as SVG inside a page: no name of theirs meets another's, colours follow the page's scheme.

Every colour becomes a variable of the page. On the dark scheme it is the colour itself, lightened until it stands out
from the background as it does from white, or at 4.5:1 at least.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dlexp.figure.style.color import contrast

SPACE = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
DARK = "#16181d"  # the page's background on the dark scheme
READABLE = 4.5
DATUM = "datum-"
FIXED = "fixed"  # groups whose id begins so keep their colours
_COLOR = re.compile(r"#[0-9a-f]{6}\b")
_NUMBER = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"font: ([\d.]+px) [^;]*")
_GEOMETRY = ("d", "x", "y", "transform", "width", "height", "points", "cx", "cy")


@dataclass
class Colors:
    """The colours that the figures of a page use, each with the name of its variable."""

    names: dict[str, str] = field(default_factory=dict)

    def use(self, style: str) -> str:
        """Return a style with variables in the place of its colours."""

        def variable(match: re.Match[str]) -> str:
            return f"var(--{self.names.setdefault(match[0], f'c{len(self.names)}')})"

        return _COLOR.sub(variable, style)

    def css(self) -> str:
        """Return the variables on the light and on the dark scheme."""
        light = "".join(f"--{name}:{color};" for color, name in self.names.items())
        dark = "".join(f"--{name}:{darkened(color)};" for color, name in self.names.items())
        return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def darkened(color: str) -> str:
    """Return what a colour is on a dark background: white is that background, greys are inverted."""
    if color == "#ffffff":
        return DARK
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    if max(red, green, blue) - min(red, green, blue) < 8:
        red, green, blue = 255 - red, 255 - green, 255 - blue
    needed = min(READABLE, contrast(color))
    for step in range(101):
        mixed = "#" + "".join(f"{round(c + (255 - c) * step / 100):02x}" for c in (red, green, blue))
        if contrast(mixed, DARK) >= needed:
            return mixed
    return "#ffffff"


def embed(
    content: bytes,
    prefix: str,
    label: str,
    colors: Colors,
    keys: Mapping[str, Sequence[str]] | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    """Return a figure as an element of a page.

    Args:
        content: matplotlib's SVG.
        prefix: Begins every id of it.
        label: What it shows, in a sentence.
        colors: Of the page, which learn the figure's.
        keys: By the id of a group of marks, the key of each mark; a group called ``line-KEY`` is one mark.
        names: What a mark says of itself, by its key.
    """
    root = ET.fromstring(content)
    for child in [child for child in root if child.tag == f"{SPACE}metadata"]:
        root.remove(child)
    for defs in root.findall(f"{SPACE}defs"):
        for style in defs.findall(f"{SPACE}style"):
            defs.remove(style)
    _drop_background(root)
    _mark(root, keys or {}, names or {})
    _clean(root, prefix, _referenced(root), colors, is_fixed=False)
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"viewBox": box, "role": "img", "aria-label": " ".join(label.split())})
    width = float(box.split()[2])
    root.attrib["style"] = f"max-width:{width * 96 / 72 * 1.3:.0f}px"
    ET.register_namespace("", SPACE[1:-1])
    return ET.tostring(root, encoding="unicode").replace(f' xmlns="{SPACE[1:-1]}"', "", 1)


def _drop_background(root: ET.Element) -> None:
    """Leave out the white rectangle behind all."""
    figure = root.find(f"{SPACE}g")
    if figure is not None:
        for patch in [child for child in figure if child.attrib.get("id") == "patch_1"]:
            figure.remove(patch)


def _mark(root: ET.Element, keys: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> None:
    """Give each mark the key of its datum, and a title."""
    for group in root.iter(f"{SPACE}g"):
        name = group.attrib.get("id", "")
        if name in keys:
            marks = list(group.iter(f"{SPACE}use")) or [
                path for path in group.iter(f"{SPACE}path") if "id" not in path.attrib
            ]
            if len(marks) == len(keys[name]):
                for mark, key in zip(marks, keys[name], strict=True):
                    _set_key(mark, key, names)
        elif name.startswith("line-"):
            _set_key(group, name.removeprefix("line-"), names)


def _set_key(mark: ET.Element, key: str, names: Mapping[str, str]) -> None:
    mark.attrib["data-key"] = key
    mark.attrib["id"] = f"{DATUM}{key}"
    if key in names:
        title = ET.Element(f"{SPACE}title")
        title.text = names[key]
        mark.insert(0, title)


def _referenced(root: ET.Element) -> set[str]:
    needed: set[str] = set()
    for child in root.iter():
        needed.update(name for value in child.attrib.values() for name in _REFERENCE.findall(value))
        if LINK in child.attrib and child.attrib[LINK].startswith("#"):
            needed.add(child.attrib[LINK][1:])
    return needed


def _clean(node: ET.Element, prefix: str, needed: set[str], colors: Colors, *, is_fixed: bool) -> None:
    is_fixed = is_fixed or node.attrib.get("id", "").startswith(FIXED)
    node.text, node.tail = (text if text and text.strip() else None for text in (node.text, node.tail))
    for name, value in list(node.attrib.items()):
        if name == "id":
            if value in needed or value.startswith(DATUM):
                node.attrib["id"] = prefix + value
            else:
                del node.attrib["id"]
        elif name == LINK:
            del node.attrib[LINK]
            node.attrib["href"] = f"#{prefix}{value[1:]}" if value.startswith("#") else value
        elif name in _GEOMETRY:
            node.attrib[name] = _NUMBER.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), value)
        elif name in ("style", "clip-path"):
            node.attrib[name] = _style(value, prefix, colors, is_fixed=is_fixed)
    for child in node:
        _clean(child, prefix, needed, colors, is_fixed=is_fixed)


def _style(value: str, prefix: str, colors: Colors, *, is_fixed: bool) -> str:
    value = _REFERENCE.sub(lambda match: f"url(#{prefix}{match[1]})", value)
    value = _FONT.sub(r"font-size:\1", value).replace("; ", ";").replace(": ", ":")
    value = _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), value)
    return value if is_fixed else colors.use(value)
