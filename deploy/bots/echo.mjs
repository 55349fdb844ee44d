#!/usr/bin/env node
// Answers every message. Nothing to install; run it with: staffetta bot run -- ./echo.mjs
import { createInterface } from "node:readline";

const call = (method, params) =>
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", method, params }) + "\n");

for await (const line of createInterface({ input: process.stdin })) {
  const said = JSON.parse(line);
  if (said.error) console.error(said.error.message);
  if (said.method !== "event") continue;
  const event = said.params;
  if (event.type === "message") {
    // The key makes the answer appear once, should this message come again after a crash.
    call("reply", { to: event.id, text: `echo: ${event.text}`, key: `echo ${event.id}` });
  }
  // Until its ack an event comes again, also to the next start. Events without an id need none.
  if (event.id) call("ack", { id: event.id });
}
