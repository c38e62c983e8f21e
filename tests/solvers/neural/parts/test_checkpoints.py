"""Checkpoints: what comes back is what was saved, or nothing does."""

import json
from pathlib import Path

import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.checkpoints import (
    load,
    named,
    optimizer_tensors,
    part,
    save,
    set_optimizer_tensors,
)

IDENTITY = {"algorithm": "chance/cpo", "torch": "2.13"}
NUMBERS = {"steps": 7, "controller": {"multiplier": 0.1}, "texts": ["a"]}


@pytest.fixture
def stem(tmp_path: Path) -> Path:
    tensors = {"a": torch.tensor([[0.1, float("inf")]]).T, "b/0": torch.tensor(3)}
    save(tmp_path / "00000004", tensors, NUMBERS, IDENTITY)
    return tmp_path / "00000004"


def test_bits_come_back(stem: Path) -> None:
    saved = load(stem, IDENTITY)
    assert torch.equal(saved.tensors["a"], torch.tensor([[0.1], [float("inf")]]))
    assert saved.tensors["b/0"].dtype == torch.int64
    assert saved.numbers == NUMBERS
    assert sorted(path.name for path in stem.parent.iterdir()) == [
        "00000004.json", "00000004.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.parametrize("kept", [0, 1, 60, -1])
def test_a_truncated_file_is_refused(stem: Path, suffix: str, kept: int) -> None:
    path = stem.with_suffix(suffix)
    data = path.read_bytes().strip()
    path.write_bytes(data[:kept])
    with pytest.raises(ModelError, match=f"{path.name}.*delete {stem.parent} and train again"):
        load(stem, IDENTITY)


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_a_missing_file_is_refused(stem: Path, suffix: str) -> None:
    stem.with_suffix(suffix).unlink()
    with pytest.raises(ModelError, match="bring it back"):
        load(stem, IDENTITY)


def test_a_flipped_bit_is_refused(stem: Path) -> None:
    path = stem.with_suffix(".safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="truncated, changed or gone"):
        load(stem, IDENTITY)


@pytest.mark.parametrize(
    ("identity", "named_as"),
    [
        ({"algorithm": "chance/ppo-lagrangian"}, "with algorithm chance/cpo, not chance/ppo-lagr"),
        ({"algorithm": "chance/cpo", "torch": "2.14"}, "with torch 2.13, not 2.14"),
        ({"numpy": "2"}, "with numpy None, not 2"),
    ],
)
def test_what_another_wrote_is_refused(stem: Path, identity: dict[str, str], named_as: str) -> None:
    with pytest.raises(ModelError, match=named_as):
        load(stem, identity)


@pytest.mark.parametrize("content", ["[]", "{}", '{"identity": NaN}', '"text"'])
def test_json_that_is_no_record_is_refused(stem: Path, content: str) -> None:
    stem.with_suffix(".json").write_text(content)
    with pytest.raises(ModelError, match="train again"):
        load(stem, IDENTITY)


def test_numbers_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save(tmp_path / "a", {}, {"x": float("nan")}, IDENTITY)
    assert not (tmp_path / "a.json").exists()


def _step(layer: torch.nn.Linear, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    layer(torch.ones(1, 3)).square().sum().backward()
    optimizer.step()


@pytest.mark.parametrize("restored", [True, False])
def test_an_optimizer_goes_on_where_it_was(tmp_path: Path, restored: bool) -> None:
    """Adam's second step depends on its moments: without them it ends elsewhere."""
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    _step(layer, optimizer)
    kept = {**named("l", layer.state_dict()), **named("o", optimizer_tensors(optimizer))}
    save(tmp_path / "a", kept, {}, IDENTITY)
    other = torch.nn.Linear(3, 2)
    again = torch.optim.Adam(other.parameters(), lr=0.1)
    saved = load(tmp_path / "a", IDENTITY)
    other.load_state_dict(part("l", saved.tensors))
    if restored:
        set_optimizer_tensors(again, part("o", saved.tensors))
    _step(layer, optimizer)
    _step(other, again)
    assert torch.equal(layer.weight, other.weight) == restored
    assert json.loads((tmp_path / "a.json").read_text())["identity"] == IDENTITY


@pytest.mark.parametrize("key", ["identity", "numbers"])
def test_a_record_whose_parts_are_none_is_refused(tmp_path: Path, key: str) -> None:
    save(tmp_path / "one", {"a": torch.zeros(1)}, {}, {"algorithm": "x"})
    record = tmp_path / "one.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), key: 3}))
    with pytest.raises(ModelError, match="is not the record of saved tensors"):
        load(tmp_path / "one", {"algorithm": "x"})
