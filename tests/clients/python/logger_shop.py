"""A bookshop's assistant, told of by objects: by Maxim's SDK or by Genscope's, with nothing but the import in between.

logger_shop.py maxim|genscope SUFFIX
"""

import json
import os
import sys
import time

SDK, SUFFIX = sys.argv[1:]
if SDK == "maxim":
    from maxim import Maxim

    maxim = Maxim({"base_url": os.environ["GENSCOPE_URL"], "api_key": os.environ["GENSCOPE_SECRET_KEY"]})
    logger = maxim.logger({"id": "shop"})
else:
    import genscope

    logger = genscope.Logger({"id": "shop"})


def named(name: str) -> str:
    return f"{name}-{SUFFIX}"


def completion(content: str, **message: object) -> dict[str, object]:
    return {
        "id": "chatcmpl-123",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    }


CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"order": 4711}'}}
session = logger.session({"id": named("session"), "name": "support", "tags": {"channel": "chat"}})
trace = session.trace(
    {"id": named("trace"), "name": "answer-customer", "tags": {"plan": "pro"}, "input": "Where is it?"}
)
trace.add_metadata({"customer": {"id": 7}, "vip": True})

span = trace.span({"id": named("step"), "name": "work"})
inner = span.span({"id": named("inner"), "name": "gather"})
first = inner.generation(
    {
        "id": named("asks"),
        "name": "decide",
        "provider": "openai",
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Where is it?"}],
        "model_parameters": {"temperature": 0.5, "top_p": 1},
        "tags": {"step": "first"},
    }
)
first.add_message({"role": "user", "content": "Order 4711."})
first.result(completion("Let me look.", tool_calls=[CALL]))
first.add_metric("confidence", 0.5)

tool = inner.tool_call(
    {"id": named("tool"), "name": "look_up", "description": "Finds orders", "args": '{"order": 4711}'}
)
tool.result('{"at": "sea"}')
broken = span.tool_call({"id": named("broken"), "name": "refund", "description": "Pays back", "args": "{}"})
broken.error({"message": "no such order", "code": "404", "type": "NotFound"})
inner.end()

found = span.retrieval({"id": named("found"), "name": "search"})
found.input("refund policy")
found.output(["Returns within 30 days.", "Gift cards are final."])
span.event(named("event"), "escalated", {"to": "human"}, {"reason": "angry"})

failed = trace.generation(
    {"id": named("fails"), "name": "draft", "provider": "openai", "model": "gpt-4o", "messages": []}
)
failed.error({"message": "overloaded", "code": "529", "type": "Overloaded"})
span.end()

trace.feedback({"score": 1, "comment": "quick"})
trace.set_output("At sea.")
trace.end()
session.end()
if SDK == "maxim":
    maxim.cleanup()
else:
    logger.flush()
print(json.dumps({"trace": named("trace"), "session": named("session")}))
