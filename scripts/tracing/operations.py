"""What is recorded: matrix products, convolutions, attention, and memory traffic; and how each is read off an operation of
PyTorch. Pure: shapes, strides and types in, rows out."""

import math
from typing import NamedTuple

import torch
from torch._prims_common import suggest_memory_format

ROLES = {torch.bfloat16: "half", torch.float16: "half", torch.float32: "fp32", torch.int64: "int64"}


class Gemm(NamedTuple):
    """C[m,n] = A[m,k] * B[k,n], row-major; "t": the operand lies transposed in memory."""

    direction: str
    role: str
    a: str
    b: str
    m: int
    n: int
    k: int
    batch: int


class Conv(NamedTuple):
    direction: str
    role: str
    layout: str
    n: int
    c: int
    h: int
    w: int
    k: int
    r: int
    s: int
    stride: int
    pad: int


class Attention(NamedTuple):
    direction: str
    role: str
    batch: int
    heads: int
    kv_heads: int
    query_length: int
    key_length: int
    head_size: int
    causal: int
    launches: int


class Traffic(NamedTuple):
    """Elements that kernels outside those above read and write, and how many kernels."""

    kind: str
    read_half: int
    read_fp32: int
    read_int64: int
    written_half: int
    written_fp32: int
    written_int64: int
    launches: int


def traffic(kind, read, written, launches):
    """read, written: pairs of (dtype, elements)."""
    sums = {f"{way}_{role}": 0 for way in ("read", "written") for role in ("half", "fp32", "int64")}
    for way, moved in (("read", read), ("written", written)):
        for dtype, elements in moved:
            if dtype not in ROLES:
                raise NotImplementedError(f"traffic of {dtype} is not counted")
            sums[f"{way}_{ROLES[dtype]}"] += elements
    return Traffic(kind, launches=launches, **sums)


def in_memory(tensor):
    """Elements that differ in memory: what is expanded (stride 0) is read once."""
    return math.prod(size for size, stride in zip(tensor.shape, tensor.stride()) if stride != 0)


def moved(*tensors):
    return [(tensor.dtype, in_memory(tensor)) for tensor in tensors]


def copied(tensor):
    """A kernel that brings a tensor into another layout."""
    return traffic("copy", moved(tensor), moved(tensor), 1)


def stored(matrix):
    rows, columns = matrix.stride()[-2:]
    if columns == 1 or matrix.shape[-1] == 1:
        return "n"
    if rows == 1 or matrix.shape[-2] == 1:
        return "t"
    raise NotImplementedError(f"a matrix with strides {rows}, {columns} would be copied first")


def gemm(direction, a, b):
    """The last two dimensions are matrices, those before them a batch. A bias is added by the product's own kernel."""
    return Gemm(direction, ROLES[a.dtype], stored(a), stored(b), a.shape[-2], b.shape[-1], a.shape[-1],
                math.prod(a.shape[:-2]))


def is_channels_last(tensor):
    return suggest_memory_format(tensor) == torch.channels_last


def runs_channels_last(source, weights):
    """cuDNN is called in NHWC as soon as one operand is in it."""
    return is_channels_last(source) or is_channels_last(weights)


def in_layout_of_cudnn(name, arguments, result):
    """The results of a convolution or its gradients, made anew: otherwise what oneDNN can do on this machine would decide
    how they lie in memory."""
    source, weights = arguments[:2] if name == "convolution" else arguments[1:3]
    layout = torch.channels_last if runs_channels_last(source, weights) else torch.contiguous_format
    if isinstance(result, torch.Tensor):
        return torch.empty_like(result, memory_format=layout)
    return tuple(part if part is None or part.dim() != 4 else torch.empty_like(part, memory_format=layout) for part in result)


def conv(direction, source, weights, stride, padding, dilation, transposed, groups, channels_last):
    same = stride[0] == stride[-1] and padding[0] == padding[-1]
    if not same or transposed or groups != 1 or set(dilation) != {1} or source.dim() != 4:
        raise NotImplementedError("only plain two-dimensional convolutions are traced")
    return Conv(direction, ROLES[source.dtype], "nhwc" if channels_last else "nchw", *source.shape, weights.shape[0],
                *weights.shape[2:], stride[0], padding[0])


def conv_rows(arguments):
    """One forward convolution. An operand in another layout is copied first, the bias added by a kernel of its own."""
    source, weights, bias, *rest = arguments
    channels_last = runs_channels_last(source, weights)
    rows = [copied(operand) for operand in (source, weights) if is_channels_last(operand) != channels_last]
    row = conv("forward", source, weights, *[part for index, part in enumerate(rest) if index != 4], channels_last)
    rows.append(row)
    if bias is not None:
        p, q = ((size + 2 * row.pad - filter_size) // row.stride + 1
                for size, filter_size in ((row.h, row.r), (row.w, row.s)))
        output = (source.dtype, row.n * row.k * p * q)
        rows.append(traffic("elementwise", [output, *moved(bias)], [output], 1))
    return rows


def conv_backward_rows(arguments):
    """The gradients that are asked for, each by a kernel of its own."""
    gradient, source, weights, _bias_sizes, stride, padding, dilation, transposed, _, groups, wanted = arguments
    channels_last = runs_channels_last(source, weights)
    rows = [copied(operand) for operand in (gradient, source, weights) if is_channels_last(operand) != channels_last]
    for direction, is_wanted in zip(("backward_data", "backward_weights"), wanted):
        if is_wanted:
            rows.append(conv(direction, source, weights, stride, padding, dilation, transposed, groups, channels_last))
    if wanted[2]:
        rows.append(traffic("reduction", moved(gradient), [(gradient.dtype, gradient.shape[1])], 1))
    return rows


def attention(direction, query, key, causal):
    """Kernels, as FlashAttention launches them: forward one; two where the keys are split as there is one query only;
    backward three (row sums of the gradient, the gradients, conversion of the query's, which is summed in fp32)."""
    batch, heads, length, size = query.shape
    launches = 3 if direction == "backward" else 2 if length == 1 else 1
    return Attention(direction, ROLES[query.dtype], batch, heads, key.shape[1], length, key.shape[2], size, int(causal),
                     launches)


def flops(row):
    if isinstance(row, Gemm):
        return 2 * row.m * row.n * row.k * row.batch
    if isinstance(row, Conv):
        p, q = ((size + 2 * row.pad - filter_size) // row.stride + 1
                for size, filter_size in ((row.h, row.r), (row.w, row.s)))
        return 2 * row.n * row.k * p * q * row.c * row.r * row.s
    if isinstance(row, Attention):
        # Pairs of a query and a key that it sees: causal, the first query sees all keys but the last length - 1.
        unseen = row.query_length * (row.query_length - 1) // 2 if row.causal else 0
        pairs = row.query_length * row.key_length - unseen
        products = 5 if row.direction == "backward" else 2  # backward makes the scores anew
        return products * 2 * row.batch * row.heads * pairs * row.head_size
    return 0
