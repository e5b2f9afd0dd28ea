"""gpuassay compare: saved results against each other, as text and as JSON, and what it answers to what is none."""

import fcntl
import json
import math
import os
import struct
import subprocess
import termios

import pytest
from conftest import ROOT, one_line
from saved_runs import put_runs

EXAMPLES = ROOT / "schemas/examples/valid"
CLASSES = ("train", "prefill", "decode")
USAGE = 2


@pytest.fixture
def machine(agent, tmp_path):
    """Writes the V100's example as a machine so many times as fast, with the score that follows from its samples."""

    def write(name, gemm=1, conv=1, memory=1, price=None, score=None, **changes):
        document = json.loads((EXAMPLES / "v100_simulated.json").read_text())
        # The last digits of the run id tell machines apart.
        document["run_id"] = document["run_id"][:-6] + format(sum(name.encode()) + 0x100000, "06x")
        for each in document["measurements"]:
            factor = {"gemm": gemm, "conv": conv, "bandwidth": memory}.get(each["workload"], 1)
            each["samples_ns"] = [sample / factor for sample in each["samples_ns"]]
        document["price"]["price_instance_hour_usd"] = price
        document.update(changes)
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(document))
        document["score"] = score or json.loads(agent("score", path, "--json").stdout)
        path.write_text(json.dumps(document))
        return path

    return write


def compare(agent, *files):
    ran = agent("compare", *files, "--json")
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    return json.loads(ran.stdout)


def words_of(ran):
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    return " ".join(ran.stdout.split())


def test_the_document(agent, machine):
    files = [machine("one", price="2.000000"), machine("two", gemm=2, conv=2, memory=2, price="1.000000")]
    document = compare(agent, *files)
    assert set(document) == {"results", "best", "pairs", "workloads", "machines", "differences"}
    assert [each["file"] for each in document["results"]] == [str(file) for file in files]
    for each, file in zip(document["results"], files):
        stored = json.loads(file.read_text())
        assert each["run_id"] == stored["run_id"] and each["simulated"] is True
        assert each["gpu"] == stored["devices"][0]["name"]
        assert each["value"] == stored["score"]["value"] and each["classes"] == stored["score"]["classes"]
        assert each["score_version"] == each["stored_score_version"] == stored["score"]["version"]
        assert each["low"] < each["value"] < each["high"] and each["reason"] is None
        price = float(each["price_instance_hour_usd"])
        assert each["score_per_usd_hour"] == pytest.approx(each["value"] / price, rel=1e-5)
    one, two = document["results"]
    (pair,) = document["pairs"]
    assert (pair["faster"], pair["slower"]) == (two["run_id"], one["run_id"])
    assert (pair["faster_index"], pair["slower_index"], document["best"]) == (1, 0, 1)
    assert pair["value_ratio"] == pytest.approx(two["value"] / one["value"], rel=1e-5)
    assert pair["class_ratios"] == {
        name: pytest.approx(two["classes"][name] / one["classes"][name], rel=1e-5) for name in CLASSES
    }
    assert pair["robust"] is True and pair["even_when"] == [] and pair["same"] is False
    assert pair["score_per_usd_hour_ratio"] == pytest.approx(2 * pair["value_ratio"], rel=1e-4)
    assert pair["certain"] is (two["low"] > one["high"])
    for row in document["workloads"]:
        first, second = row["samples_per_s"]
        assert row["class"] in CLASSES and row["precision"] in ("full", "mixed") and len(row["dtypes"]) == 2
        assert row["ratios"] == [pytest.approx(first / second, rel=1e-5), 1]
    assert len({row["name"] for row in document["workloads"]}) == 8


def test_the_weight_it_names_makes_both_equal(agent, machine):
    """Fast convolutions against fast products: nothing that decodes has convolutions, and training has both."""
    files = [machine("convolutions", conv=10), machine("products", gemm=1.3), machine("plain")]
    document = compare(agent, *files)
    assert len(document["pairs"]) == 3
    reversible = [pair for pair in document["pairs"] if pair["even_when"]]
    assert reversible, "of such machines each is better at something"
    for pair in document["pairs"]:
        slower_in_some = [name for name in CLASSES if pair["class_ratios"][name] < 1]
        assert pair["robust"] is (not slower_in_some)
        assert {each["class"] for each in pair["even_when"]} == set(slower_in_some)
        weights = [each["weight"] for each in pair["even_when"]]
        assert weights == sorted(weights)
        for each in pair["even_when"]:
            assert each["equal_weight"] == 0.333333 and 1 / 3 < each["weight"] < 1
            total = sum(
                (each["weight"] if name == each["class"] else (1 - each["weight"]) / 2) * math.log(ratio)
                for name, ratio in pair["class_ratios"].items()
            )
            assert total == pytest.approx(0, abs=1e-4)
    heavier = reversible[0]["even_when"][0]
    words = words_of(agent("compare", *files))
    assert f"equal when {heavier['class']} counts" in words and "instead of 33 %" in words


def test_run_ids_of_saved_results(agent):
    first, second = put_runs(agent, 2)
    document = compare(agent, first, second)
    assert [each["run_id"] for each in document["results"]] == [first, second]
    assert document["pairs"][0]["same"] is True, "the same measurements under two names"
    assert compare(agent, first, EXAMPLES / "v100_simulated.json")["results"][0]["file"] == first


def test_the_same_run_twice(agent, machine):
    file = machine("one")
    (pair,) = compare(agent, file, file)["pairs"]
    assert pair["same"] is True and pair["value_ratio"] == 1 and pair["certain"] is False
    assert "the same" in words_of(agent("compare", file, file))


def test_the_text(agent, machine):
    files = [machine("one"), machine("two", gemm=50, conv=50, memory=50, price="1.500000")]
    ran = agent("compare", *files)
    words = words_of(ran)
    assert "2 over 1" in words and "no weights reverse it" in words and "not certain" not in words
    assert words.count("SIMULATED") == 2
    assert "points per dollar at 1.500000 USD per hour" in words
    assert "recomputed" not in words, "both were saved with this version"
    assert all(each["name"] in words for each in compare(agent, *files)["workloads"])
    assert "not certain" in words_of(agent("compare", files[0], machine("near", gemm=1.01, conv=1.01, memory=1.01)))


def test_on_sixty_columns(agent, machine):
    machine("one"), machine("conv", conv=10), machine("gemm", gemm=1.3, price="1.000000")
    terminal, end = os.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with subprocess.Popen(
        agent.command("compare", "one.json", "conv.json", "gemm.json"),
        cwd=agent.data_dir.parent, stdout=end, stdin=subprocess.DEVNULL, env=dict(os.environ, NO_COLOR="1", TERM="xterm"),
    ) as process:
        os.close(end)
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # how Linux says that the other end was closed
                break
            if not piece:
                break
            shown += piece
    os.close(terminal)
    lines = shown.decode().splitlines()
    assert process.returncode == 0 and len(lines) > 30 and b"\x1b" not in shown
    assert [line for line in lines if len(line) > 60] == []


def test_five_are_compared_with_the_best(agent, machine):
    files = [machine(f"m{speed}", gemm=speed, conv=speed, memory=speed) for speed in (1, 2, 3, 4, 5)]
    words = words_of(agent("compare", *files))
    assert "Each one against the best" in words and words.count(" over ") == 4
    assert len(compare(agent, *files)["pairs"]) == 10


def test_another_version_is_recomputed_and_said(agent, machine):
    old = machine("old", score=dict(json.loads(machine("new").read_text())["score"], version="0.2", value=77.0))
    document = compare(agent, old, machine("new"))
    assert document["pairs"][0]["same"] is True
    assert document["results"][0]["stored_score_version"] == "0.2"
    assert document["results"][0]["value"] != 77.0
    assert "saved with score version 0.2: recomputed" in words_of(agent("compare", old, machine("new")))


def test_a_score_that_does_not_follow_from_its_samples(agent, machine):
    good = machine("good")
    bad = machine("bad", score=dict(json.loads(good.read_text())["score"], value=77.0))
    ran = agent("compare", good, bad, "--json")
    assert ran.returncode == USAGE
    assert json.loads(ran.stdout)["pairs"][0]["same"] is True, "it says what the samples give"
    assert str(bad) in one_line(ran.stderr) and "was changed after the run" in ran.stderr


def test_what_cannot_be_scored_is_in_no_pair(agent, machine):
    empty = machine("empty", measurements=[])
    document = compare(agent, machine("a"), empty, machine("b", gemm=2, conv=2, memory=2))
    none = document["results"][1]
    assert none["value"] is None and none["low"] is None and none["score_per_usd_hour"] is None
    assert set(none["classes"].values()) == {None} and "too little was measured" in none["reason"]
    assert [(pair["faster_index"], pair["slower_index"]) for pair in document["pairs"]] == [(2, 0)]
    assert all(row["samples_per_s"][1] is None and row["ratios"][1] is None for row in document["workloads"])
    alone = words_of(agent("compare", empty, machine("a")))
    assert "no index: too little was measured" in alone and "Nothing to compare" in alone
    assert compare(agent, empty, empty)["best"] is None


def test_a_wrong_result_is_the_reason(agent, machine):
    document = json.loads(machine("a").read_text())
    wrong = document["measurements"][0]
    wrong.update(status="wrong_result", reason="wrong_result: made up")
    path = machine("wrong", measurements=document["measurements"])
    assert "computed wrong results" in compare(agent, path, machine("a"))["results"][0]["reason"]


def test_names_from_a_file_do_not_steer_the_terminal(agent, machine):
    document = json.loads(machine("a").read_text())
    devices = [dict(document["devices"][0], name="GPU\x1b[31m\u009b2J\x07\nname")]
    path = machine("odd", devices=devices)
    for arguments in ((path, path), (path, path, "--json")):
        ran = agent("compare", *arguments)
        assert ran.returncode == 0
        assert all(letter.isprintable() or letter == "\n" for letter in ran.stdout), repr(ran.stdout)
    assert "GPU?[31m?2J??name" in agent("compare", path, path).stdout
    assert compare(agent, path, path)["results"][0]["gpu"] == devices[0]["name"]


def test_a_file_whose_name_is_no_text(agent, machine, tmp_path):
    odd = os.fsencode(tmp_path) + b"/\xff.json"
    with open(odd, "wb") as file:
        file.write(machine("a").read_bytes())
    ran = subprocess.run([*agent.command("compare", "--json"), odd, odd], capture_output=True, check=True)
    assert json.loads(ran.stdout)["results"][0]["file"].endswith(".json")


@pytest.mark.parametrize("content", [b"", b"{}", b"garbage", b"\xff\xfe", b"[" * 100_000, b'{"schema_version":"9.0"}'])
def test_files_that_are_no_result(agent, machine, tmp_path, content):
    garbage = tmp_path / "garbage.json"
    garbage.write_bytes(content)
    ran = agent("compare", machine("a"), garbage, "--json")
    assert ran.returncode == USAGE and ran.stdout == ""
    assert str(garbage) in one_line(ran.stderr)


@pytest.mark.parametrize("name", ["absent.json", "0190b5a4-7c1d-7b3e-9f00-0123456789ff", "."])
def test_files_that_are_not_there(agent, machine, name):
    ran = agent("compare", machine("a"), name)
    assert ran.returncode == USAGE and ran.stdout == ""
    assert f"cannot read {name}" in one_line(ran.stderr)


@pytest.mark.parametrize("count", [0, 1, 101])
def test_too_few_and_too_many(agent, count):
    ran = agent("compare", *[EXAMPLES / "v100_simulated.json"] * count)
    assert ran.returncode == USAGE and ran.stdout == ""
    assert "RESULT" in one_line(ran.stderr)


@pytest.mark.parametrize("sample", [1e-300, 1e-30, 1e30, 1e300])
def test_times_that_no_machine_takes(agent, machine, sample):
    """Whatever a file says, the answer is a document with figures above zero, or none."""
    document = json.loads(machine("a").read_text())
    for each in document["measurements"]:
        each["samples_ns"] = [sample for _ in each["samples_ns"]]
    path = machine("odd", measurements=document["measurements"], score=dict(document["score"], version="0.2"))
    ran = agent("compare", path, machine("a"), "--json")
    assert ran.returncode in (0, USAGE), ran.stderr
    if ran.returncode == 0:
        value = json.loads(ran.stdout)["results"][0]["value"]
        assert value is None or value > 0


def test_runs_of_one_machine_have_a_spread_and_two_machines_a_test(agent, machine):
    def other_machine(name, gemm):
        path = machine(name, gemm=gemm)
        document = json.loads(path.read_text())
        document["devices"][0]["uuid_hash"] = "b" * 64
        path.write_text(json.dumps(document))
        return path

    ours = [machine(f"ours{i}", gemm=1 + 0.004 * i) for i in range(4)]
    theirs = [other_machine(f"theirs{i}", gemm=0.9 + 0.004 * i) for i in range(4)]
    document = compare(agent, *ours, *theirs)
    assert [each["results"] for each in document["machines"]] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    spread = {each["path"]: each for each in document["machines"][0]["spread"]}
    gemm = spread["summary.instance.gemm_tflop_per_s.fp32.burst"]
    assert len(gemm["values"]) == 4 and math.isclose(gemm["relative_range"], 0.012 / 1.006, rel_tol=1e-3)
    assert spread["summary.instance.bandwidth_gb_per_s.triad.burst"]["relative_range"] == 0
    [difference] = document["differences"]
    figures = {each["path"]: each for each in difference["figures"]}
    gemm = figures["summary.instance.gemm_tflop_per_s.fp32.burst"]
    assert gemm["larger_than_noise"] and gemm["decidable"] and math.isclose(gemm["p"], 2 / 70, rel_tol=1e-4) and gemm["ratio"] < 1
    triad = figures["summary.instance.bandwidth_gb_per_s.triad.burst"]
    assert not triad["larger_than_noise"] and triad["ratio"] == 1 and triad["p"] == 1
    text = words_of(agent("compare", *ours, *theirs))
    assert "runs 1, 2, 3, 4 are of one machine" in text and "noise 5, 6, 7, 8 beside 1, 2, 3, 4" in text
    assert "figures within noise" in text
    few = words_of(agent("compare", *ours[:2], *theirs[:2]))
    assert "too few runs to tell" in few
    alone = compare(agent, ours[0], theirs[0])
    assert alone["machines"] == [] and alone["differences"] == []
