"""Losses for ``holdfast audit-trainer``: faults that public trackers report, and correct twins.

Each factory rebuilds the behaviour, none of the code.  `FAULTS` says where a fault is reported,
what catches it, and which twin must be acquitted; `CORRECT` has more that only look wrong.
"""

import torch
from torch.nn.functional import logsigmoid

FAULTS = {
    "squared_ranks": ("verl#5798", "sharding", "sequence_mean"),
    "micro_batch_sum": ("verl#3741", "sharding", "sequence_mean"),
    "times_ranks": ("NVIDIA-NeMo/Automodel#3846", "sharding", "token_mean"),
    "divided_twice": ("ms-swift#10117", "accumulation", "token_mean"),
    "mean_of_means": ("prime-rl#1957, open-instruct#1137", "sharding", "token_mean"),
    "k3_alone": ("OpenRLHF#1309, TRL#4967", "divergence", "k3_with_ratio"),
    "k1_alone": ("slime#1004, verl#2953", "divergence", "kl_in_reward"),
    "encouraged": ("marin#1742", "divergence", "k2_alone"),
    "untempered": ("TRL#3029, OpenRLHF#853", "temperature", "tempered"),
    "divided_log_probabilities": ("prime-rl#697", "temperature", "tempered"),
    "strided_groups": ("AReaL#1419", "partial groups", "named_groups"),
    "padded": ("TRL#6654", "padding", "sequence_mean"),
    "no_reference": ("Liger-Kernel#387", "fixed point", "dpo"),
    "chosen_alone": ("exact-optimization#2", "tokens", "dpo"),
    "live_reference": ("POVID#11", "reference", "frozen_reference"),
    "reset_reference": ("catalogue, pitfall 6", "reference", "frozen_reference"),
    "stage_of_beta": ("catalogue, M1", "fixed point", "stage_of_ratio"),
    "lock_step": ("catalogue, H5", "mixture", "common_scale"),
}
"""Factory -> (where it is reported, the check that catches it, its correct twin)."""
CORRECT = {
    "ratio_of_one": "minimind#775, TRL#2681: the ratio is always 1, and its gradient is not 0",
    "k2_alone": "grail#42: half the squared log ratio has the gradient of KL(pi, reference)",
    "ipo": "IPO ends at a law of its own",
}
"""Factory -> why it is right, whatever it looks like."""
BETA = 0.3


def _advantages(batch, kind="centred"):
    rewards = batch["rewards"]
    mean = torch.stack([rewards[batch["groups"] == g].mean() for g in batch["groups"]])
    sizes = torch.stack([(batch["groups"] == g).sum() for g in batch["groups"]])
    away = rewards - mean
    return away * sizes / (sizes - 1) if kind == "loo" else away


def _rows(batch, estimator="k3r", advantages=None, beta=BETA):
    """The loss of every token."""
    if advantages is None:
        advantages = _advantages(batch)
    ratio = (batch["logps"] - batch["old_logps"]).exp()
    d = batch["ref_logps"] - batch["logps"]
    k3 = d.exp() - d - 1
    kl = {"k3r": k3 * ratio, "k3": k3, "k2": d**2 / 2, "k1": -d, "-k2": -(d**2) / 2, "none": 0 * d}
    return -ratio * advantages[:, None] + beta * kl[estimator]


def _made(function, **attributes):
    for name, value in ({"beta": BETA} | attributes).items():
        setattr(function, name, value)
    return function


def _tokens(batch, rows):
    return (rows * batch["mask"]).sum() / batch["all_tokens"]


def _sequences(batch, rows):
    return ((rows * batch["mask"]).sum(1) / batch["mask"].sum(1)).sum() / batch["all_sequences"]


def _parts(batch):
    return batch["ranks"] * batch["accumulation"]


def token_mean():
    return _made(lambda b: _tokens(b, _rows(b)) * _parts(b))


def sequence_mean():
    return _made(lambda b: _sequences(b, _rows(b)) * _parts(b))


def squared_ranks():
    return _made(lambda b: _sequences(b, _rows(b)) * b["accumulation"] / b["ranks"])


def micro_batch_sum():
    return _made(lambda b: (_rows(b) * b["mask"]).sum() / b["mask"].shape[1])


def times_ranks():
    return _made(lambda b: (_rows(b) * b["mask"]).sum() / b["mask"].sum() * b["ranks"])


def divided_twice():
    return _made(lambda b: _tokens(b, _rows(b)) * b["ranks"])


def mean_of_means():
    return _made(lambda b: (_rows(b) * b["mask"]).sum() / b["mask"].sum())


def k3_with_ratio():
    return token_mean()


def k3_alone():
    return _made(lambda b: _tokens(b, _rows(b, "k3")) * _parts(b))


def k1_alone():
    return _made(lambda b: _tokens(b, _rows(b, "k1")) * _parts(b))


def k2_alone():
    return _made(lambda b: _tokens(b, _rows(b, "k2")) * _parts(b))


def encouraged():
    return _made(lambda b: _tokens(b, _rows(b, "-k2")) * _parts(b))


def kl_in_reward():
    def loss(batch):
        kl = ((batch["old_logps"] - batch["ref_logps"]) * batch["mask"]).sum(1)
        shaped = batch | {"rewards": batch["rewards"] - BETA * kl}
        rows = _rows(batch, "none", _advantages(shaped, "loo"))
        return _tokens(batch, rows) * _parts(batch)

    return _made(loss)


def ratio_of_one():
    def loss(batch):
        return _tokens(batch, _rows(batch | {"old_logps": batch["logps"].detach()})) * _parts(batch)

    return _made(loss)


def _scored(log_probabilities):
    return _made(token_mean(), log_probabilities=log_probabilities)


def _picked(logps, tokens):
    return logps.gather(-1, tokens[:, None])[:, 0]


def tempered():
    return _scored(lambda x, y, t: _picked((x / t).log_softmax(-1), y))


def untempered():
    return _scored(lambda x, y, t: _picked(x.log_softmax(-1), y))


def divided_log_probabilities():
    return _scored(lambda x, y, t: _picked(x.log_softmax(-1), y) / t)


def named_groups():
    return _made(token_mean(), partial_groups=True)


def strided_groups():
    def loss(batch):
        size, rewards = 4, batch["rewards"]
        mean = torch.cat([x.mean().expand(len(x)) for x in rewards.split(size)])
        return _tokens(batch, _rows(batch, advantages=rewards - mean)) * _parts(batch)

    return _made(loss, partial_groups=True)


def padded():
    def loss(batch):
        rows = _rows(batch)
        return (rows.sum(1) / batch["mask"].sum(1)).sum() / batch["all_sequences"] * _parts(batch)

    return _made(loss)


def _margins(batch):
    return [
        (batch[f"{who}_logps"] * batch[f"{who.removeprefix('ref_')}_mask"]).sum(1)
        for who in ("chosen", "rejected", "ref_chosen", "ref_rejected")
    ]


def _pairs(margin, beta=BETA, **attributes):
    def loss(batch):
        return -logsigmoid(beta * margin(*_margins(batch))).mean()

    return _made(loss, kind="preference", **attributes)


def dpo():
    return _pairs(lambda c, r, rc, rr: c - r - rc + rr)


def no_reference():
    return _pairs(lambda c, r, rc, rr: c - r)


def chosen_alone():
    return _pairs(lambda c, r, rc, rr: c - rc)


def ipo():
    def loss(batch):
        c, r, rc, rr = _margins(batch)
        return ((c - r - rc + rr - 1 / (2 * BETA)) ** 2).mean()

    return _made(loss, kind="preference")


def stage_of_ratio():
    return _pairs(lambda c, r, rc, rr: c - r - rc + rr, BETA / 2, multiplier=2.0)


def stage_of_beta():
    return _pairs(lambda c, r, rc, rr: c - r - rc + rr, BETA, multiplier=2.0)


def frozen_reference():
    return _made(dpo(), reference=lambda stage, policies: policies[0 if stage == 0 else 2])


def live_reference():
    return _made(dpo(), reference=lambda stage, policies: policies[-1])


def reset_reference():
    return _made(dpo(), reference=lambda stage, policies: policies[0])


def _mixed(batch, standardise):
    lam, total = 0.5, 0
    for weight, column in ((1, 0), (lam, 1)):
        rewards = batch["rewards"][:, column].reshape(-1, 4)
        away = rewards - rewards.mean(1, keepdim=True)
        if standardise:
            away = away / (rewards.std(1, keepdim=True) + 1e-4)
        total = total + weight * away.reshape(-1)
    return _tokens(batch, _rows(batch, "none", total)) * _parts(batch)


def common_scale():
    return _made(lambda b: _mixed(b, False), rewards=2, multiplier=0.5, beta=None)


def lock_step():
    return _made(lambda b: _mixed(b, True), rewards=2, multiplier=0.5, beta=None)
