"""A machine made of a Debian's files, for the checks of scripts/boot: a copy that may be changed, and what it measured."""

import hashlib
import json
import shutil
import subprocess
import time
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[2] / "scripts/boot"
QUICK = "--profile quick --max-seconds 4"
PATIENCE_S = 240
WITH_US = ["setpriv", "--pdeathsig", "KILL"]  # what is started ends when we are killed


class Machine:
    def __init__(self, debian, folder):
        self.root = Path(folder)
        subprocess.run(["cp", "-a", "--reflink=auto", debian, self.root], check=True)

    def path(self, path):
        return self.root / path.lstrip("/")

    def write(self, path, text, mode=0o644):
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def read(self, path):
        return self.path(path).read_text() if self.path(path).exists() else ""

    def results(self, data_dir="/var/lib/gpuassay"):
        runs = self.path(data_dir) / "runs"
        files = [file for file in runs.glob("*.json") if "." not in file.stem] if runs.is_dir() else []
        return [json.loads(file.read_text()) for file in sorted(files)]

    def remove(self):
        shutil.rmtree(self.root)


def sha256(file):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"after {PATIENCE_S} s still not: {what}"
        time.sleep(0.1)
