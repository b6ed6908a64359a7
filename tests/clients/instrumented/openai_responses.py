"""OpenAI's SDK (Responses) under the instrumentation that the first argument names."""

import json
import sys

import shop


def answer(client) -> None:
    items = [{"role": "user", "content": shop.QUESTION}]
    while True:
        response = said(client, items)
        items += [item.to_dict() for item in response.output]
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return
        for call in calls:
            result = shop.get_order(**json.loads(call.arguments))
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": result})


def said(client, items):
    asked = {
        "model": shop.MODEL,
        "instructions": shop.SYSTEM,
        "input": list(items),
        "tools": [{"type": "function", "strict": True, **shop.TOOL}],
    }
    if not shop.STREAMED:
        return client.responses.create(**asked)
    for event in client.responses.create(**asked, stream=True):
        if event.type == "response.completed":
            done = event.response
    return done


shop.openai(sys.argv[1], answer)
