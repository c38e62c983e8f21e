"""The command line: ``holdfast verify | list | show | solve | chance | poison | check | ...``.

Its exit codes are `ExitCode`; ``holdfast --help`` explains them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from holdfast.verify.campaign.streams import protect, release

from . import endings
from .old_spellings import in_new_spelling

_COMPLETE = "_HOLDFAST_COMPLETE"
_LAST = "Files and installation"
COMMANDS = {
    "verify": ("Check theorems", "verifying", "Check theorems on random models and on real ones."),
    "hunt": (
        "Check theorems", "hunting",
        "Search for the model on which a theorem is tightest, or false.",
    ),
    "campaign": (
        "Check theorems", "campaign",
        "Run verify under a name: run, status, resume, export, plan.",
    ),
    "diff": (
        "Check theorems", "differing", "Say what changed from one run to another.",
    ),
    "atlas": ("Check theorems", "atlas", "Hunt many theorems, and say how tight each is."),
    "suggest": (
        "Check theorems", "suggesting", "Suggest a sharper constant for a theorem.",
    ),
    "list": ("Check theorems", "looking", "List the theorems."),
    "show": (
        "Check theorems", "looking",
        "Show one theorem: statement, assumptions, source, mutants, findings.",
    ),
    "new": ("Check theorems", "writing", "Begin a theorem of your own: claims, test and notebook."),
    "report": ("Check theorems", "writing", "Examine a statement, and write an appendix in LaTeX."),
    "train": (
        "Train networks", "training", "Train networks for the claims; finished runs are kept.",
    ),
    "ladder": (
        "Train networks", "ladder",
        "Show exact values, algorithms and networks under one theorem side by side.",
    ),
    "check": (_LAST, "looking", "Check certificates with the kernel, in a fresh process."),
    "doctor": (_LAST, "looking", "Say whether this installation can be relied on."),
    "errata-set": (_LAST, "writing", "Write questions with answers, each with what decides it."),
}  # fmt: skip
"""Name -> (group in ``--help``, module of this folder, what it is for), as each pillar has them."""


@cache
def _commands() -> dict[str, tuple[str, str, str]]:
    """Name -> (group, module, what it is for); after those of this folder the pillars' own."""
    folders = sorted(Path(__file__).resolve().parents[1].glob("*/commands"))
    pillars = [
        import_module(f"holdfast.verify.{folder.parent.name}.commands") for folder in folders
    ]
    return {
        name: (group, f"{package.__name__}.{module}", text)
        for package in (sys.modules[__name__], *pillars)
        for name, (group, module, text) in package.COMMANDS.items()
    }


class _Lazy(click.Group):
    """Loads a command's module when the command is used, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _commands():
            return None
        module = import_module(_commands()[cmd_name][1])
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, (group, _, text) in _commands().items():
            groups.setdefault(group, []).append((name, text))
        width = max(map(len, _commands()))
        for group in sorted(groups, key=_LAST.__eq__):
            with formatter.section(group):
                formatter.write_dl([(name.ljust(width), text) for name, text in groups[group]])
        with formatter.section("Exit codes"):
            formatter.write_dl(list(EXIT_CODES.items()))


EXIT_CODES = {
    "0": "all as expected",
    "1": "a violation: a statement that should hold is false, or one that should be false holds",
    "2": "undecided, nothing was tested, a training diverged, or a tuning contradicts its model",
    "3": "a mutant survived: the check would not notice a false variant of a theorem",
    "4": "the kernel rejected a certificate",
    "64": "bad usage: an option, a path, a model, a claim or a store that cannot be used",
    "69": "doctor: this installation cannot be relied on",
    "70": "internal error, or out of memory; HOLDFAST_TRACEBACK=1 shows the traceback",
    "74": "the system refused, such as a full disk, or a cluster was lost",
    "75": "tune: the program that is observed failed; the same command goes on",
    "130": "interrupted by Ctrl-C; 143 by SIGTERM",
    "141": "nobody reads the output any more, such as after | head",
}
"""Exit code -> its meaning, for --help.  From 64 on nothing was decided."""


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="holdfast")
def application() -> None:
    """Does the bound hold?  Check theorems of safe reinforcement learning and LLM alignment on
    exact models, solve constrained models with certificates, and measure how robust preference data
    are to poisoning."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with the documented code."""
    endings.mend_streams()
    signals = endings.Signals()
    streams = sys.stdout, sys.stderr
    with signals.handled():
        for stream in streams:
            protect(stream)
        code = _run(sys.argv[1:] if arguments is None else arguments)
    for stream in streams:
        release(stream)
    code = signals.code(endings.flushed(code))
    endings.watch_the_end(code)
    raise SystemExit(code)  # not sys.exit, which a file of claims may have replaced


def _run(arguments: Sequence[str]) -> int:
    """The exit code.  Not click's `main`, which ends a broken pipe with 1."""
    try:
        if asked := os.environ.get(_COMPLETE):  # the shell asks for completions
            from click.shell_completion import shell_complete

            return shell_complete(application, {}, "holdfast", _COMPLETE, asked)
        with application.make_context("holdfast", in_new_spelling(arguments)) as context:
            return int(application.invoke(context) or 0)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except BaseException as error:
        return endings.explain(error)
