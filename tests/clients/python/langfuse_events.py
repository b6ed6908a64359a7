"""The calls of langfuse 2.60 by hand: its stateful client. Prints the ids of traces and observations it made as JSON."""

import json
from contextlib import suppress
from datetime import UTC, datetime

from langfuse import Langfuse
from local_model import call_model, call_overloaded_model, messages

langfuse = Langfuse(environment="staging", release="2026.11")

trace = langfuse.trace(
    name="support",
    user_id="alice",
    session_id="ticket-4711",
    input={"ticket": 4711},
    metadata={"plan": "pro", "attempt": 1},
    tags=["demo", "books"],
    version="7",
)
look_up = trace.span(name="look-up", input="4711", metadata={"shelf": "B2"})
look_up.event(name="cache-miss", input={"key": "4711"}, level="DEBUG")
look_up.end(output={"state": "sent"})

draft = trace.generation(
    name="draft-reply",
    model="gpt-4o",
    model_parameters={"temperature": 0.7, "max_tokens": 200, "stop": ["END"]},
    input=messages,
    metadata={"channel": "mail", "number": "123"},
)
draft.update(completion_start_time=datetime.now(UTC))
answered = call_model(messages)
draft.end(output=answered.text, usage_details={"input": 200, "cache_read_input_tokens": 800, "output": 50})
draft.score(name="helpful", value=1, data_type="BOOLEAN", comment="Customer said thanks")

nested = trace.span(name="translate")
billed = nested.generation(
    name="billed",
    model="house-model-1",
    input="Hallo",
    output="Hello",
    usage={"input": 12, "output": 3, "unit": "TOKENS", "input_cost": 0.001, "output_cost": 0.002},
)
billed.end()
old_style = nested.generation(
    name="old-style", model="gpt-4o", usage={"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
)
old_style.end(output="ok", cost_details=None)
failing = nested.generation(name="failing", model="gpt-4o", input=messages)
try:
    call_overloaded_model(messages)
except RuntimeError as error:
    failing.end(level="ERROR", status_message=str(error))
nested.end()

trace.update(output={"reply": answered.text}, tags=["answered"], public=True)
trace.score(name="stars", value=4.5, comment="of five")
langfuse.score(trace_id=trace.id, name="tone", value="friendly")
langfuse.flush()
made = {
    "look_up": look_up,
    "draft": draft,
    "nested": nested,
    "billed": billed,
    "old_style": old_style,
    "failing": failing,
}
ids = {"trace": trace.id, "auth_check": False} | {name: one.id for name, one in made.items()}
with suppress(Exception):  # what it does about a key that the server does not know
    ids["auth_check"] = langfuse.auth_check()
print(json.dumps(ids))
