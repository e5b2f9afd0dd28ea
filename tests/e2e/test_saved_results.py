"""What became of saved results before they are sent: damaged ones, and those of a newer version."""

import json
import urllib.request

from servers import ScriptedCollector
from saved_runs import EXAMPLE, accepting, put_runs, settled


def test_damaged_files_are_put_aside_and_do_not_hold_up_the_others(agent, make_collector):
    """A byte flipped or the file cut, at places all over it: nothing of it becomes a figure of the dataset."""
    *damaged, whole = put_runs(agent, 121)
    runs = agent.data_dir / "runs"
    for number, run_id in enumerate(damaged):
        path = runs / f"{run_id}.json"
        body = bytearray(path.read_bytes())
        place = len(body) * number // len(damaged)
        if number % 2:
            body[place] ^= 1 << (number % 7)
        else:
            del body[place:]
        path.write_bytes(body)
    collector = make_collector("--accept-simulated", "--uploads-per-hour-of-key", "0")
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 6
    assert (runs / f"{whole}.receipt.json").exists()
    aside = [path.name.removesuffix(".json.corrupt") for path in runs.glob("*.corrupt")]
    assert set(damaged[0::2]) <= set(aside), "what was cut is no result"
    document = json.loads(EXAMPLE)
    for run_id in set(damaged) - set(aside):  # it still reads as a result: whatever it says was computed again
        kept = (runs / f"{run_id}.receipt.json").exists()
        assert kept != (runs / f"{run_id}.rejected.json").exists()
    with urllib.request.urlopen(f"{collector.url}/v1/results?simulated=true&limit=500", timeout=30) as reply:
        counted = {run["run_id"]: run["score"] for run in json.load(reply)["results"]}
    assert whole in counted
    assert set(counted.values()) == {document["score"]["value"]}, "a changed figure counts nowhere"
    again = agent("upload", "--collector", collector.url)
    assert again.returncode == 0 and "nothing to send" in again.stdout, "told once"


def test_a_result_of_a_newer_version_is_left_alone(agent):
    newer, other = put_runs(agent, 2)
    path = agent.data_dir / "runs" / f"{newer}.json"
    path.write_text(json.dumps(dict(json.loads(EXAMPLE), run_id=newer, schema_version="2.0", surprise=[1])))
    before = path.read_bytes()
    collector = ScriptedCollector(accepting)
    sent = agent("upload", "--collector", collector.url)
    assert sent.returncode == 6 and f"{newer} NOT UPLOADED, left alone: it has schema version 2.0" in sent.stdout
    assert [json.loads(post.body)["run_id"] for post in collector.of("POST")] == [other]
    assert path.read_bytes() == before and settled(agent) == [f"{other}.receipt.json"]
