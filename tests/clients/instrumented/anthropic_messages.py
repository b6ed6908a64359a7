"""Anthropic's SDK under the instrumentation that the first argument names, or `none`: it traces itself as well."""

import sys

import shop


def answer(client) -> None:
    messages = [{"role": "user", "content": shop.QUESTION}]
    while True:
        message = said(client, messages)
        messages.append({"role": "assistant", "content": [block.to_dict() for block in message.content]})
        calls = [block for block in message.content if block.type == "tool_use"]
        if not calls:
            return
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": shop.get_order(**call.input)} for call in calls
        ]
        messages.append({"role": "user", "content": results})


def said(client, messages):
    tool = {
        "name": shop.TOOL["name"],
        "description": shop.TOOL["description"],
        "input_schema": shop.TOOL["parameters"],
    }
    asked = {
        "model": shop.MODEL,
        "max_tokens": 1024,
        "system": [{"type": "text", "text": shop.SYSTEM, "cache_control": {"type": "ephemeral"}}],
        "messages": list(messages),
        "tools": [tool],
    }
    if not shop.STREAMED:
        return client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        return stream.get_final_message()


def main(instrumentation: str) -> None:
    provider = shop.opentelemetry()
    if instrumentation == "openinference":
        from openinference.instrumentation.anthropic import AnthropicInstrumentor

        AnthropicInstrumentor().instrument(tracer_provider=provider)
    elif instrumentation == "openllmetry":
        from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

        AnthropicInstrumentor().instrument(tracer_provider=provider)
    from anthropic import Anthropic

    for _ in shop.tickets(provider):
        answer(Anthropic(base_url=shop.PROVIDER_URL))


main(sys.argv[1])
