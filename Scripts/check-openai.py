"""Asks a server with OpenAI's own client (pip install openai) for all that the interface has.

Usage: check-openai.py URL MODEL
"""
import sys

import openai

url, model = sys.argv[1:]
client = openai.OpenAI(base_url=url + "/v1", api_key="not needed", max_retries=0)

models = [entry.id for entry in client.models.list()]
assert model in models, models
assert client.models.retrieve(model).owned_by == "escriba"

whole = client.completions.create(model=model, prompt="The ", max_tokens=60, seed=7)
text = whole.choices[0].text
assert len(text) == 60 and whole.choices[0].finish_reason == "length" and whole.usage.completion_tokens == 60, whole
assert client.completions.create(model=model, prompt="The ", max_tokens=60, seed=7).choices[0].text == text

pieces = list(client.completions.create(
    model=model, prompt="The ", max_tokens=60, seed=7, stream=True, stream_options={"include_usage": True}))
assert "".join(piece.choices[0].text for piece in pieces if piece.choices) == text
assert pieces[-1].usage.total_tokens == 64, pieces[-1]

several = client.completions.create(model=model, prompt=["The ", "And "], n=3, max_tokens=20, seed=7)
assert [choice.index for choice in several.choices] == list(range(6))
assert several.choices[0].text == text[:20] and len({choice.text for choice in several.choices}) == 6

told = client.completions.create(model=model, prompt="The ", max_tokens=10, seed=7, logprobs=3, echo=True).choices[0]
assert told.text == "The " + text[:10] and "".join(told.logprobs.tokens) == told.text
assert told.logprobs.token_logprobs[0] is None and all(value <= 0 for value in told.logprobs.token_logprobs[1:])
assert len(told.logprobs.top_logprobs[-1]) == 3

stop = text[20:22]
stopped = client.completions.create(model=model, prompt="The ", max_tokens=60, seed=7, stop=[stop]).choices[0]
assert stopped.text == text.split(stop)[0] and stopped.finish_reason == "stop"

biased = client.completions.create(model=model, prompt="The ", max_tokens=60, seed=7, logit_bias={"e": -100})
assert "e" not in biased.choices[0].text
greedy = [client.completions.create(model=model, prompt="The ", max_tokens=20, temperature=0, seed=seed).choices[0].text for seed in (1, 2)]
assert greedy[0] == greedy[1]
extended = client.completions.create(
    model=model, prompt="The ", max_tokens=20, seed=7, user="somebody",
    extra_body={"top_k": 5, "min_p": 0.05, "repetition_penalty": 1.2, "ban": ["x"]})
assert len(extended.choices[0].text) == 20

for wrong, kind, parameter in [
    ({"model": "none"}, openai.NotFoundError, "model"), ({"max_tokens": -1}, openai.BadRequestError, "max_tokens"),
    ({"presence_penalty": 1}, openai.BadRequestError, "presence_penalty"),
    ({"extra_body": {"tempature": 1}}, openai.BadRequestError, "tempature"),
]:
    try:
        client.completions.create(**{"model": model, "prompt": "The ", **wrong})
        raise AssertionError(wrong)
    except kind as error:
        assert error.param == parameter, error
try:
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}])
    raise AssertionError("it chats")
except openai.NotFoundError as error:
    assert "cannot chat" in str(error)

stream = client.completions.create(model=model, prompt="The ", max_tokens=100_000, stream=True)
next(iter(stream))
stream.close()
print(f"openai {openai.__version__}: all is well")
