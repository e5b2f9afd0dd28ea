"""A collector's public log as its readers see it: what they ask, and how they check the answers with rfc6962.py and ed25519.py."""

import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import ed25519
from conftest import ROOT, wait_until
from rfc6962 import root_from_path, roots_from_consistency, sha256

sys.path.insert(0, str(ROOT / "tests/support/python"))
from signed_runs import Client, bodies  # noqa: E402

FLAGS = ["--accept-simulated", "--uploads-per-hour-of-key", "0", "--uploads-per-hour-of-network", "0"]


def get(collector, target):
    """Status and document."""
    try:
        with urllib.request.urlopen(collector.url + target) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        document = json.load(error)
        assert error.headers["Content-Type"] == "application/problem+json" and document["status"] == error.code
        return error.code, document


def log(collector, name, **parameters):
    status, document = get(collector, f"/v1/log/{name}?{urllib.parse.urlencode(parameters)}")
    assert status == 200, document
    return document


def verified(checkpoint):
    """The checkpoint's size and root, when it is signed."""
    signed = {name: value for name, value in checkpoint.items() if name != "signature"}
    assert set(signed) == {"collector_key", "kind", "made_at", "root_hash", "tree_size"}
    assert signed["kind"] == "gpuassay-checkpoint-v1"
    message = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
    assert ed25519.verifies(base64.b64decode(signed["collector_key"]), message, base64.b64decode(checkpoint["signature"]))
    return signed["tree_size"], bytes.fromhex(signed["root_hash"])


def checkpoint_of(collector, size):
    """The newest one, once it has so many leaves."""
    newest = {}

    def has_them():
        newest.update(log(collector, "checkpoint"))
        return newest["tree_size"] >= size

    assert wait_until(has_them, 20), newest
    return newest


def all_leaves(collector):
    leaves = []
    while page := log(collector, "leaves", **{"from": len(leaves), "limit": 7})["leaves"]:
        leaves += [bytes.fromhex(leaf) for leaf in page]
    return leaves


def send(collector, count, source=None):
    """run_id to the receipt's exact bytes."""
    client, receipts = Client(collector.url), {}
    for (run_id, body), _ in zip(source or bodies(), range(count)):
        request = urllib.request.Request(collector.url + "/v1/results", body, client.key.headers(body))
        with urllib.request.urlopen(request) as reply:
            receipts[run_id] = reply.read()
    collector.key = client.key
    return receipts


def stored_count(collector):
    count, further = 0, ""
    while further is not None:
        status, page = get(collector, f"/v1/results?simulated=true&quarantined=true&limit=500{further}")
        count += len(page["results"])
        further = page["next"] and f"&cursor={page['next']}"
    return count


def delete(collector, run_id):
    request = urllib.request.Request(f"{collector.url}/v1/results/{run_id}", method="DELETE",
                                     headers=collector.key.deletion_headers(run_id))
    assert urllib.request.urlopen(request).status == 200


def check_inclusion(collector, run_id, receipt, size, root):
    """The leaf's index, when the collector proves that the receipt is among `size` leaves under `root`."""
    proof = log(collector, "inclusion", run_id=run_id, size=size)
    leaf = sha256(b"\0" + bytes.fromhex(proof["salt"]) + receipt)
    assert len(bytes.fromhex(proof["salt"])) == 32 and leaf.hex() == proof["leaf_hash"] and proof["tree_size"] == size
    assert root_from_path(leaf, proof["leaf_index"], size, [bytes.fromhex(node) for node in proof["path"]]) == root
    return proof["leaf_index"]


def check_consistency(collector, old, new):
    """Of two (size, root)."""
    proof = [bytes.fromhex(node) for node in log(collector, "consistency", **{"from": old[0], "to": new[0]})["proof"]]
    if old[0] == 0 or old == new:
        assert proof == []
    else:
        assert roots_from_consistency(old[0], new[0], proof, old[1]) == (old[1], new[1])
