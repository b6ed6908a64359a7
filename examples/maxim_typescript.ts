// A support bot gathers information from a customer: Maxim's SDK for TypeScript and JavaScript.
//
//   make example-maxim_typescript
//
// In a project of your own: npm install @maximai/maxim-js@6 uuid@11 && node maxim_typescript.ts (Node 22.18 or newer). GENSCOPE_URL
// says where the server is, by default where `make run` starts it; GENSCOPE_SECRET_KEY is the sk-gs-... that it printed.
import { Maxim } from "@maximai/maxim-js";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";

const traceId = `trace-${randomUUID()}`;
const question = "My internet is not working";
const answer = "Sorry to hear that. Can you please share your customer id?";
const messages = [
  { role: "system" as const, content: "You gather information from customers of an internet provider." },
  { role: "user" as const, content: question },
];

// Stands in for the client of your model's provider, and takes its time.
async function callModel() {
  await setTimeout(10);
  return {
    id: "chatcmpl-123",
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: "gpt-4o",
    choices: [{ index: 0, message: { role: "assistant" as const, content: answer }, finish_reason: "stop", logprobs: null }],
    usage: { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 },
  };
}

// Fails as a provider does that has too much to do.
async function callOverloadedModel(): ReturnType<typeof callModel> {
  throw new Error("the model is overloaded");
}

// What is known of a call before it is made.
function config(name: string) {
  return {
    id: `generation-${randomUUID()}`,
    name,
    provider: "openai" as const,
    model: "gpt-4o",
    modelParameters: { temperature: 0.7 },
    messages,
  };
}

const maxim = new Maxim({
  baseUrl: process.env.GENSCOPE_URL ?? "http://127.0.0.1:4318",
  apiKey: process.env.GENSCOPE_SECRET_KEY!,
});
const logger = (await maxim.logger({ id: "support" }))!;

const session = logger.session({ id: `session-${randomUUID()}`, name: "support" });
const trace = session.trace({ id: traceId, name: "answer-customer", tags: { channel: "chat" } });
trace.input(question);

const span = trace.span({ id: `span-${randomUUID()}`, name: "gather-information" });
const generation = span.generation(config("ask-for-customer-id"));
generation.result(await callModel());
span.end();

const failing = trace.generation(config("suggest-appointment"));
try {
  failing.result(await callOverloadedModel());
} catch (error) {
  failing.error({ message: (error as Error).message, code: "529" });
}

trace.output(answer);
trace.end();
session.end();
await maxim.cleanup(); // sends what is waiting
console.log("recorded as trace", traceId);
