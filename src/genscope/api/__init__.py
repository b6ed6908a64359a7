"""JSON over HTTP: ingest routes of every protocol, the native read API, and routes that existing SDKs call."""
