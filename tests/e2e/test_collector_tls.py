"""The collector's own HTTPS as an operator uses it: two files, and SIGHUP when they were renewed."""

import signal
import ssl
import subprocess
import urllib.request

import pytest

from conftest import BIN, Collector, one_line


def make_files(folder, name):
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    return certificate, key


def serve(tmp_path, *flags):
    return subprocess.run([str(BIN / "gpuassay-collector"), "serve", "--listen", "127.0.0.1:0", "--data-dir",
                           str(tmp_path / "data"), *map(str, flags)], capture_output=True, text=True, timeout=60)


def healthy(url, certificate):
    context = ssl.create_default_context(cafile=certificate)
    return urllib.request.urlopen(url + "/healthz", timeout=30, context=context).read() == b"ok\n"


def test_https_and_renewed_files(tmp_path):
    certificate, key = make_files(tmp_path, "first")
    collector = Collector(tmp_path / "data", "--tls-cert", str(certificate), "--tls-key", str(key))
    try:
        assert collector.url.startswith("https://")
        assert healthy(collector.url, certificate)
        new_certificate, new_key = make_files(tmp_path, "second")
        certificate.write_bytes(new_certificate.read_bytes())
        key.write_bytes(new_key.read_bytes())
        collector.process.send_signal(signal.SIGHUP)
        assert "read again" in collector.process.stderr.readline()
        assert healthy(collector.url, new_certificate)
    finally:
        assert collector.stop() == 0


@pytest.mark.parametrize("wrong", ["missing", "swapped", "mismatch", "half"])
def test_files_that_cannot_be_used_are_a_usage_error(tmp_path, wrong):
    certificate, key = make_files(tmp_path, "first")
    other_key = make_files(tmp_path, "second")[1]
    flags, named = {
        "missing": (("--tls-cert", certificate, "--tls-key", tmp_path / "none"), "none"),
        "swapped": (("--tls-cert", key, "--tls-key", certificate), "--tls-key"),
        "mismatch": (("--tls-cert", certificate, "--tls-key", other_key), "is not the key"),
        "half": (("--tls-cert", certificate), "--tls-key"),
    }[wrong]
    refused = serve(tmp_path, *flags)
    assert refused.returncode == 2
    assert named in one_line(refused.stderr)
