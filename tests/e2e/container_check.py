"""container_check ROOT COMPOSE_JSON USER ENTRYPOINT: starts the collector of an image whose files lie in ROOT as the compose
file says, on a PostgreSQL of this machine, sends it a run, asks it the compose file's health question and stops it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "conformance"), str(HERE.parent / "support/python")]
from engines import Postgres  # noqa: E402
from signed_runs import Client, bodies  # noqa: E402

# In a mount namespace of its own, so that nothing stays mounted whatever happens. The image is as read-only as the compose
# file says, but for the volume.
ENTER = '''mount --bind "$0" "$0" && mount --bind "$0/data" "$0/data" && mount --bind "$1" "$0/mnt" &&
mount -t proc proc "$0/proc" && { [ "$2" = rw ] || mount -o remount,bind,ro "$0"; } && root=$0 user=$3 && shift 3 &&
exec chroot --userspec="$user" "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin "$@"'''


def enter(root, database_folder, access, user, *command):
    return ["unshare", "--mount", "sh", "-c", ENTER, root, str(database_folder), access, user, *command]


def main(root, compose_json, user, entrypoint):
    service = json.loads(Path(compose_json).read_text())["services"]["collector"]
    server = Postgres()
    server.folder.chmod(0o755)  # the image's user is none of this machine
    url = f"postgresql://test@/{server.database}?host=/mnt"
    command = [word.replace(":8080", ":0") for word in service["command"]]
    access = "ro" if service.get("read_only") else "rw"
    process = subprocess.Popen(enter(root, server.folder, access, user, f"GPUASSAY_DATABASE={url}", entrypoint, *command),
                               stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    port = re.search(r":(\d+)\"", line)
    assert port, f"it did not start: {line}"
    client = Client(f"http://127.0.0.1:{port.group(1)}")
    assert client.post(next(bodies(simulated=False))[1]) == 201, "a run is taken"
    client.close()
    with urllib.request.urlopen(f"http://127.0.0.1:{port.group(1)}/v1/export.csv", timeout=30) as answer:
        assert answer.read().count(b"\n") >= 1, "an export has its header at least"
    health = [word.replace("8080", port.group(1)).replace("$$", "$") for word in service["healthcheck"]["test"][1:]]
    assert subprocess.run(enter(root, server.folder, access, user, *health), timeout=30).returncode == 0, "it says that it is ready"
    key = Path(root, "data/key").stat()
    assert (key.st_uid, key.st_mode & 0o777) == (int(user.split(":")[0]), 0o600)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0, "it stops when asked"
    assert subprocess.run(enter(root, server.folder, access, user, *health), timeout=30, stderr=subprocess.DEVNULL).returncode != 0, \
        "nobody is ready any more"
    print(f"started as {user}, took a run into PostgreSQL, was healthy, gave an export, stopped in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    assert os.getuid() == 0
    main(*sys.argv[1:])
