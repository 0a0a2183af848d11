"""The iteration of the bench `iteration` in TRL: prints one JSON object.

    python3 benches/iteration.py THREADS GROUPS SIZE PROMPT RESPONSE ITERATIONS
"""

import contextlib
import json
import os
import sys
import tempfile
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers

threads, groups, size, prompt, response, iterations = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(0)
config = transformers.LlamaConfig(
    hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
    vocab_size=49152, max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=True, rope_theta=100000.0,
    bos_token_id=None, eos_token_id=1, pad_token_id=0,
)
model = transformers.LlamaForCausalLM(config).float()
# Every word is one token, so that a prompt has as many as it should.
words = {"<pad>": 0, "<end>": 1, "<unk>": 2} | {f"w{i}": i for i in range(3, 49152)}
plain = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = transformers.PreTrainedTokenizerFast(
    tokenizer_object=plain, pad_token="<pad>", eos_token="<end>", unk_token="<unk>", padding_side="left"
)


def text(row):
    return " ".join(f"w{3 + ((row * 10_000 + i + 1) * 2_654_435_761 >> 8) % 49_000}" for i in range(prompt))


class Clock(transformers.TrainerCallback):
    def __init__(self):
        self.marks = []

    def on_step_begin(self, *_, **__):
        self.marks.append(time.perf_counter())

    def on_step_end(self, *_, **__):
        self.marks[-1] = time.perf_counter() - self.marks[-1]


clock = Clock()
with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
    arguments = trl.GRPOConfig(
        output_dir=folder, per_device_train_batch_size=groups * size, num_generations=size, max_completion_length=response,
        max_steps=iterations + 1, learning_rate=1e-6, beta=0.0, max_grad_norm=1.0, weight_decay=0.0, optim="adamw_torch", use_cpu=True,
        bf16=False, fp16=False, gradient_checkpointing=False, report_to="none", save_strategy="no", logging_strategy="no", disable_tqdm=True,
        generation_kwargs={"min_new_tokens": response}, shuffle_dataset=False, steps_per_generation=1, num_iterations=1,
    )
    trainer = trl.GRPOTrainer(
        model=model, processing_class=tokenizer, args=arguments, callbacks=[clock],
        reward_funcs=lambda completions, **_: [float(i % 2) for i in range(len(completions))],
        train_dataset=Dataset.from_dict({"prompt": [text(i % groups) for i in range(groups * (iterations + 2))]}),
    )
    trainer.train()
# The first step maps memory that the others find.
print(json.dumps({"trl": trl.__version__, "torch": torch.__version__, "seconds": min(clock.marks[1:])}))
