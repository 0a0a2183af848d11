"""The `openai` package against a server: `serve_check.py URL KEY PID SECONDS CLIENTS`."""

import math
import sys
import threading
import time

import openai

url, key, pid, seconds, clients = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
client = openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=300)
model = client.models.list().data[0].id


def messages(number):
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"What comes after {number}?"}]


def ask(number, who=client):
    reply = who.chat.completions.create(model=model, messages=messages(number), seed=number, max_tokens=16 + number % 9)
    return reply.choices[0].message.content, reply.usage.completion_tokens


def memory():
    """Of the server, in MB."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmRSS"))


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise SystemExit(f"{kind.__name__} was expected")


# Chat, in a whole and in pieces, with log-probabilities.
whole = client.chat.completions.create(
    model=model, messages=messages(7), seed=1, max_completion_tokens=24, logprobs=True, top_logprobs=3
)
choice = whole.choices[0]
assert choice.finish_reason in ("stop", "length") and choice.message.role == "assistant", choice
assert len(choice.logprobs.content) == whole.usage.completion_tokens
for token in choice.logprobs.content:
    assert token.logprob <= 0 and len(token.top_logprobs) == 3
    assert math.fsum(math.exp(top.logprob) for top in token.top_logprobs) <= 1.0001
stream = client.chat.completions.create(
    model=model, messages=messages(7), seed=1, max_completion_tokens=24, stream=True, stream_options={"include_usage": True}
)
text, usage = "", None
for chunk in stream:
    text += "".join(part.delta.content or "" for part in chunk.choices)
    usage = chunk.usage or usage
assert text == choice.message.content and usage == whole.usage, (text, choice.message.content)
print(f"chat, stream and log-probabilities: {text!r}")

# A text is gone on with.
one = client.completions.create(model=model, prompt="One, two, three,", temperature=0, max_tokens=12, logprobs=2, stop=["\n\n"])
pieces = client.completions.create(model=model, prompt="One, two, three,", temperature=0, max_tokens=12, stop=["\n\n"], stream=True)
assert "".join(piece.choices[0].text for piece in pieces) == one.choices[0].text
assert len(one.choices[0].logprobs.token_logprobs) == one.usage.completion_tokens
print(f"completion: {one.choices[0].text!r}")

# What is refused, by the package's own errors.
refused(openai.AuthenticationError, lambda: openai.OpenAI(base_url=url, api_key="wrong", max_retries=0).models.list())
refused(openai.NotFoundError, lambda: client.chat.completions.create(model="another", messages=messages(1)))
refused(openai.BadRequestError, lambda: client.chat.completions.create(model=model, messages=messages(1), presence_penalty=1))
error = refused(openai.BadRequestError, lambda: client.completions.create(model=model, prompt="word " * 5000))
assert error.code == "context_length_exceeded", error
refused(openai.APIStatusError, lambda: client.completions.create(model=model, prompt="word" * 500_000))
print("errors are the package's own")

# Many clients at once; some vanish in the middle of a stream.
alone = [ask(number) for number in range(16)]
counts, wrong, tokens, longest = [0] * clients, [], [0] * clients, [0.0] * clients
end = time.monotonic() + seconds


def work(number):
    own = openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=300)
    while time.monotonic() < end and not wrong:
        asked = (number * 7 + counts[number] * 3) % 16
        begun = time.monotonic()
        try:
            if number % 16 == 15:
                with own.chat.completions.create(model=model, messages=messages(asked), max_tokens=200, stream=True) as some:
                    for _ in zip(range(4), some):
                        pass
            else:
                found = ask(asked, own)
                if found != alone[asked]:
                    wrong.append((asked, found, alone[asked]))
                tokens[number] += found[1]
        except Exception as error:
            wrong.append(repr(error))
        counts[number] += 1
        longest[number] = max(longest[number], time.monotonic() - begun)


begun, before = time.monotonic(), memory()
threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
for thread in threads:
    thread.start()
time.sleep(seconds / 2)
half = memory()
for thread in threads:
    thread.join()
took, after = time.monotonic() - begun, memory()
print(f"{clients} clients for {took:.0f} s: {sum(counts)} answers, {sum(tokens) / took:.0f} tokens/s, the longest took {max(longest):.1f} s")
print(f"memory of the server: {before:.0f} MB before, {half:.0f} MB at half time, {after:.0f} MB after")
assert not wrong, wrong[:3]
assert all(counts), counts
assert after < 1.05 * half + 20, "memory grows"
assert [ask(number) for number in range(16)] == alone
print("equal answers to the same seed, alone and beside others")
