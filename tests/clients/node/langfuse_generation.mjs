// Lemma's page "Generations" as a user of @langfuse/tracing 5 runs it. Prints the trace ids it made as JSON.
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { callModel, callOverloadedModel, messages } from "./local_model.mjs";

const processor = new LangfuseSpanProcessor();
const sdk = new NodeSDK({ spanProcessors: [processor] });
sdk.start();
const made = {};

async function draftReply(callModel) {
  const completion = await startActiveObservation(
    "draft-reply",
    async (gen) => {
      made.success = gen.traceId;
      const response = await callModel(messages);

      gen.update({
        input: messages,
        output: response.text,
        model: "gpt-4o",
        usageDetails: {
          input: response.usage.inputTokens,
          output: response.usage.outputTokens,
        },
      });

      return response;
    },
    { asType: "generation" },
  );
  return completion;
}

async function draftReplyOrReport(callModel) {
  await startActiveObservation(
    "draft-reply",
    async (gen) => {
      made.failure = gen.traceId;
      try {
        const response = await callModel(messages);
        gen.update({ input: messages, output: response.text, model: "gpt-4o" });
        return response;
      } catch (error) {
        gen.update({
          level: "ERROR",
          statusMessage: error instanceof Error ? error.message : String(error),
        });
        throw error;
      }
    },
    { asType: "generation" },
  );
}

async function answerTicket(callModel) {
  const trace = {
    traceName: "support",
    userId: "alice",
    sessionId: "ticket-4711",
    tags: ["demo", "books"],
    metadata: { plan: "pro" },
  };
  await propagateAttributes(trace, () =>
    startActiveObservation("answer-ticket", async (root) => {
      made.ticket = root.traceId;
      root.update({ input: { ticket: 4711 } });
      const text = await startActiveObservation(
        "draft-reply",
        async (gen) => {
          gen.update({
            model: "gpt-4o",
            modelParameters: { temperature: 0.7 },
            metadata: { attempt: 1, channel: "mail", number: "123" },
            completionStartTime: new Date(),
          });
          const response = await callModel(messages);
          gen.update({
            input: messages,
            output: response.text,
            usageDetails: { input: 200, cache_read_input_tokens: 800, output: 50 },
          });
          return response.text;
        },
        { asType: "generation" },
      );
      root.update({ output: { reply: text } });
    }),
  );
}

await draftReply(callModel);
await answerTicket(callModel);
await draftReplyOrReport(callOverloadedModel).catch(() => {});
// Both reject when the server refuses the spans; a program that must not end for that says so.
await processor.forceFlush().catch((error) => console.error(error.message));
console.log(JSON.stringify(made));
await sdk.shutdown().catch(() => {});
