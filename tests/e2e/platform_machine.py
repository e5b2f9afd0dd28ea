"""A machine made of files below GPUASSAY_SYSROOT, and what `gpuassay probe --json` makes of it."""

import json
import os
import shutil
import time

import pytest
from fake_metadata import SECRET

FIELDS = ("instance_type", "region", "zone", "pricing_model", "underlying", "instance_id_hash")
KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "GPUASSAY_LIBRARY_PATH", "ASAN_OPTIONS", "TMPDIR")


def environment(root, ports, variables):
    """Only what a program needs, so that nothing of where the tests run counts."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    mapped = ",".join(f"{host}=127.0.0.1:{port}" for host, port in ports.items())
    return {**kept, "GPUASSAY_SYSROOT": str(root), "GPUASSAY_METADATA_MAP": mapped, **variables}


def machine(folder, firmware, files):
    for name, text in firmware.items():
        files = {**files, f"sys/class/dmi/id/{name}": text + "\n"}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def detect(agent, tmp_path):
    """detect(firmware, services, ...) runs `probe --json` and returns the document."""
    def run(firmware=None, services=None, variables=None, files=None, options=()):
        root = machine(tmp_path / "root", firmware or {}, files or {})
        ports = {host: getattr(service, "port", service) for host, service in (services or {}).items()}
        start = time.monotonic()
        ran = agent("probe", "--json", *options, env=environment(root, ports, variables or {}))
        run.seconds = time.monotonic() - start
        assert ran.returncode == 0, ran.stderr
        run.stderr = ran.stderr
        document = json.loads(ran.stdout)
        assert SECRET not in ran.stdout + ran.stderr
        return document

    return run


def reasons(document):
    return {entry["path"].removeprefix("/platform/"): entry["reason"] for entry in document["unknown"]
            if entry["path"].startswith("/platform")}


def check_nulls(document):
    """Every null has a reason and nothing else has one."""
    platform, why = document["platform"], reasons(document)
    for field in FIELDS:
        assert (platform[field] is None) == (field in why), (field, platform[field], why.get(field))
        assert (platform[field] is not None) == (field in platform["source"]), field
    assert (platform["provider"] == "unknown") == ("provider" in why)
    assert all(0 < len(reason) <= 256 for reason in why.values())


# Where services keep secrets, and what no service likes to see.
FORBIDDEN = (
    *("user-data", "user_data", "userdata", "vendor", "credentials", "/ram/", "/cam/", "securitykey", "service-accounts"),
    *("identity/oauth2", "public-keys", "v1.json", "attributes", "recursive"),
)


def assert_harmless(requests):
    for method, path, headers, _ in requests:
        assert method in ("GET", "PUT")
        assert not [word for word in FORBIDDEN if word in path.lower()], path
        assert not [name for name in headers if name.lower().startswith(("x-forwarded", "forwarded", "proxy", "cookie"))]
        if method == "PUT":
            assert "Content-Length" in headers or "content-length" in headers
