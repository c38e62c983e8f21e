"""Claims: a theorem bound to a family by a generator that yields the values of its quantities.

A claim never compares.  It is handed a case, computes, and yields ``{quantity: value}``; the engine
substitutes into the theorem's own relation, compares, and tries the mutants on the same values.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path

import holdfast
from holdfast.theory import Relation, Theorem, catalogue, pillars

from . import mutants
from .draws import Draw
from .family import Case, Family
from .user_code import blamed
from .values import ClaimError, Evaluate, Values


@dataclass(frozen=True, slots=True)
class NamedMutant:
    """A false statement that somebody might believe, with a witness that refutes it.

    name: short, for reports, such as ``M8``; relation: the false statement; why: in one line;
    witness: values at which it is false, checked in every run beside the drawn models.
    """

    name: str
    relation: Relation
    why: str
    witness: Callable[[], Iterable[Values]] | None = None


@dataclass(frozen=True)
class Claim:
    """A theorem bound to a family.

    name: the theorem's label, with ``#tag`` where a theorem is bound more than once;
    survivors: mutants that no model refutes, with the reason: true, or not known to be false;
    witness: the landmark that is the counterexample to a false theorem;
    shows: from the case of the witness, further values that show how it meets what is printed;
    little_power: why fewer than a third of the models can be telling, where that is so.
    """

    theorem: Theorem
    family: Family
    evaluate: Evaluate
    name: str
    named_mutants: tuple[NamedMutant, ...] = ()
    survivors: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    little_power: str = ""
    witness: str = ""
    shows: Callable[..., Values] | None = None

    @cached_property
    def mutants(self) -> tuple[mutants.Mutant, ...]:
        """The theorem's derived mutants; a tagged claim leaves them to the theorem's own one."""
        return () if "#" in self.name else mutants.derive(self.theorem)

    @property
    def trained(self) -> bool:
        """Whether its cases are training runs."""
        return self.family.trained

    def draw(self, source: Draw) -> Case:
        """A case of the family; raises ClaimError if the family raises, OutOfScope as it does."""
        with blamed(f"{self.name}: the family", self.file):
            return self.family.draw(source)

    def landmark(self, name: str) -> Case:
        """A landmark of the family; raises as `draw`."""
        with blamed(f"{self.name} on landmark:{name}: the family", self.file):
            return self.family.landmark(name)


_REGISTRY: dict[str, Claim] = {}
_LAYER = (Path(holdfast.__file__).parent / "verify").resolve()


def claim(
    theorem: Theorem,
    *,
    over: Family,
    tag: str = "",
    mutants: tuple[NamedMutant, ...] = (),
    survivors: Mapping[Relation | str, str] | None = None,
    little_power: str = "",
    witness: str = "",
    shows: Callable[..., Values] | None = None,
) -> Callable[[Evaluate], Claim]:
    """Bind a theorem to a family; the decorated generator yields ``{quantity: value}`` for a case.

    A survivor is named by the relation that it is, or by the text of that.

    Raises
    ------
    ClaimError: if the name is taken by a claim of another file, or by another one of this file.
    """

    def bind(evaluate: Evaluate) -> Claim:
        name = f"{theorem.label}#{tag}" if tag else theorem.label
        file = evaluate.__code__.co_filename
        known = _REGISTRY.get(name)
        # a cell of a notebook is no file on disk, so it may be edited and run again
        if known is not None and known.file != file and Path(known.file).is_file():
            raise ClaimError(f"{name} is claimed in {known.file} and again in {file}; give a tag")
        same = known is not None and known.evaluate.__globals__ is evaluate.__globals__
        if same and Path(file).is_file():
            raise ClaimError(f"{name} is claimed twice in {file}; give one of them a tag")
        bound = Claim(
            theorem,
            over,
            evaluate,
            name,
            mutants,
            {str(mutant): reason for mutant, reason in (survivors or {}).items()},
            file,
            little_power,
            witness,
            shows,
        )
        _REGISTRY[name] = bound
        return bound

    return bind


def load(path: Path) -> tuple[Claim, ...]:
    """Import a user's file and return the claims it makes.

    Raises
    ------
    ClaimError: if the file does not exist, does not import, or makes no claim.
    """
    path = path.resolve()
    if not path.is_file():
        raise ClaimError(f"no such file of claims: {path}")
    name = f"holdfast_user_{path.stem}_{abs(hash(str(path)))}"
    if name not in sys.modules:
        _import(name, path)
    claims = tuple(claim for claim in _REGISTRY.values() if Path(claim.file) == path)
    if not claims:
        raise ClaimError(
            f"{path} makes no claim; decorate a generator with @claim(theorem, over=...)"
        )
    return claims


def _import(name: str, path: Path) -> None:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ClaimError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with blamed(f"{path} does not import: it", str(path)):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        for known in [one for one, claim in _REGISTRY.items() if claim.file == str(path)]:
            del _REGISTRY[known]
        raise


def beside(claim: Claim) -> set[str]:
    """The names of all claims that the file of this one has made."""
    return {name for name, one in _REGISTRY.items() if one.file == claim.file}


@cache
def is_shipped(file: str | Path) -> bool:
    """Whether this is a file of claims that comes with holdfast."""
    path = Path(file).resolve()
    return path.parent.name == "claims" and path.is_relative_to(_LAYER)


def pillar(claim: Claim) -> str:
    """The pillar of a shipped claim; of a user's own the file in which it is made."""
    path = Path(claim.file)
    return path.parents[1].name if is_shipped(path) else path.name


def matches(claim: Claim, pattern: str) -> bool:
    """Whether this is the claim's pillar or label, or a pattern of one with ``*`` and ``?``."""
    names = (claim.name, claim.theorem.label, pillar(claim))
    return any(fnmatchcase(name, pattern) for name in names)


def shipped(names: Iterable[str] = ()) -> tuple[Claim, ...]:
    """The claims that come with holdfast, in order of their theorems.

    names: if all are names of claims about theorems of the catalogue, those of other pillars are
    not loaded and may be left out: that takes half of the time in which a command starts.
    """
    known, labels = pillars(), [name.partition("#")[0] for name in names]
    needed = {known.get(label, "*") for label in labels} or {"*"}
    for path in sorted(_LAYER.rglob("claims/[!_]*.py")):
        if not needed & {"*", path.parents[1].name}:
            continue
        importlib.import_module(
            ".".join(("holdfast.verify", *path.relative_to(_LAYER).with_suffix("").parts))
        )
    places = {theorem.label: place for place, theorem in enumerate(catalogue())}
    claims = [claim for claim in _REGISTRY.values() if is_shipped(claim.file)]
    return tuple(sorted(claims, key=lambda claim: places[claim.theorem.label]))
