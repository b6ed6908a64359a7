"""Record one model call with the Langfuse SDK for Python (3.3.1 to 5).

pip install langfuse
export LANGFUSE_BASE_URL=http://127.0.0.1:4318 LANGFUSE_PUBLIC_KEY=pk-gs-... LANGFUSE_SECRET_KEY=sk-gs-...
"""

from types import SimpleNamespace

from langfuse import get_client

messages = [{"role": "user", "content": "Name three uses for a paper clip."}]


def call_model(messages: list[dict[str, str]]) -> SimpleNamespace:
    """Stand in for the client of your model's provider."""
    usage = SimpleNamespace(input_tokens=16, output_tokens=21)
    return SimpleNamespace(text="A bookmark, a zip pull and a reset pin.", usage=usage)


langfuse = get_client()
if not langfuse.auth_check():
    raise SystemExit("the server does not know this key")

with langfuse.start_as_current_observation(as_type="generation", name="brainstorm", model="gpt-4o") as generation:
    response = call_model(messages)
    generation.update(
        input=messages,
        output=response.text,
        usage_details={"input": response.usage.input_tokens, "output": response.usage.output_tokens},
    )

langfuse.flush()
print("recorded as trace", generation.trace_id)
