"""The recorded `standard` result of a real GPU, as canonical JSON with @REGION@ and @RUN_ID@ where uploads differ."""

import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDED = ROOT / "tests/gpu/recorded/h200-sxm5.json"


def standard_result():
    result = json.loads(RECORDED.read_text())["runs"][0]["result"]
    result["platform"] |= {"provider": "aws", "instance_type": "p5en.48xlarge", "region": "@REGION@"}
    result["run_id"] = "@RUN_ID@"
    return json.dumps(result, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
