"""A machine whose clock is wrong, or is set while it measures: durations hold, and everybody is told."""

import datetime
import glob
import json
import os
import re

import pytest
from conftest import TIME_SCALE

LIBRARY = (glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") or [None])[0]
pytestmark = [
    pytest.mark.skipif(TIME_SCALE > 1, reason="libfaketime must be loaded first, and so must AddressSanitizer"),
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed (apt-get install faketime)"),
]


def with_clock(**faketime):
    """The wall clock that libfaketime shows; CLOCK_MONOTONIC stays the machine's."""
    return os.environ | {"LD_PRELOAD": LIBRARY, "FAKETIME_DONT_FAKE_MONOTONIC": "1", **faketime}


def codes(result):
    return [verdict["code"] for verdict in result["verdicts"]]


@pytest.mark.parametrize("time", ["@1970-01-02 00:00:00", "+10y"])
def test_a_wrong_clock_is_flagged_and_counts_nowhere(agent, make_collector, time):
    done = agent("run", "--device", "cpu", "--max-seconds", "3", "--json", env=with_clock(FAKETIME=time))
    assert done.returncode == 4, done.stderr
    result = json.loads(done.stdout)
    year = int(result["started_at"][:4])
    assert year == 1970 or year >= datetime.date.today().year + 9
    assert 1 < result["duration_s"] < 10
    assert ("clock_wrong" in codes(result)) == (year == 1970), "the machine itself cannot know of the future"
    sent = agent("upload", "--collector", make_collector().url)
    assert sent.returncode == 0, sent.stdout
    assert "it counts in no aggregate and no export" in sent.stdout and "clock_differs" in sent.stdout


@pytest.mark.parametrize("to, direction", [("+1h", "forward"), ("-1h", "back")])
def test_a_clock_that_is_set_during_the_run_changes_no_duration(agent, tmp_path, to, direction):
    clock = tmp_path / "clock"
    clock.write_text("+0s")
    process = agent.start("--verbose", "run", "--device", "cpu", "--max-seconds", "6",
                          env=with_clock(FAKETIME_TIMESTAMP_FILE=str(clock), FAKETIME_NO_CACHE="1"))
    next(line for line in process.stderr if "gemm" in line or "bandwidth" in line)  # the run is in the middle
    clock.write_text(to)
    process.stderr.read()
    assert process.wait(timeout=60) == 4
    (result,) = agent.results()
    assert 1 < result["duration_s"] < 12
    (verdict,) = [verdict for verdict in result["verdicts"] if verdict["code"] == "clock_jumped"]
    seconds, said = re.search(r"set (\d+) s (\w+)", verdict["message"]).groups()
    assert said == direction and 3590 < int(seconds) < 3610
