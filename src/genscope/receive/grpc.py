"""OTLP over gRPC: `TraceService/Export`, with the request handed on as bytes.

Source: OTLP specification, "OTLP/gRPC", and gRPC's status codes. A message is meant for `receive.otlp`, like a body
over HTTP, so gRPC has no decoding of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from genscope.receive.errors import RequestError

#: Answers one request: its metadata (lower-case keys, text values) and message to the bytes of the response message.
#: Raises RequestError to refuse it.
Export: TypeAlias = Callable[[Mapping[str, str], bytes], Awaitable[bytes]]

SERVICE: Final = "opentelemetry.proto.collector.trace.v1.TraceService"

#: By RequestError.status. Of these OTLP clients retry UNAVAILABLE, and RESOURCE_EXHAUSTED only with a RetryInfo.
_CODES: Final[Mapping[int, grpc.StatusCode]] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    415: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
}

_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Server:
    """A listening server; `port` is the one it has got."""

    port: int
    _server: grpc.aio.Server

    async def stop(self, grace: float) -> None:
        """Take no more requests and give those under way `grace` seconds to end."""
        await self._server.stop(grace)


async def start(export: Export, host: str, port: int, max_message_bytes: int) -> Server:
    """Listen on `host:port` (port 0: any free one), in plain text. Raises RuntimeError if the address is not to be had.

    A message over `max_message_bytes` is answered RESOURCE_EXHAUSTED.
    """
    server = grpc.aio.server(
        options=[
            # Holds for the message as received and, while it is being inflated, for the decompressed one too: measured
            # with grpcio 1.85, 300 MB of zeros in gzip are refused with the memory flat. Older versions looked at the
            # compressed size alone (grpc/grpc#41996).
            ("grpc.max_receive_message_length", max_message_bytes),
            # Otherwise a second server on the same port would start and take half of the connections.
            ("grpc.so_reuseport", 0),
        ]
    )
    # Without a deserializer gRPC hands over the bytes of the message.
    handler = grpc.unary_unary_rpc_method_handler(_behaviour(export))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Export": handler}),))
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    bound = server.add_insecure_port(address)
    await server.start()
    return Server(bound, server)


def _behaviour(export: Export) -> Any:
    async def behaviour(message: bytes, context: _Context) -> bytes:
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        try:
            return await export(metadata, message)
        except RequestError as error:
            refusal = error
        except Exception:
            _log.exception("an OTLP/gRPC request failed")
            await context.abort(grpc.StatusCode.INTERNAL, "internal error; see the server's log")
        await _refuse(context, refusal)

    return behaviour


async def _refuse(context: _Context, error: RequestError) -> NoReturn:
    code = _CODES.get(error.status, grpc.StatusCode.INTERNAL)
    trailing: tuple[tuple[str, bytes], ...] = ()
    if error.retry_after is not None:
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay=Duration(seconds=error.retry_after)))
        status = Status(code=code.value[0], message=error.message, details=[detail])
        trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, error.message, trailing)
