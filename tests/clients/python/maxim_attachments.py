"""Files of every kind, and a log line too long for its batch, with maxim-py. Takes a picture as base64; prints ids as JSON."""

import base64
import json
import os
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

from maxim import Maxim
from maxim.logger.components import FileAttachment, FileDataAttachment, UrlAttachment

picture = base64.b64decode(sys.argv[1])
ids = {name: str(uuid4()) for name in ("trace", "generation")}
maxim = Maxim({"base_url": os.environ["GENSCOPE_URL"], "api_key": os.environ["GENSCOPE_SECRET_KEY"]})
logger = maxim.logger({"id": "files"})

trace = logger.trace({"id": ids["trace"], "name": "describe"})
with tempfile.TemporaryDirectory() as directory:
    path = Path(directory) / "notes.txt"
    path.write_text("what was noted")
    trace.add_attachment(FileAttachment(path=str(path), name="notes.txt", mime_type="text/plain"))
    data_uri = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    content = [
        {"type": "text", "text": "What is on this picture?"},
        {"type": "image_url", "image_url": {"url": data_uri}},
    ]
    generation = trace.generation(
        {
            "id": ids["generation"],
            "name": "look",
            "provider": "openai",
            "model": "gpt-4o",
            "messages": [{"role": "user", "content": content}, {"role": "user", "content": "and this? " * 200_000}],
        }
    )
    generation.add_attachment(FileDataAttachment(data=picture, name="picture.png", mime_type="image/png"))
    generation.add_attachment(UrlAttachment(url="https://example.com/picture.png", name="elsewhere"))
    generation.end()
    trace.end()
    maxim.cleanup()
print(json.dumps(ids))
