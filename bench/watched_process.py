"""A collector under load: how much memory and processor time it takes while it works."""

import os
import pathlib
import re
import statistics
import subprocess
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    found = re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
    return int(found.group(1)) / 1024


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


class WatchedCollector:
    """Serves without limits per key and network, as the one generator is a whole crowd of machines."""

    def __init__(self, data_dir, *flags):
        program = pathlib.Path(os.environ.get("GPUASSAY_BIN", ROOT / "build/release")) / "gpuassay-collector"
        self.process = subprocess.Popen(
            [program, "serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir, "--uploads-per-hour-of-key", "0",
             "--uploads-per-hour-of-network", "0", *flags], stderr=subprocess.PIPE, text=True)
        found = None
        while found is None:
            line = self.process.stderr.readline()
            assert line, "the collector did not start"
            found = re.search(r"http://(127\.0\.0\.1:\d+)", line)
        self.url, self.address = found.group(), found.group(1)
        self.started, self.memory, self.said = time.monotonic(), [], []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.watch), threading.Thread(target=self.listen)]
        for thread in self.threads:
            thread.start()

    def watch(self):
        while not self.stopping.wait(0.5):
            self.memory.append((time.monotonic() - self.started, resident_mib(self.process.pid)))

    def listen(self):
        for line in self.process.stderr:
            self.said.append(line)

    def metric(self, name):
        with urllib.request.urlopen(self.url + "/metrics") as reply:
            return float(re.search(rf"^{name} (\S+)$", reply.read().decode(), re.MULTILINE).group(1))

    def figures(self):
        """Memory is flat when its slope over the second half is near zero."""
        half = self.memory[len(self.memory) // 2:]
        slope = statistics.linear_regression(*zip(*half)).slope * 60 if len(half) > 2 else 0.0
        return {"collector_cpu_s": cpu_s(self.process.pid), "memory_mib_peak": max(mib for _, mib in self.memory),
                "memory_mib_end": self.memory[-1][1], "memory_mib_per_minute_in_second_half": slope}

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.stopping.set()
        self.threads[0].join()  # it looks at a process that is there
        self.process.terminate()
        self.process.wait(timeout=120)
        self.threads[1].join()
        self.process.stderr.close()
        if failure[0] is not None and self.said:
            print("the collector said:", *self.said[:10])
