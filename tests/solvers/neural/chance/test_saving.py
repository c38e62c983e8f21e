"""A flipping policy that was saved acts as before; what was cut or changed is refused."""

import json
from fractions import Fraction
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy

from holdfast.solvers import ModelError
from holdfast.solvers.neural.chance import FlippingPolicy, TwoHeadPolicy
from holdfast.solvers.neural.parts.evaluation import Episodes

from ....zoo.corridor import LEFT, RIGHT, Corridor
from .networks import constant, drawn_two_heads, two_heads

torch.set_num_threads(1)
SEEN = np.eye(3, dtype=np.float32)[np.arange(300) % 3]
HALF = Fraction(1, 2)


def acts(policy: FlippingPolicy) -> list[float]:
    return policy.predict(SEEN, None, np.ones(len(SEEN)))[0].tolist()


@pytest.mark.parametrize("form", ["episode", "printed", "step"])
def test_what_is_loaded_acts_as_what_was_saved(tmp_path: Path, form: str) -> None:
    seen = Episodes(1000, 93, Fraction(81, 7), Fraction(3), highest=Fraction(7, 2), seeds=(2**40,))
    kept = {"limits": (Fraction(1, 10), None), "measured": {Fraction(1, 10): seen}}
    if form == "step":
        policy = FlippingPolicy.of_heads(two_heads([0, 1, 2]), seed=5, **kept)
    else:
        policy = FlippingPolicy(constant(LEFT), constant(RIGHT), "3/7", form=form, seed=5, **kept)
    loaded = FlippingPolicy.load(policy.save(tmp_path / "kept"))
    assert acts(loaded) == acts(policy)
    spaces = ("observation_space", "action_space")
    for name in ("form", "probability", "seed", "limits", "measured", *spaces):
        assert getattr(loaded, name) == getattr(policy, name)
    assert {path.suffix for path in (tmp_path / "kept").iterdir()} == {".json", ".safetensors"}


def test_unbounded_observations_and_other_networks_are_kept_bit_by_bit(tmp_path: Path) -> None:
    box = gymnasium.spaces.Box(np.array([-np.inf, -0.1, 0]), np.inf, (3,), np.float64)
    actions = gymnasium.spaces.Discrete(3, start=2)
    one, other = (
        ActorCriticPolicy(
            box, actions, float, net_arch={"pi": [n], "vf": []}, activation_fn=torch.nn.ReLU,
            share_features_extractor=n == 5,
        )
        for n in (5, 7)
    )  # fmt: skip
    loaded = FlippingPolicy.load(FlippingPolicy(one, other, HALF).save(tmp_path))
    assert loaded.observation_space == box
    assert loaded.action_space == actions
    for before, after in ((one, loaded.first), (other, loaded.second)):
        kept = after.state_dict()
        assert all(torch.equal(kept[name], tensor) for name, tensor in before.state_dict().items())


@pytest.fixture(name="kept")
def _kept(tmp_path: Path) -> Path:
    return FlippingPolicy(constant(LEFT), constant(RIGHT), HALF).save(tmp_path)


def test_a_cut_file_is_refused(kept: Path) -> None:
    tensors = kept / "policy.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1])
    with pytest.raises(ModelError, match="is truncated, changed or gone"):
        FlippingPolicy.load(kept)
    tensors.unlink()
    with pytest.raises(ModelError, match="is truncated, changed or gone"):
        FlippingPolicy.load(kept)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"probability": "3/2"}, "probability is 3/2"),
        ({"probability": None}, "probability is None"),
        ({"seed": []}, "is not what FlippingPolicy.save writes: TypeError"),
        ({"networks": {}}, "is not what FlippingPolicy.save writes: KeyError"),
        ({"form": "once"}, "form is 'once'"),
    ],
)
def test_a_changed_document_is_refused(kept: Path, change: dict, said: str) -> None:
    path = kept / "policy.json"
    document = json.loads(path.read_text())
    document["numbers"] |= change
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match=said):
        FlippingPolicy.load(kept)


def test_networks_that_do_not_fit_their_description_are_refused(kept: Path) -> None:
    path = kept / "policy.json"
    document = json.loads(path.read_text())
    document["numbers"]["networks"]["first"]["net_arch"] = {"pi": [3], "vf": [3]}
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match="is not what FlippingPolicy"):
        FlippingPolicy.load(kept)
    document["numbers"]["networks"]["first"] |= {"class": "Unknown"}
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match="this version knows no Unknown"):
        FlippingPolicy.load(kept)


def test_a_file_of_another_format_is_refused(kept: Path) -> None:
    path = kept / "policy.json"
    path.write_text(path.read_text().replace("version 1", "version 2"))
    with pytest.raises(ModelError, match=r"was written with format holdfast .* version 2, not"):
        FlippingPolicy.load(kept)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"policy\.json cannot be read"):
        FlippingPolicy.load(tmp_path)


def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    noisy = PPO("MlpPolicy", "Pendulum-v1", use_sde=True, device="cpu").policy
    with pytest.raises(ModelError, match="only networks without feature extractor"):
        FlippingPolicy(noisy, noisy, HALF).save(tmp_path)
    many = gymnasium.spaces.MultiDiscrete([2, 2])
    other = ActorCriticPolicy(Corridor.observation_space, many, float)
    with pytest.raises(ModelError, match=r"MultiDiscrete\(\[2 2\]\) cannot be saved"):
        FlippingPolicy(other, other, HALF).save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_one_policy_twice_is_kept(tmp_path: Path) -> None:
    """As where the best flip is none."""
    same = constant(RIGHT)
    loaded = FlippingPolicy.load(FlippingPolicy(same, same, 0).save(tmp_path))
    assert set(acts(loaded)) == {RIGHT}


def test_two_heads_of_continuous_actions_are_kept(tmp_path: Path) -> None:
    box = gymnasium.spaces.Box(-9, 9, (2,), np.float32)
    heads = drawn_two_heads(box).float()
    loaded = FlippingPolicy.load(FlippingPolicy.of_heads(heads).save(tmp_path))
    assert isinstance(loaded.first, TwoHeadPolicy)
    assert torch.equal(loaded.first.log_std, heads.log_std)
    seen = SEEN.astype(np.float64)
    assert loaded.second_chances(seen).tolist() == heads.second_chances(seen).tolist()
