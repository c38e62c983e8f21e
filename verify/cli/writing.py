"""``new``, ``report`` and ``errata-set``: commands that write files for people to go on with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from holdfast.solvers.errors import ModelError
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.visible import one_line

from ..terminal.options import Whole, seed_option
from ..terminal.targets import MEMORY, check_targets, make_folder

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TEX = re.compile(r"[A-Za-z0-9_.-]+\.tex")
_LONGEST = 40
"""Letters of a name, which becomes a label and the name of files."""


@click.group()
def new_command() -> None:
    """Begin something of your own."""


@new_command.command("theorem")
@click.argument("name")
@click.option(
    "--folder", default=".", show_default=True, type=click.Path(), help="Folder for the files."
)
def new_theorem(name: str, folder: str) -> int:
    """Write NAME_claims.py, test_NAME.py and NAME.ipynb: a theorem of your own to begin with.

    They run as they are, with a toy statement that is true. NAME is in small letters, digits and
    hyphens, such as slater-slack; files have underscores for hyphens. Nothing is overwritten.
    """
    import jinja2

    from ..terminal import output

    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise click.BadParameter(
            f"NAME {one_line(name[:_LONGEST])!r} is to be small letters, digits and single "
            f"hyphens, such as slater-slack, at most {_LONGEST}, and to begin with a letter"
        )
    stem = name.replace("-", "_")
    module = f"{stem}_claims"
    stubs = {
        f"{module}.py": "claims.py.jinja",
        f"test_{stem}.py": "test.py.jinja",
        f"{stem}.ipynb": "notebook.ipynb.jinja",
    }
    loader = jinja2.FileSystemLoader(Path(__file__).with_name("stubs"))
    templates = jinja2.Environment(
        loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    texts = {
        file: templates.get_template(stub).render(name=name, module=module)
        for file, stub in stubs.items()
    }
    _write_new(texts, Path(folder), "--folder")
    console = output.console()
    where = "" if folder == "." else f"cd {output.plain(shlex.quote(folder))} && "
    for line in (
        f"{where}holdfast verify {module}.py --budget 50",
        f"{where}pytest test_{stem}.py",
        f"{where}jupyter lab {stem}.ipynb",
    ):
        console.print(f"try: {line}", highlight=False, soft_wrap=True)
    return ExitCode.AS_EXPECTED


@click.command()
@click.argument("folder", type=click.Path())
def errata_set_command(folder: str) -> int:
    """Write questions about statements, true and false, into FOLDER, with files that decide them.

    Half of the answers are true. Every question is decided again while it is written, which takes
    about a minute.
    """
    from ..report.exports.errata_set import errata_set
    from ..terminal import output

    _refuse_present(
        ["README.txt", "questions.jsonl", "answers.jsonl", "checks"], Path(folder), "FOLDER"
    )
    console = output.console()
    with console.status("deciding every question"):
        texts = errata_set()
    _write_new(texts, Path(folder), "FOLDER")
    return ExitCode.AS_EXPECTED


@click.command()
@click.argument("label")
@click.option(
    "--latex",
    "file",
    required=True,
    metavar="FILE.tex",
    help="File to write; a figure goes beside.",
)
@click.option(
    "--budget",
    type=Whole(1, 10**6),
    default=100,
    show_default=True,
    help="Number of random models to examine.",
)
@seed_option
def report_command(label: str, file: str, budget: int, seed: int) -> int:
    """Examine one statement, and write what came of it as LaTeX for an appendix.

    LABEL may be of the catalogue, or of a file of yours as in mine.py::area/name. The file has the
    statement, its assumptions, the verdict with the number of models and its grade, the mutants,
    the counterexample if there is one, and a histogram of the slack, FILE.pdf, where the sides
    differ. The exit code is that of verify.
    """
    from holdfast.solvers.whole_files import write_text
    from holdfast.verify.campaign.schedule import Budget
    from holdfast.verify.report.exports.latex import histogram, latex
    from holdfast.verify.search.refutations import examine

    from ..terminal import output
    from ..terminal.certificates import FOLDER
    from .selection import one

    path = Path(file)
    figure = path.with_suffix(".pdf")
    if not _TEX.fullmatch(path.name):
        raise click.BadParameter(
            f"--latex {one_line(file)} is to end in .tex, its name of letters, digits, dots, "
            "hyphens and underscores alone, for LaTeX is to find the figure by it"
        )
    check_targets([("--latex", file), ("--latex", str(figure))], {"the claims": label})
    claim = one(label)
    if claim.trained:
        raise click.BadParameter(
            f"{claim.name} is about trained networks, which take a training run for each case; "
            f"holdfast verify '{claim.name}' --budget 3 --html FOLDER reports on them"
        )
    console = output.console()
    with console.status("examining"):
        found = examine(
            [claim],
            budget=Budget(models=budget),
            seed=seed,
            store=MEMORY,
            certificates=Path(FOLDER),
        )
    (examined,) = found.claims
    if examined.error:
        raise ModelError(f"{claim.name}: the claim is faulty: {examined.error}")
    drawn = histogram(examined, figure)
    command = f"holdfast verify {label} --budget {budget} --seed {seed}"
    counterexample = found.counterexamples.get(claim.name)
    write_text(file, latex(examined, command, counterexample, figure.name if drawn else ""))
    for written in [path, figure] if drawn else [path]:
        console.print(f"wrote {output.plain(written)}", highlight=False, soft_wrap=True)
    return found.exit_code


def _write_new(texts: Mapping[str, str], folder: Path, option: str) -> None:
    """Write files that are not there yet, all or none, and say which; many in a folder as one."""
    from holdfast.solvers.whole_files import write_text

    from ..terminal import output

    _refuse_present(texts, folder, option)
    for parent in {(folder / file).parent for file in texts}:
        make_folder(option, parent)
    check_targets([(option, str(folder / file)) for file in texts])
    for file, text in texts.items():
        write_text(folder / file, text)
    places = dict.fromkeys(folder / Path(file).parts[0] for file in texts)
    for place in places:
        output.console().print(f"wrote {output.plain(place)}", highlight=False, soft_wrap=True)


def _refuse_present(files: Iterable[str], folder: Path, option: str) -> None:
    for file in files:
        if (folder / file).exists() or (folder / file).is_symlink():
            raise click.BadParameter(
                f"{option}: {one_line(str(folder / file))} is there, and is not overwritten; "
                "choose another name or folder, or move it away"
            )
