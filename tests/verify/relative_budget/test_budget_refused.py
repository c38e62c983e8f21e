"""``budget`` refuses what cannot be meant: with the value, the place and the remedy."""

import gzip
import json
import os
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ..conftest import Invoke

GOOD = "prompt,tokens,solved\na,10,true\na,20,true\na,50,false\nb,30,true\nb,50,false\n"
PLAIN = ("--horizon", 50)

OPTIONS = {
    ("--horizon", 0): "'0' is not a whole number from 1 to",
    ("--horizon", "1e3"): "is not a whole number",
    ("--cap", 0): "'0' is not a whole number",
    ("--horizon", 40): "row 3 has 50 tokens, beyond the horizon 40 at which rollouts were cut",
    ("--delta", 0): "--delta is 0; the probability of failure is a number above 0 and below 1",
    ("--delta", 1): "--delta is 1; the probability of failure",
    ("--delta", "nan"): "--delta is nan; the probability of failure",
    ("--kappa", 0): "--kappa is 0; the radius of a ball is a number above 0",
    ("--kappa", -1): "--kappa is -1",
    ("--kappa", "inf"): "--kappa is inf",
    ("--kappa", 100): "--kappa 100 is so large that no rollout is sqrt(kappa) deviations better",
    ("--class-size", 0): "'0' is not a whole number from 1 to 10^300",
    ("--solved-from", "nan"): "--solved-from is nan; the least score that counts as solved is a",
    ("--solved-from", "inf"): "--solved-from is inf",
    ("--spend", 0): "is not a whole number",
    ("--family", "normal"): "is not one of",
    ("--wrong", "maybe"): "is not one of",
    ("--lengths", "length"): "log.csv has no column 'length'; it has prompt, tokens, solved",
    ("--solved", "right"): "log.csv has no column 'right'",
    ("--prompts", "id"): "log.csv has no column 'id'",
    ("--solved", "tokens"): "'tokens' cannot be both that of --lengths and that of --solved",
    ("--prompts", "solved"): "'solved' cannot be both that of --solved and that of --prompts",
    ("--lengths", "solved"): "'solved' cannot be both that of --lengths and that of --solved",
    ("--solved", "prompt", "--pool", "--solved-from", 1): "row 1 has 'a' as prompt, which is",
    ("--steps", 2): "log.csv has no column advances, which --steps needs",
    ("--steps", 2, "--family", "gamma"): "--family has no effect with --steps",
    ("--advances", "tokens"): "--advances has no effect without --steps",
    ("--wrong", "restarts", "--family", "gamma"): "--family has no effect with --wrong restarts",
    ("--pool", "--prompts", "prompt"): "--prompts has no effect with --pool",
    ("--tokenizer", "t.json"): "--tokenizer counts texts anew",
    ("--tokenizer", "t.json", "--wrong", "continues"): "tried completion, output, response, "
        "generation; name it with --lengths COLUMN",
    ("--tokenizer", "t.json", "--wrong", "continues", "--lengths", "prompt", "--pool"):
        "there is no file t.json; give the tokenizer.json",
    ("--tokenizer", ".", "--wrong", "continues", "--lengths", "prompt", "--pool"):
        "there is no file tokenizer.json; give the tokenizer.json that the model was saved with",
    ("--plot", "plot.doc"): "the suffix must be one of .png, .svg, .pdf",
    ("--plot", "plot.gif"): "the suffix must be one of",
    ("--json", "log.csv"): "is the same file as the log",
    ("--json", "none/a.json"): "there is no folder",
}  # fmt: skip

LOGS = {
    # no rollouts, or none that tell anything
    "": "holds no rows",
    "prompt,tokens,solved\n": "the log has no rollouts",
    "tokens,solved\n10,false\n50,false\n": "none of the 2 rollouts is solved",
    "tokens,solved\n10,true\n": "the only rollout is solved after 10 tokens",
    "tokens,solved\n10,true\n10,true\n": "all 2 rollouts are solved after 10 tokens",
    "prompt,tokens,solved\na,1,1\na,2,1\nb,3,1\n": "the prompt 'b' has one rollout (1 of 2",
    # counts that are none
    "tokens,solved\n10,true\n-3,true\n": "row 2 has '-3' as tokens; give a whole number from 0 to",
    "tokens,solved\n10,true\n2.5,true\n": "row 2 has '2.5' as tokens; give a whole number",
    "tokens,solved\n10,true\nnan,true\n": "row 2 has 'nan'",
    "tokens,solved\n10,true\n9223372036854775808,true\n": "row 2 has '9223372036854775808' as",
    "tokens,solved\n10,true\n1e999,true\n": "row 2 has '1e999' as tokens; give a whole number",
    "tokens,solved\n10,true\nten,true\n": "row 2 has 'ten' as tokens; give a whole number",
    "tokens,solved\n10,true\n1_0,true\n": "row 2 has '1_0' as tokens",
    "tokens,solved\n10,true\n,true\n": "row 2 has '' as tokens",
    "tokens,solved\n10,true\n0,true\n": "row 2 is solved after 0 tokens",
    "tokens,solved\n10,true\n51,true\n": "row 2 has 51 tokens, beyond the horizon 50",
    # flags that are none
    "tokens,solved\n10,true\n20,maybe\n": "row 2 has 'maybe' as solved, which is neither",
    "tokens,score\n10,0.7\n20,1\n": "say from which on a rollout is solved with --solved-from",
    "tokens,score\n10,nan\n20,1\n": "row 1 has 'nan' as score",
    # columns
    "a,b\n1,2\n": "has the columns a, b, of which none is known to hold token counts; tried tokens",
    "tokens,b\n1,2\n": "none is known to hold whether a rollout is solved; tried solved, correct",
    "prompt,completion,reward\na,b,1\n": "has texts in 'completion': count these with --tokenizer",
    "tokens,tokens,solved\n1,2,1\n": "two columns named 'tokens'",
    "tokens,solved\n10\n": "row 1 has 1 cells, and the first line names 2 columns",
    'tokens,solved\n"10,true\n': "cannot be read as CSV",
}


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: " ".join(map(str, options)))
def test_options_are_refused(options: tuple[object, ...], holdfast: Invoke) -> None:
    Path("log.csv").write_text(GOOD)
    done = holdfast("budget", "log.csv", *PLAIN, *options)
    assert done.code == 64, done.output
    assert done.says(OPTIONS[options]), done.output


def test_the_same_without_the_fault_is_taken(holdfast: Invoke) -> None:
    Path("log.csv").write_text(GOOD)
    assert holdfast("budget", "log.csv", *PLAIN).code == 0


@pytest.mark.parametrize("text", LOGS, ids=[text[-30:] or "empty" for text in LOGS])
def test_logs_are_refused(text: str, holdfast: Invoke) -> None:
    Path("log.csv").write_text(text)
    done = holdfast("budget", "log.csv", *PLAIN)
    assert done.code == 64, done.output
    assert done.says(LOGS[text]), done.output


def test_the_largest_kappa_is_said_and_right(holdfast: Invoke) -> None:
    """A little less than it is taken, a little more is not."""
    Path("log.csv").write_text(GOOD)
    done = holdfast("budget", "log.csv", *PLAIN, "--pool", "--kappa", 1000)
    most = float(done.flat.split("it must be below ")[1].split()[0].strip("."))
    assert holdfast("budget", "log.csv", *PLAIN, "--pool", "--kappa", 0.999 * most).code == 0
    assert holdfast("budget", "log.csv", *PLAIN, "--pool", "--kappa", 1.001 * most).code == 64


MORE = '{"tokens": 20, "solved": true}\n'


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"tokens": 10, "solved": tr', "line 2 is no JSON: Expecting value"),
        ("[1, 2]", "line 2 is [1, 2]; each line holds one object"),
        (
            '{"tokens": 10, "tokens": 1, "solved": true}',
            "has the key 'tokens' twice",
        ),
        ('{"tokens": 10}', "row 2 has no 'solved', which the first row has"),
        ('{"tokens": null, "solved": true}', "row 2 has None as tokens"),
        ('{"tokens": [1], "solved": true}', "row 2 has [1] as tokens"),
        ('{"tokens": 10, "solved": null}', "row 2 has None as solved"),
        ('{"tokens": -' + "9" * 400 + ', "solved": true}', "row 2 has -99999"),
        ('{"tokens": 10, "solved": true, "prompt": "a"}', "a column 'prompt' which the first row"),
        ('{"tokens": 10, "solved": true, "correct": false}', None),
        ("[" * 100_000, "line 2 is nested too deeply"),
        ('{"tokens": ' + "9" * 5000 + ', "solved": true}', "holds a number of 5,000 digits"),
        ('{"tokens": 1e400, "solved": true}', "holds the number '1e400', which is beyond doubles"),
        ("\xff", "is no UTF-8"),
    ],
    ids=range(14),
)
def test_lines_of_json_are_refused(line: str, words: str | None, holdfast: Invoke) -> None:
    """None: taken, the further column being named among those that are not read."""
    text = '{"tokens": 10, "solved": true}\n' + line + "\n"
    Path("log.jsonl").write_bytes((text + MORE * (words is None)).encode("latin-1"))
    done = holdfast("budget", "log.jsonl", *PLAIN)
    if words is None:
        assert done.says("columns that are not read: correct"), done.output
        return
    assert done.code == 64, done.output
    assert done.says(words), done.output


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        (["null", "null"], "row 1 has None as prompt, which names no prompt"),
        (['"a"', "NaN"], "row 2 has nan as prompt, which names no prompt"),
        (['""', '"a"'], "row 1 has '' as prompt, which names no prompt"),
        (["1", '"1"'], "row 1 has 1 as prompt, and another row has '1'"),
        (["1", "1.0"], "row 2 has 1.0 as prompt, and another row has 1; write both in one way"),
        (["1", "true"], "row 2 has True as prompt, and another row has 1"),
        (['" "', '"a"'], "row 1 has ' ' as prompt, which names no prompt"),
    ],
)
def test_prompts_that_are_none_are_refused(prompts, words: str, holdfast: Invoke) -> None:
    rows = [f'{{"prompt": {p}, "tokens": {n}, "solved": true}}\n' for p in prompts for n in (3, 4)]
    Path("log.jsonl").write_text("".join(rows))
    done = holdfast("budget", "log.jsonl", *PLAIN)
    assert done.code == 64, done.output
    assert done.says(words.replace("row 2", "row 3")), done.output


def test_a_pipe_with_a_name_is_not_written_to(holdfast: Invoke) -> None:
    """Nobody reads from it, so that to open it would never end."""
    Path("log.csv").write_text(GOOD)
    os.mkfifo("pipe.json")
    os.mkfifo("pipe.png")
    for option, name in (("--json", "pipe.json"), ("--plot", "pipe.png")):
        done = holdfast("budget", "log.csv", *PLAIN, option, name)
        assert done.code == 64
        assert done.says(f"{option} {name} is a pipe with a name"), done.output


def test_true_is_no_count_behind_a_1(holdfast: Invoke) -> None:
    Path("log.jsonl").write_text(
        '{"tokens": 1, "solved": true}\n{"tokens": true, "solved": true}\n'
    )
    done = holdfast("budget", "log.jsonl", *PLAIN)
    assert done.code == 64
    assert done.says("row 2 has True as tokens; give a whole number"), done.output


def test_lines_before_the_head_of_a_table_may_be_empty(holdfast: Invoke) -> None:
    Path("log.csv").write_text("\n" + GOOD)
    assert holdfast("budget", "log.csv", *PLAIN).says("5 rollouts of 2 prompts")


def test_parquet_that_is_none_is_refused(holdfast: Invoke) -> None:
    table = pa.table({"tokens": [10, 20], "solved": [True, True]})
    pq.write_table(table, "whole.parquet")
    data = Path("whole.parquet").read_bytes()
    for name, content in {
        "empty": b"",
        "cut": data[: len(data) // 2],
        "noise": b"PAR1" * 9,
    }.items():
        Path(f"{name}.parquet").write_bytes(content)
        done = holdfast("budget", f"{name}.parquet", *PLAIN)
        assert done.code == 64, done.output
        assert done.says(f"{name}.parquet cannot be read as Parquet", "write it again")
    pq.write_table(table.drop(["solved"]), "column.parquet")
    done = holdfast("budget", "column.parquet", *PLAIN)
    assert done.says("has the columns tokens, of which none is known to hold whether a rollout is")


def test_files_that_are_none_are_refused(tmp_path: Path, holdfast: Invoke) -> None:
    for name, words in {
        "missing.csv": "there is no file",
        "log.txt": "the suffix must be one of",
        ".": "is a folder, and no file; give one of .csv",
        "pipe.csv": "pipe.csv is a pipe or a device, and no file",
    }.items():
        (tmp_path / "log.txt").write_text("x")
        if name == "pipe.csv":
            os.mkfifo(name)
        done = holdfast("budget", name, *PLAIN)
        assert done.code == 64
        assert done.says(words), done.output


def test_bombs_are_refused_before_they_are_unpacked(holdfast: Invoke) -> None:
    start = time.process_time()
    Path("bomb.csv.gz").write_bytes(gzip.compress(b"tokens,solved\n" + b"9" * 200_000_000, 9))
    Path("line.csv").write_bytes(b"tokens,solved\n" + b"9" * 5_000_000)
    rows = {"prompt": ["x" * 2**22] * 64, "tokens": [1] * 64, "solved": [True] * 64}
    pq.write_table(pa.table(rows), "bomb.parquet", compression="zstd", use_dictionary=False)
    for name, words in {
        "bomb.csv.gz": "unpacks to more than",
        "line.csv": "is longer than",
        "bomb.parquet": "in the columns that are read; at most",
    }.items():
        done = holdfast("budget", name, *PLAIN)
        assert done.code == 64
        assert done.says(words), done.output
    assert time.process_time() - start < 30


def test_nothing_of_a_log_is_executed(holdfast: Invoke) -> None:
    rows = [
        {"tokens": n, "solved": True, "prompt": "__import__('os').mkdir('made')"} for n in (1, 2)
    ]
    Path("log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert holdfast("budget", "log.jsonl", *PLAIN).code == 0
    assert not Path("made").exists()
