"""``holdfast audit-trainer``: which closed form the fixed point of a loss obeys."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import click

from holdfast.solvers.alignment.audits.trainers import Finding, examine_groups, examine_pairs
from holdfast.solvers.errors import ModelError
from holdfast.verify.binding.user_code import TooLong, blamed, limited
from holdfast.verify.binding.values import ClaimError
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.numbers import count

from ...terminal import output
from ...terminal.options import Time, json_option
from ...terminal.targets import check_targets
from .answers import console_beside, file_of, write_beside
from .audit_forms import theorem_of

_VALUES = {"true": True, "True": True, "false": False, "False": False, "None": None}
_LIBRARIES = {"trl": ("trl", "datasets", "transformers"), "sb3": ("stable_baselines3",)}


@click.command(name="audit-trainer")
@click.argument("trainer", metavar="PATH.py:FACTORY")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Argument of the "
              "factory; of trl: and sb3: a setting of the trainer's configuration, such as "
              "scale_rewards='none'.")  # fmt: skip
@click.option("--budget", type=Time(), default="10m", show_default=True, help="Time for all "
              "of it, such as 60s or 2m.")  # fmt: skip
@json_option
def audit_trainer_command(
    trainer: str, settings: Sequence[str], budget: float, json_path: str | None
) -> int:
    """Say which closed form the expected update of a loss, and its fixed point, obeys.

    PATH.py:FACTORY names a function of your file that returns the loss: a function of a batch, or
    an object with a method loss(batch); docs/how-to/audit.md has both and what a batch holds. Or
    one of trl:GRPOTrainer, trl:RLOOTrainer, trl:DPOTrainer, trl:KTOTrainer and sb3:PPO, as they are
    installed. All groups of responses of a small bandit are enumerated, so that nothing is random.
    """
    where, colon, name = trainer.rpartition(":")
    if not colon or not where:
        raise click.BadParameter(
            f"{trainer[:80]!r} is not PATH.py:FACTORY, such as loss.py:make, nor trl:GRPOTrainer"
        )
    check_targets(
        [("--json", file_of(json_path))], {} if where in _LIBRARIES else {"the file": where}
    )
    options = _settings(settings)
    _require(*_LIBRARIES.get(where, ()), "torch")
    found = _found(trainer, where, name, options, budget)
    console = console_beside(json_path)
    console.print(f"[bold]{output.plain(trainer)}[/bold]", highlight=False)
    for one in found:
        console.print(_line(one), highlight=False)
    faults = [one for one in found if one.fault]
    whole = f"{len(faults)} of {len(found)} findings contradict what a closed form asks for"
    console.print(whole if faults else "nothing contradicts a closed form", highlight=False)
    undecided = [one for one in found if one.open]
    if undecided:
        console.print(f"{count(len(undecided), 'finding')} undecided", highlight=False)
    document = {
        "trainer": trainer, "settings": options, "findings": list(map(_row, found)),
        "faults": [one.check for one in faults], "open": [one.check for one in undecided],
    }  # fmt: skip
    write_beside(console, document, json_path)
    if faults:
        return ExitCode.VIOLATION
    return ExitCode.UNDECIDED if undecided else ExitCode.AS_EXPECTED


def _found(
    trainer: str, where: str, name: str, options: dict[str, Any], budget: float
) -> list[Finding]:
    """What the file prints goes beside the answer."""
    try:
        with redirect_stdout(sys.stderr), limited(budget):
            if where in _LIBRARIES:
                return _of_library(where, name, options)
            return _of_file(Path(where), name, options)
    except TooLong as error:
        raise ModelError(f"{trainer} {error}; give it more time with --budget") from error
    except ClaimError as error:
        if isinstance(error.__cause__, TooLong):
            raise ClaimError(f"{error}\ngive it more time with --budget, or see to it") from error
        raise


def _line(one: Finding) -> str:
    label = theorem_of(one)
    against = f" ({'against' if one.fault else 'by'} {label})" if label else ""
    mark = "[bold red]contradiction[/bold red]: " if one.fault else ""
    off = f"; off by {one.distance:.2g}, rounding allows {one.bound:.2g}"
    off = off if one.bound and not one.open else ""
    return f"{one.check}: {mark}{output.plain(one.words)}{against}{off}"


def _row(one: Finding) -> dict[str, Any]:
    return {
        "check": one.check, "form": one.form, "words": one.words, "distance": one.distance,
        "bound": one.bound, "fault": one.fault, "open": one.open, "theorem": theorem_of(one),
    }  # fmt: skip


def _settings(texts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key, value = key.strip(), value.strip().strip("'\"")
        if not equals or not key.isidentifier():
            raise click.BadParameter(f"--set {text!r} is not KEY=VALUE, such as beta=0.3")
        if key in found:
            raise click.BadParameter(f"--set has {key} twice; give it once")
        found[key] = _VALUES[value] if value in _VALUES else _number(value)
    return found


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _words(settings: Mapping[str, Any]) -> str:
    return " ".join(f"--set {key}={value}" for key, value in settings.items()) or "its defaults"


def _require(*packages: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"audit-trainer needs {', '.join(missing)}, which is not installed; pip install "
            "'holdfast[neural]'"
        )


def _of_library(library: str, name: str, settings: dict[str, Any]) -> list[Finding]:
    from holdfast.solvers.neural.alignment import auditing_sb3, auditing_trl

    with tempfile.TemporaryDirectory() as folder, redirect_stderr(StringIO()):
        try:
            if library == "sb3":
                ppo = auditing_sb3.Trained(name, settings)
                return [*examine_groups(ppo), ppo.ratios()]
            subject = auditing_trl.Trained(name, settings, folder)
            if subject.kind == "group":
                return examine_groups(subject)
            return [auditing_trl.judged(name, one) for one in examine_pairs(subject)]
        except (ValueError, TypeError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(
                f"{library}:{name} fails with {_words(settings)}: {error}; see the library's "
                "documentation for what it takes"
            ) from error


def _of_file(path: Path, name: str, settings: dict[str, Any]) -> list[Finding]:
    """The findings on the loss of a user's file; ClaimError with its lines for what it raises."""
    from holdfast.solvers.neural.alignment.auditing import Loss

    if path.suffix != ".py" or not path.is_file():
        raise ModelError(
            f"{path} is not a Python file that is there; give PATH.py:FACTORY, such as loss.py:make"
        )
    path = path.resolve()
    spec = importlib.util.spec_from_file_location(f"holdfast_loss_{path.stem}", path)
    assert spec is not None and spec.loader is not None, "the suffix is .py"
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        with blamed(f"{path} does not import: it", str(path)):
            spec.loader.exec_module(module)
        factory = getattr(module, name, None)
        if not callable(factory):
            raise ModelError(f"{path} has no function {name}; name the one that returns the loss")
        with blamed(f"{path}: {name}", str(path)):
            made = factory(**settings)
        return _examined(Loss(made), f"{path}: the loss that {name} returned", str(path))
    finally:
        sys.path.remove(str(path.parent))


def _examined(loss: Any, what: str, file: str) -> list[Finding]:
    """The findings; a ModelError is the auditor's own, anything else the user's."""
    from holdfast.solvers.neural.alignment.auditing import examine

    own: list[ModelError] = []
    with blamed(what, file):
        try:
            return examine(loss)
        except ModelError as error:
            own.append(error)
    raise own[0]
