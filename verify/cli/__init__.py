"""The command line: ``holdfast verify | list | show | solve | export | check | hunt | poison ...``.

Exit codes: 0 all as expected, 1 a violation, 2 undecided, 3 a mutant survived, 4 a certificate
rejected, 64 bad usage (a command, a model, a claim or a store that cannot be used).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from holdfast.verify.summary import ExitCode

_COMMANDS = {
    "verify": ("verifying", "Examine theorems on drawn models and on real ones."),
    "list": ("looking", "List the theorems."),
    "show": ("looking", "Show one theorem: statement, assumptions, source, mutants, findings."),
    "solve": ("solving", "Solve a constrained model exactly and certify the answer."),
    "export": ("exporting", "Write a model as PRISM's explicit files, or as .json or .npz."),
    "check": ("looking", "Check certificates with the kernel, in a fresh process."),
    "hunt": ("hunting", "Search for the model on which a theorem is tightest, or false."),
    "poison": ("poisoning", "Measure how robust the labels of preference data are."),
    "poison-synthetic": ("poisoning_synthetic", "The same on made-up data: tables and a picture."),
    "doctor": ("looking", "Say whether this installation can be relied on."),
}


class _Lazy(click.Group):
    """Loads a command's module when the command is used, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"{__name__}.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="holdfast")
def application() -> None:
    """Does the bound hold?  Theorems of safe reinforcement learning, checked on exact models."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the documented code."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code: Any = application.main(arguments, prog_name="holdfast", standalone_mode=False)
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return ExitCode.BAD_USAGE
    except (click.Abort, KeyboardInterrupt) as stop:
        reason = str(stop) or str(stop.__cause__ or "")  # click turns Ctrl-C into a bare Abort
        click.echo(f"\nholdfast: {reason or 'interrupted'}", err=True)
        return 130
    except OSError as error:
        click.echo(f"Error: {error}; choose a path that can be read and written", err=True)
        return ExitCode.BAD_USAGE
    except Exception as error:
        if type(error).__name__ == "LimitReachedError":
            click.echo(f"Undecided: {error}", err=True)
            return ExitCode.UNDECIDED
        if type(error).__name__ not in _EXPLAINED:
            raise
        click.echo(f"Error: {error}", err=True)
        return ExitCode.BAD_USAGE


_EXPLAINED = {
    "BudgetError",
    "CampaignError",
    "ClaimError",
    "ModelError",
    "OutOfScope",
    "PlanError",
    "StoreError",
}
"""Errors whose message says what is wrong and what to do, so that no traceback is wanted."""
