// A model that is shown a picture and a voice, with @langfuse/tracing 5. Prints the ids of trace, spans and media as JSON.
import { LangfuseClient } from "@langfuse/client";
import { LangfuseMedia } from "@langfuse/core";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const [picture, voice] = process.argv.slice(2, 4);
const processor = new LangfuseSpanProcessor();
const sdk = new NodeSDK({ spanProcessors: [processor] });
sdk.start();

const spoken = new LangfuseMedia({ source: "bytes", contentBytes: Buffer.from(voice, "base64"), contentType: "audio/wav" });
const again = new LangfuseMedia({ source: "bytes", contentBytes: Buffer.from(picture, "base64"), contentType: "image/png" });
const made = {};

await startActiveObservation("describe", async (root) => {
  root.update({ input: { voice: spoken } });
  Object.assign(made, { trace: root.traceId, root: root.id });
  await startActiveObservation(
    "look",
    async (generation) => {
      made.generation = generation.id;
      generation.update({
        model: "gpt-4o",
        input: [
          {
            role: "user",
            content: [
              { type: "text", text: "What is on this picture?" },
              { type: "image_url", image_url: { url: `data:image/png;base64,${picture}` } },
            ],
          },
        ],
        output: "A red square.",
        metadata: { again },
      });
    },
    { asType: "generation" },
  );
});
await processor.forceFlush();
await sdk.shutdown();

made.voice = await spoken.getId();
const client = new LangfuseClient();
const resolved = await client.media.resolveReferences({
  obj: { voice: await spoken.getTag() },
  resolveWith: "base64DataUri",
  maxDepth: 5,
});
made.resolved = resolved.voice;
console.log(JSON.stringify(made));
