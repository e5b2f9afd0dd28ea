"""Fixtures of the end-to-end tests: the real programs, each test with its own data directory.

GPUASSAY_BIN names the build folder under test; CTest sets it. GPUASSAY_TIME_SCALE stretches the time limits given to the
programs, for instrumented builds that get less done in a second.
"""

import json
import os
import pathlib
import random
import re
import subprocess
import time

import pytest

BIN = pathlib.Path(os.environ["GPUASSAY_BIN"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
TIME_SCALE = float(os.environ.get("GPUASSAY_TIME_SCALE", "1"))


def stretched(arguments):
    """The arguments with the value of --max-seconds times TIME_SCALE, when it is a sensible one."""
    stretched_arguments = [str(argument) for argument in arguments]
    for place, argument in enumerate(stretched_arguments[:-1]):
        value = stretched_arguments[place + 1]
        if argument == "--max-seconds" and value.isdigit() and value != "0":
            stretched_arguments[place + 1] = str(float(value) * TIME_SCALE)
    return stretched_arguments


class Agent:
    """Runs gpuassay with one data directory."""

    def __init__(self, data_dir):
        self.data_dir = pathlib.Path(data_dir)
        self.program = str(BIN / "gpuassay")

    def command(self, *arguments):
        return [self.program, "--data-dir", str(self.data_dir), *stretched(arguments)]

    def __call__(self, *arguments, timeout=150, **kwargs):
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, **kwargs
        )

    def start(self, *arguments, **kwargs):
        kwargs.setdefault("stdout", subprocess.DEVNULL)
        kwargs.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(self.command(*arguments), text=True, stdin=subprocess.DEVNULL, **kwargs)

    def files(self, suffix=".json"):
        runs = self.data_dir / "runs"
        uuid = re.compile(r"[0-9a-f-]{36}" + re.escape(suffix) + "$")
        return sorted(p for p in runs.iterdir() if uuid.fullmatch(p.name)) if runs.is_dir() else []

    def results(self):
        return [json.loads(path.read_text()) for path in self.files()]


@pytest.fixture
def agent(tmp_path):
    return Agent(tmp_path / "data")


class Collector:
    """A collector on a free port of this machine."""

    def __init__(self, data_dir, *flags):
        self.data_dir = pathlib.Path(data_dir)
        self.process = subprocess.Popen(
            [str(BIN / "gpuassay-collector"), "serve", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir), *flags],
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        line = self.process.stderr.readline()
        found = re.search(r"https?://127\.0\.0\.1:\d+", line)
        assert found, f"the collector did not start: {line}"
        self.url = found.group()

    def stop(self):
        self.process.terminate()
        self.process.stderr.read()
        return self.process.wait(timeout=30)


@pytest.fixture
def make_collector(tmp_path):
    started = []

    def make(*flags, name="collector"):
        started.append(Collector(tmp_path / name, *flags))
        return started[-1]

    yield make
    for collector in started:
        if collector.process.poll() is None:
            collector.stop()


def on_one_cpu():
    """For the process that becomes an agent: it then measures on one thread. Several wait for one another at every step, and
    get nothing done in seconds beside other tests."""
    os.sched_setaffinity(0, {random.choice(sorted(os.sched_getaffinity(0)))})


def one_line(text):
    lines = [line for line in text.splitlines() if line]
    assert len(lines) == 1, f"expected one line, got: {text!r}"
    return lines[0]


def children(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # it ended, before or while it was read
        return []


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # it ended, before or while it was read
        return False


def wait_until(condition, seconds=10):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.005)
    return condition()
