"""What transformers says of a model, for `epo-run model check`: writes a `reference.json`.

    python3 scripts/reference.py FOLDER [OUT] [--adapter FOLDER]

Random prompts, logits, log-probabilities, entropies, greedy tokens, and the gradient of the first prompt's likelihood; 32-bit floats on the CPU.
With an adapter, what PEFT says of the model with it: no gradients, since PEFT trains other parameters than the merged model has.
"""

import argparse
import json
import os
import random

import torch
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("out", nargs="?")
parser.add_argument("--adapter")
args = parser.parse_args()
out = args.out or os.path.join(args.folder, "reference.json")
model = AutoModelForCausalLM.from_pretrained(args.folder, attn_implementation="eager", dtype=torch.float32).eval()
vocabulary = model.config.vocab_size
if args.adapter:
    from peft import PeftModel

    model = PeftModel.from_pretrained(model, args.adapter).eval()
draw = random.Random(0)


def look(ids):
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    logp = logits.log_softmax(-1)
    entropy = -(logp.exp() * logp).sum(-1)
    return logits[-1], [logp[i, ids[i + 1]].item() for i in range(len(ids) - 1)], entropy.tolist()


def greedy(ids, count):
    ids = list(ids)
    for _ in range(count):
        ids.append(int(look(ids)[0].argmax()))
    return ids[-count:]


rows = []
for length in (17, 9, 1, 30):
    ids = [draw.randrange(vocabulary) for _ in range(length)]
    last, logprobs, entropy = look(ids)
    rows.append({"ids": ids, "last_logits": last.tolist(), "logprobs": logprobs, "entropy": entropy, "greedy": greedy(ids, 12)})
found = {"rows": rows}
if not args.adapter:
    first = torch.tensor([rows[0]["ids"]])
    logp = model(first).logits[0, :-1].log_softmax(-1)
    nll = -logp.gather(-1, first[0, 1:, None]).mean()
    nll.backward()
    found["nll"] = nll.item()
    found["grad_norms"] = {name: p.grad.norm().item() for name, p in model.named_parameters()}
with open(out, "w") as file:
    json.dump(found, file)
