"""Made-up measurements that are plausible: examples as if they were measured, faster or slower as a whole, anywhere."""

import copy
import functools
import json
import os
import subprocess
import tempfile
from pathlib import Path

from signed_runs import ROOT, Client, uuid7

EXAMPLES = ROOT / "schemas/examples/valid"


def example(name):
    """The document of an example, not simulated, of a card that does not tell its multiprocessors: then all that a score is made
    of follows from times that were measured, and slower() knows it."""
    return copy.deepcopy(_example(name))


@functools.lru_cache
def _example(name):
    document = json.loads((EXAMPLES / f"{name}_simulated.json").read_text())
    document["simulated"] = False
    for device in document["devices"]:
        device["simulated"] = False
        device["sm_count"] = None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        path.write_text(json.dumps(document))
        program = Path(os.environ["GPUASSAY_BIN"]) / "gpuassay"
        # It ends with 2, as the score in the document is still the example's.
        ran = subprocess.run([program, "score", path, "--json"], capture_output=True, text=True, timeout=60)
    document["score"] = json.loads(ran.stdout)
    return document


def rounded(value):
    return float(f"{value:.6g}")


def slower(document, factor):
    """The same run where everything took `factor` times as long; figures and score follow from the samples."""
    document = copy.deepcopy(document)
    for measurement in document["measurements"]:
        measurement["samples_ns"] = [sample * factor for sample in measurement["samples_ns"]]
        if measurement["median_ns"]:
            measurement["median_ns"] *= factor
        if measurement["fraction_of_peak"]:
            measurement["fraction_of_peak"] = rounded(measurement["fraction_of_peak"] / factor)
        if metric := measurement["metric"]:
            metric["value"] = rounded(metric["value"] * factor if metric["unit"] == "us" else metric["value"] / factor)
    if document["score"]["value"]:
        document["score"]["value"] = rounded(document["score"]["value"] / factor)
    return document


def placed(document, day=None, **platform):
    """The same run on another day, at another provider and so on."""
    document = copy.deepcopy(document)
    document["platform"] |= platform
    if day:
        document["started_at"] = document["finished_at"] = f"{day}T13:14:15.161Z"
    return document


class Machine(Client):
    """A key and a connection to a collector."""

    number = 0

    def send(self, document):
        """The run_id under which the collector took it."""
        Machine.number += 1
        run_id = uuid7(Machine.number)
        body = json.dumps(document | {"run_id": run_id}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        status = self.post(body.encode())
        assert status == 201, f"the collector answered {status}"
        return run_id
