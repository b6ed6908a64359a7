// The same by the last JavaScript SDK before OpenTelemetry, langfuse 3. Prints the ids of what it made as JSON.
import { Langfuse } from "langfuse";
import { callModel, callOverloadedModel, messages } from "./local_model.mjs";

const langfuse = new Langfuse({
  baseUrl: process.env.LANGFUSE_BASE_URL,
  environment: "staging",
  release: "2026.11",
});

const trace = langfuse.trace({
  name: "support",
  userId: "alice",
  sessionId: "ticket-4711",
  input: { ticket: 4711 },
  metadata: { plan: "pro", attempt: 1 },
  tags: ["demo", "books"],
  version: "7",
});
const lookUp = trace.span({ name: "look-up", input: "4711", metadata: { shelf: "B2" } });
lookUp.event({ name: "cache-miss", input: { key: "4711" }, level: "DEBUG" });
lookUp.end({ output: { state: "sent" } });

const draft = trace.generation({
  name: "draft-reply",
  model: "gpt-4o",
  modelParameters: { temperature: 0.7, max_tokens: 200, stop: ["END"] },
  input: messages,
  metadata: { channel: "mail", number: "123" },
});
draft.update({ completionStartTime: new Date() });
const answered = await callModel(messages);
draft.end({ output: answered.text, usageDetails: { input: 200, cache_read_input_tokens: 800, output: 50 } });
langfuse.score({
  traceId: trace.id,
  observationId: draft.id,
  name: "helpful",
  value: 1,
  dataType: "BOOLEAN",
  comment: "Customer said thanks",
});

const nested = trace.span({ name: "translate" });
const billed = nested.generation({
  name: "billed",
  model: "house-model-1",
  input: "Hallo",
  output: "Hello",
  usage: { input: 12, output: 3, unit: "TOKENS", inputCost: 0.001, outputCost: 0.002 },
});
billed.end();
const oldStyle = nested.generation({
  name: "old-style",
  model: "gpt-4o",
  usage: { promptTokens: 1000, completionTokens: 50, totalTokens: 1050 },
});
oldStyle.end({ output: "ok" });
const failing = nested.generation({ name: "failing", model: "gpt-4o", input: messages });
await callOverloadedModel(messages).catch((error) => failing.end({ level: "ERROR", statusMessage: error.message }));
nested.end();

trace.update({ output: { reply: answered.text }, tags: ["answered"], public: true });
trace.score({ name: "stars", value: 4.5, comment: "of five" });
langfuse.score({ traceId: trace.id, name: "tone", value: "friendly" });
await langfuse.shutdownAsync();
const made = { trace, look_up: lookUp, draft, nested, billed, old_style: oldStyle, failing };
console.log(JSON.stringify(Object.fromEntries(Object.entries(made).map(([name, one]) => [name, one.id]))));
