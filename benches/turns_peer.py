"""The rows of the bench `turns` in PyTorch and transformers: forward and backward over all of them; prints one JSON object.

    python3 benches/turns_peer.py THREADS ROWS.json
"""

import json
import os
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)
config = LlamaConfig(
    hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
    vocab_size=49152, max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=True, rope_theta=100000.0,
)
model = LlamaForCausalLM(config).float()
with open(sys.argv[2]) as file:
    rows = json.load(file)
targets = sum(len(row["ids"]) - row["from"] for row in rows)


def update(rows):
    """One row at a time: nothing is padded, and logits are made only where a token is a target."""
    for row in rows:
        ids, start = torch.tensor([row["ids"]]), row["from"]
        logits = model(ids, use_cache=False, logits_to_keep=torch.arange(start - 1, ids.shape[1] - 1)).logits[0]
        loss = torch.nn.functional.cross_entropy(logits, ids[0, start:], reduction="sum") / targets
        loss.backward()


update(rows[:1])
started = time.perf_counter()
update(rows)
print(json.dumps({"torch": torch.__version__, "seconds": time.perf_counter() - started}))
