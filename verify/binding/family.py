"""Families: where the models of a claim come from.

A family turns a `Draw` into a *case*, the tuple of arguments of a claim: a model, then whatever the
claim quantifies over beside it (a policy, a second model).  Every case satisfies the assumptions by
construction.  ``family.without(name)`` is the negative control: the same, with one assumption
broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .draws import Draw, PhiloxDraw

Case = tuple[Any, ...]
Extra = Callable[..., Any]


class OutOfScope(Exception):
    """Raised by a family or a claim for a model that its statement does not speak of."""


@dataclass(frozen=True, slots=True)
class Family:
    """Draws cases.

    Parameters
    ----------
    name: one line for people.
    base: draws the model.
    extras: each draws one further argument, given the draw and the arguments so far.
    landmarks: named edge cases and golden instances; a landmark may give the model alone, and the
        extras are then drawn from a stream keyed by its name.
    adopt: checks a model that a user brought and returns it, fitted to the family where needed, or
        raises `OutOfScope` with the reason; None if the family is not about models of users.
    controls: assumption name -> the family with this assumption broken.
    trained: whether a case is what a training run ends with.  Such a family is drawn from only
        where its claims are asked for, a case at a time: nothing is shrunk, hunted or ended for
        being slow; and its claims all get the same cases, so that no run is trained twice.
    weight: how many models of another family a case takes as long as, such as an experiment of
        hundreds of runs; so many fewer are drawn at a time.
    """

    name: str
    base: Callable[[Draw], Any]
    extras: tuple[Extra, ...] = ()
    landmarks: Mapping[str, Callable[[], Case]] = field(default_factory=dict)
    adopt: Callable[[Any], Any] | None = None
    controls: Mapping[str, Family] = field(default_factory=dict)
    trained: bool = False
    weight: int = 1

    def draw(self, draw: Draw) -> Case:
        """One case."""
        return self._complete(draw, (self.base(draw),))

    def landmark(self, name: str) -> Case:
        """The named case, completed where it gives the model alone."""
        return self._complete(PhiloxDraw("landmark", name), self.landmarks[name]())

    def along(self, *extras: Extra) -> Family:
        """The same models with further arguments drawn beside them."""
        controls = {name: family.along(*extras) for name, family in self.controls.items()}
        return replace(self, extras=self.extras + extras, controls=controls)

    def with_landmarks(self, **landmarks: Callable[[], Case]) -> Family:
        """The same family with further landmarks."""
        return replace(self, landmarks={**self.landmarks, **landmarks})

    def with_controls(self, **controls: Family) -> Family:
        """The same family with further controls; underscores in names stand for hyphens."""
        named = {name.replace("_", "-"): family for name, family in controls.items()}
        return replace(self, controls={**self.controls, **named})

    def without(self, assumption: str) -> Family:
        """The family that breaks one assumption; raises KeyError with the names there are."""
        if assumption not in self.controls:
            known = ", ".join(self.controls) or "none"
            raise KeyError(f"{self.name} cannot do without {assumption!r}; it can without: {known}")
        return self.controls[assumption]

    def on(self, model: object) -> Family:
        """The family whose only model is the user's; raises OutOfScope if it does not fit."""
        if self.adopt is None:
            raise OutOfScope(f"not a statement about such a model (it speaks of {self.name})")
        adopted = self.adopt(model)
        return replace(self, base=lambda _: adopted, landmarks={}, controls={})

    def _complete(self, draw: Draw, case: Case) -> Case:
        for extra in self.extras[len(case) - 1 :]:
            case = (*case, extra(draw, *case))
        return case
