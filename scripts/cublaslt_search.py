"""How fast is a matrix product with the best of all algorithms that cuBLASLt proposes? A peer of gpu_check: Python's ctypes on
the driver and cuBLASLt alone, nothing of gpuassay's own code, so that an error in one does not hide in the other.

Both layouts of B; up to 2,000 proposals each, every one run once, the best twelve timed in earnest. Operands are normally
distributed numbers of the format, as constant ones would let the chip clock higher. Numbers of enumerators: NVIDIA's headers
of CUDA 11.8 and 13.0, where they are the same.
"""

import ctypes
import itertools
import os
import random
import struct
from ctypes import byref, c_float, c_int, c_int32, c_int64, c_size_t, c_uint64, c_void_p

# dtype: input type, output type, compute type, scale type, bytes of an input and an output element, struct code of inputs
TYPES = {
    "fp64": (1, 1, 70, 1, 8, 8, "d"),
    "fp32": (0, 0, 68, 0, 4, 4, "f"),
    "tf32": (0, 0, 77, 0, 4, 4, "f"),
    "fp16": (2, 2, 68, 0, 2, 2, "e"),
    "bf16": (14, 14, 68, 0, 2, 2, None),
}
WORKSPACE_BYTES = 32 << 20  # as gpuassay gives
PROPOSALS = 2000
FINALISTS = 12
LEAST_SAMPLES = 15
RESULT_BYTES = 96  # of cublasLtMatmulHeuristicResult_t: algorithm 64, workspace 8, status 4, ...
TRANS_A, MAX_WORKSPACE, BATCH_COUNT, BATCH_STRIDE = 3, 1, 5, 6


class Failed(RuntimeError):
    pass


def copies_beyond_cache(operand_bytes, l2_bytes):
    """As many sets of operands as twice the L2 holds: gpuassay's products take turns on as many, and so must a peer's."""
    return max(1, min(64, -(-2 * l2_bytes // operand_bytes)))


def open_first(names):
    """A library that is loaded already, from an override folder, or of the loader's own search; None without one."""
    folders = [folder for folder in os.environ.get("GPUASSAY_LIBRARY_PATH", "").split(":") if folder]
    for path in [os.path.join(folder, name) for name in names for folder in folders] + names:
        try:
            return ctypes.CDLL(path)
        except OSError:
            continue
    return None


def check(status, what):
    if status != 0:
        raise Failed("%s answers %d" % (what, status))


class Device:
    """Device 0 with its primary context, a stream and two events."""

    def __init__(self, driver):
        self.driver, self.places, context = driver, random.Random(2), c_void_p()
        self.stream, self.begin, self.end = c_void_p(), c_void_p(), c_void_p()
        check(driver.cuInit(0), "cuInit")
        check(driver.cuDevicePrimaryCtxRetain(byref(context), 0), "cuDevicePrimaryCtxRetain")
        check(driver.cuCtxSetCurrent(context), "cuCtxSetCurrent")
        l2_bytes, l2_attribute = c_int(), 38
        check(driver.cuDeviceGetAttribute(byref(l2_bytes), l2_attribute, 0), "cuDeviceGetAttribute")
        self.l2_bytes = l2_bytes.value
        check(driver.cuStreamCreate(byref(self.stream), 1), "cuStreamCreate")
        for event in (self.begin, self.end):
            check(driver.cuEventCreate(byref(event), 0), "cuEventCreate")

    def allocate(self, size_bytes):
        pointer = c_uint64()
        check(self.driver.cuMemAlloc_v2(byref(pointer), c_size_t(size_bytes)), "cuMemAlloc")
        return pointer

    def fill(self, pointer, size_bytes, block, element_bytes):
        """From another place of the block each time: rows that repeat would flip fewer bits and cost less power."""
        twice, elements = ctypes.create_string_buffer(block + block), len(block) // element_bytes
        for offset in range(0, size_bytes, len(block)):
            size = min(len(block), size_bytes - offset)
            begin = c_void_p(ctypes.addressof(twice) + self.places.randrange(elements) * element_bytes)
            check(self.driver.cuMemcpyHtoD_v2(c_uint64(pointer.value + offset), begin, c_size_t(size)), "cuMemcpyHtoD")

    def free(self, pointers):
        for pointer in pointers:
            self.driver.cuMemFree_v2(pointer)

    def time_ns(self, run, count):
        """Of one of `count` runs back to back; None when one is refused."""
        check(self.driver.cuEventRecord(self.begin, self.stream), "cuEventRecord")
        for _ in range(count):
            if run() != 0:
                return None
        check(self.driver.cuEventRecord(self.end, self.stream), "cuEventRecord")
        check(self.driver.cuEventSynchronize(self.end), "cuEventSynchronize")
        milliseconds = c_float()
        check(self.driver.cuEventElapsedTime(byref(milliseconds), self.begin, self.end), "cuEventElapsedTime")
        return milliseconds.value * 1e6 / count


def normal_block(code, count=1 << 16):
    """Normal numbers as bytes; bf16 is the upper half of fp32."""
    source = random.Random(1)
    if code is None:
        packed = struct.pack("<%df" % count, *(source.gauss(0, 1) for _ in range(count)))
        return b"".join(packed[i + 2:i + 4] for i in range(0, len(packed), 4))
    return struct.pack("<%d%s" % (count, code), *(source.gauss(0, 1) for _ in range(count)))


class Search:
    """cuBLASLt opened once, for many products."""

    def __init__(self):
        driver = open_first(["libcuda.so.1"])
        self.lt = open_first(["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"])
        if driver is None or self.lt is None:
            raise Failed("libcuda or libcublasLt does not load")
        self.device, self.handle = Device(driver), c_void_p()
        self.lt.cublasLtGetVersion.restype = c_size_t
        self.version = self.lt.cublasLtGetVersion()
        check(self.lt.cublasLtCreate(byref(self.handle)), "cublasLtCreate")
        self.workspace = self.device.allocate(WORKSPACE_BYTES)

    def layout(self, kind, rows, columns, batch):
        layout = c_void_p()
        check(self.lt.cublasLtMatrixLayoutCreate(byref(layout), kind, c_uint64(rows), c_uint64(columns), c_int64(rows)),
              "cublasLtMatrixLayoutCreate")
        if batch > 1:
            for attribute, value in ((BATCH_COUNT, c_int32(batch)), (BATCH_STRIDE, c_int64(rows * columns))):
                check(self.lt.cublasLtMatrixLayoutSetAttribute(layout, attribute, byref(value), c_size_t(
                    ctypes.sizeof(value))), "cublasLtMatrixLayoutSetAttribute")
        return layout

    def runs(self, params, transposed, sets):
        """One function per proposed algorithm. Column-major: the first operand is B, the second A. Sets take turns."""
        kind_in, kind_out, compute, scale = TYPES[params["dtype"]][:4]
        m, n, k, batch = (params[name] for name in ("m", "n", "k", "batch"))
        desc, preference = c_void_p(), c_void_p()
        check(self.lt.cublasLtMatmulDescCreate(byref(desc), compute, scale), "cublasLtMatmulDescCreate")
        operation = c_int32(1 if transposed else 0)
        check(self.lt.cublasLtMatmulDescSetAttribute(desc, TRANS_A, byref(operation), c_size_t(4)), "TRANSA")
        first = self.layout(kind_in, k if transposed else n, n if transposed else k, batch)
        second, result = self.layout(kind_in, k, m, batch), self.layout(kind_out, n, m, batch)
        check(self.lt.cublasLtMatmulPreferenceCreate(byref(preference)), "cublasLtMatmulPreferenceCreate")
        limit = c_uint64(WORKSPACE_BYTES)
        check(self.lt.cublasLtMatmulPreferenceSetAttribute(preference, MAX_WORKSPACE, byref(limit), c_size_t(8)), "limit")
        proposals, returned = ctypes.create_string_buffer(RESULT_BYTES * PROPOSALS), c_int()
        if self.lt.cublasLtMatmulAlgoGetHeuristic(self.handle, desc, first, second, result, result, preference, PROPOSALS,
                                                  proposals, byref(returned)) != 0:
            return []
        number = ctypes.c_double if scale == 1 else c_float
        one, zero = number(1), number(0)

        def run_of(index):
            algorithm = ctypes.create_string_buffer(proposals.raw[RESULT_BYTES * index:RESULT_BYTES * index + 64], 64)
            turns = itertools.cycle(sets)

            def run():
                a, b, c = next(turns)
                return self.lt.cublasLtMatmul(self.handle, desc, byref(one), b, first, a, second, byref(zero), c, result, c,
                                              result, algorithm, self.workspace, c_size_t(WORKSPACE_BYTES),
                                              self.device.stream)

            return run

        return [run_of(index) for index in range(returned.value)]

    def best_ns(self, params, load_s):
        """Median nanoseconds of the fastest algorithm, which ran for `load_s` as gpuassay's did (a card at its power limit
        is fastest in the first milliseconds), and how many were tried; None for formats that are not compared."""
        if params["dtype"] not in TYPES:
            return None
        _, _, _, _, in_bytes, out_bytes, code = TYPES[params["dtype"]]
        m, n, k, batch = (params[name] for name in ("m", "n", "k", "batch"))
        sizes = [batch * m * k * in_bytes, batch * k * n * in_bytes, batch * m * n * out_bytes]
        operands, block = [], normal_block(code)
        try:
            for size in sizes * copies_beyond_cache(sum(sizes), self.device.l2_bytes):
                operands.append(self.device.allocate(size))
            sets = [operands[at:at + 3] for at in range(0, len(operands), 3)]
            for pointers in sets:
                for pointer, size in zip(pointers[:2], sizes):
                    self.device.fill(pointer, size, block, in_bytes)
            runs = self.runs(params, False, sets) + self.runs(params, True, sets)
            timed = []
            for run in runs:
                if self.device.time_ns(run, 1) is not None:  # loads its kernels
                    timed.append((self.device.time_ns(run, 1), run))
            if not timed:
                return None
            finalists = sorted(timed, key=lambda pair: pair[0])[:FINALISTS]
            best = min((run for _, run in finalists), key=lambda run: self.median_ns(run, 0))
            return self.median_ns(best, load_s), len(timed)
        finally:
            self.device.free(operands)

    def median_ns(self, run, load_s):
        each_ns = max(self.device.time_ns(run, 2), 1)
        count = max(1, int(1e6 / each_ns))
        wanted = max(LEAST_SAMPLES, int(load_s * 1e9 / (count * each_ns)))
        samples = sorted(self.device.time_ns(run, count) for _ in range(wanted))
        return samples[len(samples) // 2]
