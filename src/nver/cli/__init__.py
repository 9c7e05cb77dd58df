"""The command line: one command a file, imported when it is called; no logic in it."""

import io
import os
import shlex
import signal
import stat
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

import click

from nver.cli.options import example
from nver.errors import NverError, UsageError, unknown_name
from nver.machine.full_disk import full_disk_error
from nver.machine.signals import Stopped, raising_stopped
from nver.registry import VERSION

# name -> its line in `nver --help`, which so imports none of the commands
COMMANDS = {
    "demo": "Run the main job on a small synthetic corpus.",
    "corpus": "Show what is in your recordings, or in a known corpus.",
    "run": "Extract, cross-validate, report: your recordings, or a recipe.",
    "init": "Write a commented recipe for your recordings.",
    "doctor": "Show what is installed, what is missing, and where nver writes.",
    "predict": "Say what recordings may mean, by a trained model.",
    "train": "Train one classifier into a model folder.",
    "report": "Make tables and plots again from saved predictions.",
    "status": "Show how far a run is.",
    "list": "List the known corpora, encoders or classifiers.",
    "extract": "Compute embeddings of a corpus into the store.",
    "store": "Look after the embedding store.",
    "pretrain": "Train an Audio-Mamba encoder of your own.",
    "convert": "Convert an Audio-Mamba checkpoint to safetensors.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]  # `list` is the module of `nver list` here, once it is imported

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            raise no_command(cmd_name)
        command: click.Command = import_module(f"nver.cli.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`nver help COMMAND` is `nver COMMAND --help`."""
        asked = args[:1] == ["help"]
        return super().parse_args(ctx, [*args[1:], "--help"] if asked else args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a pipe that closes early (`nver list encoders | head`) is no failure."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _silence(sys.stdout)
            ctx.exit(0)
        return result


def no_command(word: str) -> UsageError:
    """The error for a word that is no command: a path may be what a command is for."""
    path = Path(word)
    if not path.exists():
        return unknown_name("command", word, COMMANDS)
    fit = ["run"] if path.suffix.lower() == ".toml" else ["corpus", "run", "predict"]
    commands = ", ".join(shlex.join(["nver", command, word]) for command in fit)
    return UsageError(f"{word!r} is no command; what is there can be given to one: {commands}")


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example(
        "nver demo", "nver corpus my-recordings", "nver run my-recordings", "nver help run"
    ),
)
@click.version_option(VERSION, "-V", "--version", prog_name="nver")
def cli() -> None:
    """Recognise emotion in non-verbal voice; compare embeddings and classifiers on recordings.

    Exit codes: 0 done, 1 failed, 2 bad usage, 130 interrupted, 143 or 129 stopped by SIGTERM or
    SIGHUP.
    """


def main(args: list[str] | None = None) -> None:
    """Entry point: every error becomes a message and an exit code, never a traceback."""
    _open_standard_streams()
    if args is None:
        _write_whole_to_files()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may be no UTF-8
    with raising_stopped():
        code = _run(args)
    sys.exit(code if isinstance(code, int) else 0)


class WholeWriter(io.FileIO):
    """A file that takes all that is written, or raises: Python loses the rest of a part."""

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        while left and (written := super().write(left)):
            left = left[written:]
        return size - len(left)


def _write_whole_to_files() -> None:
    """Let standard output say it where it is a file on a disk that becomes full."""
    try:
        number = sys.stdout.fileno()
        is_file = stat.S_ISREG(os.fstat(number).st_mode)
    except (OSError, ValueError):
        return
    if is_file:
        raw = io.BufferedWriter(WholeWriter(number, "w", closefd=False))
        sys.stdout = io.TextIOWrapper(raw, encoding=sys.stdout.encoding)


def _open_standard_streams() -> None:
    """Let what is said vanish where a stream was closed (`>&-`), and no file take its number."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 (open as long as we are)


def _run(args: list[str] | None) -> Any:
    """Call the command, and return its exit code, or what it returned."""
    try:
        return cli(args=args, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.MissingParameter) and error.ctx and error.ctx.command.epilog:
            click.echo("\n".join(error.ctx.command.epilog.splitlines()[1:]), err=True)
        return error.exit_code
    except NverError as error:
        full = full_disk_error(error)
        return _say(str(full or error), 2 if isinstance(error, UsageError) and not full else 1)
    except (click.Abort, KeyboardInterrupt) as error:
        return _say_stopped(error)
    except Exception as error:
        if os.environ.get("NVER_DEBUG"):
            raise
        what = str(full_disk_error(error) or f"{_told(error)} (NVER_DEBUG=1 shows where)")
        return _say(what, 1)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _say_stopped(error: BaseException) -> int:
    """Say which signal stopped the command; click raises its own error from ours."""
    cause = error if isinstance(error, Stopped) else error.__cause__ or error.__context__
    if not isinstance(cause, Stopped) or cause.number == signal.SIGINT:
        return _say("interrupted; what was finished is kept", 130)
    return _say(f"stopped by {cause}; what was finished is kept", 128 + cause.number)


def _say(message: str, code: int) -> int:
    """Say why it ended, on a terminal that may be gone, or into a file on a full disk."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
            if stream is sys.stderr:
                click.echo(f"nver: {message}", err=True)
        except OSError:
            _silence(stream)
    return code


def _silence(stream: TextIO) -> None:
    """Let what is still to be written to a stream vanish, also when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
