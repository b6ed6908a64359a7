"""Genscope's SDK around OpenAI's, which OpenInference instruments. Prints the trace it made as JSON."""

import json
import os

import genscope

client = genscope.init(instrument=["openai"])

from openai import OpenAI  # noqa: E402

openai = OpenAI(base_url=f"{os.environ['PROVIDER_URL']}/v1", api_key="none")
TOLD = json.loads(os.environ["CONVERSATION"])
ASKED = {
    "model": TOLD["model"],
    "messages": [{"role": "system", "content": TOLD["system"]}, {"role": "user", "content": TOLD["question"]}],
    "tools": [{"type": "function", "function": TOLD["tool"]}],
}

with (
    client.start_as_current_span(name="answer-ticket") as root,
    genscope.propagate(user_id="alice", session_id="ticket-4711", tags=["mail"]),
):
    with client.start_as_current_generation(name="told-twice", model=TOLD["model"], input=ASKED["messages"]) as gen:
        gen.update(response=openai.chat.completions.create(**ASKED))
    with client.start_as_current_generation(name="streamed-twice", model=TOLD["model"]) as gen:
        for _chunk in gen.watch(
            openai.chat.completions.create(**ASKED, stream=True, stream_options={"include_usage": True})
        ):
            pass
    with client.start_as_current_observation(name="plan", as_type="chain"):
        openai.chat.completions.create(**ASKED)
assert client.flush()
print(json.dumps({"trace": root.trace_id}))
