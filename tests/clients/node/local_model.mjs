// A language model small enough to live in a test: it needs no network and always says the same.
import { setTimeout } from "node:timers/promises";

export const messages = [
  { role: "system", content: "You answer customers of a bookshop." },
  { role: "user", content: "Where is my order 4711? Grüße 📦" },
];

export async function callModel(messages) {
  await setTimeout(10);
  return { text: "It left our warehouse this morning.", usage: { inputTokens: 1000, outputTokens: 50 } };
}

export async function callOverloadedModel(messages) {
  await setTimeout(10);
  throw new Error("Error code: 529 - overloaded");
}
