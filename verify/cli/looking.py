"""``list``, ``show``, ``check`` and ``doctor``: commands that only look."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from holdfast.verify.campaign.exit_codes import ExitCode

from ..terminal.options import STORE, Time, store_option

if TYPE_CHECKING:
    from ..binding.claims import Claim
    from ..engine.finding import Finding


@click.command()
@click.argument("patterns", nargs=-1)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON instead of a table: id, pillar, standing, source, statement, assumptions, "
    "named mutants and commands of each claim.",
)
def list_command(patterns: Sequence[str], as_json: bool) -> int:
    """List the theorems whose label matches a PATTERN, or all of them."""
    from ..terminal import output
    from .selection import select

    if as_json and (files := [name for name in patterns if name.endswith(".json")]):
        raise click.UsageError(
            f"--json prints, and takes no file; write holdfast list --json > {files[0]}"
        )
    claims = select(patterns)
    if as_json:
        from holdfast.verify.report.json_report import listed

        click.echo(json.dumps(listed(claims), indent=1))
        return ExitCode.AS_EXPECTED
    table = Table("label", "title", "source", "standing, provenance")
    table.columns[0].no_wrap = True
    for claim in claims:
        theorem = claim.theorem
        table.add_row(
            claim.name,
            theorem.title,
            str(theorem.source),
            f"{theorem.standing.name.lower()}, {theorem.source.provenance.name.lower()}",
        )
    output.console().print(table)
    return ExitCode.AS_EXPECTED


@click.command()
@click.argument("label")
@store_option
@click.option(
    "--standalone",
    metavar="FILE.py",
    help="Only write the counterexample of a statement that is refuted as printed, as a file that "
    "computes both sides again in a Python without holdfast.",
)
def show_command(label: str, path: str, standalone: str | None) -> int:
    """Show one theorem: statement, assumptions, source, proof, its files, mutants, last findings.

    LABEL may be a pattern, a file of your own claims, or one of them as in mine.py::area/name.
    """
    from holdfast.verify.report.page import theorem_page

    from ..terminal import output
    from .selection import select

    claims = select([label])
    if standalone is not None:
        return _write_standalone(label, standalone, path)
    findings = _last_findings(claims, path)
    by_theorem: dict[str, list[Claim]] = {}
    for claim in claims:
        by_theorem.setdefault(claim.theorem.label, []).append(claim)
    for mine in by_theorem.values():
        found = [finding for claim in mine for finding in findings[claim.name]]
        output.console().print(theorem_page(mine[0].theorem, mine, found))
    return ExitCode.AS_EXPECTED


def _write_standalone(label: str, file: str, store: str) -> int:
    from holdfast.solvers.whole_files import write_text
    from holdfast.verify.report.standalone.files import standalone

    from ..terminal import output
    from ..terminal.targets import check_targets
    from .selection import one

    if store != STORE:
        raise click.UsageError("--standalone reads no store; leave --store out")
    if Path(file).suffix != ".py":
        raise click.BadParameter(f"--standalone {output.plain(file)} is to end in .py")
    check_targets([("--standalone", file)])
    text = standalone(one(label))
    write_text(file, text)
    output.console().print(f"wrote {output.plain(file)}; run it with: python {output.plain(file)}")
    return ExitCode.AS_EXPECTED


def _last_findings(claims: Sequence[Claim], path: str) -> dict[str, list[Finding]]:
    """The last few findings of each claim in the store, if there is one."""
    from holdfast.verify.store.store import Store

    from ..terminal import output

    if Path(path).exists():
        with Store.read(path) as store:
            return {claim.name: list(store.findings(claim.name, 5)) for claim in claims}
    if path != STORE:
        output.console().print(f"note: there is no store {output.plain(path)}; verify writes it")
    return {claim.name: [] for claim in claims}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option(
    "--budget",
    type=Time(),
    default="1s",
    show_default=True,
    help="Time for each file, beyond what its size earns it, such as 60s: for large certificates "
    "whose source you know. What needs more is rejected.",
)
def check_command(files: Sequence[str], budget: float) -> int:
    """Check certificate FILES with the kernel, in a fresh process that loads no solver.

    That process runs the kernel by its own path, without this folder, the environment's paths and
    what is installed (python -I -S), so nothing that lies beside a certificate can take part.
    """
    from ..kernel import WORK

    program = Path(__file__).resolve().parents[1] / "kernel" / "__main__.py"
    command = [sys.executable, "-I", "-S", str(program), "--work", str(int(budget * WORK))]
    done = subprocess.run([*command, *files], check=False)
    if done.returncode == 0:
        for line in (line for file in files for line in _printed(file)):
            click.echo(line)
        return ExitCode.AS_EXPECTED
    return ExitCode.CERTIFICATE_REJECTED


def _printed(file: str) -> Iterator[str]:
    """What the notes of a certificate say of the source; the kernel does not read them."""
    try:
        notes = json.loads(Path(file).read_text(encoding="utf-8"))["notes"]
        found = [[str(one[key]) for key in ("text", "met", "shown")] for one in notes["printed"]]
        claim = str(notes["claim"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    yield f"{file}: what the source of {claim} prints, and how this case meets it, as its notes say"
    for text, met, shown in found:
        line = f"  {text} {met}".rstrip() + (f" [{shown}]" if shown else "")
        yield "".join(one if one.isprintable() else "?" for one in line)


@click.command()
def doctor_command() -> int:
    """Say whether this installation can be relied on, and what to do if not."""
    from holdfast.verify.cli import doctor

    from ..terminal import output

    checks = doctor.diagnose()
    doctor.show(checks, output.console())
    return ExitCode.AS_EXPECTED if doctor.healthy(checks) else ExitCode.UNSOUND_INSTALLATION
