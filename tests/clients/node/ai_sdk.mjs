// Vercel's AI SDK, whose own telemetry tells; the arguments are the SDK's version, the API, and who takes the spans.
// AI SDK 7 has two forms of telemetry: `7` speaks OpenTelemetry's conventions, `7-legacy` the attributes of 3 to 6.
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { context, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const [form, api, taker] = process.argv.slice(2);
const version = form.split("-")[0];
const suffix = version === "7" ? "" : `-${version}`;
const ai = await import(`ai${suffix}`);
const { createOpenAI } = await import(suffix ? `openai${suffix}` : "@ai-sdk/openai");
const { createAnthropic } = await import(suffix ? `anthropic${suffix}` : "@ai-sdk/anthropic");
const told = JSON.parse(process.env.CONVERSATION);
const baseURL = `${process.env.PROVIDER_URL}/v1`;
const models = {
  openai: () => createOpenAI({ baseURL }).chat(told.model),
  "openai-responses": () => createOpenAI({ baseURL }).responses(told.model),
  anthropic: () => createAnthropic({ baseURL })(told.model),
};

const takers = {
  otlp: () => new BatchSpanProcessor(new OTLPTraceExporter()),
  langfuse: () => new LangfuseSpanProcessor(),
};
const sdk = new NodeSDK({ spanProcessors: [takers[taker]()] });
sdk.start();
const telemetry = { isEnabled: true };
if (version === "7") {
  const { LegacyOpenTelemetry, OpenTelemetry } = await import("@ai-sdk/otel");
  ai.registerTelemetry(form === "7-legacy" ? new LegacyOpenTelemetry() : new OpenTelemetry());
}

const asked = {
  model: models[api](),
  ...(version === "7" ? { instructions: told.system, telemetry } : { system: told.system, experimental_telemetry: telemetry }),
  prompt: told.question,
  tools: {
    [told.tool.name]: ai.tool({
      description: told.tool.description,
      inputSchema: ai.jsonSchema(told.tool.parameters),
      execute: async () => told.result,
    }),
  },
  stopWhen: ai.stepCountIs(2),
};

const traces = {};
for (const mode of process.env.MODES.split(" ")) {
  const root = trace.getTracer("shop").startSpan("answer-ticket");
  await context.with(trace.setSpan(context.active(), root), async () => {
    if (mode === "streamed") {
      const result = ai.streamText(asked);
      await result.consumeStream();
      await result.steps;
    } else await ai.generateText(asked);
  });
  root.end();
  traces[mode] = root.spanContext().traceId;
}
await sdk.shutdown(); // sends what there is
console.log(JSON.stringify({ traces }));
