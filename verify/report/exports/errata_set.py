"""The decidable errata set: questions whose answers a file of the standard library computes.

A statement is true or false of a finite class of models, or of one model, so that the file decides
it and does not only fail to refute it.  As many are true as are false, of each kind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from holdfast.solvers.errors import ModelError
from holdfast.theory import Standing

from ...binding.claims import shipped
from ..standalone.files import code_of, computation, model_text
from . import finite
from .errata_questions import CLASSES, PRINTED, Class, Printed

_ASKED = (
    "Is the relation true of every such case? Answer true or false; if it is false, give a case of "
    "which it is not true."
)
_ASKED_OF_ONE = "Is the relation true of this model? Answer true or false, with both sides."
_HEAD = "# Decides one question of the errata set; run it with a Python from 3.11 on."

FILES = ("README.txt", "questions.jsonl", "answers.jsonl", "checks")
"""What the set consists of; the last is a folder."""
README = """\
{count} questions, {true} true and {false} false, in an order that says nothing.

questions.jsonl   id and question: all that is needed to answer it, and nothing else
answers.jsonl     for each id: answer, the smallest case that breaks the relation (or both sides),
                  how many of how many cases break it, what kind of question it is, and, where a
                  paper prints the statement, which, and the label in the theorem book; smallest is
                  the case in whose text the whole numbers have the least sum
checks/ID.py      decides the question again: python -I checks/ID.py prints the answer as JSON, in
                  its last line

Of the kind "class" a relation is about a finite class of models, and the file looks at each of
them; false ones are variants of true ones, and nobody prints them. Of the kind "printed" a
statement that a paper prints is put to one model: to its counterexample, where the answer is false,
or to another model, where it is true. That it is true of one model says nothing of others.
"""


def errata_set() -> dict[str, str]:
    """File name -> text: README.txt, questions.jsonl, answers.jsonl and checks/ID.py.

    Raises
    ------
    ModelError: if a file decides otherwise than is believed.
    """
    questions, answers, files = [], [], {}
    for question, believed, code, told in sorted(_all(), key=lambda one: _digest(one[0])):
        name = _digest(question)
        found = _run(code)
        if found["answer"] != believed:
            raise ModelError(
                f"question {name} is not {believed}, as is believed: {found}, {question}"
            )
        questions.append({"id": name, "question": question})
        answers.append({"id": name, **found, **told, "check": f"checks/{name}.py"})
        files[f"checks/{name}.py"] = code
    true = sum(one["answer"] for one in answers)
    readme = README.format(count=len(answers), true=true, false=len(answers) - true)
    lines = {"questions.jsonl": questions, "answers.jsonl": answers}
    texts = {name: "".join(json.dumps(row) + "\n" for row in rows) for name, rows in lines.items()}
    return {"README.txt": readme, **texts, **files}


def _digest(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()[:10]


def _run(code: str) -> dict[str, Any]:
    """What a file of ours prints in its last line."""
    names: dict[str, Any] = {"__name__": "check"}
    exec(code, names)
    with redirect_stdout(StringIO()):  # a line for each assumption that is met
        found: dict[str, Any] = names["decided"]()
    return found


def _all() -> Iterator[tuple[str, bool, str, dict[str, Any]]]:
    """Question, believed answer, file, and what else is told of it with the answer."""
    for one in CLASSES:
        for answer, relations in ((True, one.true), (False, one.false)):
            for relation in relations:
                question = f"{one.text}\n\nRelation: {relation}\n\n{_ASKED}"
                yield question, answer, _class_file(one, relation), {"kind": "class"}
    claims = {claim.name: claim for claim in shipped([one.label for one in PRINTED])}
    for printed in PRINTED:
        claim = claims[printed.label]
        theorem = claim.theorem
        assert theorem.standing is Standing.REFUTED and theorem.refutation is not None
        shown, model = model_text(claim, printed.text), model_text(claim)
        source = {"source": str(theorem.source), "fidelity": theorem.refutation.fidelity}
        told = {"kind": "printed", "label": printed.label, **source}
        for answer in (False, True):
            asked, whole = (_changed(text, printed) if answer else text for text in (shown, model))
            question = "\n\n".join(
                [printed.text, f"Relation: {theorem.relation}", f"Model:\n{asked}", _ASKED_OF_ONE]
            )
            yield question, answer, _printed_file(printed.label, whole), told


def _changed(model: str, printed: Printed) -> str:
    old, new = printed.change
    assert model.count(old) == 1, printed.label
    return model.replace(old, new)


def _file(lines: list[str]) -> str:
    end = ['if __name__ == "__main__":', "    print(json.dumps(decided()))", ""]
    start = [_HEAD, "", "from __future__ import annotations", "", "import json"]
    return "\n".join([*start, *lines, *end])


def _class_file(one: Class, relation: str) -> str:
    _, *code = code_of(one.cases, finite.decide)
    _, values = next(one.cases())
    return _file(
        [
            *code,
            *["from math import prod", "", ""] * ("prod(" in relation),
            f"def holds({', '.join(values)}):",
            f"    return {relation}",
            "",
            "",
            "def decided():",
            f"    return decide({one.cases.__name__}(), holds)",
            "",
            "",
        ]
    )


def _printed_file(label: str, model: str) -> str:
    (claim,) = (one for one in shipped([label]) if one.name == label)
    function = computation(claim)
    assert function is not None
    _, *code = code_of(function, finite.judge)
    (relation,) = claim.theorem.parts
    return _file(
        [
            *code,
            f"CASE = {model}",
            "",
            "",
            "def decided():",
            f"    return judge({relation.sign.value!r}, {function.__name__}(*CASE))",
            "",
            "",
        ]
    )
