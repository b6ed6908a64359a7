"""A model that is shown a picture and a voice, in the calls of langfuse 3.15 to 5. Prints what it made as JSON."""

import base64
import json
import sys

from langfuse import get_client
from langfuse.media import LangfuseMedia

picture, voice = (base64.b64decode(argument) for argument in sys.argv[1:3])
langfuse = get_client()
spoken = LangfuseMedia(content_bytes=voice, content_type="audio/wav")
data_uri = f"data:image/png;base64,{base64.b64encode(picture).decode()}"

question = [
    {"type": "text", "text": "What is on this picture?"},
    {"type": "image_url", "image_url": {"url": data_uri}},
]
with (
    langfuse.start_as_current_observation(name="describe", input={"voice": spoken}) as root,
    langfuse.start_as_current_observation(as_type="generation", name="look", model="gpt-4o") as generation,
):
    generation.update(
        input=[{"role": "user", "content": question}],
        output="A red square.",
        metadata={"again": LangfuseMedia(content_bytes=picture, content_type="image/png")},
    )
langfuse.flush()

resolved = langfuse.resolve_media_references(
    obj={"voice": spoken._reference_string}, resolve_with="base64_data_uri", max_depth=5
)
print(
    json.dumps(
        {
            "trace": root.trace_id,
            "root": root.id,
            "generation": generation.id,
            "voice": spoken._media_id,
            "resolved": resolved["voice"],
        }
    )
)
