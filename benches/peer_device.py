"""The work of the bench `device` in PyTorch and transformers on CUDA: prints one JSON object.

    python3 benches/peer_device.py SHAPE TIMES
"""

import json
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

ROWS, PROMPT, SAMPLED, BATCH = 16, 128, 64, (4, 256)

shape, times = sys.argv[1], int(sys.argv[2])


def qwen2(layers, width, heads, ffn):
    return Qwen2ForCausalLM(Qwen2Config(
        hidden_size=width, intermediate_size=ffn, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=2,
        vocab_size=151936, max_position_embeddings=32768, rms_norm_eps=1e-6, tie_word_embeddings=True, rope_theta=1e6,
    ))


def smollm2():
    return LlamaForCausalLM(LlamaConfig(
        hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
        vocab_size=49152, max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=True, rope_theta=100000.0,
    ))


make, dtype = {
    "smollm2-135m": (smollm2, torch.float32),
    "qwen2-0.5b": (lambda: qwen2(24, 896, 14, 4864), torch.bfloat16),
    "qwen2-1.5b": (lambda: qwen2(28, 1536, 12, 8960), torch.bfloat16),
}[shape]
model = make().to("cuda", dtype)


def best(work):
    work()
    found = []
    for _ in range(times):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        found.append(time.perf_counter() - start)
    return min(found)


def generate(count):
    with torch.inference_mode():
        out = model(prompts, use_cache=True, logits_to_keep=1)
        for _ in range(count - 1):
            token = torch.multinomial(torch.softmax(out.logits[:, -1].float(), -1), 1)
            out = model(token, past_key_values=out.past_key_values, use_cache=True)


prompts = torch.randint(3, 49000, (ROWS, PROMPT), device="cuda")
before, everything = best(lambda: generate(1)), best(lambda: generate(SAMPLED))

# As the engine trains: parameters in their type, moments and master copies in 32 bits.
masters = [p.detach().float().clone().requires_grad_(True) if dtype != torch.float32 else p for p in model.parameters()]
optimizer = torch.optim.AdamW(masters, lr=1e-6)
batch = torch.randint(3, 49000, BATCH, device="cuda")


def step():
    model.zero_grad(set_to_none=True)
    model(batch, labels=batch).loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    if dtype != torch.float32:
        for master, parameter in zip(masters, model.parameters()):
            master.grad = parameter.grad.float()
    optimizer.step()
    if dtype != torch.float32:
        with torch.no_grad():
            for master, parameter in zip(masters, model.parameters()):
                parameter.copy_(master)


train = best(step)
print(json.dumps({
    "torch": torch.__version__,
    "decode": ROWS * (SAMPLED - 1) / (everything - before),
    "train": train,
    "memory": torch.cuda.max_memory_reserved() / 2**20,
}))
