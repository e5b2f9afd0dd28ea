"""The trace runs on the CPU's side of PyTorch, as tensors without numbers have no GPU there. Where PyTorch goes another way on
a GPU before it reaches an operation, that way is taken here."""

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from tracing import operations

# Autocast for CUDA runs these in fp32 and leaves the result so (aten/src/ATen/autocast_mode.h); for the CPU it does not.
FP32_UNDER_AUTOCAST = {F.layer_norm, torch.layer_norm, F.group_norm, torch.group_norm, F.softmax, F.log_softmax,
                       F.cross_entropy, F.nll_loss}


def packed(tensor):
    """Made as fused attention makes its results: [batch, length, heads, size] in memory."""
    batch, heads, length, size = tensor.shape
    return tensor.new_empty(batch, length, heads, size).transpose(1, 2)


class FusedAttention(torch.autograd.Function):
    """Keeps for the backward pass what FlashAttention keeps: its operands, the output, one fp32 sum of each row."""

    @staticmethod
    def forward(ctx, recorder, query, key, value, causal):
        recorder.attention("forward", query, key, causal)
        output = packed(query)
        sums = query.new_empty(query.shape[:-1], dtype=torch.float32)
        ctx.save_for_backward(query, key, value, output, sums)
        ctx.recorder, ctx.causal = recorder, causal
        return output

    @staticmethod
    def backward(ctx, _gradient):
        query, key, value, _output, _sums = ctx.saved_tensors
        ctx.recorder.attention("backward", query, key, ctx.causal)
        return None, packed(query), packed(key), packed(value), None


def attention(recorder, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if attn_mask is not None or dropout_p:
        raise NotImplementedError("attention with a mask or dropout is not traced")
    if torch.is_autocast_enabled("cpu"):
        query, key, value = (operand.to(torch.get_autocast_dtype("cpu")) for operand in (query, key, value))
    return FusedAttention.apply(recorder, query, key, value, is_causal)


class GpuRules(TorchFunctionMode):
    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is F.scaled_dot_product_attention:
            return attention(self.recorder, *args, **kwargs)
        if function in (F.group_norm, torch.group_norm):
            args = (args[0].contiguous(), *args[1:])  # its kernel for CUDA knows no other layout
        if function in FP32_UNDER_AUTOCAST and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return function(args[0].float(), *args[1:], **kwargs)
        return function(*args, **kwargs)
