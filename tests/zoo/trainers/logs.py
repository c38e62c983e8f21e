"""Logs for ``holdfast audit``: faults that public trackers report, beside correct twins.

Numbers come from sines, never from chance.  ``python logs.py FOLDER`` writes all.
"""

import csv
import math
import sys
from pathlib import Path

import numpy as np

STEPS, LIMIT, RATE = 40, 25.0, 0.05
RUNS = {
    "plain": ("correct", "", {}),
    "average": (
        "mistaken for no average",
        "moving average of the column with rho = 0.9",
        {"average": 0.9},
    ),
    "reward_driven": ("omnisafe#87", "follows the column reward", {"source": "reward"}),
    "summed": ("omnisafe#87", "times the stated one", {"summed": 8}),
    "adam": ("Torch-PPO-Lagrangian#1", "Adam", {"adam": True}),
    "wrong_sign": ("catalogue, sign", "other way round", {"sign": -1}),
    "unclamped": ("Torch-PPO-Lagrangian#1", "not kept at 0", {"floor": -math.inf, "level": 24.0}),
}
"""Log -> (where it is reported, what the auditor names, how it differs)."""
BATCHES = {
    "batch_plain": ("correct", []),
    "batch_variance": ("NeMo-RL#4158", []),
    "batch_bf16": ("OpenRLHF#1334", ["advantages", "sums"]),
    "batch_temperature": ("TRL#4159", ["importance ratios"]),
}
"""Dump -> (where it is reported, what the auditor names)."""


def run(source="cost", summed=1, adam=False, sign=1, floor=0.0, level=25.3, average=0.0):
    """Rows of a run: step, multiplier after the update, cost, reward."""
    lam, first, second, mean = 0.5, 0.0, 0.0, 26.0
    for step in range(STEPS):
        cost = level + math.sin(step) + 0.5 * math.sin(2.3 * step)
        reward = 25.2 + math.cos(1.7 * step)
        mean = average * mean + (1 - average) * (cost if source == "cost" else reward)
        u = sign * (mean - LIMIT)
        if adam:
            first, second = 0.9 * first + 0.1 * u, 0.999 * second + 0.001 * u * u
            corrected = second / (1 - 0.999 ** (step + 1))
            move = first / (1 - 0.9 ** (step + 1)) / (math.sqrt(corrected) + 1e-8)
        else:
            move = u * summed
        lam = max(floor, lam + RATE * move)
        yield step, f"{lam:.6f}", f"{cost:.6f}", f"{reward:.6f}"


def batch(kind):
    """Rows of a dump: group, reward, advantage, log-probabilities, response."""
    for k in range(8):
        rewards = [0.95] * 4 if k == 3 else [float((j * (k + 2) + k) % 3) / 2 for j in range(4)]
        if kind == "batch_bf16" and k == 5:
            rewards = [1.0, 1.0, 1.0, 1.0078125]
        x = np.array(rewards, dtype=np.float32)
        spread = float(x.std(ddof=1))
        if kind == "batch_variance":  # E x^2 - mean^2 in float32
            square = np.float32((x * x).sum()) / np.float32(4) - (x.sum() / np.float32(4)) ** 2
            spread = math.sqrt(max(float(square), 0.0) * 4 / 3) if k != 3 else 4.567e-4
        away = x - np.float32(0.9499999285) if kind == "batch_variance" and k == 3 else x - x.mean()
        found = (away / np.float32(spread + 1e-6)).astype(np.float32)
        if kind == "batch_bf16" and k == 5:
            found = np.array([0, 0, 0, 2], dtype=np.float32)
        for j, (r, a) in enumerate(zip(rewards, found, strict=True)):
            logp = -1.0 - 0.25 * ((j + k) % 3)
            old = logp / 0.6 if kind == "batch_temperature" else logp
            yield f"p{k}", r, float(a), logp, old, f"r{(j * (k + 2) + k) % 3}"


def write(folder):
    """All logs as .csv files of that folder."""
    heads = {"run": ("step", "multiplier", "cost", "reward"),
             "batch": ("group", "reward", "advantage", "logp", "old_logp", "response")}  # fmt: skip
    for name in (*RUNS, *BATCHES):
        rows = batch(name) if name in BATCHES else run(**RUNS[name][2])
        with (Path(folder) / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(heads["batch" if name in BATCHES else "run"])
            writer.writerows(rows)


if __name__ == "__main__":
    write(sys.argv[1])
