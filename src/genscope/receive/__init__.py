"""One module per wire protocol: bytes of a request to `genscope.model.RawSpan`. Knows no SQL and no HTTP framework."""
