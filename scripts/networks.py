"""The networks of the score's workloads in PyTorch, with random weights: what a figure of gpuassay is to predict.

NETWORKS maps a workload's name to a function of (device, precision) that returns a Network. Precision is "full" (fp32, with
tf32 where the device has it) or "mixed" (bf16 where the device has it, else fp16). Training is one optimizer step with all
weights in fp32; inference keeps them in the 16-bit format. Every one fits a card of 8 GB. LARGE_NETWORKS do not.
scripts/trace_workload traces these very steps, and scripts/measure_networks times them.
"""

import contextlib
import dataclasses
from typing import Callable

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass
class Network:
    step: Callable[[], object]  # one training step, one batch, one token of every sequence
    samples: int  # per step: images, sequences, or tokens
    unit: str
    module: nn.Module
    shape: dict  # what decides how much a step does, beside the module: batch and lengths
    optimizer: torch.optim.Optimizer | None = None


def half_dtype(device):
    if device.type == "cuda" and torch.cuda.get_device_capability(device)[0] < 8:
        return torch.float16
    return torch.bfloat16


def autocast(device, precision):
    if precision == "full":
        return contextlib.nullcontext()
    return torch.autocast(device.type, half_dtype(device))


def weight_dtype(device, precision):
    return torch.float32 if precision == "full" else half_dtype(device)


class Bottleneck(nn.Module):
    """A residual block of ResNet-50 (v1.5: the 3 x 3 convolution has the stride)."""

    def __init__(self, channels, inner, stride):
        super().__init__()
        self.path = nn.Sequential(*convolution(channels, inner, 1, 1), nn.ReLU(inplace=True),
                                  *convolution(inner, inner, 3, stride), nn.ReLU(inplace=True),
                                  *convolution(inner, 4 * inner, 1, 1))
        same = stride == 1 and channels == 4 * inner
        self.shortcut = nn.Identity() if same else nn.Sequential(*convolution(channels, 4 * inner, 1, stride))

    def forward(self, x):
        return F.relu(self.path(x) + self.shortcut(x), inplace=True)


def convolution(channels, filters, size, stride):
    return nn.Conv2d(channels, filters, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(filters)


def image_network(device):
    layers, channels = [*convolution(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, padding=1)], 64
    for inner, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            layers.append(Bottleneck(channels, inner, 2 if block == 0 and inner > 64 else 1))
            channels = 4 * inner
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))
    return network.to(device, memory_format=torch.channels_last)


def images(device, batch, dtype=torch.float32):
    return torch.randn(batch, 3, 224, 224, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)


def training(device, precision, network, optimizer, loss_of):
    """loss_of() runs the network; what it returns is minimized."""
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "mixed" and half_dtype(device) == torch.float16)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with autocast(device, precision):
            loss = loss_of()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    network.train()
    return step


def resnet50_train(device, precision, batch=64):
    network, x = image_network(device), images(device, batch)
    labels = torch.randint(0, 1000, (batch,), device=device)
    # foreach is what PyTorch chooses by itself on a GPU.
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4, foreach=True)
    step = training(device, precision, network, optimizer, lambda: F.cross_entropy(network(x), labels))
    return Network(step, batch, "images", network, {"batch": batch, "image_size": 224}, optimizer)


def resnet50_infer(device, precision, batch=64):
    dtype = weight_dtype(device, precision)
    network, x = image_network(device).to(dtype).eval(), images(device, batch, dtype)
    return Network(torch.inference_mode()(lambda: network(x)), batch, "images", network, {"batch": batch, "image_size": 224})


class Attention(nn.Module):
    """Heads of 64 or what is said; fewer key and value heads where `kv_heads` says so; rotary places where there are some."""

    def __init__(self, hidden, heads, kv_heads, bias):
        super().__init__()
        self.heads, self.kv_heads, self.size = heads, kv_heads, hidden // heads
        self.query = nn.Linear(hidden, heads * self.size, bias=bias)
        self.key_value = nn.Linear(hidden, 2 * kv_heads * self.size, bias=bias)
        self.output = nn.Linear(hidden, hidden, bias=bias)

    def forward(self, x, causal, rotation=None, cache=None, place=None):
        batch, length, hidden = x.shape
        q = self.query(x).view(batch, length, self.heads, self.size).transpose(1, 2)
        k, v = self.key_value(x).view(batch, length, 2, self.kv_heads, self.size).permute(2, 0, 3, 1, 4)
        if rotation is not None:
            q, k = rotated(q, rotation), rotated(k, rotation)
        if cache is not None:
            cache[0].index_copy_(2, place, k)
            cache[1].index_copy_(2, place, v)
            k, v = cache
        group = self.heads // self.kv_heads
        if group > 1 and length == 1:
            # Heads of a group as queries of one head, and below as heads of their own: no kernel need know of groups, as
            # those for fp32 do not.
            q = q.reshape(batch, self.kv_heads, group, self.size)
        elif group > 1:
            k, v = (part.repeat_interleave(group, dim=1) for part in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal).reshape(batch, self.heads, length, self.size)
        return self.output(y.transpose(1, 2).reshape(batch, length, hidden))


def rotated(x, rotation):
    cosine, sine = rotation
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine


def rotations(length, size, device, dtype):
    angles = torch.outer(torch.arange(length, device=device), 5e5 ** (-torch.arange(0, size, 2, device=device) / size))
    return angles.cos().repeat(1, 2).to(dtype), angles.sin().repeat(1, 2).to(dtype)


class ClassicBlock(nn.Module):
    """BERT's and GPT-2's: layer norm, GELU, biases."""

    def __init__(self, hidden, heads, causal):
        super().__init__()
        self.causal = causal
        self.before_attention, self.before_inner = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.attention = Attention(hidden, heads, heads, bias=True)
        self.inner = nn.Sequential(nn.Linear(hidden, 4 * hidden), nn.GELU(approximate="tanh"), nn.Linear(4 * hidden, hidden))

    def forward(self, x):
        x = x + self.attention(self.before_attention(x), self.causal)
        return x + self.inner(self.before_inner(x))


class ClassicTransformer(nn.Module):
    def __init__(self, words, places, hidden, heads, layers, causal):
        super().__init__()
        self.words, self.places = nn.Embedding(words, hidden), nn.Embedding(places, hidden)
        self.blocks = nn.Sequential(*(ClassicBlock(hidden, heads, causal) for _ in range(layers)))
        self.norm = nn.LayerNorm(hidden)

    def forward(self, tokens):
        x = self.words(tokens) + self.places(torch.arange(tokens.shape[1], device=tokens.device))
        return F.linear(self.norm(self.blocks(x)), self.words.weight)


def language_training(device, precision, batch, length, words, **sizes):
    network = ClassicTransformer(words, length, **sizes).to(device)
    tokens = torch.randint(0, words, (batch, length), device=device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    loss = lambda: F.cross_entropy(network(tokens).flatten(0, 1).float(), tokens.flatten())
    return Network(training(device, precision, network, optimizer, loss), batch, "sequences", network,
                   {"batch": batch, "sequence_length": length}, optimizer)


def bert_large_train(device, precision, batch=8, length=128, **smaller):
    sizes = {"words": 30522, "hidden": 1024, "heads": 16, "layers": 24, "causal": False} | smaller
    return language_training(device, precision, batch, length, **sizes)


def gpt_train(device, precision, batch=4, length=1024, **smaller):
    # GPT-2's 50,257 words, filled up to a multiple of 64 as those who train it do: tensor cores need aligned rows.
    sizes = {"words": 50304, "hidden": 768, "heads": 12, "layers": 12, "causal": True} | smaller
    return language_training(device, precision, batch, length, **sizes)


class LlamaBlock(nn.Module):
    def __init__(self, hidden, heads, kv_heads, inner):
        super().__init__()
        self.before_attention, self.before_inner = nn.RMSNorm(hidden), nn.RMSNorm(hidden)
        self.attention = Attention(hidden, heads, kv_heads, bias=False)
        self.gate_and_up = nn.Linear(hidden, 2 * inner, bias=False)
        self.down = nn.Linear(inner, hidden, bias=False)

    def forward(self, x, causal, rotation, cache, place):
        x = x + self.attention(self.before_attention(x), causal, rotation, cache, place)
        gate, up = self.gate_and_up(self.before_inner(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Llama(nn.Module):
    """The shape of Llama 3.2 1B, 1.24 billion weights; `tied`: the words' vectors are the classifier's weights too."""

    def __init__(self, words=128256, hidden=2048, heads=32, kv_heads=8, inner=8192, layers=16, tied=True):
        super().__init__()
        self.kv_heads, self.size = kv_heads, hidden // heads
        self.words = nn.Embedding(words, hidden)
        self.blocks = nn.ModuleList(LlamaBlock(hidden, heads, kv_heads, inner) for _ in range(layers))
        self.norm = nn.RMSNorm(hidden)
        self.classifier = None if tied else nn.Linear(hidden, words, bias=False)

    def forward(self, tokens, rotation, caches, place):
        """Logits of the last token of every sequence. caches: keys and values per layer, [batch, heads, context, size]."""
        x = self.words(tokens)
        for block, cache in zip(self.blocks, caches):
            x = block(x, tokens.shape[1] > 1, rotation, cache, place)
        return F.linear(self.norm(x[:, -1]), (self.classifier or self.words).weight)


def llama(device, precision, sizes):
    with torch.device(device):
        return Llama(**sizes).to(weight_dtype(device, precision)).eval()


def llm_prefill(device, precision, batch=1, length=2048, **smaller):
    network = llama(device, precision, smaller)
    tokens = torch.randint(0, network.words.num_embeddings, (batch, length), device=device)
    rotation = rotations(length, network.size, device, weight_dtype(device, precision))
    step = torch.inference_mode()(lambda: network(tokens, rotation, [None] * len(network.blocks), None))
    return Network(step, batch * length, "tokens", network, {"batch": batch, "sequence_length": length})


def llm_decode(device, precision, batch, context=1024, **smaller):
    """The token at the end of a context that a key-value cache holds."""
    network, dtype = llama(device, precision, smaller), weight_dtype(device, precision)
    tokens = torch.randint(0, network.words.num_embeddings, (batch, 1), device=device)
    shape = (batch, network.kv_heads, context, network.size)
    caches = [(torch.randn(shape, device=device, dtype=dtype), torch.randn(shape, device=device, dtype=dtype))
              for _ in network.blocks]
    rotation = tuple(part[-1:] for part in rotations(context, network.size, device, dtype))
    place = torch.tensor([context - 1], device=device)
    return Network(torch.inference_mode()(lambda: network(tokens, rotation, caches, place)), batch, "tokens", network,
                   {"batch": batch, "context_length": context})


def sd_unet(device, precision, batch=2):
    """One step of Stable Diffusion 1.5 at 512 x 512 with guidance, which makes two of one image. Needs diffusers."""
    from diffusers import UNet2DConditionModel

    dtype = weight_dtype(device, precision)
    with torch.device(device):
        network = UNet2DConditionModel(cross_attention_dim=768, sample_size=64, attention_head_dim=8)
    network = network.to(device, dtype).to(memory_format=torch.channels_last).eval()
    latents = torch.randn(batch, 4, 64, 64, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
    text, time = torch.randn(batch, 77, 768, device=device, dtype=dtype), torch.tensor(500, device=device)
    return Network(torch.inference_mode()(lambda: network(latents, time, text).sample), batch // 2, "steps", network,
                   {"batch": batch, "latent_size": 64, "text_length": 77})


NETWORKS = {
    "resnet50_train": resnet50_train,
    "bert_large_train": bert_large_train,
    "gpt_train": gpt_train,
    "resnet50_infer": resnet50_infer,
    "llm_prefill": llm_prefill,
    "sd_unet": sd_unet,
    "llm_decode_b1": lambda device, precision, **smaller: llm_decode(device, precision, 1, **smaller),
    "llm_decode_b32": lambda device, precision, **smaller: llm_decode(device, precision, 32, **smaller),
}

LLAMA_8B = {"hidden": 4096, "heads": 32, "inner": 14336, "layers": 32, "tied": False}  # Llama 3.1 8B
LLAMA_70B = {"hidden": 8192, "heads": 64, "inner": 28672, "layers": 80, "tied": False}  # Llama 3.1 70B


def large_networks(name, sizes):
    def decode(batch):
        return lambda device, precision: llm_decode(device, precision, batch, context=4096, **sizes)

    return {f"large_{name}_prefill": lambda device, precision: llm_prefill(device, precision, **sizes),
            f"large_{name}_decode_b1": decode(1), f"large_{name}_decode_b32": decode(32)}


LARGE_NETWORKS = large_networks("8b", LLAMA_8B) | large_networks("70b", LLAMA_70B)
