// Record one model call with the Langfuse SDK for TypeScript and JavaScript.
//
// npm install @langfuse/tracing@5 @langfuse/otel@5 @opentelemetry/sdk-node
// export LANGFUSE_BASE_URL=http://127.0.0.1:4318 LANGFUSE_PUBLIC_KEY=pk-gs-... LANGFUSE_SECRET_KEY=sk-gs-...
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
sdk.start();

const messages = [{ role: "user", content: "Name three uses for a paper clip." }];

// Stands in for the client of your model's provider.
async function callModel(messages) {
  return { text: "A bookmark, a zip pull and a reset pin.", usage: { inputTokens: 16, outputTokens: 21 } };
}

await startActiveObservation(
  "brainstorm",
  async (generation) => {
    const response = await callModel(messages);
    generation.update({
      model: "gpt-4o",
      input: messages,
      output: response.text,
      usageDetails: { input: response.usage.inputTokens, output: response.usage.outputTokens },
    });
    console.log("recorded as trace", generation.traceId);
  },
  { asType: "generation" },
);

await sdk.shutdown(); // sends what is waiting
