"""gpuassay estimate: every GPU of the table, under every name, and what it answers to names that are none."""

import csv
import json
import subprocess
import sys

import pytest
from conftest import ROOT, one_line

sys.path.insert(0, str(ROOT / "scripts"))
import specified_times  # noqa: E402

with open(ROOT / "core/data/gpu_specs.csv", newline="", encoding="utf-8") as file:
    GPUS = list(csv.DictReader(file))
PRECISIONS = {"fp32": "full", "mixed": "mixed"}
USAGE = 2


def estimate(agent, *arguments):
    ran = agent("estimate", *arguments, "--json")
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    return json.loads(ran.stdout)


def refusal(agent, name, *arguments):
    """The one line that a name gets which means no GPU."""
    ran = agent("estimate", *arguments, name)
    assert ran.returncode == USAGE, ran.stdout
    assert ran.stdout == ""
    return one_line(ran.stderr)


def test_the_document(agent):
    document = estimate(agent, "Tesla T4")
    assert set(document) == {"gpu", "model", "variant", "one_device_of", "basis", "measured", "note", "workloads"}
    assert (document["gpu"], document["model"], document["variant"]) == ("T4", "Tesla T4", None)
    assert document["one_device_of"] is None
    assert document["basis"] == "specification" and document["measured"] is False
    assert "not measured" in document["note"]
    assert [each["name"] for each in document["workloads"]] == specified_times.WORKLOADS
    for each in document["workloads"]:
        keys = {"name", "class", "precision", "dtype", "unit", "samples_per_s", "low", "high", "fits"}
        assert set(each) == keys
        assert 0 < each["low"] < each["samples_per_s"] < each["high"]
        assert each["class"] in ("train", "prefill", "decode") and each["fits"] is True
        assert (each["precision"], each["dtype"]) == ("mixed", "fp16"), "tensor cores make it the best"


def test_the_text_says_that_nothing_was_measured(agent):
    ran = agent("estimate", "Tesla T4")
    assert ran.returncode == 0
    words = " ".join(ran.stdout.split())
    assert "Estimated from the GPU's specification, not measured" in words
    assert all(name in words for name in specified_times.WORKLOADS)
    assert all(len(line) <= 80 for line in ran.stdout.splitlines())
    assert not agent.data_dir.exists(), "nothing is kept"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_gpu_as_the_script_that_fitted_computes_it(agent, precision):
    assert len(GPUS) == 57
    table, efficiencies = specified_times.gpus(), specified_times.read_efficiencies()
    predictor = specified_times.Predictor()
    for row in GPUS:
        document = estimate(agent, row["gpu"], "--precision", precision)
        device = document["gpu"]
        assert document["one_device_of"] == (row["gpu"] if device != row["gpu"] else None)
        for each in document["workloads"]:
            assert each["precision"] == precision
            expected = predictor.samples_per_s(table[device], efficiencies, each["name"], PRECISIONS[precision])
            # It prints four digits.
            assert each["samples_per_s"] == pytest.approx(expected, rel=6e-4), (row["gpu"], each["name"])


def test_best_is_the_faster_of_both(agent):
    both = [estimate(agent, "B200-SXM", "--precision", precision)["workloads"] for precision in PRECISIONS]
    for best, fp32, mixed in zip(estimate(agent, "B200-SXM", "--precision", "best")["workloads"], *both):
        assert best == max(fp32, mixed, key=lambda each: each["samples_per_s"])


def test_every_name_of_the_driver_in_any_case(agent):
    for row in GPUS:
        for name in filter(None, [row["nvml_name"], *row["nvml_name_alt"].split("|")]):
            found = estimate(agent, name.upper())["gpu"]
            assert found == row["gpu"] or "(board)" in row["gpu"], name
            assert estimate(agent, f" {name.lower()}")["gpu"] == found


def test_a_board_is_estimated_as_one_of_its_devices(agent):
    document = estimate(agent, "K80 (board)")
    assert document["gpu"] == "K80 (one GK210)" and document["one_device_of"] == "K80 (board)"
    assert "one device of K80 (board)" in agent("estimate", "K80 (board)").stdout


def test_where_the_memory_is_too_small(agent):
    assert "its memory is too small" in agent("estimate", "GTX 1060 6GB").stdout


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_an_unknown_name_gets_the_nearest(agent, arguments):
    line = refusal(agent, "RTX 3091", *arguments)
    assert line == (
        "gpuassay: there is no GPU 'RTX 3091' in the table; the nearest names are RTX 3090, RTX 3080, RTX 4090"
    )


def test_a_name_of_several_gpus_gets_them_all(agent):
    line = refusal(agent, "H100")
    assert all(name in line for name in ("H100-PCIE-80GB", "H100-SXM5-80GB", "H100-NVL-94GB")), line


def test_a_part_of_a_gpu_is_refused(agent):
    assert "a part of a GPU" in refusal(agent, "NVIDIA A100-SXM4-80GB MIG 1g.10gb")


@pytest.mark.parametrize(
    "name", ["", " ", "T4\n", "\x1b[31mT4", "T4\u0085", "\u202eT4", "Ť4", "x" * 100_000, "'; DROP TABLE gpus", "%s%n", "🂡" * 50]
)
def test_names_that_are_none(agent, name):
    line = refusal(agent, name)
    assert len(line) < 400 and line.isprintable(), repr(line)


def test_bytes_that_are_no_text(agent):
    ran = subprocess.run([*agent.command("estimate"), b"\xff\xfeT4"], capture_output=True, check=False)
    assert ran.returncode == USAGE
    assert "there is no GPU" in ran.stderr.decode("utf-8")


@pytest.mark.parametrize("arguments", [(), ("T4", "--precision", "fp16"), ("Tesla", "T4"), ("T4", "--precision", "")])
def test_usage(agent, arguments):
    ran = agent("estimate", *arguments)
    assert ran.returncode == USAGE and ran.stdout == ""
    one_line(ran.stderr)
