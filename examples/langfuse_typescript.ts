// A support bot gathers information from a customer: Langfuse's SDK for TypeScript and JavaScript, 4 and 5.
//
//   make example-langfuse_typescript
//
// In a project of your own: npm install @langfuse/tracing@5 @langfuse/otel@5 @opentelemetry/sdk-node &&
// node langfuse_typescript.ts (Node 22.18 or newer). GENSCOPE_URL says where the server is, by default where `make run`
// starts it; GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY are the pair that it printed.
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";

const question = "My internet is not working";
const answer = "Sorry to hear that. Can you please share your customer id?";
const messages = [
  { role: "system", content: "You gather information from customers of an internet provider." },
  { role: "user", content: question },
];
const call = { model: "gpt-4o", modelParameters: { temperature: 0.7 }, input: messages };

// Stands in for the client of your model's provider, and takes its time.
async function callModel() {
  await setTimeout(10);
  return { text: answer, usage: { inputTokens: 100, outputTokens: 50 } };
}

// Fails as a provider does that has too much to do.
async function callOverloadedModel(): ReturnType<typeof callModel> {
  throw new Error("the model is overloaded");
}

async function gatherInformation() {
  await startActiveObservation(
    "ask-for-customer-id",
    async (generation) => {
      generation.update(call);
      const { text, usage } = await callModel();
      generation.update({ output: text, usageDetails: { input: usage.inputTokens, output: usage.outputTokens } });
    },
    { asType: "generation" },
  );
}

async function suggestAppointment() {
  await startActiveObservation(
    "suggest-appointment",
    async (generation) => {
      generation.update(call);
      try {
        generation.update({ output: (await callOverloadedModel()).text });
      } catch (error) {
        generation.update({ level: "ERROR", statusMessage: (error as Error).message });
      }
    },
    { asType: "generation" },
  );
}

const processor = new LangfuseSpanProcessor({
  baseUrl: process.env.GENSCOPE_URL ?? "http://127.0.0.1:4318",
  publicKey: process.env.GENSCOPE_PUBLIC_KEY,
  secretKey: process.env.GENSCOPE_SECRET_KEY,
});
const sdk = new NodeSDK({ spanProcessors: [processor] });
sdk.start();

await propagateAttributes({ sessionId: `session-${randomUUID()}`, tags: ["chat"] }, () =>
  startActiveObservation("answer-customer", async (trace) => {
    trace.update({ input: question });
    await startActiveObservation("gather-information", gatherInformation);
    await suggestAppointment();
    trace.update({ output: answer });
    console.log("recorded as trace", trace.traceId);
  }),
);

await sdk.shutdown(); // sends what is waiting
