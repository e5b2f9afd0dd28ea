"""Runs a step of a network on tensors without numbers and records its operations."""

import contextlib
import gc
import weakref
from collections import Counter
from unittest import mock

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from tracing import operations
from tracing.gpu_rules import GpuRules
from tracing.traffic_rules import has_rule, tensors_in, traffic_of

PRODUCTS = {"mm": (0, 1), "addmm": (1, 2), "bmm": (0, 1)}  # where the two matrices are among the arguments
CONVOLUTIONS = {"convolution": operations.conv_rows, "convolution_backward": operations.conv_backward_rows}


class LiveMemory:
    """Bytes of all tensors that are held by somebody, and the most they ever were. Each allocation counts once."""

    def __init__(self):
        self.sizes = {}  # by address of the allocation
        self.weights = set()  # the addresses of those that hold weights
        self.bytes = 0
        self.peak = 0

    def hold(self, tensor):
        storage = tensor.untyped_storage()
        if storage._cdata in self.sizes:
            return
        self.sizes[storage._cdata] = storage.nbytes()
        self.bytes += storage.nbytes()
        self.peak = max(self.peak, self.bytes)
        weakref.finalize(storage, self.release, storage._cdata).atexit = False

    def release(self, key):
        self.bytes -= self.sizes.pop(key)
        self.weights.discard(key)

    def mark_weight(self, tensor):
        self.weights.add(tensor.untyped_storage()._cdata)

    def is_weight(self, tensor):
        return tensor.untyped_storage()._cdata in self.weights


class Recorder(TorchDispatchMode):
    """Sees every operation below autograd and autocast. `rows` counts those of the recorded step."""

    def __init__(self):
        super().__init__()
        self.memory = LiveMemory()
        self.rows = Counter()
        self.by_name = {}  # operation -> Counter of its rows: what --explain prints
        self.recording = False
        self.optimizing = False

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        namespace, name = function._schema.name.split("::")
        if namespace != "aten":  # asks what a tensor is, such as its device, or marks a place for a profiler
            return function(*args, **kwargs)
        if not (name in PRODUCTS or name in CONVOLUTIONS or has_rule(name)):
            with self:
                parts = function.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        result = function(*args, **kwargs)
        if name in CONVOLUTIONS:
            result = operations.in_layout_of_cudnn(name, args, result)
        for tensor in tensors_in(result):
            self.memory.hold(tensor)
        if name == "_to_copy" and self.memory.is_weight(args[0]):
            self.memory.mark_weight(result)
        if self.recording:
            for row in self.rows_of(name, function, args, kwargs, result):
                self.add(name, row)
        return result

    def add(self, name, row):
        self.rows[row] += 1
        self.by_name.setdefault(name, Counter())[row] += 1

    def attention(self, direction, query, key, causal):
        if self.recording:
            self.add("attention", operations.attention(direction, query, key, causal))

    def rows_of(self, name, function, args, kwargs, result):
        if name in PRODUCTS:
            a, b = (args[place] for place in PRODUCTS[name])
            return [operations.gemm(self.direction(a, b), a, b)]
        if name in CONVOLUTIONS:
            return CONVOLUTIONS[name](args)
        row = traffic_of(function, args, kwargs, result, self.optimizing)
        return [] if row is None else [row]

    def direction(self, a, b):
        """A product of the backward pass with weights makes the gradient of data, one without that of weights."""
        if torch._C._current_graph_task_id() == -1:
            return "forward"
        return "backward_data" if self.memory.is_weight(a) or self.memory.is_weight(b) else "backward_weights"


def bytes_of(tensors):
    """Of the distinct allocations below the tensors."""
    storages = {storage._cdata: storage.nbytes() for storage in (tensor.untyped_storage() for tensor in tensors)}
    return sum(storages.values())


def state_of(optimizer):
    if optimizer is None:
        return []
    return [value for state in optimizer.state.values() for value in state.values() if isinstance(value, torch.Tensor)]


def convert(module, function, recurse=True):
    """What Module.to() and the like do, for modules of tensors without numbers, whose own way refuses parameters that PyTorch
    still holds weakly (2.13)."""
    for child in module.children():
        convert(child, function)
    for name, weights in module._parameters.items():
        if weights is not None:
            module._parameters[name] = torch.nn.Parameter(function(weights.detach()), weights.requires_grad)
    for name, buffer in module._buffers.items():
        if buffer is not None:
            module._buffers[name] = function(buffer)
    return module


def trace(make_network, precision):
    """(network, recorder, bytes of memory by what holds them) of the second step: the first makes the optimizer's state."""
    recorder = Recorder()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(torch.nn.Module, "_apply", convert))
        for mode in (FakeTensorMode(), GpuRules(recorder), recorder):
            stack.enter_context(mode)
        network = make_network(torch.device("cpu"), precision)
        for weights in network.module.parameters():
            recorder.memory.mark_weight(weights)
        if network.optimizer is not None:
            network.optimizer.register_step_pre_hook(lambda *_: setattr(recorder, "optimizing", True))
            network.optimizer.register_step_post_hook(lambda *_: setattr(recorder, "optimizing", False))
        network.step()
        if network.optimizer is not None:
            network.optimizer.zero_grad(set_to_none=True)
        gc.collect()
        gc.disable()  # when cycles are found must not decide what the peak is
        try:
            memory = {"weights": bytes_of([*network.module.parameters(), *network.module.buffers()]),
                      "optimizer": bytes_of(state_of(network.optimizer))}
            memory["inputs"] = recorder.memory.bytes - memory["weights"] - memory["optimizer"]
            recorder.memory.peak = recorder.memory.bytes
            recorder.recording = True
            network.step()
            recorder.recording = False
        finally:
            gc.enable()
        memory["activations"] = recorder.memory.peak - sum(memory.values())
        memory["peak"] = recorder.memory.peak
    return network, recorder, memory
