// A support bot gathers information from a customer: Lemma's page for TypeScript, which tells it by Langfuse's SDK over OTLP.
//
//   make example-lemma_typescript
//
// In a project of your own: npm install @langfuse/tracing@5 @langfuse/otel@5 @opentelemetry/sdk-node
// @opentelemetry/exporter-trace-otlp-http && node lemma_typescript.ts (Node 22.18 or newer). GENSCOPE_URL says where the server is,
// by default where `make run` starts it; GENSCOPE_SECRET_KEY is the sk-gs-... that it printed, and GENSCOPE_PROJECT the
// project of that key, by default the one that it made.
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";

const question = "My internet is not working";
const answer = "Sorry to hear that. Can you please share your customer id?";
const messages = [
  { role: "system", content: "You gather information from customers of an internet provider." },
  { role: "user", content: question },
];

// Stands in for the client of your model's provider, and takes its time.
async function callModel() {
  await setTimeout(10);
  return { text: answer, usage: { inputTokens: 100, outputTokens: 50 } };
}

// Fails as a provider does that has too much to do.
async function callOverloadedModel(): ReturnType<typeof callModel> {
  throw new Error("the model is overloaded");
}

// Records a call, whether it succeeds or not.
async function generate(name: string, call: typeof callModel) {
  await startActiveObservation(
    name,
    async (generation) => {
      generation.update({ model: "gpt-4o", modelParameters: { temperature: 0.7 }, input: messages });
      try {
        const { text, usage } = await call();
        generation.update({ output: text, usageDetails: { input: usage.inputTokens, output: usage.outputTokens } });
      } catch (error) {
        generation.update({ level: "ERROR", statusMessage: (error as Error).message });
      }
    },
    { asType: "generation" },
  );
}

const exporter = new OTLPTraceExporter({
  url: `${process.env.GENSCOPE_URL ?? "http://127.0.0.1:4318"}/otel/v1/traces`,
  headers: {
    authorization: `Bearer ${process.env.GENSCOPE_SECRET_KEY}`,
    "x-lemma-project-id": process.env.GENSCOPE_PROJECT ?? "default",
  },
});
const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor({ exporter })] });
sdk.start();

await propagateAttributes({ sessionId: `session-${randomUUID()}`, tags: ["chat"] }, () =>
  startActiveObservation("answer-customer", async (trace) => {
    trace.update({ input: question });
    await startActiveObservation("gather-information", () => generate("ask-for-customer-id", callModel));
    await generate("suggest-appointment", callOverloadedModel);
    trace.update({ output: answer });
    console.log("recorded as trace", trace.traceId);
  }),
);

await sdk.shutdown(); // sends what is waiting
