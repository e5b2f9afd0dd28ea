"""Made-up runs as agents send them: signed bodies with run_ids of their own, posted over one connection."""

import ctypes
import ctypes.util
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import time
from base64 import b64encode

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "schemas/examples/valid/v100_simulated.json"


def sodium():
    library = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
    assert library.sodium_init() >= 0
    return library


class Key:
    """An Ed25519 key of libsodium."""

    def __init__(self):
        self.sodium = sodium()
        self.public, self.secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        self.sodium.crypto_sign_keypair(self.public, self.secret)

    def headers(self, body):
        message = b"gpuassay-result-v1\n" + hashlib.sha256(body).hexdigest().encode()
        return {"Content-Type": "application/json"} | self.signed(message)

    def deletion_headers(self, run_id):
        return self.signed(b"gpuassay-delete-v1\n" + run_id.encode())

    def floor_headers(self, path, body):
        """Of a message of a verified run, as docs/VERIFIED_RUN.md has it."""
        message = b"gpuassay-floor-v1\n" + path.encode() + b"\n" + hashlib.sha256(body).hexdigest().encode()
        return {"Content-Type": "application/json"} | self.signed(message)

    def replacement_headers(self, new_key):
        """That `new_key` takes the place of this one."""
        message = b"gpuassay-replace-key-v1\n" + b64encode(self.public.raw) + b"\n" + b64encode(new_key.public.raw)
        new = {name.replace("Gpuassay-", "Gpuassay-New-"): value for name, value in new_key.signed(message).items()}
        return self.signed(message) | new

    def signed(self, message):
        signature = ctypes.create_string_buffer(64)
        self.sodium.crypto_sign_detached(signature, None, message, ctypes.c_ulonglong(len(message)), self.secret)
        return {"Gpuassay-Key": b64encode(self.public.raw).decode(), "Gpuassay-Signature": b64encode(signature.raw).decode()}


def uuid7(number):
    """In the order of time, `number` and chance in it."""
    text = f"{int(time.time() * 1000):012x}7{number % 0x1000:03x}8{os.urandom(8).hex()[:15]}"
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def bodies(example=EXAMPLE, simulated=True, model=None):
    """Endless (run_id, body); canonical JSON of the example under new run_ids."""
    document = json.loads(pathlib.Path(example).read_text())
    document["simulated"] = simulated
    for device in document["devices"]:
        device["simulated"] = simulated
        device["model"] = model or device["model"]
    document["run_id"] = "RUN_ID"
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for number in itertools.count():
        run_id = uuid7(number)
        yield run_id, text.replace("RUN_ID", run_id).encode()


class Client:
    """One kept connection; a broken one is opened again at the next call."""

    def __init__(self, url, key=None):
        self.address = url.removeprefix("http://")
        self.key = key or Key()
        self.connection = None

    def post(self, body, timeout=10):
        """The status of the answer; None when there was none."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.address, timeout=timeout)
        try:
            self.connection.request("POST", "/v1/results", body, self.key.headers(body))
            reply = self.connection.getresponse()
            reply.read()
            if reply.will_close:
                self.close()
            return reply.status
        except (OSError, http.client.HTTPException):
            self.close()
            return None

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None
