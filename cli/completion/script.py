"""Shell completion's scripts, printed or installed.

Own scripts instead of Typer's: bash splits words at "=" and puts a space behind a lone word, so that
`optimizer.l<TAB>` would become `optimizer.lr= `.
"""

import os
from pathlib import Path

import typer

BASH = r"""# bash completion of dlexp
_dlexp() {
    local line=${COMP_LINE:0:COMP_POINT} IFS=$'\n'
    COMPREPLY=($("$1" complete -- "$line" 2>/dev/null))
    if ((${#COMPREPLY[@]} == 0)); then
        compopt +o nospace 2>/dev/null # file names: a space may follow
        return
    fi
    local word=${line##*[[:space:]]}
    if [[ $COMP_WORDBREAKS == *=* && $word == *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%=*}="}") # bash replaces only what follows the last "="
    fi
}
complete -o nospace -o default -F _dlexp dlexp
"""
ZSH = r"""#compdef dlexp
# zsh completion of dlexp
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_dlexp() {
    local -a found
    found=("${(@f)$("${words[1]}" complete -- "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then
        compadd -Q -S '' -- "${found[@]}"
    else
        _files
    fi
}
compdef _dlexp dlexp
"""
FISH = r"""# fish completion of dlexp
function __dlexp_complete
    set -l line (commandline -cp)
    set -l found (dlexp complete -- "$line" 2>/dev/null | string trim --right)
    if test -n "$found[1]"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command dlexp --no-files --arguments '(__dlexp_complete)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def show(is_wanted: bool) -> None:
    """Print the script for the shell that this runs in."""
    if is_wanted:
        print(SCRIPTS[current_shell()], end="")
        raise typer.Exit


def install(is_wanted: bool) -> None:
    """Write the script for the shell that this runs in, and let the shell's start-up file read it."""
    if not is_wanted:
        return
    shell = current_shell()
    if shell == "fish":  # it reads this folder by itself
        script = _folder("XDG_CONFIG_HOME", ".config") / "fish" / "completions" / "dlexp.fish"
    else:
        script = _folder("XDG_DATA_HOME", ".local/share") / "dlexp" / f"completion.{shell}"
        startup = (_folder("ZDOTDIR", ".") if shell == "zsh" else Path.home()) / f".{shell}rc"
        line = f"source '{script}'\n"
        old = startup.read_text(encoding="utf-8", errors="surrogateescape") if startup.exists() else ""
        if line not in old:
            text = f"{old}{'' if old.endswith(chr(10)) or not old else chr(10)}{line}"
            startup.write_text(text, encoding="utf-8", errors="surrogateescape")
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(SCRIPTS[shell])
    print(f"{shell} completion is in {script}; open a new terminal to have it")
    raise typer.Exit


def _folder(variable: str, otherwise: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / otherwise)


def current_shell() -> str:
    """Return the shell that this process was started from, by its ancestors' names.

    Raises:
        ConfigError: None of them is a shell whose completion is known.
    """
    import psutil

    from dlexp.error import ConfigError

    names = [process.name().lstrip("-").removesuffix(".exe") for process in psutil.Process().parents()]
    shell = next((name for name in names if name in SCRIPTS), None)
    if shell is None:
        raise ConfigError(f"completion: got no shell among {', '.join(names)}; run it in {', '.join(SCRIPTS)}")
    return shell
