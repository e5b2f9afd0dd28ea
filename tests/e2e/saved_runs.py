"""Saved results to upload, and the answers of a collector that takes them."""

import json

from conftest import ROOT
from servers import receipt_for

EXAMPLE = (ROOT / "schemas/examples/valid/v100_simulated.json").read_text()
ACCEPTED = {"Content-Type": "application/json"}


def put_runs(agent, count=1):
    """Saves `count` results as the agent would have; their run ids."""
    runs = agent.data_dir / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    agent.data_dir.chmod(0o700)
    runs.chmod(0o700)
    run_ids = []
    for number in range(count):
        run_ids.append(f"0190b5a4-7c1d-7b3e-9f00-0123456789{number:02x}")
        path = runs / f"{run_ids[-1]}.json"
        path.write_text(json.dumps(dict(json.loads(EXAMPLE), run_id=run_ids[-1]), sort_keys=True, separators=(",", ":")))
        path.chmod(0o600)
    return run_ids


def settled(agent):
    return [path.name for path in agent.files(".receipt.json") + agent.files(".rejected.json")]


def accepting(request):
    if request.command == "POST":
        return 201, ACCEPTED, receipt_for(request.body)
    return 404, {}, b""
