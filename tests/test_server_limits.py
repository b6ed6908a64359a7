"""The limits of a query: over them it is refused, and the server and its other readers go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span


def test_a_question_over_the_limits_of_the_store_is_told_and_harms_nobody(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    limits = {"GENSCOPE_QUERY_MEMORY_BYTES": str(8 << 20)}
    running = Server(tmp_path_factory.mktemp("limits"), environment=limits).start()
    try:
        large, small = new_id(16), new_id(16)
        spans = [span(large, attributes={"input.value": "word " * 1_000_000}) for _ in range(4)]
        with running.client() as client:
            # In another month, so that nothing of the large ones is read with it.
            body = encoded(request([*spans, span(small, start=1_767_323_045 * 10**9)]))
            assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
            # More than once: an engine that fails in the middle of an answer must not spoil the next one.
            for _ in range(3):
                answer = client.get(f"/api/v1/traces/{large}")
                assert answer.status_code == 422
                assert "memory" in answer.json()["message"]
                for _ in range(6):
                    assert len(client.get(f"/api/v1/traces/{small}").json()["spans"]) == 1
    finally:
        assert running.stop() == 0


def test_an_engine_without_memory_to_begin_with_is_told(tmp_path: Path) -> None:
    starved = Server(tmp_path, environment={"GENSCOPE_ENGINE_MEMORY_BYTES": "1000000"})
    with pytest.raises(AssertionError, match="memory limit exceeded"):
        starved.start()
    assert starved.process is not None
    assert starved.process.wait(60) == 1
