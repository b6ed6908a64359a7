"""Lemma's page "Generations" as a user of langfuse 3 runs it. Prints the trace ids it made as JSON."""

import json
from contextlib import suppress
from datetime import UTC, datetime

from langfuse import get_client
from local_model import call_model, call_overloaded_model, messages

langfuse = get_client()


def draft_reply(call_model):
    with langfuse.start_as_current_generation(name="draft-reply", model="gpt-4o") as gen:
        response = call_model(messages)
        gen.update(
            input=messages,
            output=response.text,
            usage_details={
                "input": response.usage.input_tokens,
                "output": response.usage.output_tokens,
            },
        )
    return gen.trace_id


def draft_reply_or_report(call_model, made):
    with langfuse.start_as_current_generation(name="draft-reply", model="gpt-4o") as gen:
        made["failure"] = gen.trace_id
        try:
            response = call_model(messages)
            gen.update(input=messages, output=response.text)
        except Exception as error:
            gen.update(level="ERROR", status_message=str(error))
            raise


def answer_ticket(call_model):
    with langfuse.start_as_current_span(name="answer-ticket", input={"ticket": 4711}) as root:
        langfuse.update_current_trace(
            name="support", user_id="alice", session_id="ticket-4711", tags=["demo", "books"], metadata={"plan": "pro"}
        )
        with langfuse.start_as_current_generation(
            name="draft-reply",
            model="gpt-4o",
            model_parameters={"temperature": 0.7},
            metadata={"attempt": 1, "channel": "mail", "number": "123"},
        ) as gen:
            gen.update(completion_start_time=datetime.now(UTC))
            response = call_model(messages)
            gen.update(
                input=messages,
                output=response.text,
                usage_details={"input": 200, "cache_read_input_tokens": 800, "output": 50},
            )
        root.update(output={"reply": response.text})
    return root.trace_id


made = {"auth_check": False, "success": draft_reply(call_model), "ticket": answer_ticket(call_model)}
with suppress(Exception):  # what every version does about a key that the server does not know
    made["auth_check"] = langfuse.auth_check()
with suppress(RuntimeError):
    draft_reply_or_report(call_overloaded_model, made)
langfuse.flush()
print(json.dumps(made))
