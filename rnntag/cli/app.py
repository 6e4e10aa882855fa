"""The command line: its commands, their help and their exit codes."""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rnntag.cli import advice
from rnntag.cli.arguments import FilesCommand
from rnntag.cli.bulk import bulk
from rnntag.cli.compare import compare
from rnntag.cli.corpora import corpora
from rnntag.cli.evaluate import evaluate
from rnntag.cli.explain import explain
from rnntag.cli.export import export
from rnntag.cli.history import history
from rnntag.cli.models import models
from rnntag.cli.pretrain import pretrain
from rnntag.cli.score import score
from rnntag.cli.signals import INTERRUPTED
from rnntag.cli.similar import similar
from rnntag.cli.tag import tag
from rnntag.cli.train import train
from rnntag.cli.train_segmenter import train_segmenter
from rnntag.errors import AccessError, NotFoundError, RnntagError, UsageError
from rnntag.terminal import console
from rnntag.version import __version__

# Without it torch's threads spin while they wait: training beside two busy processes on two cores took 40 times longer.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# NumPy needs no threads here, and `tagging.parallel` forks.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_TO_TRAIN = ("torch", "nltk", "filelock")
"""Packages that an installation which only tags may lack."""

_UsageError: Any = typer.BadParameter.__base__  # Typer's own, which it does not export


class Commands(TyperGroup):
    """Turns each failure into an exit code and a line on stderr, or a line for each fault."""

    def main(self, *args: Any, **options: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # characters that the terminal's encoding lacks
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
            if sys.stdout:
                sys.stdout.flush()
        except BrokenPipeError:
            code = _quietly()
        except (KeyboardInterrupt, typer.Abort):
            code = INTERRUPTED
        except OSError as error:
            _report(f"{error.filename or 'output'}: {error.strerror}")
            code = AccessError.exit_code
        except _UsageError as error:
            _report(f"{error.format_message()} See '{error.ctx.command_path if error.ctx else 'rnntag'} --help'.")
            code = UsageError.exit_code
        except Exception as error:
            if os.environ.get("RNNTAG_DEBUG"):
                raise
            if isinstance(error, ModuleNotFoundError) and error.name in _TO_TRAIN:
                _report(f"this needs {error.name}, which is not installed: pip install {' '.join(_TO_TRAIN)}")
                code = NotFoundError.exit_code
            else:
                _report(f"internal error: {type(error).__name__}: {error}; set RNNTAG_DEBUG=1 to see the traceback")
                code = RnntagError.exit_code
        gc.freeze()  # else Python collects garbage once more before it exits
        sys.exit(code)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # which Typer would end with code 1
            raise typer.Exit(_quietly()) from None
        except RnntagError as error:
            for line in advice.lines(error, self.get_command(ctx, ctx.invoked_subcommand)):
                _report(line)
            raise typer.Exit(error.exit_code) from None


def _report(error: str) -> None:
    try:
        console.error(error)
    except OSError:  # the exit code tells
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _quietly() -> int:
    """End after the reader of a pipe has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python reports stdout's error once more at exit
    return 0


app = typer.Typer(
    cls=Commands,
    invoke_without_command=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="""Tag words with their parts of speech, using recurrent neural networks.

    Run `rnntag COMMAND --help` for the options of a command
    and for examples.

        rnntag tag "我 吃 苹果"

        rnntag train --cell lstm

        cat text.txt | rnntag tag --model lstm
    """,
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 65 bad input, 66 not found, 74 cannot read or write, "
    "130 interrupted, 143 terminated.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rnntag {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


_USE = "Use a model"
_MAKE = "Make a model"
app.command(rich_help_panel=_USE, cls=FilesCommand)(tag)
app.command(rich_help_panel=_USE)(bulk)
app.command("eval", rich_help_panel=_USE)(evaluate)
app.command(rich_help_panel=_USE)(explain)
app.command(rich_help_panel=_USE, cls=FilesCommand)(score)
app.command(rich_help_panel=_USE)(similar)
app.command(rich_help_panel=_USE)(models)
app.command(rich_help_panel=_USE)(history)
app.command(rich_help_panel=_MAKE)(train)
app.command(rich_help_panel=_MAKE)(train_segmenter)
app.command(rich_help_panel=_MAKE)(pretrain)
app.command(rich_help_panel=_MAKE)(compare)
app.command(rich_help_panel=_MAKE)(export)
app.command(rich_help_panel=_MAKE)(corpora)
