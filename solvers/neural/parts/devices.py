"""Devices of torch: one that is not there is refused before anything is trained."""

from __future__ import annotations

from ...errors import ModelError


def devices() -> tuple[str, ...]:
    """The devices that are there: "cpu", and "cuda:0" and so on, "mps"."""
    import torch

    found = ["cpu", *(f"cuda:{at}" for at in range(torch.cuda.device_count()))]
    return (*found, "mps") if torch.backends.mps.is_available() else tuple(found)


def require_device(device: str) -> None:
    """Raise ModelError, with those that are there, unless the device is one of them."""
    there = devices()
    if device not in there and not (device == "cuda" and "cuda:0" in there):
        raise ModelError(f"device = {device!r} is not there; there are {', '.join(there)}")
