"""Events and scores by the typed clients of langfuse 2.60 to 5. Prints what it made, and the answers, as JSON."""

import json
import uuid
from datetime import UTC, datetime
from importlib.metadata import version

MAJOR = int(version("langfuse").split(".")[0])
trace_id = str(uuid.uuid4())
made = {"trace": trace_id}

if MAJOR == 2:
    from langfuse import Langfuse

    api = Langfuse().client
else:
    from langfuse import get_client

    api = get_client().api

if MAJOR < 5:
    if MAJOR < 4:
        from langfuse.api import IngestionEvent_TraceCreate, TraceBody
    else:
        from langfuse.api.ingestion import IngestionEvent_TraceCreate, TraceBody
    now = datetime.now(UTC)
    body = TraceBody(id=trace_id, timestamp=now, name="typed", metadata="text", tags=["typed"])
    event = IngestionEvent_TraceCreate(id="the-event", timestamp=now.isoformat(), body=body)
    bad = IngestionEvent_TraceCreate(id="bad", timestamp=now.isoformat(), body=TraceBody(id="x" * 1000))
    answer = api.ingestion.batch(batch=[event, bad])
    made["taken"] = [success.id for success in answer.successes]
    made["refused"] = [[error.id, error.status, error.message] for error in answer.errors]

score = {"trace_id": trace_id, "name": "stars", "value": 4.5}
if MAJOR < 4:
    from langfuse.api import CreateScoreRequest

    scores = api.score
    made["score"] = scores.create(request=CreateScoreRequest(**score)).id
    gone = scores.create(request=CreateScoreRequest(**score | {"name": "gone"})).id
elif MAJOR == 4:
    made["score"] = api.scores.create(**score).id
    gone = api.scores.create(**score | {"name": "gone"}).id
    scores = api.legacy.score_v1
else:
    from langfuse.api.scores import CreateScoreRequest

    scores = api.scores
    made["score"], gone = str(uuid.uuid4()), str(uuid.uuid4())
    named = [
        CreateScoreRequest(**score, id=made["score"]),
        CreateScoreRequest(**score | {"name": "gone"}, id=gone),
    ]
    made["accepted"] = scores.create(request=named).message
    partly = scores.create(request=[CreateScoreRequest(**score | {"value": "x"}, data_type="NUMERIC")])
    made["refused"] = [partly.accepted, partly.rejected, [error.message for error in partly.errors]]
scores.delete(gone)
print(json.dumps(made))
