"""``budget`` on logs of all forms: one answer, what it rests on, and what the log cannot say."""

import gzip
import json
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from holdfast.solvers.relative_budget import (
    Empirical,
    class_logarithm,
    estimate_pooled,
    estimate_prompts,
    read_rollouts,
    requirement,
)
from holdfast.verify.relative_budget.commands.printing import _percentages

from ..conftest import Invoke
from .conftest import EACH, HORIZON, PROMPTS

RUN = ("--horizon", HORIZON, "--json", "out.json")


def answer() -> dict:
    return json.loads(Path("out.json").read_text())


def as_jsonl(rows: list[dict]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_the_answer_is_that_of_the_estimators(rows, csv_log, holdfast: Invoke) -> None:
    done = holdfast("budget", csv_log, *RUN, "--plot", "plot.png", "--all")
    assert done.code == 0, done.output
    log = read_rollouts([row["tokens"] for row in rows], [row["solved"] for row in rows],
                        [row["prompt"] for row in rows], HORIZON)  # fmt: skip
    prompts, pooled = estimate_prompts(log), estimate_pooled(log)
    found = answer()
    assert found["prompts"]["relative_budget"] == pytest.approx((HORIZON / prompts.mean).tolist())
    assert found["pooled"]["relative_budget"] == pytest.approx(HORIZON / pooled.mean)
    assert found["pooled"]["low"] < HORIZON / 250.8 < found["pooled"]["high"]  # the mean of means
    assert found["naive"] >= 1
    assert len(found["prompts"]["regime"]) == PROMPTS
    assert Path("plot.png").read_bytes()[:4] == b"\x89PNG"
    assert done.says("192 rollouts of 12 prompts", "tokens from tokens, solved from solved")
    assert done.says("what the log cannot say", "0 ended on a wrong answer", "nothing hangs on how")
    assert done.says("never below 1, whatever is true", "samples for one improvement")
    assert all(f"p{k}" in done.output for k in range(PROMPTS))


def test_all_forms_give_the_same_answer(rows, csv_log, holdfast: Invoke) -> None:
    Path("log.jsonl").write_text(as_jsonl(rows))
    Path("log.jsonl.gz").write_bytes(gzip.compress(as_jsonl(rows).encode()))
    Path("log.csv.gz").write_bytes(gzip.compress(csv_log.read_bytes()))
    Path("bom.csv").write_bytes(b"\xef\xbb\xbf" + csv_log.read_bytes())
    pq.write_table(pa.Table.from_pylist(rows), "log.parquet")
    trl = [
        {
            "step": 1,
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "completion": [{"role": "assistant", "content": "x"}],
            "accuracy_reward": float(row["solved"]),
            "completion_tokens": row["tokens"],
            "advantage": 0.1,
        }
        for row in rows
    ]
    pq.write_table(pa.Table.from_pylist(trl), "trl.parquet")
    verl = [
        {"input": row["prompt"], "output": "x", "gts": "4", "score": 2 * row["solved"] - 1.0,
         "step": 1, "acc": row["solved"], "response_length": row["tokens"]}
        for row in rows
    ]  # fmt: skip
    Path("verl.jsonl").write_text(as_jsonl(verl))
    table = pa.Table.from_pylist(rows)
    decimals = table["tokens"].cast(pa.decimal128(21, 2))
    pq.write_table(table.set_column(1, "tokens", decimals), "DECIMAL.PARQUET")
    assert holdfast("budget", csv_log, *RUN).code == 0
    first = answer()
    for name in ("log.jsonl", "log.jsonl.gz", "log.csv.gz", "bom.csv", "log.parquet",
                 "trl.parquet", "verl.jsonl", "DECIMAL.PARQUET"):  # fmt: skip
        done = holdfast("budget", name, *RUN)
        assert done.code == 0, done.output
        found = answer()
        for part in ("pooled", "plan", "rollouts", "solved"):
            assert found[part] == first[part], name
        assert found["prompts"]["high"] == first["prompts"]["high"], name
    done = holdfast("budget", "verl.jsonl", *RUN, "--solved", "score", "--solved-from", 1)
    assert done.says("columns that are not read: output, gts, step, acc"), done.output
    assert answer()["pooled"] == first["pooled"]


def wrong_ends(tmp_path: Path) -> Path:
    """Of 300 rollouts, 100 are solved at 1 to 100 tokens, 100 end wrong at 50, 100 are cut."""
    rows = [(k + 1, "true") for k in range(100)] + [(50, "false")] * 100 + [(200, "false")] * 100
    path = tmp_path / "wrong.csv"
    path.write_text("length,correct\n" + "".join(f"{n},{flag}\n" for n, flag in rows))
    return path


def test_a_wrong_end_is_read_as_one_says_and_the_others_stand_beside(
    tmp_path: Path, holdfast: Invoke
) -> None:
    done = holdfast("budget", wrong_ends(tmp_path), *RUN)
    assert done.says("100 solved, 100 cut at 200 tokens, 100 ended on a wrong answer before that")
    assert done.says("0, as E T is infinite, of which the theory says nothing")
    assert done.says(
        "--wrong continues, it would have gone on", "--wrong restarts, it begins again"
    )
    assert done.says("no column of prompts was found")
    found = answer()
    assert found["pooled"]["relative_budget"] == 0
    assert found["prompts"]["regime"] == ["E T infinite"]
    # tokens/solves: (5050 + 5000 + 20000)/100 = 300.5
    again = found["other_readings"]["restarts"]
    assert again["relative_budget"] == pytest.approx(200 / 300.5)
    assert holdfast("budget", "wrong.csv", *RUN, "--wrong", "restarts").code == 0
    assert answer()["pooled"] == again
    assert answer()["other_readings"]["continues"] == found["other_readings"]["continues"]
    assert found["samples_by_the_log"]["samples"] > 0
    assert answer()["samples_by_the_log"] is None  # rewards of many attempts are not in the log


def test_the_naive_estimate_contradicts_the_deficient_regime(csv_log, holdfast: Invoke) -> None:
    """Of the hardest prompt alone, whose relative budget is 1/3."""
    hard = [line for line in csv_log.read_text().splitlines() if line.startswith("p11,")]
    Path("hard.csv").write_text("prompt,tokens,solved\n" + "\n".join(hard) + "\n")
    done = holdfast("budget", "hard.csv", *RUN)
    assert done.code == 0, done.output
    assert answer()["pooled"]["high"] < 1 <= answer()["naive"]


def test_a_cap_beyond_the_horizon_lets_a_log_answer_for_less(csv_log, holdfast: Invoke) -> None:
    assert holdfast("budget", csv_log, *RUN).code == 0
    whole = answer()["pooled"]["relative_budget"]
    done = holdfast("budget", csv_log, "--horizon", 50, "--cap", HORIZON, "--json", "out.json")
    assert done.code == 0, done.output
    assert answer()["pooled"]["relative_budget"] == pytest.approx(whole / 4)
    done = holdfast("budget", csv_log, "--horizon", 1000, "--cap", HORIZON, "--json", "out.json")
    assert done.says("the horizon lies beyond the cap")
    assert answer()["pooled"]["relative_budget"] == pytest.approx(whole * 5)
    assert answer()["samples_by_the_log"] is None


def test_advances_tell_more_than_solves(holdfast: Invoke) -> None:
    """K tokens/advances: 2 steps, 30 rollouts of 20 tokens with 1 advance, 10 of 10 with 2."""
    lines = ["a,20,false,1"] * 30 + ["a,10,true,2"] * 10
    Path("chain.csv").write_text("prompt,tokens,solved,advances\n" + "\n".join(lines) + "\n")
    done = holdfast("budget", "chain.csv", "--horizon", 20, "--steps", 2, "--json", "out.json")
    assert done.code == 0, done.output
    assert answer()["pooled"]["mean_tokens"] == pytest.approx(2 * 700 / 50)


@pytest.mark.parametrize("kappa", ["0.25", "1.5", "1.51"])
def test_samples_by_the_log_are_the_requirement_of_its_law(kappa: str, holdfast: Invoke) -> None:
    """By the solver of processes.  Rewards 9, 5, 1 have the variance 32/3, and 4 = sqrt(3/2) sigma
    above the mean: kappa 3/2 is a tie, which counts."""
    lengths = [1] * 4 + [5] * 4 + [9] * 4
    rows = [{"tokens": n, "solved": True} for n in lengths]
    Path("log.jsonl").write_text(as_jsonl(rows))
    done = holdfast("budget", "log.jsonl", "--horizon", 9, "--kappa", kappa, "--json", "out.json")
    law = Empirical((1, 5, 9), (4, 4, 4))
    exact = requirement(law, 9, kappa, class_logarithm(100, 0.05))
    if exact.reason is None:
        assert done.code == 0, done.output
        assert answer()["samples_by_the_log"]["samples"] == pytest.approx(exact.samples)
    else:
        assert "largest kappa" in exact.reason
        assert done.code == 64 or answer()["samples_by_the_log"]["why"]


def test_pooling_takes_all_as_of_one(csv_log, holdfast: Invoke) -> None:
    done = holdfast("budget", csv_log, *RUN, "--pool")
    assert done.says("192 rollouts of 1 prompt")
    assert answer()["prompts"]["rollouts"] == [PROMPTS * EACH]


@pytest.fixture
def texts(tmp_path: Path) -> list[dict]:
    """Rollouts of a geometric law as texts, up to 30 tokens, and a tokenizer that cuts and fills
    them: its file has a truncation and a padding, as those of trained models have."""
    words = Tokenizer(models.WordLevel({"w": 0, "?": 1}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.enable_truncation(9)
    words.enable_padding(length=12)
    words.save(str(tmp_path / "tokenizer.json"))
    rng = np.random.default_rng(0)
    rows = [{"prompt": "p", "completion": "w " * min(t, 30), "accuracy_reward": float(t <= 30)}
            for t in rng.geometric(1 / 30, 60).tolist()]  # fmt: skip
    (tmp_path / "texts.jsonl").write_text(as_jsonl(rows))
    return rows


COUNTED = ("budget", "texts.jsonl", "--json", "out.json", "--family", "geometric", "--wrong",
           "continues", "--horizon")  # fmt: skip


@pytest.mark.parametrize("tokenizer", ["tokenizer.json", "."])
def test_texts_are_counted_whole_by_a_tokenizer(tokenizer, texts, holdfast: Invoke) -> None:
    done = holdfast(*COUNTED, 30, "--tokenizer", tokenizer, "--wrong", "infinite")
    assert done.code == 64
    assert done.says("leaves open whether a rollout was cut or ended on a wrong answer")
    done = holdfast(*COUNTED, 30, "--tokenizer", tokenizer)
    assert done.code == 0, done.output
    tokens = sum(row["completion"].count("w") for row in texts)
    solves = sum(row["accuracy_reward"] for row in texts)
    assert answer()["pooled"]["mean_tokens"] == pytest.approx(tokens / solves)


def test_texts_beyond_the_horizon_are_taken_as_long_only_where_few_tokens_are(
    texts, holdfast: Invoke
) -> None:
    how = ("--tokenizer", "tokenizer.json")
    longer = sum(row["completion"].count("w") > 27 for row in texts)
    assert longer > 1
    assert holdfast(*COUNTED, 27, *how).says(f"note: {longer} texts of up to 3 tokens more than 27")
    done = holdfast(*COUNTED, 26, *how)
    assert done.code == 64
    assert done.says("beyond the horizon 26", "say where with --cap, such as --cap 30")
    assert holdfast(*COUNTED, 26, *how, "--cap", 30).code == 0


def test_texts_are_named_and_counts_beside_them_are_not_read(texts, holdfast: Invoke) -> None:
    rows = [{"said": row.pop("completion"), "tokens": 7, **row} for row in texts]
    Path("texts.jsonl").write_text(as_jsonl(rows))
    done = holdfast(*COUNTED, 30, "--tokenizer", ".", "--lengths", "said")
    assert done.says("texts from said", "counts in tokens are not read"), done.output
    rows[3]["said"] = None
    Path("texts.jsonl").write_text(as_jsonl(rows))
    done = holdfast(*COUNTED, 30, "--tokenizer", ".", "--lengths", "said")
    assert done.code == 64
    assert done.says("texts.jsonl, row 4 has None, which is no text to be counted; give a text")


def test_cells_that_are_not_read_may_be_long(csv_log, holdfast: Invoke) -> None:
    """Python's csv refuses more than 131,072 characters unless told otherwise."""
    lines = csv_log.read_text().splitlines()
    said = ["said", "x" * 140_000, *[""] * (len(lines) - 2)]
    longer = [f"{line},{text}\n" for line, text in zip(lines, said, strict=True)]
    Path("LONG.CSV").write_text("".join(longer))
    done = holdfast("budget", "LONG.CSV", "--horizon", 200)
    assert done.code == 0, done.output


def test_tokens_buy_prompts(csv_log, holdfast: Invoke) -> None:
    done = holdfast("budget", csv_log, *RUN, "--spend", 1)
    assert done.says(
        "they guarantee no improvement of any prompt; the one that takes fewest tokens"
    )
    assert answer()["plan"]["horizon"] is None
    done = holdfast("budget", csv_log, *RUN, "--spend", 10**12)
    assert done.says("100% of the prompts", "rests on the law alone")
    assert answer()["plan"]["share_of_prompts"] == 1


def test_a_kappa_that_is_too_large_for_some_is_said(csv_log, holdfast: Invoke) -> None:
    done = holdfast("budget", csv_log, *RUN, "--kappa", 3)
    assert done.says("kappa is too large for", "would do for all")


def test_names_from_a_file_cannot_steer_the_terminal(holdfast: Invoke) -> None:
    rows = [{"prompt": f"\x1b[31m[bold]{k}", "tokens": n, "solved": True}
            for k in range(2) for n in (3, 5)]  # fmt: skip
    Path("log.jsonl").write_text(as_jsonl(rows))
    done = holdfast("budget", "log.jsonl", "--horizon", 9)
    assert done.code == 0, done.output
    assert "\x1b[31m" not in done.output
    assert "[bold]0" in done.output


def test_nothing_solved_within_the_horizon_has_no_naive_estimate(holdfast: Invoke) -> None:
    lines = ["a,80,false"] * 9 + ["a,60,true"] + ["b,80,false"] * 9 + ["b,70,true"]
    Path("late.csv").write_text("prompt,tokens,solved\n" + "\n".join(lines) + "\n")
    done = holdfast("budget", "late.csv", "--horizon", 50, "--cap", 80, "--spend", 1)
    assert done.code == 0, done.output
    assert "nan" not in done.flat
    assert "not to be used" not in done.flat
    least = 50 - 49 * (1 - 0.05 ** (1 / 20))
    assert done.says("nothing is solved before 50 tokens", f"is at least {least:.4g}")
    assert done.says("what 1 token is best spent on")


def test_what_holds_without_a_law_ends_with_the_log(holdfast: Invoke) -> None:
    """T and ends exponential: xi = 400/50 = 8, of which no rollout comes near 400 tokens."""
    rng = np.random.default_rng(1)
    right, wrong = (np.ceil(rng.exponential(mean, 240)) for mean in (50, 60))
    lengths, solved = np.minimum(right, wrong), right <= wrong
    rows = [f"{n:.0f},{int(flag)}" for n, flag in zip(lengths, solved, strict=True)]
    Path("ends.csv").write_text("tokens,solved\n" + "\n".join(rows) + "\n")
    done = holdfast("budget", "ends.csv", "--horizon", 400, "--wrong", "continues",
                    "--family", "geometric", "--json", "out.json")  # fmt: skip
    assert done.code == 0, done.output
    assert done.says("counted up to the longest rollout and no further")
    assert done.says(f"at {lengths.max():.0f} tokens, the longest")
    found = answer()["restricted_mean"]
    assert not found["whole"]
    assert 400 / found["low"] > 8
    assert found["value"] < 51
    assert {type(found[name]) for name in ("value", "low", "high")} == {float}


def test_one_prompt_with_a_number_is_one(holdfast: Invoke) -> None:
    """Of two, one is solved at once and one never; nothing is solved before H = 1 token."""
    lines = [f"a,{n},true" for n in (1, 2, 5, 9)] + ["b,9,false"] * 4
    Path("one.csv").write_text("prompt,tokens,solved\n" + "\n".join(lines) + "\n")
    done = holdfast("budget", "one.csv", "--horizon", 9, "--json", "out.json")
    assert done.says("of one prompt: ", "for 1 prompt no number")
    assert "in the middle" not in done.flat
    done = holdfast("budget", "one.csv", "--horizon", 1, "--cap", 9, "--json", "out.json")
    assert done.says("nothing is solved before 1 token,"), done.output
    assert type(answer()["restricted_mean"]["value"]) is float


def test_many_attempts_have_no_bound_of_one(tmp_path: Path, holdfast: Invoke) -> None:
    done = holdfast("budget", wrong_ends(tmp_path), *RUN, "--wrong", "restarts")
    assert done.says("what holds without any law is of one attempt")
    assert "without any law: E min" not in done.flat
    assert answer()["restricted_mean"] is None


def test_limits_of_the_search_are_said_as_such(holdfast: Invoke) -> None:
    """Each prompt solved after a number of tokens of its own: no law has so great a shape."""
    lines = [f"p{k},{10 + 5 * k},true" for k in range(4) for _ in range(4)]
    Path("same.csv").write_text("prompt,tokens,solved\n" + "\n".join(lines) + "\n")
    done = holdfast("budget", "same.csv", "--horizon", 50)
    assert done.code == 0, done.output
    assert done.says("shape at least 2,000, the greatest that is tried")
    assert done.says("of 4 prompts all rollouts are solved after the same number of tokens")


def test_percentages_sum_to_100() -> None:
    assert _percentages({"a": 0.025, "b": 0.9, "c": 0.075}) == {"a": 3, "b": 90, "c": 7}
    assert _percentages({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}) == {"a": 34, "b": 33, "c": 33}


@pytest.mark.slow
def test_a_million_rollouts(holdfast: Invoke) -> None:
    """125,000 prompts of 8; the time is printed, not asserted: machines differ."""
    rng = np.random.default_rng(0)
    means = 700 * np.exp(0.8 * rng.standard_normal((125_000, 1)))
    times = np.ceil(rng.gamma(2, means / 2, (125_000, 8))).astype(int)
    with Path("big.csv").open("w") as file:
        file.write("prompt,tokens,solved\n")
        for k, row in enumerate(times.tolist()):
            file.writelines(f"p{k},{min(t, 1024)},{int(t <= 1024)}\n" for t in row)
    start = time.process_time()
    assert holdfast("budget", "big.csv", "--horizon", 1024, "--json", "out.json").code == 0
    print(f"a million rollouts in {time.process_time() - start:.1f} s of processor time")
    assert answer()["rollouts"] == 10**6
    found = answer()["pooled"]
    assert found["low"] < 1024 / (700 * np.exp(0.32)) < found["high"]
