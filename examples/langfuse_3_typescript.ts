// A support bot gathers information from a customer: Langfuse's SDK for TypeScript and JavaScript before OpenTelemetry, 3.
//
//   make example-langfuse_3_typescript
//
// In a project of your own: npm install langfuse@3 && node langfuse_3_typescript.ts (Node 22.18 or newer). GENSCOPE_URL says
// where the server is, by default where `make run` starts it; GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY are the pair that it printed.
import { Langfuse } from "langfuse";
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

const langfuse = new Langfuse({
  baseUrl: process.env.GENSCOPE_URL ?? "http://127.0.0.1:4318",
  publicKey: process.env.GENSCOPE_PUBLIC_KEY,
  secretKey: process.env.GENSCOPE_SECRET_KEY,
});

const trace = langfuse.trace({
  name: "answer-customer",
  sessionId: `session-${randomUUID()}`,
  tags: ["chat"],
  input: question,
});

const span = trace.span({ name: "gather-information" });
const generation = span.generation({ name: "ask-for-customer-id", ...call });
const { text, usage } = await callModel();
generation.end({ output: text, usageDetails: { input: usage.inputTokens, output: usage.outputTokens } });
span.end();

const failing = trace.generation({ name: "suggest-appointment", ...call });
try {
  failing.end({ output: (await callOverloadedModel()).text });
} catch (error) {
  failing.end({ level: "ERROR", statusMessage: (error as Error).message });
}

trace.update({ output: answer });
await langfuse.shutdownAsync(); // sends what is waiting
console.log("recorded as trace", trace.id);
