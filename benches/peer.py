"""The same work in PyTorch and transformers, for the bench `pretrained`: prints one JSON object.

    python3 benches/peer.py THREADS TIMES
"""

import json
import os
import resource
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from transformers import LlamaConfig, LlamaForCausalLM

threads, times = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(0)
config = LlamaConfig(
    hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
    vocab_size=49152, max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=True, rope_theta=100000.0,
)
model = LlamaForCausalLM(config).float()


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(work):
    """The best of several, in seconds on the clock and in seconds of all cores together / threads."""
    walls, cpus = [], []
    for _ in range(times):
        wall, used = time.perf_counter(), cpu()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append((cpu() - used) / threads)
    return {"wall": min(walls), "cpu": min(cpus)}


def peak():
    # Not `ru_maxrss`: that begins with the size of the process that started this one.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


found = {"torch": torch.__version__}
with torch.inference_mode():
    one = torch.randint(3, 49152, (1, 512))
    model(one, logits_to_keep=1)
    found["prefill"] = measure(lambda: model(one, logits_to_keep=1))

    rows = torch.randint(3, 49152, (8, 128))
    found["prefill_rows"] = measure(lambda: model(rows, use_cache=True, logits_to_keep=1))

    def decode():
        past = model(rows, use_cache=True, logits_to_keep=1).past_key_values
        token = rows[:, -1:]
        started = time.perf_counter(), cpu()
        for _ in range(63):
            out = model(token, past_key_values=past, use_cache=True)
            past = out.past_key_values
            token = torch.multinomial(torch.softmax(out.logits[:, -1], -1), 1)
        return time.perf_counter() - started[0], (cpu() - started[1]) / threads

    runs = [decode() for _ in range(times)]
    found["decode"] = {"wall": min(r[0] for r in runs), "cpu": min(r[1] for r in runs)}
found["peak_inference"] = peak()

optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)
batch = torch.randint(3, 49152, (4, 256))


def step():
    optimizer.zero_grad(set_to_none=True)
    model(batch, labels=batch).loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


step()
found["train"] = measure(step)
found["peak"] = peak()
print(json.dumps(found))
