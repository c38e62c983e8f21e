"""Networks and measurements as tensors and plain numbers, from which they are made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import Tensor, nn

from ...errors import ModelError
from ...exact import format_rational
from ..parts.checkpoints import named, part
from ..parts.evaluation import Episodes
from .heads import TwoHeadPolicy

_CLASSES: dict[str, type[ActorCriticPolicy]] = {
    "ActorCriticPolicy": ActorCriticPolicy,
    "TwoHeadPolicy": TwoHeadPolicy,
}


def text(value: Fraction | None) -> str | None:
    """A fraction as "p/q"."""
    return None if value is None else format_rational(value)


def plain(seen: Episodes) -> dict[str, Any]:
    """Integers as they are, fractions as text."""
    return {
        name: text(value) if isinstance(value, Fraction) else value
        for name, value in asdict(seen).items()
    }


def episodes_from(plain: Mapping[str, Any]) -> Episodes:
    """What `plain` made so."""
    read: dict[str, Any] = {k: Fraction(v) if isinstance(v, str) else v for k, v in plain.items()}
    return Episodes(**read | {"seeds": tuple(read["seeds"])})


def described(network: BasePolicy) -> dict[str, Any]:
    """What makes a network of the same shape, as JSON.  Raises ModelError where that is not all."""
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


def tensors_of(network: BasePolicy) -> dict[str, Tensor]:
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
    # copies, since the two policies of a flip may be one, and files hold no shared memory
    own = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    return {**named("net", own), **bounds}


def network_from(described: Any, tensors: Mapping[str, Tensor], device: str) -> ActorCriticPolicy:
    """The network that was `described`, with its tensors.  Raises ModelError on another class."""
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
    network.load_state_dict(part("net", tensors))
    return network.to(device)


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
