"""Predictions beside what PyTorch did on real GPUs and a CPU, as recorded: scripts/validate_score, and how far off they are."""

import json
import subprocess
import sys

import pytest
from conftest import BIN, ROOT

RECORDED = ROOT / "tests/gpu/recorded"


def validate(tmp_path, result, networks):
    """The rows that the script prints: network and precision to error, and the means at the end."""
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result))
    command = [sys.executable, ROOT / "scripts/validate_score", "--program", BIN / "gpuassay", "--result", path, "--networks",
               networks, "--out", tmp_path / "table.md"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "table.md").read_text() == ran.stdout
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in ran.stdout.splitlines()[2:]]
    errors = {(row[0], row[1].split()[0]): float(row[6].strip("%")) / 100 for row in rows if not row[0].startswith("mean")}
    means = {row[0].split(", ")[1]: float(row[6].split()[0]) for row in rows if row[0].startswith("mean")}
    return errors, means


# The UNet on the H200 is further off than the fifth that is wanted (docs/SCORE.md): its group norms run as more kernels in
# channels-last tensors than the trace says.
KNOWN = {("h200-sxm5", "sd_unet", "mixed"): 0.23}


@pytest.mark.parametrize("card,document,rows", [("h100-sxm5", "h100-sxm5.json", 16), ("h200-sxm5", "h200-sxm5-full.json", 7)])
def test_predictions_are_within_a_tenth_in_the_mean_and_a_fifth_each(tmp_path, card, document, rows):
    result = json.loads((RECORDED / document).read_text())["full"]["result"]
    errors, means = validate(tmp_path, result, RECORDED / f"networks/{card}.json")
    assert len(errors) == rows
    for (name, precision), error in errors.items():
        assert abs(error) <= KNOWN.get((card, name, precision), 0.20), (name, precision, error)
    assert all(mean <= 10 for mean in means.values()), means


def test_those_of_a_cpu_as_well(tmp_path):
    recorded = ROOT / "tests/cpu/recorded"
    errors, means = validate(tmp_path, json.loads((recorded / "zen4.json").read_text()), recorded / "networks-zen4.json")
    assert len(errors) == 16
    assert all(abs(error) <= 0.20 for error in errors.values()), errors
    assert all(mean <= 10 for mean in means.values()), means


def test_the_index_of_a_quick_run_is_near_that_of_a_full_one():
    recorded = json.loads((RECORDED / "h100-sxm5.json").read_text())
    full = recorded["full"]["result"]["score"]["value"]
    for run in recorded["runs"]:
        assert abs(run["result"]["score"]["value"] / full - 1) <= 0.05, run["result"]["agent"]["profile"]


def test_nothing_to_compare_is_said(tmp_path):
    networks = tmp_path / "networks.json"
    networks.write_text(json.dumps({"rows": [{"name": "resnet50_train", "precision": "mixed", "why": "no memory"}]}))
    example = ROOT / "schemas/examples/valid/v100_simulated.json"
    command = [sys.executable, ROOT / "scripts/validate_score", "--program", BIN / "gpuassay", "--result", example, "--networks", networks]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1 and "nothing was both predicted and run" in ran.stderr
