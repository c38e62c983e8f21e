"""Writing a model as PRISM's explicit-state files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Literal

from ....errors import ModelError
from ....exact import format_rational
from ....whole_files import whole
from ...cmdp import CMDP
from .additions import Parts, add_sink, add_start

Text = Callable[[Fraction], str]


def write_prism(
    model: CMDP,
    tra: str | Path,
    *,
    discount: Literal["omit", "sink"] = "omit",
    decimals: bool = False,
) -> list[Path]:
    """Write MODEL.tra with its labels and rewards beside it; returns the paths.

    The objective goes to MODEL.srew and MODEL.trew, cost i to MODEL.cost1.srew and so on: state
    rewards where the choice does not matter, else transition rewards (both files are written, the
    other one empty).  Files of the same names are replaced.

    Args:
        tra: where to write, ending in .tra.
        discount: "omit", PRISM's files know none and it has to be given again on reading; or
            "sink", every probability times gamma and 1 - gamma into an added absorbing state
            labelled sink, so that the total reward there is the discounted reward here.
        decimals: write decimals instead of p/q where they end.

    An initial law that is not uniform on its support becomes a state labelled initial_law, added
    last; with a sink it is always written so, since Storm's queries want one initial state.
    Raises ModelError when a label cannot be written.
    """
    tra = Path(tra)
    if tra.suffix != ".tra":
        raise ModelError(f"cannot write {tra.name}: the suffix must be .tra")
    parts = _with_additions(model, tra.name, discount == "sink")
    text = _decimal if decimals else format_rational
    stem = tra.with_name(tra.name.removesuffix(".tra"))
    files = {
        tra: _transition_lines(parts, [f"a{a}" for a in model.actions.tolist()], text),
        stem.with_name(stem.name + ".lab"): _label_lines(parts),
    }
    for index in range(len(parts.functions)):
        files |= _structure(parts, index, stem, text)
    with ExitStack() as moves:  # all are written before the first is moved into place
        for path, lines in files.items():
            with moves.enter_context(whole(path)).open("w", encoding="utf-8") as stream:
                stream.writelines(f"{line}\n" for line in lines)
    return list(files)


def _with_additions(model: CMDP, name: str, with_sink: bool) -> Parts:
    parts = Parts.of(model, name)
    if with_sink:
        parts = add_sink(parts, model.discount)
    support = [p for p in parts.initial if p]
    if len(support) > 1 and (with_sink or len(set(support)) > 1):
        parts = add_start(parts)
    return parts


def prism_paths(tra: Path, n_costs: int) -> list[Path]:
    """All that `write_prism` writes of a model with so many costs."""
    stem = tra.name.removesuffix(".tra")
    functions = [stem, *(f"{stem}.cost{k}" for k in range(1, n_costs + 1))]
    names = [f"{stem}.lab", *(one + end for one in functions for end in (".srew", ".trew"))]
    return [tra, *map(tra.with_name, names)]


def _structure(parts: Parts, index: int, stem: Path, text: Text) -> dict[Path, Iterator[str]]:
    """The two files of the objective (0) or of a cost, one of them with no rewards."""
    values = parts.functions[index]
    name = f"cost{index}" if index else "reward"
    own = f"{stem.name}.{name}" if index else stem.name
    head = f'# Reward structure "{name}"'
    by_state = all(len(set(choices)) == 1 for choices in values)
    silent = [Fraction(0)] * len(values)
    states, moves = ([own for own, *_ in values], []) if by_state else (silent, values)
    return {
        stem.with_name(f"{own}.srew"): _state_lines(states, head, text),
        stem.with_name(f"{own}.trew"): _reward_lines(parts, moves, head, text),
    }


def _transition_lines(parts: Parts, actions: Sequence[str], text: Text) -> Iterator[str]:
    n_choices = sum(map(len, parts.rows))
    yield "# Transitions (MDP)"
    yield f"{parts.size} {n_choices} {sum(map(len, parts.flat_rows))}"
    names = iter([*actions, *["a0"] * (n_choices - len(actions))])
    for state, choices in enumerate(parts.rows):
        for k, row in enumerate(choices):
            name = next(names)
            for successor, probability in row.items():
                yield f"{state} {k} {successor} {text(probability)} {name}"


def _label_lines(parts: Parts) -> Iterator[str]:
    labels: dict[str, tuple[int, ...]] = {"init": (), "deadlock": (), **parts.labels}
    labels["init"] = tuple(s for s, p in enumerate(parts.initial) if p)
    carried: dict[int, list[int]] = {}
    for index, (name, states) in enumerate(labels.items()):
        if not name or set(name) & set('"\r\n'):
            raise ModelError(f"label {name!r} cannot be written; take quotes and new lines out")
        for state in states:
            carried.setdefault(state, []).append(index)
    yield "# Labels"
    yield " ".join(f'{index}="{name}"' for index, name in enumerate(labels))
    for state in sorted(carried):
        yield f"{state}: {' '.join(map(str, carried[state]))}"


def _state_lines(values: Sequence[Fraction], head: str, text: Text) -> Iterator[str]:
    rows = [f"{state} {text(value)}" for state, value in enumerate(values) if value]
    yield from (head, "# State rewards", f"{len(values)} {len(rows)}", *rows)


def _reward_lines(
    parts: Parts, values: Sequence[Sequence[Fraction]], head: str, text: Text
) -> Iterator[str]:
    rows = [
        f"{state} {k} {successor} {text(value)}"
        for state, choices in enumerate(values)
        for k, value in enumerate(choices)
        if value
        for successor in parts.rows[state][k]
    ]
    sizes = f"{parts.size} {sum(map(len, parts.rows))} {len(rows)}"
    yield from (head, "# Transition rewards", sizes, *rows)


def _decimal(value: Fraction) -> str:
    """The decimal where it ends, else ``p/q``."""
    digits = _decimal_places(value.denominator)
    if not digits:
        return format_rational(value)
    scaled = value.numerator * (10**digits // value.denominator)
    sign, whole = "-" * (scaled < 0), f"{abs(scaled):0{digits + 1}d}"
    return f"{sign}{whole[:-digits]}.{whole[-digits:]}"


def _decimal_places(denominator: int) -> int | None:
    """How many decimals 1/denominator has, None when they do not end."""
    places = 0
    for prime in (2, 5):
        power = 0
        while denominator % prime == 0:
            denominator //= prime
            power += 1
        places = max(places, power)
    return places if denominator == 1 else None
