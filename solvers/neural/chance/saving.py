"""Flipping policies in files: tensors as safetensors, all else as JSON; never pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from gymnasium import spaces
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import Tensor, nn

from ...errors import ModelError
from ...exact import format_rational
from ...strict import strict_json
from ...whole_files import whole, write_text
from .flips import Measured
from .heads import TwoHeadPolicy
from .policy import FlippingPolicy

FORMAT = "holdfast flipping policy, version 1"
_CLASSES: dict[str, type[ActorCriticPolicy]] = {
    "ActorCriticPolicy": ActorCriticPolicy,
    "TwoHeadPolicy": TwoHeadPolicy,
}
_JSON, _TENSORS = "policy.json", "policy.safetensors"


def save(policy: FlippingPolicy, folder: Path) -> Path:
    """Write both files, the tensors first; the JSON names them by their digest."""
    networks = (
        {"network": policy.first}
        if policy.form == "step"
        else {"first": policy.first, "second": policy.second}
    )
    described = {name: _described(network) for name, network in networks.items()}
    tensors = {
        f"{name}.{key}": tensor.detach().cpu().contiguous()
        for name, network in networks.items()
        for key, tensor in _tensors(network).items()
    }
    data = bytes_of(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    with whole(folder / _TENSORS) as unfinished:
        unfinished.write_bytes(data)
    chance = None if policy.probability is None else format_rational(policy.probability)
    document = {
        "format": FORMAT,
        "form": policy.form,
        "probability": chance,
        "seed": str(policy.seed),
        "networks": described,
        "sha256": hashlib.sha256(data).hexdigest(),
        "measured": [one.to_json() for one in policy.measured],
    }
    write_text(folder / _JSON, json.dumps(document, indent=1) + "\n")
    return folder


def load(folder: Path, device: str) -> FlippingPolicy:
    """The policy that `save` wrote."""
    path = folder / _JSON
    document = _document(path)
    try:
        tensors = _checked_tensors(folder / _TENSORS, document["sha256"])
        networks = {
            name: _network(described, _under(name, tensors), device)
            for name, described in document["networks"].items()
        }
        kept: dict[str, Any] = {
            "seed": int(document["seed"]),
            "measured": [Measured.from_json(one) for one in document["measured"]],
        }
        if document["form"] == "step":
            return FlippingPolicy.of_heads(networks["network"], **kept)
        two, chance = (networks["first"], networks["second"]), document["probability"]
        return FlippingPolicy(*two, chance, form=document["form"], **kept)
    except (KeyError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path} is not what FlippingPolicy.save writes: {error!r}") from error


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"{path.parent} holds no flipping policy: there is no {path.name} in it")
    document = strict_json(path.read_text(encoding="utf-8"), str(path), float)
    found = document.get("format") if isinstance(document, dict) else None
    if found != FORMAT:
        raise ModelError(f'the format of {path} is {found!r}; this version reads "{FORMAT}"')
    return dict(document)


def _checked_tensors(path: Path, digest: str) -> dict[str, Tensor]:
    if not path.is_file():
        raise ModelError(f"{path} is missing; copy the folder again, or save the policy anew")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ModelError(
            f"{path} ({len(data)} bytes) is not the file that {_JSON} beside it speaks of: it was "
            "cut or changed; copy the folder again, or save the policy anew"
        )
    return tensors_of(data)


def _described(network: BasePolicy) -> dict[str, Any]:
    """What makes a network of the same shape, as JSON."""
    kind = type(network).__name__
    if not isinstance(network, ActorCriticPolicy) or _CLASSES.get(kind) is not type(network):
        raise ModelError(f"a {kind} cannot be saved; those that can are {', '.join(_CLASSES)}")
    activation = network.activation_fn.__name__
    plain = (
        not network.use_sde
        and network.features_extractor_class is FlattenExtractor
        and getattr(nn, activation, None) is network.activation_fn
    )
    if not plain:
        raise ModelError(
            f"this {kind} cannot be saved: only networks without feature extractor and "
            "state-dependent noise, with an activation of torch.nn, can"
        )
    return {
        "class": kind,
        "net_arch": network.net_arch,
        "activation": activation,
        "share_features_extractor": network.share_features_extractor,
        "observation": _kind_of_space(network.observation_space),
        "action": _kind_of_space(network.action_space),
    }


def _tensors(network: BasePolicy) -> dict[str, Tensor]:
    """Parameters, and the bounds of spaces, which may be infinite and are kept bit by bit."""
    bounds = {
        f"{name}_{side}": torch.from_numpy(getattr(space, side).copy())
        for name, space in (
            ("observation", network.observation_space),
            ("action", network.action_space),
        )
        if isinstance(space, spaces.Box)
        for side in ("low", "high")
    }
    return {**{f"net.{k}": v for k, v in network.state_dict().items()}, **bounds}


def _network(described: Any, tensors: Mapping[str, Tensor], device: str) -> ActorCriticPolicy:
    kind = _CLASSES.get(described["class"])
    activation = getattr(nn, described["activation"], None)
    if kind is None or not (isinstance(activation, type) and issubclass(activation, nn.Module)):
        raise ModelError(
            f"this version knows no {described['class']} with {described['activation']}"
        )
    network = kind(
        _space(described["observation"], "observation", tensors),
        _space(described["action"], "action", tensors),
        lambda _: 0.0,
        net_arch=described["net_arch"],
        activation_fn=activation,
        share_features_extractor=described["share_features_extractor"],
    )
    network.load_state_dict(_under("net", tensors))
    return network.to(device)


def _under(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{name}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def _kind_of_space(space: spaces.Space) -> dict[str, int] | str:
    if isinstance(space, spaces.Discrete):
        return {"discrete": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.Box):
        return "box"
    raise ModelError(f"{space} cannot be saved; spaces that can are Discrete and Box")


def _space(kind: Any, name: str, tensors: Mapping[str, Tensor]) -> spaces.Space:
    if kind == "box":
        low, high = (tensors[f"{name}_{side}"].numpy() for side in ("low", "high"))
        return spaces.Box(low, high, dtype=low.dtype.type)
    return spaces.Discrete(kind["discrete"], start=kind["start"])
