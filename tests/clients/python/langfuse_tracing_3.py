"""Names that langfuse 3 has and later ones have not. Prints the traces it made as JSON."""

import contextlib
import json

from langfuse import get_client, observe

langfuse = get_client()


@observe()
def answer():
    langfuse.update_current_trace(
        name="support",
        user_id="alice",
        session_id="session-3",
        tags=["demo"],
        metadata={"plan": "pro", "seats": 3},
        input="What now?",
        output={"reply": "Wait."},
        version="2",
        public=True,
    )
    span = langfuse.start_span(name="look-up", input="order", metadata={"attempt": 1})
    generation = langfuse.start_generation(name="draft", model="gpt-4o", usage_details={"input": 1000, "output": 50})
    generation.update(output="Wait.").end()
    span.update(level="WARNING", status_message="slow").end()
    with langfuse.start_as_current_span(name="nested", version="7") as nested:
        nested.update_trace(metadata={"more": [1]})
        with contextlib.suppress(ZeroDivisionError), langfuse.start_as_current_generation(name="fail", model="gpt-4o"):
            raise ZeroDivisionError("none left")
    return langfuse.get_current_trace_id()


made = {"trace": answer()}
langfuse.flush()
print(json.dumps(made))
