"""Killed at any instant under load, again and again, the collector has every run it acknowledged exactly once.

GPUASSAY_KILL_ROUNDS says how often; scripts can ask for more than the tests do."""

import json
import os
import random
import sys
import threading
import time
import urllib.request

import pytest
from conftest import ROOT, TIME_SCALE
from test_store import server, sql, url  # noqa: F401 (fixtures)

sys.path.insert(0, str(ROOT / "tests/support/python"))
from signed_runs import Client, bodies  # noqa: E402

ROUNDS = int(os.environ.get("GPUASSAY_KILL_ROUNDS", "50"))
SENDERS = 3


class Sender(threading.Thread):
    """Sends runs until told to stop; a run without an answer is sent again, as agents do."""

    def __init__(self, source):
        super().__init__()
        self.source, self.acknowledged, self.again, self.url, self.unexpected = source, [], None, None, []
        self.stopping = threading.Event()

    def run(self):
        client = Client(self.url)
        while not self.stopping.is_set():
            if self.again is None:
                with LOCK:
                    self.again = next(self.source)
            status = client.post(self.again[1], timeout=5)
            if status in (200, 201):
                self.acknowledged.append(self.again[0])
                self.again = None
            elif status is None:
                time.sleep(0.005)
            elif status != 503:
                self.unexpected.append(status)
                return
        client.close()


LOCK = threading.Lock()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_what_was_acknowledged_is_there_once(make_collector, request, engine):
    flags = ["--accept-simulated", "--uploads-per-hour-of-key", "0", "--uploads-per-hour-of-network", "0"]
    if engine == "postgresql":
        flags += ["--database", request.getfixturevalue("url")]
    source, waiting, acknowledged, began = bodies(), [None] * SENDERS, [], time.monotonic()
    for _ in range(ROUNDS):
        collector = make_collector(*flags)
        senders = []
        for place in range(SENDERS):
            sender = Sender(source)
            sender.url, sender.again = collector.url, waiting[place]
            senders.append(sender)
            sender.start()
        time.sleep(random.uniform(0.02, 0.4 * TIME_SCALE))
        collector.process.kill()
        collector.process.wait()
        collector.process.stderr.close()
        for sender in senders:
            sender.stopping.set()
        for place, sender in enumerate(senders):
            sender.join()
            assert not sender.unexpected
            acknowledged += sender.acknowledged
            waiting[place] = sender.again
    assert len(acknowledged) > ROUNDS, "this load is none"
    assert len(set(acknowledged)) == len(acknowledged)

    collector = make_collector(*flags)
    client = Client(collector.url)
    for again in filter(None, waiting):  # what never got an answer may be there or not; now it is
        assert client.post(again[1]) in (200, 201)
        acknowledged.append(again[0])
    stored, further = [], ""
    while further is not None:
        page = json.load(urllib.request.urlopen(f"{collector.url}/v1/results?simulated=true&quarantined=true&limit=500{further}"))
        stored += [run["run_id"] for run in page["results"]]
        further = page["next"] and f"&cursor={page['next']}"
    assert len(stored) == len(set(stored)), "a run is there twice"
    assert set(acknowledged) <= set(stored), "acknowledged and lost"
    assert not set(stored) - set(acknowledged), "stored, never acknowledged, and not asked for again"
    print(f"\n{engine}: killed {ROUNDS} times in {time.monotonic() - began:.0f} s, {len(acknowledged)} runs acknowledged, none lost,"
          " none twice")
