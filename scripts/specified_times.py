"""What core/specified_times.cpp, core/predict.cpp and core/estimate.cpp compute, in Python, for fit_estimate to vary the
efficiencies of. tests/e2e/test_estimate.py holds the two against each other on every GPU.
"""

import csv
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS = (
    "resnet50_train bert_large_train gpt_train resnet50_infer llm_prefill sd_unet llm_decode_b1 llm_decode_b32".split()
)
TRAFFIC_KINDS = "elementwise normalization softmax reduction pooling embedding copy optimizer".split()
BYTES = {"fp16": 2, "bf16": 2, "tf32": 4, "fp32": 4}
TYPE_BYTES = {"half": 2, "fp32": 4, "int64": 8}
NS_PER_S = 1e9


def rows(table):
    return [dict(zip(table["columns"], row)) for row in table["rows"]]


def framework_costs():
    """The numbers of core/framework_costs.cpp."""
    text = (ROOT / "core/framework_costs.cpp").read_text(encoding="utf-8")
    text = text[text.index("kGpu{") : text.index("};", text.index("kGpu{"))]
    costs = {name: float(value) for name, value in re.findall(r"\.(\w+) = ([\d.]+)", text)}
    traffic = re.findall(r"\{([\d.]+), ([\d.]+)\}", text[text.index(".traffic") : text.index(".shortest_kernel_ns")])
    assert len(traffic) == len(TRAFFIC_KINDS), traffic
    costs["traffic"] = {kind: (float(over_triad), float(clocks)) for kind, (over_triad, clocks) in zip(TRAFFIC_KINDS, traffic)}
    return costs


def gemm_size(g):
    """FLOPs, and elements of the operands and the result."""
    m, n, k, batch = g["m"], g["n"], g["k"], g["batch"]
    return 2 * m * n * k * batch, batch * (m * k + k * n + m * n)


def conv_size(c):
    p, q = ((c[side] + 2 * c["pad"] - c[filter_side]) // c["stride"] + 1 for side, filter_side in (("h", "r"), ("w", "s")))
    filters = c["k"] * c["c"] * c["r"] * c["s"]
    return 2 * c["n"] * p * q * filters, c["n"] * (c["c"] * c["h"] * c["w"] + c["k"] * p * q) + filters


class Attention:
    def __init__(self, a):
        self.half, self.backward = a["role"] == "half", a["direction"] == "backward"
        pairs = a["query_length"] * a["key_length"]
        if a["causal"]:
            pairs -= a["query_length"] * (a["query_length"] - 1) / 2
        self.flops = (5 if self.backward else 2) * pairs * 2 * a["batch"] * a["heads"] * a["head_size"]
        queries = a["batch"] * a["heads"] * a["query_length"] * a["head_size"]
        keys = a["batch"] * a["kv_heads"] * a["key_length"] * a["head_size"]
        self.elements = (4 if self.backward else 2) * (queries + keys)
        self.query_length, self.heads = a["query_length"], a["batch"] * a["heads"]
        self.row_bytes = 4 * a["batch"] * a["heads"] * a["query_length"]
        self.count, self.launches = a["count"], a["launches"]

    def idle_factor(self, rows, multiprocessors):
        blocks = -(-self.query_length // rows)
        return blocks * rows / self.query_length * max(1, multiprocessors / (self.heads * blocks))


class Workload:
    def __init__(self, name, costs):
        trace = json.loads((ROOT / f"core/data/workloads/{name}.json").read_text(encoding="utf-8"))
        self.samples = trace["samples"]
        # (convolution, 16 bits where mixed, FLOPs, elements, count)
        self.operations = [(False, g["role"] == "half", *gemm_size(g), g["count"]) for g in rows(trace["gemm"])]
        self.operations += [(True, c["role"] == "half", *conv_size(c), c["count"]) for c in rows(trace["conv"])]
        self.attentions = [Attention(a) for a in rows(trace["attention"])]
        self.traffic = {p: self.traffic_of(trace["precisions"][p], costs) for p in ("full", "mixed")}

    @staticmethod
    def traffic_of(precision, costs):
        """All other kernels: bytes as if the triad moved them, clocks of one multiprocessor, and launches."""
        total, clocks, launches = 0, 0, 0
        for t in rows(precision["traffic"]):
            over_triad, clocks_per_element = costs["traffic"][t["kind"]]
            for way in ("read", "written"):
                for name, size in TYPE_BYTES.items():
                    total += over_triad * t["count"] * t[f"{way}_{name}"] * size
                    clocks += clocks_per_element * t["count"] * t[f"{way}_{name}"]
            launches += t["count"] * t["launches"]
        return total, clocks, launches


class Gpu:
    """One row of core/data/gpu_specs.csv: FLOP/ns by type, and bytes/ns."""

    # Of Kepler's 192 lanes its four schedulers feed 128, but for pairs of independent instructions.
    KEPLER_ISSUED = 128 / 192
    # FLOP per clock and multiprocessor in fp16 (core/gpu_peaks.cpp), halved: used where no figure is published.
    UNPUBLISHED_TENSOR_FLOPS = {"8.6": 1024 / 2}
    # FLOP per clock and multiprocessor in fp32, for rows without a clock.
    FP32_FLOPS = {"9.0": 256}

    def __init__(self, row):
        def figure(column):
            return float(row[column]) if row[column] else None

        self.name, self.capability = row["gpu"], row["compute_capability"]
        self.bandwidth = figure("memory_bandwidth_gbs")
        self.multiprocessors = figure("sm_count")
        mhz = figure("nvsmi_max_sm_mhz") or figure("boost_clock_mhz")
        if not mhz:
            mhz = figure("fp32_tflops") * 1e6 / (self.multiprocessors * self.FP32_FLOPS[self.capability])
        self.clocks_per_ns = mhz / 1e3
        self.peak = {"fp32": figure("fp32_tflops") * 1e3}
        number = float(self.capability)
        if number < 4:
            self.peak["fp32"] *= self.KEPLER_ISSUED
        if number >= 7.0:
            half = figure("fp16_tensor_fp32acc_tflops")
            if half is None:
                per_clock = self.UNPUBLISHED_TENSOR_FLOPS[self.capability]
                half = float(row["sm_count"]) * figure("boost_clock_mhz") * per_clock / 1e6
            self.peak["fp16"] = half * 1e3
            if number >= 8.0:
                self.peak["tf32"] = (figure("tf32_tensor_tflops") or half / 2) * 1e3


def gpus():
    with open(ROOT / "core/data/gpu_specs.csv", newline="", encoding="utf-8") as file:
        return {row["gpu"]: Gpu(row) for row in csv.DictReader(file)}


def read_efficiencies():
    with open(ROOT / "core/data/estimate_efficiencies.csv", newline="", encoding="utf-8") as file:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(file) if row["name"] != "capability"}


def operation_ns(gpu, e, convolution, dtype, flops, elements):
    """core/specified_times.cpp, SpecifiedTimes::of."""
    computing = flops / (gpu.peak[dtype] * e[f"{'conv' if convolution else 'gemm'}_{dtype}"])
    moving = elements * BYTES[dtype] / (gpu.bandwidth * e["operands"])
    return e["start_ns"] + max(computing, moving) + e["not_hidden"] * min(computing, moving)


def triad_ns_per_byte(gpu, e):
    """core/specified_times.cpp, SpecifiedTimes::triad_ns_per_byte."""
    share = e["traffic"] / (1 + e["traffic_slowdown"] * gpu.bandwidth / gpu.peak["fp32"])
    return 1 / (gpu.bandwidth * min(share, e["traffic_most"]))


class Predictor:
    """core/predict.cpp with the times of a specification."""

    def __init__(self):
        self.costs = framework_costs()
        self.workloads = {name: Workload(name, self.costs) for name in WORKLOADS}

    def attention_share(self, dtype, backward):
        if dtype in ("tf32", "fp32"):
            return self.costs[f"attention_{dtype}"]
        return self.costs["attention_half_backward" if backward else "attention_half_forward"]

    def step_ns(self, gpu, e, name, precision):
        costs, workload = self.costs, self.workloads[name]
        fp32 = "tf32" if "tf32" in gpu.peak else "fp32"
        if "fp16" not in gpu.peak:
            precision = "full"
        half = "fp16" if precision == "mixed" else fp32
        triad = triad_ns_per_byte(gpu, e)
        traffic_bytes, clocks, kernels = workload.traffic[precision]
        ns, launches = traffic_bytes * triad, kernels
        if gpu.clocks_per_ns:
            ns += clocks / (gpu.multiprocessors * gpu.clocks_per_ns)
        for convolution, is_half, flops, elements, count in workload.operations:
            factor = costs["convolution"] if convolution else 1
            ns += count * factor * operation_ns(gpu, e, convolution, half if is_half else fp32, flops, elements)
            launches += count
        for a in workload.attentions:
            dtype = half if a.half else fp32
            rate = gpu.peak[dtype] * e[f"gemm_{dtype}"] * self.attention_share(dtype, a.backward)
            moved = a.elements * (2 if a.half and precision == "mixed" else 4) + a.row_bytes
            idle = a.idle_factor(costs["attention_rows"], gpu.multiprocessors) if dtype in ("tf32", "fp32") else 1
            ns += a.count * max(idle * a.flops / rate, costs["attention_over_triad"] * moved * triad)
            kernels += a.count * a.launches
            launches += a.count * a.launches
        return ns + (e["graph_launch_ns"] + costs["shortest_kernel_ns"]) * kernels + costs["pause_ns"] * launches

    def samples_per_s(self, gpu, e, name, precision):
        # 16 bits that are slower are not taken.
        fastest = min(self.step_ns(gpu, e, name, each) for each in {"full", precision})
        return self.workloads[name].samples * NS_PER_S / fastest
