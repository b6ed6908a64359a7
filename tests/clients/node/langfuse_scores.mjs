// Scores by @langfuse/client 5. Prints what it scored as JSON.
import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const processor = new LangfuseSpanProcessor();
const sdk = new NodeSDK({ spanProcessors: [processor] });
sdk.start();
const langfuse = new LangfuseClient();

const made = await startActiveObservation("answer-ticket", async (span) => {
  langfuse.score.activeObservation({ name: "helpful", value: 1, dataType: "BOOLEAN", comment: "Customer said thanks" });
  langfuse.score.activeTrace({ name: "stars", value: 4.5, comment: "of five" });
  langfuse.score.create({ id: `tone-${span.traceId}`, traceId: span.traceId, name: "tone", value: "friendly" });
  langfuse.score.create({ sessionId: `session-${span.traceId}`, name: "solved", value: 1, metadata: { by: "agent" } });
  return { trace: span.traceId, span: span.id };
});
await langfuse.score.flush();
await processor.forceFlush();
console.log(JSON.stringify(made));
await sdk.shutdown();
