"""``list``, ``show``, ``check`` and ``doctor``: commands that only look."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.visible import one_line

from ..terminal.options import STORE, Time, json_option, refuse_idle, store_option
from ..terminal.targets import check_targets

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
@json_option
@click.option(
    "--standalone",
    metavar="FILE.py",
    help="Only write the counterexample of a statement that is refuted as printed, as a file that "
    "computes both sides again in a Python without holdfast.",
)
@click.option(
    "--lean",
    metavar="FILE.lean",
    help="Only write the arithmetic of such a counterexample, for Lean 4 with Mathlib.",
)
def show_command(
    label: str, path: str, json_path: str | None, standalone: str | None, lean: str | None
) -> int:
    """Show one theorem: statement, assumptions, source, proof, its files, mutants, last findings.

    LABEL may be a pattern, a file of your own claims, or one of them as in mine.py::area/name.
    """
    from holdfast.verify.report.json_report import theorem_document
    from holdfast.verify.report.page import theorem_page

    from ..terminal import output
    from .selection import select

    check_targets([("--json", json_path)], {"the store": path, "the claims": label})
    claims = select([label])
    if standalone is not None or lean is not None:
        refuse_idle(["path", "json_path"], "is of no use to --standalone and --lean, which only "
                    "write their files; leave it out")  # fmt: skip
        return _write_counterexample(label, standalone, lean)
    findings = _last_findings(claims, path)
    by_theorem: dict[str, list[Claim]] = {}
    for claim in claims:
        by_theorem.setdefault(claim.theorem.label, []).append(claim)
    documents = []
    for mine in by_theorem.values():
        found = [finding for claim in mine for finding in findings[claim.name]]
        output.console().print(theorem_page(mine[0].theorem, mine, found))
        documents.append(theorem_document(mine[0].theorem, mine, found))
    _write("show", {"theorems": documents}, json_path)
    return ExitCode.AS_EXPECTED


def _write(command: str, document: dict[str, Any], path: str | None) -> None:
    """What the command found, with the name of its shape, where ``--json`` asks for it."""
    if path is not None:
        from ..terminal import output
        from ..terminal.json_files import write_json

        write_json({"schema": f"holdfast-{command}/1", **document}, path)
        output.console().print(f"answer: {output.plain(path)}", highlight=False)


def _write_counterexample(label: str, standalone: str | None, lean: str | None) -> int:
    """Both texts are made before one is written."""
    from holdfast.solvers.whole_files import write_text
    from holdfast.verify.report.exports.lean import lean as for_lean
    from holdfast.verify.report.standalone.files import standalone as for_python

    from ..terminal import output
    from .selection import one

    asked = [
        ("--standalone", standalone, ".py", for_python, "run it with: python "),
        ("--lean", lean, ".lean", for_lean, "check it in a project with Mathlib: lake env lean "),
    ]
    texts = []
    check_targets([(option, file) for option, file, *_ in asked])
    for option, file, suffix, text_of, use in asked:
        if file is not None:
            if Path(file).suffix != suffix:
                raise click.BadParameter(f"{option} {one_line(file)} is to end in {suffix}")
            texts.append((file, text_of(one(label)), use))
    for file, text, use in texts:
        write_text(file, text)
        output.console().print(
            f"wrote {output.plain(file)}; {use}{output.plain(file)}", highlight=False
        )
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
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--budget",
    type=Time(),
    default="1s",
    show_default=True,
    help="Time for each file, beyond what its size earns it, such as 60s: for large certificates "
    "whose source you know. What needs more is rejected.",
)
@json_option
@click.option(
    "--vipr",
    "folder",
    metavar="FOLDER",
    help="Also write each certified optimum of a linear program, and each that is infeasible, as a "
    ".vipr file for other checkers, also those inside a counterexample.",
)
def check_command(
    files: Sequence[str], budget: float, json_path: str | None, folder: str | None
) -> int:
    """Check certificate FILES with the kernel, in a fresh process that loads no solver.

    That process runs the kernel by its own path, without this folder, the environment's paths and
    what is installed (python -I -S), so nothing that lies beside a certificate can take part.
    """
    from ..kernel import WORK

    check_targets(
        [("--json", json_path)], {f"certificate {n}": one for n, one in enumerate(files, 1)}
    )
    program = Path(__file__).resolve().parents[1] / "kernel" / "__main__.py"
    command = [sys.executable, "-I", "-S", str(program), "--work", str(int(budget * WORK))]
    if json_path is None:
        accepted = subprocess.run([*command, *files], check=False).returncode == 0
    else:
        found = [_report([*command, file], file) for file in files]
        accepted = all(one["accepted"] for one in found)
        _write("check", {"accepted": accepted, "certificates": found}, json_path)
    if not accepted:
        return ExitCode.CERTIFICATE_REJECTED
    if folder is not None:
        _write_vipr(files, folder)
    for line in (line for file in files for line in _printed(file)):
        click.echo(line)
    return ExitCode.AS_EXPECTED


def _write_vipr(files: Sequence[str], folder: str) -> None:
    """One .vipr file for each linear program in accepted certificates; all names are seen first."""
    from holdfast.solvers.whole_files import write_text
    from holdfast.verify.report.exports.vipr import KINDS, linear_programs, vipr

    from ..kernel.documents import load
    from ..terminal.targets import make_folder

    programs: list[tuple[str, str]] = []
    for file in files:
        found = list(linear_programs(document := load(file), Path(file).stem))
        if not found:
            raise click.BadParameter(
                f"--vipr: {one_line(file)} holds no certificate of a linear program; its kind "
                f"is {document['kind']}, and .vipr files are written of {', '.join(KINDS)}"
            )
        programs += [(str(Path(folder, f"{name}.vipr")), vipr(one)) for name, one in found]
    make_folder("--vipr", folder)
    check_targets([("--vipr", path) for path, _ in programs])
    for path, text in programs:
        if Path(path).exists() and Path(path).read_bytes() != text.encode():
            raise click.BadParameter(
                f"--vipr: {one_line(path)} is there with another text; name a new folder"
            )
    for path, text in programs:
        click.echo(f"wrote {one_line(str(write_text(path, text)))}")


def _report(command: Sequence[str], file: str) -> dict[str, Any]:
    """What the kernel's process prints of one file, printed and as data."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, errors="replace")
    click.echo(done.stdout, nl=False)
    first, *steps, conclusion = [line.strip() for line in done.stdout.splitlines()] or [""] * 2
    return {
        "file": file,
        "accepted": done.returncode == 0,
        "kind": first.rpartition(": ")[2],
        "steps": steps,
        "conclusion": conclusion,
    }


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
@json_option
def doctor_command(json_path: str | None) -> int:
    """Say whether this installation can be relied on, and what to do if not."""
    from holdfast.verify.cli import doctor

    from ..terminal import output

    check_targets([("--json", json_path)])
    checks = doctor.diagnose()
    sound = doctor.healthy(checks)
    doctor.show(checks, output.console())
    _write("doctor", {"sound": sound, "checks": list(map(asdict, checks))}, json_path)
    return ExitCode.AS_EXPECTED if sound else ExitCode.UNSOUND_INSTALLATION
