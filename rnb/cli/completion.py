"""`rnb completion`, and what the shells ask: commands, options, files, and the cells of the notebook on the line."""

from __future__ import annotations

import os

import click
from click.shell_completion import CompletionItem, get_completion_class

VARIABLE = "_RNB_COMPLETE"  # click's own: set by the shell's function when it asks
PATHS = ("FILE", "FOLDER", "CSV", "DIR-OR-URL")  # what options that take a path call it
WORDS = ("run", "shell")  # arguments that are no paths
CELLS = ("only", "cell")
PLACES = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/rnb.fish"}


@click.command()
@click.argument("shell", type=click.Choice(list(PLACES)))
def command(shell: str) -> int:
    """Print what makes a shell complete rnb's commands, options, files and cells.

    bash: add the line `eval "$(rnb completion bash)"` to ~/.bashrc; zsh: the same in ~/.zshrc with zsh; fish: write the
    output to ~/.config/fish/completions/rnb.fish.

    \b
    Example: rnb completion fish > ~/.config/fish/completions/rnb.fish
    """
    from rnb.cli.main import rnb

    found = get_completion_class(shell)
    assert found is not None
    # not `source()`, which asks bash for its version: the script itself works wherever it is sourced
    maker = found(rnb, {}, "rnb", VARIABLE)
    click.echo(maker.source_template % maker.source_vars())
    return 0


def completing(command: click.Command) -> None:
    """Tell a command's parameters what may stand for them. Called only when a shell asks."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            completing(below)
    for param in command.params:
        if param.name in CELLS:
            param.type = Cells()
        elif param.name == "code":
            from rnb.host.explain import pages

            param.type = click.Choice(list(pages()))
        elif param.metavar in PATHS or (isinstance(param, click.Argument) and param.name not in WORDS):
            param.type = click.Path()


class Cells(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic in newer ones only
    """A cell of the notebooks that stand on the line, with the first line of what it says about itself."""

    name = "cell"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from rnb.host.source import read_bytes, read_notebook

        found = []
        written = ctx.meta.get("rnb.args", ())  # a line that ends in an option is not parsed into parameters
        for path in ctx.params.get("notebooks") or [ctx.params.get("notebook"), *written]:
            if not path or path == "-" or not os.path.isfile(path):
                continue
            for cell in read_notebook(read_bytes(path) or b"", path).cells:
                if cell.id.startswith(incomplete):
                    says = cell.doc.strip().partition("\n")[0] or cell.kind
                    found.append(CompletionItem(cell.id, help=says))
        return found
