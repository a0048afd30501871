"""Fixed keys that only some of the searched options have: used with these, and said to be left out with the others."""

from dlexp.config.space import Space, owner_of


def left_out(space: Space) -> list[str]:
    """Return a line for each such key, as ``optimizer.momentum=0.9 is used with optimizer=momentum, ...``."""
    lines, searched = [], {d.key: d for d in space.groups()}
    for override in space.fixed:
        owner, options = owner_of(override.key, searched, space.config_dir)
        values = searched[owner].values or [] if owner else []
        others = [value for value in values if value not in options]
        if others and override.action == "change":
            used = ",".join(value for value in values if value in options)
            lines.append(f"{override.text} is used with {owner}={used}, left out with {','.join(others)}")
    return lines
