"""Counterexamples of refuted statements as files that run in a bare Python, without holdfast.

A file holds the statement in words, what its source prints, the model, and the functions that
compute both sides from it: one of ``verify/<pillar>/standalone.py``, and what that uses, copied.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from itertools import chain, pairwise
from pprint import pformat
from textwrap import fill, indent
from types import ModuleType
from typing import Any

from holdfast.solvers.errors import ModelError
from holdfast.theory import Standing

from ...binding.claims import Claim, is_shipped, pillar
from ...binding.description import describe
from ..wording import standing_word
from . import plain

_WIDTH = 98
"""Columns of the text of a file, as many as an editor shows at once."""
_RATIONAL = re.compile(r"-?\d+(/\d+)?")


def computation(claim: Claim) -> Callable[..., Any] | None:
    """The function that computes both sides of a refuted statement again, if it is written."""
    if claim.theorem.standing is not Standing.REFUTED or not is_shipped(claim.file):
        return None
    name = f"holdfast.verify.{pillar(claim)}.standalone"
    if find_spec(name) is None:
        return None
    found: Callable[..., Any] | None = import_module(name).COUNTEREXAMPLES.get(claim.name)
    return found


def file_name(claim: Claim) -> str:
    """Of the file of a claim, such as ``flipping_two_actions.py``."""
    return re.sub(r"\W", "_", claim.name) + ".py"


def standalone(claim: Claim) -> str:
    """The text of the file for the counterexample that the claim names as its witness.

    Raises
    ------
    ModelError: if the statement is not refuted as printed, or has no such computation.
    """
    function = computation(claim)
    if function is None:
        raise ModelError(
            f"{claim.name} has no stand-alone file; holdfast has one for each of its own "
            "statements that is refuted as printed, and the standing of this one is "
            f"{standing_word(claim.theorem)}"
        )
    (relation,) = claim.theorem.parts
    return "\n".join(
        [
            *_header(claim),
            "",
            *code_of(function, plain.conclude),
            "# The model: exact numbers; change one and see what becomes of the verdict.",
            f"CASE = {model_text(claim)}",
            "",
            'if __name__ == "__main__":',
            f"    sides = {function.__name__}(*CASE)",
            f"    relation, sign = {str(relation)!r}, {relation.sign.value!r}",
            "    conclude(relation, sign, sides)",
            "",
        ]
    )


def model_text(claim: Claim, named_in: str | None = None) -> str:
    """The parts of the witness, as a list in Python: a model is its rows (state, action, next
    states with their probabilities, reward, costs).

    named_in: a text; fields that it does not name are left out, so that it says what is shown.
    """
    case = [_python(describe(part)) for part in claim.family.landmark(claim.witness)]
    if named_in is not None:
        case = [_named(part, set(re.findall(r"\w+", named_in))) for part in case]
    parts = (f"{pformat(part, width=_WIDTH - 4, sort_dicts=False)}," for part in case)
    return "\n".join(["[", *(indent(part, " " * 4) for part in parts), "]"])


def _header(claim: Claim) -> Iterator[str]:
    theorem = claim.theorem
    assert theorem.refutation is not None
    symbols = sorted(theorem.quantities, key=lambda one: one.name)
    paragraphs = [
        f"A counterexample to: {theorem.title} ({theorem.label}).",
        f"Source: {theorem.source}.",
        f"The statement that is refuted: {theorem.relation}",
        *(f"  {one.name}: {one.meaning}" for one in symbols),
        "",
        "This file needs nothing but a Python from 3.11 on: python FILE. It computes both sides "
        "from the model at its end, in exact fractions or between two of them, and prints a line "
        "for each printed assumption that is a matter of numbers.",
        "",
        "What the source prints, and how the model meets it:",
        *(f"- {one.text} {one.met}" for one in theorem.refutation.printed),
        f"Fidelity: {theorem.refutation.fidelity}",
        f"Severity: {theorem.refutation.severity}",
    ]
    if theorem.remark:
        paragraphs.append(f"Remark: {theorem.remark}")
    for text in paragraphs:
        further = "#   " if text.startswith(("- ", "  ")) else "# "
        yield fill(text, _WIDTH, initial_indent="# ", subsequent_indent=further) if text else "#"


def code_of(*functions: Callable[..., Any]) -> list[str]:
    """The imports, and all definitions that the functions need, in their order; the functions are
    of modules that need nothing but the standard library and `plain`."""
    own = [module for one in functions if (module := inspect.getmodule(one)) is not None]
    modules = list(dict.fromkeys([plain, *own]))
    definitions = dict(chain.from_iterable(_definitions(one).items() for one in modules))
    needed, waiting = set[str](), {one.__name__ for one in functions}
    while waiting:
        needed |= waiting
        used = {name for one in waiting for name in _names(definitions[one][0])}
        waiting = {name for name in used if name in definitions} - needed
    names = {name for one in needed for name in _names(definitions[one][0])}
    imports = dict(chain.from_iterable(_imports(one).items() for one in modules))
    kept: dict[str, list[str]] = {}
    for name in sorted(names & imports.keys()):
        kept.setdefault(imports[name], []).append(name)
    lines = [f"from {module} import {', '.join(kept[module])}" for module in sorted(kept)]
    bodies = "\n".join(definitions[name][1] for name in definitions if name in needed)
    return [
        "from __future__ import annotations",
        "",
        *lines,
        "",
        re.sub(r"\n{3,}", "\n\n\n", bodies),
    ]


def _tree(module: ModuleType) -> tuple[ast.Module, list[str]]:
    text = inspect.getsource(module)
    return ast.parse(text), text.splitlines()


def _definitions(module: ModuleType) -> dict[str, tuple[ast.AST, str]]:
    """Name -> tree and text of each function, class and assignment of a module; the text of an
    assignment has the string below it, which says what it is."""
    tree, lines = _tree(module)
    found: dict[str, tuple[ast.AST, str]] = {}
    for node, after in pairwise([*tree.body, ast.Pass()]):
        end = after.end_lineno if isinstance(after, ast.Expr) else node.end_lineno
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            found[node.name] = node, f"\n\n{text}\n\n"
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node, "\n".join(lines[node.lineno - 1 : end])
    return found


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _imports(module: ModuleType) -> dict[str, str]:
    """Name -> module of the standard library that it is imported from."""
    return {
        alias.name: str(node.module)
        for node in _tree(module)[0].body
        if isinstance(node, ast.ImportFrom) and not node.level and node.module != "__future__"
        for alias in node.names
    }


def _python(document: Any) -> Any:
    """A part of a case with numbers for its strings, and a model's rows in one place."""
    if isinstance(document, Mapping):
        if document.get("kind") == "cmdp":
            return _model(document)
        return {key: _python(value) for key, value in document.items()}
    if isinstance(document, list):
        return [_python(one) for one in document]
    if isinstance(document, str) and _RATIONAL.fullmatch(document):
        number = Fraction(document)
        return int(number) if number.denominator == 1 else number
    return document


def _named(part: Any, names: set[str]) -> Any:
    """The fields of a record, and of records in it, that have one of the names."""
    if not isinstance(part, Mapping):
        return part
    kept = {key: one for key, one in part.items() if isinstance(one, Mapping) or key in names}
    return {key: _named(one, names) for key, one in kept.items()}


def _model(document: Mapping[str, Any]) -> dict[str, Any]:
    """Discount, initial law, budgets, and for each choice: state, action, next, reward, costs."""
    rows = []
    for k, (state, action) in enumerate(document["choices"]):
        weights = document["transitions"][k]
        total = sum(weight for _, weight in weights)
        law = {target: _python(str(Fraction(weight, total))) for target, weight in weights}
        costs = [_python(cost[k]) for cost in document["costs"]]
        rows.append((state, action, law, _python(document["reward"][k]), costs))
    named = {name: _python(document[name]) for name in ("discount", "initial", "budgets")}
    return {**named, "rows": rows}
