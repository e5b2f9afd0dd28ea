"""compare_peers: PyTorch on the CPU behind the protocol of bench/protocol.h. Threads: OMP_NUM_THREADS."""

import os
import sys
import time

import torch
import torch.nn.functional as functional

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def prepare_gemm(dtype, m, n, k, batch):
    shape = [] if batch == 1 else [batch]
    a, b = torch.randn(*shape, m, k).to(dtype), torch.randn(*shape, k, n).to(dtype)
    out = torch.empty(*shape, m, n, dtype=dtype)
    return lambda: torch.matmul(a, b, out=out)


def prepare_conv(dtype, direction, n, c, h, w, k, r, s, stride, pad):
    channels_last = torch.channels_last
    source = torch.randn(n, c, h, w).to(dtype).to(memory_format=channels_last)
    weights = torch.randn(k, c, r, s).to(dtype).to(memory_format=channels_last)
    if direction == "forward":
        return lambda: functional.conv2d(source, weights, stride=stride, padding=pad)
    gradient = torch.randn_like(functional.conv2d(source, weights, stride=stride, padding=pad))
    mask = [direction == "backward_data", direction == "backward_weights", False]
    return lambda: torch.ops.aten.convolution_backward(gradient, source, weights, None, [stride] * 2, [pad] * 2,
                                                       [1, 1], False, [0, 0], 1, mask)


def prepare(words):
    if words[1] not in DTYPES:
        raise ValueError(f"{words[1]} is not compared")
    if words[0] == "gemm":
        return prepare_gemm(DTYPES[words[1]], *map(int, words[2:]))
    return prepare_conv(DTYPES[words[1]], words[2], *map(int, words[3:]))


def best_ns(run, seconds):
    begin = time.perf_counter_ns()
    run()
    iterations = max(1, 2_000_000 // max(1, time.perf_counter_ns() - begin))
    samples = []
    start = time.perf_counter()
    while len(samples) < 5 or time.perf_counter() - start < seconds:
        begin = time.perf_counter_ns()
        for _ in range(iterations):
            run()
        samples.append((time.perf_counter_ns() - begin) / iterations)
    return min(samples)


def main():
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    run = None
    with torch.inference_mode():
        for line in sys.stdin:
            command, *words = line.split()
            try:
                if command == "prepare":
                    run = prepare(words)
                    print("ok torch", torch.__version__, flush=True)
                elif command == "run":
                    print(best_ns(run, float(words[0])), flush=True)
                else:
                    print("unknown", flush=True)
            except (ValueError, TypeError, RuntimeError) as error:
                print("error", str(error).splitlines()[0], flush=True)


main()
