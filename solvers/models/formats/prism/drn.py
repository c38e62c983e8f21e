"""Storm's own format DRN: one text file with states, actions, rewards and labels::

    @type: MDP
    @parameters
                                      (none: what has parameters is not read)
    @reward_models
    gain fuel
    @nr_states
    2
    @model
    state 0 [1, 0] init               state, rewards of the state, labels
        action go [0, 1/2]            action, rewards of the choice
            1 : 3/4                   successor : probability

Source: Storm's documentation, "Explicit model format: DRN".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from ....errors import ModelError
from ....exact import Rational
from ....sequences import listed
from ...cmdp import CMDP
from .additions import Parts
from .lines import Lines
from .reader import assembled, close_deadlocks, initial_law, named_actions, rounding
from .transitions import Choice, Transitions, normalise

_STATE = re.compile(r"state (\S+)((?: \{[^}]*\})?)((?: ![^ ]+)?)((?: \[[^\]]*\])?)(.*)")
_ACTION = re.compile(r"action (\S+)((?: \[[^\]]*\])?)")
_UNNAMED = ("__NOLABEL__", "")
_READ = ("MDP", "DTMC")


class _File:
    """What the lines say so far: choices, rewards by structure and state, labels."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.kind = ""
        self.structures: tuple[str, ...] = ()
        self.n_states = 0
        self.choices: list[list[Choice]] = []
        self.rewards: list[list[list[Fraction]]] = []
        self.labels: dict[str, list[int]] = {}
        self.own: list[Fraction] = []

    def state(self, text: str) -> None:
        found = _STATE.fullmatch(text)
        if found is None or not self.n_states:
            raise self.lines.fail(
                f"cannot read {text[:60]!r}; a state is 'state 0 [rewards] labels'"
            )
        number, observed, rate, rewards, labels = found.groups()
        if observed or rate:
            raise self.lines.fail("observations and rates are not read; give an MDP or a DTMC")
        place = self.lines.state(number, self.n_states)
        if place != len(self.choices):
            raise self.lines.fail(f"state {place} follows state {len(self.choices) - 1}")
        self.own = self.numbers(rewards)
        self.choices.append([])
        self.rewards.append([])
        for label in labels.split():
            self.labels.setdefault(label, []).append(place)

    def action(self, text: str) -> None:
        found = _ACTION.fullmatch(text)
        if found is None or not self.choices:
            raise self.lines.fail(
                f"cannot read {text[:60]!r}; an action is 'action name [rewards]'"
            )
        name, paid = found[1], self.numbers(found[2])
        named = None if name in _UNNAMED or self.kind == "DTMC" else name
        self.choices[-1].append(Choice(self.lines.number, named))
        self.rewards[-1].append([a + b for a, b in zip(self.own, paid, strict=True)])

    def transition(self, text: str) -> None:
        left, colon, right = (part.strip() for part in text.partition(":"))
        if not colon or not self.choices or not self.choices[-1]:
            raise self.lines.fail(
                f"cannot read {text[:60]!r}; a transition is 'successor : probability', below its "
                "action"
            )
        choice, successor = self.choices[-1][-1], self.lines.state(left, self.n_states)
        if successor in choice.probabilities:
            raise self.lines.fail(f"the successor {successor} stands twice; add the two")
        value = self.lines.rational(right, "the probability (parameters are not read)")
        if value < 0:
            raise self.lines.fail(f"the probability is {right}; it must not be negative")
        choice.probabilities[successor] = value
        choice.rounded |= "/" not in right and value.denominator != 1

    def numbers(self, text: str) -> list[Fraction]:
        """The rewards in brackets, one for each structure; zeros without brackets."""
        parts = [part.strip() for part in text.strip().strip("[]").split(",")] if text else []
        if not parts:
            return [Fraction(0)] * len(self.structures)
        if len(parts) != len(self.structures):
            raise self.lines.fail(
                f"there are {len(parts)} rewards and {len(self.structures)} reward models"
            )
        return [self.lines.rational(part, "the reward") for part in parts]


def read_drn(
    path: str | Path,
    *,
    reward: str | None = None,
    costs: Sequence[str] = (),
    budgets: Sequence[Rational] = (),
    discount: Rational,
) -> CMDP:
    """The exact model of a DRN file, an MDP or a Markov chain without parameters.

    Args:
        reward: the reward model that is the objective; may be left out where there is one.
        costs: the reward models that are costs, one for each budget.
        budgets: bounds on the UN-normalised expected costs.
        discount: gamma in [0, 1).

    Numbers are the rationals that are written; rows of decimals within 1e-5 of 1 are re-normalised
    exactly, in proportion, and a note says so.  Raises ModelError naming file and line.
    """
    path, budgets = Path(path), listed(budgets, "budgets")
    if len(costs) != len(budgets):
        raise ModelError(f"{len(costs)} cost(s) and {len(budgets)} budget(s); give each its own")
    file = _parsed(path)
    used = [_structure(file, path, name, "the objective" if i == 0 else "a cost")
            for i, name in enumerate((reward, *costs))]  # fmt: skip
    counts = sum(map(len, file.choices))
    found = Transitions(path, file.choices, file.kind == "DTMC", counts)
    for state, choices in enumerate(file.choices):
        for number, choice in enumerate(choices):
            normalise(file.lines, found, choice, f"choice {number} of state {state}")
    named = {name: tuple(states) for name, states in file.labels.items()}
    closed = close_deadlocks(found, named.get("deadlock", ()))
    for state, choices in enumerate(found.choices):
        file.rewards[state] += [[Fraction(0)] * len(file.structures)] * (
            len(choices) - len(file.rewards[state])
        )
    parts = Parts(
        found.rows,
        [[[paid[i] for paid in own] for own in file.rewards] for i in used],
        initial_law(named, found.n_states, path),
        {name: states for name, states in named.items() if name != "init"},
        path.name,
    )
    actions, notes = named_actions(found.choices)
    rest = [name for i, name in enumerate(file.structures) if i not in used]
    idle = [f"reward models that were not read: {', '.join(rest)}"] * bool(rest)
    model = assembled(parts, actions, budgets, discount)
    return model.with_notes(f"Storm file {path.name}", *idle, *closed, *rounding(found), *notes)


def _structure(file: _File, path: Path, name: str | None, role: str) -> int:
    known = ", ".join(file.structures) or "none"
    if name is None:
        if len(file.structures) == 1:
            return 0
        raise ModelError(f"{path.name} has the reward models {known}; say which one is {role}")
    if name not in file.structures:
        raise ModelError(f"{path.name} has no reward model {name!r}; there are {known}")
    return file.structures.index(name)


def _parsed(path: Path) -> _File:
    lines = Lines(path, comment="//")
    file, section = _File(lines), ""
    for fields in lines:
        text = " ".join(fields)
        if text.startswith("@"):
            section = _section(file, text)
        elif section == "@model":
            kind = fields[0]
            {"state": file.state, "action": file.action}.get(kind, file.transition)(text)
        elif section == "@reward_models":
            file.structures = tuple(fields)
        elif section == "@nr_states":
            file.n_states = lines.count(text, "the number of states")
        elif section == "@parameters":
            raise lines.fail(f"the model has the parameters {text[:60]}; give values to them first")
        elif section not in ("@nr_choices", "@placeholders", "@value_type"):
            raise lines.fail(f"cannot read {text[:60]!r} below {section or 'nothing'}")
    _check_whole(file, path)
    return file


def _check_whole(file: _File, path: Path) -> None:
    if not file.kind or len(file.choices) != file.n_states or not file.choices:
        raise ModelError(
            f"{path.name} has {len(file.choices)} of {file.n_states} states and the type "
            f"{file.kind or 'nothing'}; it is cut off, or no DRN file"
        )
    if file.kind == "DTMC" and any(len(own) > 1 for own in file.choices):
        raise ModelError(f"{path.name} is a DTMC, and a state of it has more than one action")


def _section(file: _File, text: str) -> str:
    head, _, rest = text.partition(":")
    if head == "@type":
        file.kind = rest.strip().upper()
        if file.kind not in _READ:
            raise file.lines.fail(
                f"the file holds a {file.kind}; models of the types {' and '.join(_READ)} are read"
            )
    elif head == "@value_type" and "interval" in rest:
        raise file.lines.fail("intervals are not read")
    return head
