// OpenTelemetry alone, by the GenAI conventions, over OTLP/JSON; set up by OTEL_EXPORTER_OTLP_... variables.
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { callModel, callOverloadedModel } from "./local_model.mjs";

const processor = new BatchSpanProcessor(new OTLPTraceExporter());
const sdk = new NodeSDK({ spanProcessors: [processor] });
sdk.start();
const tracer = trace.getTracer("bookshop", "1.0");
const messages = [{ role: "user", parts: [{ type: "text", content: "Where is my order 4711?" }] }];

async function chat(callModel) {
  return tracer.startActiveSpan("chat gpt-4o", { kind: SpanKind.CLIENT }, async (span) => {
    span.setAttributes({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.request.temperature": 0.7,
      "gen_ai.conversation.id": "ticket-4711",
      "gen_ai.input.messages": JSON.stringify(messages),
    });
    try {
      const response = await callModel(messages);
      const answer = { role: "assistant", parts: [{ type: "text", content: response.text }], finish_reason: "stop" };
      span.setAttributes({
        "gen_ai.response.model": "gpt-4o",
        "gen_ai.output.messages": JSON.stringify([answer]),
        "gen_ai.usage.input_tokens": response.usage.inputTokens,
        "gen_ai.usage.cache_read.input_tokens": 800,
        "gen_ai.usage.output_tokens": response.usage.outputTokens,
      });
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: `RuntimeError: ${error.message}` });
    } finally {
      span.end();
    }
  });
}

async function answerTicket(callModel) {
  return tracer.startActiveSpan("answer-ticket", async (root) => {
    await chat(callModel);
    root.end();
    return root.spanContext().traceId;
  });
}

const made = { success: await answerTicket(callModel), failure: await answerTicket(callOverloadedModel) };
await processor.forceFlush();
console.log(JSON.stringify(made));
await sdk.shutdown();
