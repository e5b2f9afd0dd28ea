"""The committed file of one workload: the same bytes for the same trace, one row a line."""

import json

from tracing import operations

FORMAT = 1
KINDS = {"gemm": operations.Gemm, "conv": operations.Conv, "attention": operations.Attention}


def table(kind, rows):
    """rows: Counter. Sorted, each with how often it occurs."""
    return {"columns": [*kind._fields, "count"],
            "rows": [[*row, count] for row, count in sorted(rows.items())]}


def rows_of(kind, rows):
    return {row: count for row, count in rows.items() if type(row) is kind}


def without_role(rows):
    return sorted((type(row).__name__, row._replace(role=""), count) for row, count in rows.items()
                  if type(row) is not operations.Traffic)


def launches_of(row):
    return getattr(row, "launches", 1)


def document(name, workload_class, text, torch_version, traces):
    """traces: precision -> (network, recorder, memory). What is computed must be the same in both precisions; its role says
    whether "mixed" computes it in 16 bits ("half") or stays in fp32."""
    network, mixed, _ = traces["mixed"]
    if without_role(mixed.rows) != without_role(traces["full"][1].rows):
        raise NotImplementedError(f"{name} computes other products in mixed precision than in full")
    shape = network.shape | {"parameters": sum(weights.numel() for weights in network.module.parameters())}
    found = {"format": FORMAT, "id": name, "class": workload_class, "command": f"scripts/trace_workload {name}",
             "torch": torch_version, "network": text, "shape": shape, "samples": network.samples, "unit": network.unit,
             "flops": {}, "precisions": {}}
    for key, kind in KINDS.items():
        rows = rows_of(kind, mixed.rows)
        found[key] = table(kind, rows)
        found["flops"][key] = sum(operations.flops(row) * count for row, count in rows.items())
    for precision, (_, recorder, memory) in traces.items():
        found["precisions"][precision] = {
            "launches": sum(launches_of(row) * count for row, count in recorder.rows.items()),
            "memory_bytes": memory,
            "traffic": table(operations.Traffic, rows_of(operations.Traffic, recorder.rows))}
    return found


def text_of(value, indent=""):
    """Sorted keys; a list of plain values stays on its line."""
    if isinstance(value, dict):
        inner = ",\n".join(f"{indent} {json.dumps(key)}: {text_of(value[key], indent + ' ')}" for key in sorted(value))
        return f"{{\n{inner}\n{indent}}}"
    if isinstance(value, list) and any(isinstance(element, (list, dict)) for element in value):
        inner = ",\n".join(f"{indent} {text_of(element, indent + ' ')}" for element in value)
        return f"[\n{inner}\n{indent}]"
    return json.dumps(value, separators=(",", ":"))


def bytes_by_kind(traffic_table):
    """{kind: bytes}, of a table as document() makes it."""
    sizes = {"half": 2, "fp32": 4, "int64": 8}
    sums = {}
    for row in traffic_table["rows"]:
        named = dict(zip(traffic_table["columns"], row))
        moved = sum(named[f"{way}_{role}"] * size for way in ("read", "written") for role, size in sizes.items())
        sums[named["kind"]] = sums.get(named["kind"], 0) + moved * named["count"]
    return sums
