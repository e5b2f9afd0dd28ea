"""What schemathesis is told beside the OpenAPI document: how requests are signed, and what a machine measures.

Loaded by schemathesis (SCHEMATHESIS_HOOKS), in its process."""

import json
import pathlib
import random
import sys

import schemathesis
from hypothesis import strategies

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support/python"))
from signed_runs import Key, bodies  # noqa: E402

KEY = Key()
REAL = bodies(ROOT / "schemas/examples/valid/a100_simulated.json")
RESULT = json.loads((ROOT / "schemas/result.v1.json").read_text())
SENT = []

INSTANTS = strategies.one_of(strategies.dates().map(str),
                             strategies.datetimes().map(lambda time: time.isoformat(timespec="milliseconds") + "Z"))
schemathesis.openapi.format("gpuassay-instant", INSTANTS)


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()


@schemathesis.serializer("application/json")
def without_white_space(context, value):
    """As agents write it: anything else is refused for its spaces alone."""
    return value if isinstance(value, bytes) else compact(value)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """schemathesis takes OpenAPI 3.0 for a schema without `if`, and misreads that of results. It makes up what breaks its outline;
    what keeps it comes from before_call, and contract_tests hold results against the whole."""
    outline = {"type": "object", "required": RESULT["required"], "additionalProperties": False,
               "properties": {name: {"type": rule["type"]} if isinstance(rule.get("type"), str) else {}
                              for name, rule in RESULT["properties"].items()}}
    request = raw_schema["paths"]["/v1/results"]["post"]["requestBody"]
    reply = raw_schema["paths"]["/v1/results/{run_id}"]["get"]["responses"]["200"]
    for message in (request, reply):
        message["content"]["application/json"]["schema"] = outline


@schemathesis.hook
def before_call(context, case, kwargs):
    """What is right as far as the outline goes becomes a real result, a new one or one that was sent before, and is signed."""
    if not case.meta or not all(part.mode.is_positive for part in [case.meta.generation, *case.meta.components.values()]):
        return
    if case.operation.path.startswith("/v1/challenges"):
        # Which shapes are exact no schema says. Runs that this key sent are challenged; of the rest nothing is known.
        if case.operation.path == "/v1/challenges":
            case.body["run_id"] = json.loads(random.choice(SENT)[1])["run_id"] if SENT else case.body["run_id"]
            case.body["work"] = [{"device": 0, "dtype": "fp16", "m": 1024, "n": 2048, "k": 8192, "largest": 15}]
        if case.operation.method.upper() == "POST":
            path = case.operation.path.replace("{id}", str((case.path_parameters or {}).get("id")))
            case.headers.update(KEY.floor_headers(path, compact(case.body)))
    elif case.operation.method.upper() == "POST":
        if len(SENT) < 3 or random.random() < 0.5:
            SENT.append(next(REAL))
        case.body = json.loads(random.choice(SENT[-3:])[1])
        case.headers.update(KEY.headers(compact(case.body)))  # as it will be written
    elif case.operation.method.upper() == "DELETE":
        case.headers.update(KEY.deletion_headers(case.path_parameters["run_id"]))
