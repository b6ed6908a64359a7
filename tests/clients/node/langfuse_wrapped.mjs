// OpenAI's client as langfuse 3 wraps it: anything that has its methods. Prints the id of the trace as JSON.
import { Langfuse, observeOpenAI } from "langfuse";

const told = JSON.parse(process.env.CONVERSATION);
const openai = {
  chat: {
    completions: {
      create: async (body) => {
        const url = `${process.env.PROVIDER_URL}/v1/chat/completions`;
        const headers = { "content-type": "application/json" };
        const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
        return answer.json();
      },
    },
  },
};

const langfuse = new Langfuse({ baseUrl: process.env.LANGFUSE_BASE_URL });
const trace = langfuse.trace({ name: "answer-ticket" });
const observed = observeOpenAI(openai, { parent: trace, generationName: "ask" });
await observed.chat.completions.create({
  model: told.model,
  temperature: 0.5,
  messages: [
    { role: "system", content: told.system },
    { role: "user", content: told.question },
  ],
  tools: [{ type: "function", function: told.tool }],
});
await langfuse.shutdownAsync();
console.log(JSON.stringify({ trace: trace.id }));
