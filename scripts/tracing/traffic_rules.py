"""How many elements does an operation of PyTorch read and write on a GPU, in how many kernels? Everything but matrix products,
convolutions and attention. An operation without a rule is an error, so that nothing is left out unseen.

The general rule: one kernel, which reads every tensor given (each once) and writes every tensor made or changed. RULES
says where PyTorch's kernels for CUDA (2.13, aten/src/ATen/native/cuda) do otherwise."""

from typing import Callable, NamedTuple

import torch

from tracing.operations import moved, traffic

# Views, and what only allocates: no kernel.
FREE = {"detach", "alias", "lift_fresh", "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided",
        "_unsafe_view", "_reshape_alias", "as_strided_"}


class Rule(NamedTuple):
    kind: str
    launches: int = 1
    passes: dict = {}  # how often an argument is read, where that is not once
    cost: Callable | None = None  # (arguments by name, result) -> (read, written), where the general rule does not hold


def tensors_in(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [tensor for element in value for tensor in tensors_in(element)] if isinstance(value, (list, tuple)) else []


def by_name(function, args, kwargs):
    names = [argument.name for argument in function._schema.arguments]
    return dict(zip(names, args)) | kwargs


def general_cost(function, named, result, passes):
    read, written, seen = [], [], set()
    for argument in function._schema.arguments:
        for tensor in tensors_in(named.get(argument.name)):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                read += passes.get(argument.name, 1) * moved(tensor)
            if argument.alias_info is not None and argument.alias_info.is_write:
                written += moved(tensor)
    results = result if isinstance(result, (list, tuple)) else [result]
    for returned, value in zip(function._schema.returns * len(results), results):
        if returned.alias_info is None:
            written += moved(*tensors_in(value))
    return read, written


def embedding(named, result):
    return moved(named["indices"]) + moved(result), moved(result)


def embedding_backward(named, result):
    """The gradient of all rows is set to zero, those of the words that occur are written."""
    gradient = named["grad_output"]
    return moved(gradient, named["indices"]), moved(result) + [(result.dtype, gradient.numel())]


def index_copy(named, _result):
    return moved(named["index"], named["source"]), moved(named["source"])


def nll_loss(named, result):
    """One number of every row."""
    return moved(named["target"]) + [(named["self"].dtype, named["target"].numel())], moved(*tensors_in(result))


def nll_loss_backward(named, result):
    """All set to zero, then one number of every row."""
    return moved(named["target"]), moved(result) + [(result.dtype, named["target"].numel())]


def max_pool_backward(named, result):
    """All set to zero, then every element."""
    return moved(named["grad_output"], named["indices"]), moved(result, result)


def adamw(named, _result):
    lists = [named["self"], named["exp_avgs"], named["exp_avg_sqs"]]
    return moved(*tensors_in([*lists, named["grads"], named["state_steps"]])), moved(*tensors_in(lists))


RULES = {
    # Statistics, their update, then the normalization itself; backward the sums, then the gradient.
    "native_batch_norm": Rule("normalization", 3, {"input": 2}),
    "native_batch_norm_backward": Rule("normalization", 2, {"grad_out": 2, "input": 2}),
    "native_layer_norm": Rule("normalization"),
    # The gradient of the input, then that of scale and shift.
    "native_layer_norm_backward": Rule("normalization", 2, {"grad_out": 2, "input": 2}),
    # Moments, their combination with scale and shift, then the normalization itself.
    "native_group_norm": Rule("normalization", 3, {"input": 2}),
    "rms_norm": Rule("normalization"),
    "_fused_rms_norm": Rule("normalization"),
    "_softmax": Rule("softmax"),
    "_log_softmax": Rule("softmax"),
    "_log_softmax_backward_data": Rule("softmax"),
    "nll_loss_forward": Rule("softmax", cost=nll_loss),
    "nll_loss_backward": Rule("softmax", 2, cost=nll_loss_backward),
    "max_pool2d_with_indices": Rule("pooling"),
    "max_pool2d_with_indices_backward": Rule("pooling", 2, cost=max_pool_backward),
    "upsample_nearest2d": Rule("pooling"),
    "embedding": Rule("embedding", cost=embedding),
    "embedding_dense_backward": Rule("embedding", 2, cost=embedding_backward),
    "index_copy": Rule("copy", cost=index_copy),
    "copy": Rule("copy", passes={"self": 0}),
    "fill": Rule("copy", passes={"self": 0}),
    "zero": Rule("copy", passes={"self": 0}),
    "ones_like": Rule("copy", passes={"self": 0}),
    "new_zeros": Rule("copy", passes={"self": 0}),
    "_fused_adamw": Rule("optimizer", cost=adamw),
}
RULES |= {name: Rule("copy") for name in ("_to_copy", "clone", "cat", "stack", "arange", "zeros", "full", "scalar_tensor")}
RULES |= {name: Rule("reduction") for name in ("sum", "mean")}
RULES |= {name: Rule("elementwise") for name in ("add", "sub", "mul", "div", "neg", "exp", "sin", "cos", "relu", "gelu",
                                                 "gelu_backward", "silu", "threshold_backward")}
RULES |= {name: Rule("optimizer") for name in ("_foreach_add", "_foreach_mul")}

SORTED_EMBEDDING_INDICES = 3072  # from here on the indices are sorted first, which is a dozen kernels (counted in its source)
SORTED_EMBEDDING_LAUNCHES = 12

# What one launch of a kernel over a list of tensors takes (MultiTensorApply.cuh).
CHUNK_ELEMENTS = 65536
LIST_BLOCKS = 320
LIST_TENSORS = (110, 64, 48, 36, 30)  # by how many lists there are


def list_launches(lists):
    """Launches over `lists` of tensors of the same sizes: one is full when it has so many blocks or tensors."""
    launches = blocks = tensors = 0
    most_tensors = LIST_TENSORS[len(lists) - 1]
    sizes = [tensor.numel() for tensor in lists[0]]
    for index, size in enumerate(sizes):
        tensors += 1
        chunks = -(-size // CHUNK_ELEMENTS)
        for chunk in range(chunks):
            blocks += 1
            last_chunk = chunk == chunks - 1
            if blocks == LIST_BLOCKS or (tensors == most_tensors and last_chunk) or (last_chunk and index == len(sizes) - 1):
                launches, blocks, tensors = launches + 1, 0, 0 if last_chunk else 1
    return launches


def launches_of(name, rule, named, result):
    if name == "embedding_dense_backward" and named["indices"].numel() > SORTED_EMBEDDING_INDICES:
        return SORTED_EMBEDDING_LAUNCHES
    if name == "_fused_adamw":
        return list_launches([named["self"], named["grads"], named["exp_avgs"], named["exp_avg_sqs"]])
    if name.startswith("_foreach"):
        lists = [named[key] for key in ("self", "other") if isinstance(named.get(key), (list, tuple))]
        made = [result] if isinstance(result, (list, tuple)) else []
        return list_launches([*lists, *made])
    return rule.launches


def has_rule(name):
    """Others are taken apart where PyTorch can do that. RMS norm, which it could, is one kernel on a GPU."""
    return name in FREE or name.removesuffix("_") in RULES


def traffic_of(function, args, kwargs, result, optimizing):
    """The row of one operation, or None where no kernel runs."""
    name = function._schema.name.split("::")[1]
    if name in FREE or any(returned.alias_info is not None and not returned.alias_info.is_write
                           for returned in function._schema.returns):
        return None
    name = name.removesuffix("_")  # in place or not
    if name not in RULES:
        raise NotImplementedError(f"there is no rule for the traffic of {function}")
    rule, named = RULES[name], by_name(function, args, kwargs)
    if name == "native_batch_norm" and not named["training"]:
        rule = Rule(rule.kind)  # the statistics are known
    read, written = rule.cost(named, result) if rule.cost else general_cost(function, named, result, rule.passes)
    return traffic("optimizer" if optimizing else rule.kind, read, written, launches_of(name, rule, named, result))
