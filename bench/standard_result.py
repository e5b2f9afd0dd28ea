"""A real `standard` result of a GPU, as canonical JSON with @REGION@ and @RUN_ID@ where uploads differ."""

import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEPT = ROOT / "build/bench/standard_result.json"


def measured():
    """What the agent says about an imitated V100. The run takes its two minutes, so it is kept."""
    if not KEPT.exists():
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(os.environ.get("GPUASSAY_BIN", ROOT / "build/release")) / "gpuassay"
            command = [ROOT / "scripts/with_fake_gpu", "V100-SXM2-16GB", "--", program, "run", "--profile", "standard",
                       "--data-dir", folder, "--offline", "--quiet", "--json"]
            KEPT.parent.mkdir(parents=True, exist_ok=True)
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            KEPT.write_text(done.stdout)
    return json.loads(KEPT.read_text())


def standard_result():
    """Not said to be simulated: such runs count in no aggregate, which is part of what an upload costs."""
    result = measured()
    result["simulated"] = False
    for device in result["devices"]:
        device["simulated"] = False
    result["platform"] |= {"provider": "aws", "instance_type": "p3.2xlarge", "region": "@REGION@"}
    result["run_id"] = "@RUN_ID@"
    return json.dumps(result, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
