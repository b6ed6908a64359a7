// Files of every kind, and a log line too long for its batch, with @maximai/maxim-js. Takes a picture as base64; prints ids as JSON.
import { Maxim } from "@maximai/maxim-js";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const picture = process.argv[2];
const ids = { trace: randomUUID(), generation: randomUUID() };
const maxim = new Maxim({ baseUrl: process.env.GENSCOPE_URL, apiKey: process.env.GENSCOPE_SECRET_KEY });
const logger = await maxim.logger({ id: "files" });
const directory = await mkdtemp(join(tmpdir(), "notes-"));
const path = join(directory, "notes.txt");
await writeFile(path, "what was noted");

const trace = logger.trace({ id: ids.trace, name: "describe" });
trace.addAttachment({ id: randomUUID(), type: "file", path, name: "notes.txt", mimeType: "text/plain" });
const generation = trace.generation({
  id: ids.generation,
  name: "look",
  provider: "openai",
  model: "gpt-4o",
  modelParameters: {},
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "What is on this picture?" },
        { type: "image_url", image_url: { url: `data:image/png;base64,${picture}` } },
      ],
    },
    { role: "user", content: "and this? ".repeat(200_000) },
  ],
});
const data = Buffer.from(picture, "base64");
generation.addAttachment({ id: randomUUID(), type: "fileData", data, name: "picture.png", mimeType: "image/png" });
generation.addAttachment({ id: randomUUID(), type: "url", url: "https://example.com/picture.png", name: "elsewhere" });
generation.end();
trace.end();
await maxim.cleanup();
await rm(directory, { recursive: true });
console.log(JSON.stringify(ids));
