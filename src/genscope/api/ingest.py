"""The routes that take spans over HTTP."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from genscope.api.errors import headers_of
from genscope.receive import otlp
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest, RequestError, TooLarge, UnsupportedMediaType
from genscope.services import project_of, services

#: OTLP/HTTP, as each kind of user has it configured: OpenTelemetry, Langfuse (exact and base URL), Lemma, Maxim.
OTLP_PATHS: Final = (
    "/v1/traces",
    "/api/public/otel/v1/traces",
    "/api/public/otel",
    "/otel/v1/traces",
    "/v1/otel",
    "/v1/otel/v1/traces",
)
FORMATS: Final = {
    "application/x-protobuf": otlp.Format.PROTOBUF,
    "application/protobuf": otlp.Format.PROTOBUF,
    "application/json": otlp.Format.JSON,
}
CONTENT_TYPES: Final = {
    otlp.Format.PROTOBUF: "application/x-protobuf",
    otlp.Format.JSON: "application/json",
}
#: The log repository that Maxim's users name.
REPOSITORY: Final = "x-maxim-repo-id"
#: google.rpc.Code by HTTP status, for the `Status` that OTLP wants as the body of an error.
CODES: Final = {400: 3, 401: 16, 403: 7, 413: 8, 415: 3, 429: 8, 503: 14}


async def receive_otlp(request: Request) -> Response:
    """Take an OTLP `ExportTraceServiceRequest`; the answer comes when its spans are on disk.

    Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = FORMATS.get(content_type)
    # An error is told in the format of the request; in JSON where that is unknown.
    answer = form or otlp.Format.JSON
    try:
        served = services(request)
        project = project_of(request)
        if form is None:
            known = " or ".join(dict.fromkeys(CONTENT_TYPES.values()))
            raise UnsupportedMediaType(f"Content-Type {content_type!r} is not one of OTLP/HTTP: send {known}")
        limit = served.ingest.limits.body_bytes
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            raise TooLarge(f"the body has {length} bytes, {limit} are the limit: send fewer spans at a time")
        with served.ingest.room() as take:
            body = await read_body(request.stream(), limit, take)
            rejected = await served.ingest.take_otlp(
                project.id, body, request.headers.get("content-encoding"), form, request.headers.get(REPOSITORY)
            )
    except ClientDisconnect:
        return _refusal(BadRequest("the connection ended before the body did"), answer)
    except RequestError as error:
        return _refusal(error, answer)
    return Response(otlp.encode_response(form, rejected), media_type=CONTENT_TYPES[form])


def _refusal(error: RequestError, form: otlp.Format) -> Response:
    body = otlp.encode_status(form, CODES[error.status], error.message)
    return Response(body, error.status, headers_of(error), media_type=CONTENT_TYPES[form])


routes: Final = [Route(path, receive_otlp, methods=["POST"]) for path in OTLP_PATHS]

_OTLP: Final[dict[str, Any]] = {
    content_type: {"schema": {"type": "object"} if content_type.endswith("json") else {"type": "string"}}
    for content_type in CONTENT_TYPES.values()
}
#: The same routes for the OpenAPI document, whose schemas cannot tell protobuf.
PATHS: Final[dict[str, Any]] = {
    path: {
        "post": {
            "tags": ["ingest"],
            "summary": "Export spans by OTLP/HTTP",
            "description": "An `ExportTraceServiceRequest`, compressed or not; answered when its spans are on disk.",
            "operationId": f"otlp{path.replace('/', '_')}",
            "requestBody": {"required": True, "content": _OTLP},
            "responses": {
                "200": {
                    "description": "`ExportTraceServiceResponse`; names spans that were rejected",
                    "content": _OTLP,
                },
                "4XX": {"description": "Refused for good: a `google.rpc.Status`", "content": _OTLP},
                "503": {"description": "No room; send it again after `Retry-After` seconds", "content": _OTLP},
            },
        }
    }
    for path in OTLP_PATHS
}
