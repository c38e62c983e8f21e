"""Models exported by stormpy as PRISM's explicit files, and files loaded by stormpy, all exact.

Both directions are written here in the plainest way, without holdfast, so that an error of its
reader or writer cannot cancel out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Exported:
    """A model that stormpy ships, built exactly and written as STEM.tra, STEM.lab and rewards.

    Reward structures are STEM.NAME; ``STEM.to-LABEL`` pays 1 on each arrival in LABEL from
    outside it.
    """

    stem: Path
    n_states: int

    @property
    def tra(self) -> Path:
        return self.stem.with_name(self.stem.name + ".tra")

    def structure(self, name: str) -> Path:
        return self.stem.with_name(f"{self.stem.name}.{name}")


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Exported]:
    """``export(file, constants="")``: that example of stormpy as explicit files."""
    import stormpy
    import stormpy.examples.files as examples

    def exported(file: str, constants: str = "") -> Exported:
        program = stormpy.parse_prism_program(f"{examples.testfile_dir}/mdp/{file}")
        if constants:
            program, _ = stormpy.instantiate_constants(program, constants)
        model = stormpy.build_model[stormpy.Rational](program)
        stem = tmp_path / Path(file).stem
        _write(model, stem)
        return Exported(stem, model.nr_states)

    return exported


def _transitions(model: Any) -> Iterator[tuple[int, int, int, int, Any]]:
    """(state, choice, row of the matrix, successor, probability)."""
    matrix = model.transition_matrix
    for state in range(model.nr_states):
        rows = range(matrix.get_row_group_start(state), matrix.get_row_group_end(state))
        for choice, row in enumerate(rows):
            for entry in matrix.get_row(row):
                yield state, choice, row, entry.column, entry.value


def _write(model: Any, stem: Path) -> None:
    moves = list(_transitions(model))
    sizes = (model.nr_states, model.nr_choices)
    _table(f"{stem}.tra", sizes, [(s, k, t, p) for s, k, _, t, p in moves])
    names = sorted(model.labeling.get_labels())
    holds = {name: model.labeling.get_states(name) for name in names}
    lines = [" ".join(f'{i}="{name}"' for i, name in enumerate(names))]
    for s in range(model.nr_states):
        lines.append(f"{s}: " + " ".join(str(i) for i, n in enumerate(names) if holds[n].get(s)))
    Path(f"{stem}.lab").write_text("\n".join(lines))
    for name, rewards in model.reward_models.items():
        own = f"{stem}.{name or 'reward'}"
        assert not rewards.has_transition_rewards
        if rewards.has_state_rewards:
            states = [(s, rewards.get_state_reward(s)) for s in range(model.nr_states)]
            _table(f"{own}.srew", sizes[:1], [row for row in states if str(row[1]) != "0"])
        if rewards.has_state_action_rewards:
            paid = [(s, k, t, rewards.get_state_action_reward(row)) for s, k, row, t, _ in moves]
            _table(f"{own}.trew", sizes, [row for row in paid if str(row[3]) != "0"])
    for name, states in holds.items():
        arrivals = [(s, k, t, 1) for s, k, _, t, _ in moves if states.get(t) and not states.get(s)]
        _table(f"{stem}.to-{name}.trew", sizes, arrivals)


def _table(path: str, sizes: tuple[int, ...], rows: list[Any]) -> None:
    lines = [(*sizes, len(rows)), *rows]
    Path(path).write_text("\n".join(" ".join(map(str, line)) for line in lines))


# -- the way back ----------------------------------------------------------------------------------
@pytest.fixture
def ask() -> Callable[..., Fraction | bool]:
    """``ask(stem, query, costs=0)``: Storm's exact answer at the initial state of STEM.tra."""
    import stormpy

    def answer(stem: Path, query: str, costs: int = 0) -> Fraction | bool:
        model = _load(
            stem, {"reward": "", **{f"cost{i + 1}": f".cost{i + 1}" for i in range(costs)}}
        )
        environment = stormpy.environments.exact()
        environment.modelchecker().multi().precision = stormpy.Rational("0")
        found = stormpy.model_checking(
            model,
            stormpy.parse_properties(query)[0],
            only_initial_states=True,
            environment=environment,
        )
        if not hasattr(found, "get_value"):
            return bool(found.forall_true())
        return Fraction(str(found.get_value(model.initial_states[0])))

    return answer


def _load(stem: Path, structures: dict[str, str]) -> Any:
    """An exact model of stormpy from the files that ``write_prism`` writes."""
    from stormpy import Rational as exact
    from stormpy.datastructures import SparseMatrixBuilder
    from stormpy.models import SparseMdp, SparseModelComponents, SparseRewardModel

    (n_states, n_choices, count), rows = _read(f"{stem}.tra")
    moves = sorted((int(s), int(k), int(t), p) for s, k, t, p, _ in rows)
    builder = SparseMatrixBuilder[exact](
        rows=n_choices,
        columns=n_states,
        entries=count,
        has_custom_row_grouping=True,
        row_groups=n_states,
    )
    number: dict[tuple[int, int], int] = {}
    for s, k, t, p in moves:
        if (s, k) not in number:
            number[s, k] = len(number)
            if k == 0:
                builder.new_row_group(number[s, k])
        builder.add_next_value(number[s, k], t, exact(p))
    rewards = {}
    for name, suffix in structures.items():
        by_state, by_choice = [exact("0")] * n_states, [exact("0")] * n_choices
        for s, value in _read(f"{stem}{suffix}.srew")[1]:
            by_state[int(s)] = exact(value)
        for s, k, _, value in _read(f"{stem}{suffix}.trew")[1]:
            by_choice[number[int(s), int(k)]] = exact(value)
        rewards[name] = SparseRewardModel[exact](
            optional_state_reward_vector=by_state, optional_state_action_reward_vector=by_choice
        )
    return SparseMdp[exact](
        SparseModelComponents[exact](builder.build(), _labeling(stem, n_states), rewards)
    )


def _labeling(stem: Path, n_states: int) -> Any:
    from stormpy.models import StateLabeling

    labeling = StateLabeling(n_states)
    head, *lines = [
        line for line in Path(f"{stem}.lab").read_text().splitlines() if line[:1] != "#"
    ]
    names = [word.split("=")[1].strip('"') for word in head.split()]
    for name in names:
        labeling.add_label(name)
    for line in lines:
        state, _, indices = line.partition(":")
        for index in indices.split():
            labeling.add_label_to_state(names[int(index)], int(state))
    return labeling


def _read(path: str) -> tuple[list[int], list[list[str]]]:
    lines = [line.split() for line in Path(path).read_text().splitlines() if line[:1] != "#"]
    return [int(size) for size in lines[0]], lines[1:]
