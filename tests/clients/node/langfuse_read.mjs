// Reads with @langfuse/client 5. Takes a JSON list of calls, [name, arguments, keywords, follow], and prints
// what each answered. To follow a call is to ask for one page after the other; its answer is all of them.
import { LangfuseClient } from "@langfuse/client";

const client = new LangfuseClient();
const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

function following(pages) {
  const { data, meta } = pages.at(-1);
  if (meta.totalPages === undefined) return meta.cursor ? { cursor: meta.cursor } : null;
  return data.length ? { page: pages.length + 1 } : null;
}

async function ask(name, given, keywords, follow) {
  const parts = name.split(".");
  const method = parts.pop();
  const found = parts.reduce((object, part) => object[part], client);
  const request = Object.fromEntries(Object.entries(keywords).map(([key, value]) => [camel(key), value]));
  try {
    const pages = [await found[method](...given, ...(Object.keys(request).length ? [request] : []))];
    for (let more; follow && (more = following(pages)); ) pages.push(await found[method]({ ...request, ...more }));
    return follow ? pages : pages[0];
  } catch (error) {
    return { error: error.constructor.name, status: error.statusCode ?? null, message: String(error) };
  }
}

const answers = [];
for (const call of JSON.parse(process.argv[2])) answers.push((await ask(...call)) ?? null);
console.log(JSON.stringify({ answers }));
