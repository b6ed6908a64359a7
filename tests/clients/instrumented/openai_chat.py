"""OpenAI's SDK (Chat Completions) under the instrumentation that the first argument names."""

import json
import sys

import shop


def answer(client) -> None:
    messages = [{"role": "system", "content": shop.SYSTEM}, {"role": "user", "content": shop.QUESTION}]
    while True:
        said = (said_in_pieces if shop.STREAMED else said_at_once)(client, messages)
        messages.append(said)
        if not said.get("tool_calls"):
            return
        for call in said["tool_calls"]:
            result = shop.get_order(**json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


def asked(messages) -> dict:
    return {
        "model": shop.MODEL,
        "messages": list(messages),
        "tools": [{"type": "function", "function": shop.TOOL}],
    }


def said_at_once(client, messages) -> dict:
    message = client.chat.completions.create(**asked(messages)).choices[0].message
    said = {"role": "assistant", "content": message.content}
    return said | ({"tool_calls": [call.model_dump() for call in message.tool_calls]} if message.tool_calls else {})


def said_in_pieces(client, messages) -> dict:
    content, calls = "", []
    chunks = client.chat.completions.create(**asked(messages), stream=True, stream_options={"include_usage": True})
    for chunk in chunks:
        for choice in chunk.choices:
            content += choice.delta.content or ""
            for call in choice.delta.tool_calls or []:
                if call.id:
                    calls.append(
                        {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": ""}}
                    )
                calls[-1]["function"]["arguments"] += call.function.arguments or ""
    return {"role": "assistant", "content": content or None} | ({"tool_calls": calls} if calls else {})


shop.openai(sys.argv[1], answer)
