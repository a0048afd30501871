"""What the shell offers while a command is typed: groups, options and keys."""

import typer


def complete_group(incomplete: str) -> list[str]:
    """Return the groups that begin with what was typed."""
    from dlexp.config.catalog import list_groups

    return [group for group in list_groups() if group.startswith(incomplete)]


def complete_option(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the options of the group typed before."""
    from dlexp.config.catalog import list_groups

    return [option for option in list_groups().get(ctx.params.get("group") or "", []) if option.startswith(incomplete)]


def complete_override(args: list[str], incomplete: str) -> list[str]:
    """Return groups, `group=option` and keys of the chosen options that begin with what was typed.

    bash splits words at "=": the words before and after it arrive apart and only the last is replaced.
    """
    if incomplete == "=" and args:
        return _strip_key(_candidates(args[:-1], f"{args[-1]}="))
    if len(args) >= 2 and args[-1] == "=":
        return _strip_key(_candidates(args[:-2], f"{args[-2]}={incomplete}"))
    return _candidates(args, incomplete)


def _strip_key(found: list[str]) -> list[str]:
    return [text.partition("=")[2] for text in found]


def _candidates(args: list[str], typed: str) -> list[str]:
    from dlexp.config.catalog import default_choices, list_groups, read_option

    groups = list_groups()
    if "=" in typed:
        group = typed.partition("=")[0]
        return [f"{group}={option}" for option in groups.get(group, []) if f"{group}={option}".startswith(typed)]
    chosen = default_choices() | dict(_chosen(args, groups))
    found = [f"{group}=" for group in groups]
    for group, option in chosen.items():
        if typed.startswith(f"{group}."):
            found += [f"{group}.{key}=" for key in read_option(group, option) if not key.startswith(("_", "defaults"))]
        elif group.startswith(typed):
            found.append(f"{group}.")
    found += ["seed=", "runs_dir=", "task="]
    return [text for text in found if text.startswith(typed)]


def _chosen(args: list[str], groups: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Return the groups already chosen, whether the shell kept `group=option` whole or split it."""
    words = " ".join(args).replace(" = ", "=").split()
    pairs = [tuple(word.split("=", 1)) for word in words if "=" in word]
    return [(group, option) for group, option in pairs if option in groups.get(group, [])]
