"""What the shell offers while a command is typed: commands, flags, groups, options and keys."""

import shlex
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

UNFINISHED = ("=", ".")  # a word that ends so is to be typed on: no space follows it
OF_A_RUN = ("--resume", "--from", "--verify", "--noise")  # flags whose value is a run
MOST_RUNS = 200  # the newest


def complete(
    ctx: typer.Context, line: Annotated[str, typer.Argument(help="The command line up to the cursor.")]
) -> None:
    """Print the words that may stand at the end of a command line, finished ones with a space behind.

    The scripts of `dlexp --install-completion` call this.
    """
    *before, typed = split(line)
    commands: dict[str, Any] = getattr(ctx.find_root().command, "commands", {})
    offered = [word for word in candidates(commands, before[1:], typed) if word.startswith(typed)]
    print("\n".join(word if word.endswith(UNFINISHED) else f"{word} " for word in dict.fromkeys(offered)))


def split(line: str) -> list[str]:
    """Return the words of a command line, the last one the one being typed; an open quote is no error."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words = []
    try:
        words.extend(lexer)
    except ValueError:
        return [*words, lexer.token]
    return words if words and not line[-1].isspace() else [*words, ""]


def candidates(commands: dict[str, Any], words: list[str], typed: str) -> list[str]:
    """Return what may follow.

    Args:
        commands: The commands with their parameters, as Typer built them.
        words: The words after ``dlexp``, without the one being typed.
        typed: The word being typed.
    """
    if not words:
        return [name for name, command in commands.items() if not command.hidden]
    command = commands.get(words[0])
    if command is None:
        return []
    flags = {flag: p for p in command.params for flag in (*p.opts, *p.secondary_opts) if flag.startswith("-")}
    if typed.startswith("-"):
        return ["--help", *(flag for flag in flags if flag.startswith("--"))]
    takes_value = {flag for flag, param in flags.items() if not getattr(param, "is_flag", False)}
    if words[-1] in takes_value:
        return _runs(words) if words[-1] in OF_A_RUN else []  # the shell offers files
    arguments = [
        w for w, last in zip(words[1:], words, strict=False) if not w.startswith("-") and last not in takes_value
    ]
    names = [param.name for param in command.params if not param.opts[0].startswith("-")]
    config_dir = _config_dir(words)
    if names == ["overrides"]:
        return _overrides(words[0], arguments, typed, config_dir)
    if names == ["group", "option"]:
        return _groups(arguments, config_dir)
    return _runs(words) if names[:1] == ["run"] else []


def _config_dir(words: list[str]) -> Path | None:
    return _folder(words, "--config-dir")


def _folder(words: list[str], flag: str) -> Path | None:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == flag and following:
            return Path(following)
        if word.startswith(f"{flag}="):
            return Path(word.partition("=")[2])
    return None


def _runs(words: list[str]) -> list[str]:
    """Return the ids of the newest runs, and `last`."""
    from dlexp.config.source.defaults import read_defaults
    from dlexp.run.name import identity
    from dlexp.run.scan import run_paths

    paths = run_paths(_folder(words, "--runs-dir") or read_defaults().runs_dir)
    return ["last", *(identity(path)[0] for path in reversed(paths[-MOST_RUNS:]))]


def _groups(arguments: list[str], config_dir: Path | None) -> list[str]:
    from dlexp.config.catalog import list_groups

    groups = list_groups(config_dir)
    return list(groups) if not arguments else groups.get(arguments[0], []) if len(arguments) == 1 else []


def _overrides(command: str, arguments: list[str], typed: str, config_dir: Path | None) -> list[str]:
    """Return groups, ``group=option`` and the keys of the options chosen by default or earlier on the line."""
    from dlexp.config.catalog import EXPERIMENT, default_choices, list_groups, list_jobs, read_option
    from dlexp.config.signature import read

    if typed.startswith("+"):
        recipes = list_groups(config_dir)[EXPERIMENT]
        return [f"+{EXPERIMENT}={recipe}" for recipe in recipes] if "=" in typed else [f"+{EXPERIMENT}="]
    defaults = default_choices(command if command in list_jobs() else "train")
    groups = {group: options for group, options in list_groups(config_dir).items() if group in defaults}
    if "=" in typed:
        key = typed.partition("=")[0]
        values = (
            groups[key]
            if key in groups
            else _values(key, _choices(defaults, arguments, groups, config_dir), config_dir)
        )
        return [f"{key}={value}" for value in values]
    group_words = [f"{group}=" for group in groups]
    for group, option in _choices(defaults, arguments, groups, config_dir).items():
        keys = [key for key in read_option(group, option, config_dir) if key != "_target_"]
        group_words += (
            [f"{group}.{key}=" for key in keys] if typed.startswith(f"{group}.") else [f"{group}."] if keys else []
        )
    root = [f"{key}=" for key in read("dlexp.config.root.Root").parameters]
    seeds = [f"seeds.{key}=" for key in read("dlexp.config.root.Seeds").parameters]
    return [*group_words, *root, *(seeds if typed.startswith("seeds.") else ["seeds."])]


def _choices(
    defaults: dict[str, str], arguments: list[str], groups: dict[str, list[str]], config_dir: Path | None
) -> dict[str, str]:
    """Return the option of each group: the defaults, what an option brings along, what the line says, in this order."""
    from dlexp.config.catalog import implied_choices

    pairs = [word.lstrip("+").partition("=") for word in arguments]
    said = {group: option for group, _, option in pairs if option in groups.get(group, [])}
    choices = defaults | said
    for group, option in list(choices.items()):
        choices |= implied_choices(group, option, config_dir)
    return choices | said


def _values(key: str, choices: dict[str, str], config_dir: Path | None) -> list[str]:
    """Return what a key can be set to where that is a choice, true or false, or null."""
    from dlexp.config.catalog import read_option
    from dlexp.config.signature import read
    from dlexp.config.wording import yaml_value

    group, _, name = key.rpartition(".")
    if group not in choices:
        target = {"": "dlexp.config.root.Root", "seeds": "dlexp.config.root.Seeds"}.get(group)
    else:
        target = read_option(group, choices[group], config_dir).get("_target_")
    parameter = read(target).parameters.get(name) if target else None
    return [] if parameter is None else [yaml_value(value) for value in dict.fromkeys(_listed(parameter.annotation))]


def _listed(annotation: Any) -> list[Any]:
    """Return the values that a type lists: those of a Literal, both of bool, None."""
    if annotation in (None, type(None)):
        return [None]
    if annotation is bool:
        return [True, False]
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    kinds = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    is_list = get_origin(annotation) in (list, tuple, dict)
    return [] if is_list else [value for kind in kinds for value in _listed(kind)]
