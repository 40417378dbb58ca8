// The receiver of the documentation runs as it is printed, and accepts what is signed and nothing else.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";

const PAGE = "docs/messages.md";
const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

let receiver: ChildProcess;
let output = "";
let url = "";

async function findPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}

beforeAll(async () => {
  const [, example = ""] = /```js\n([\s\S]*?standardwebhooks[\s\S]*?)```/.exec(readFileSync(PAGE, "utf8")) ?? [];
  const port = await findPort();
  url = `http://127.0.0.1:${port}/`;
  receiver = spawn(process.execPath, ["--input-type=module", "--eval", example], {
    env: { ...process.env, PORT: String(port), WEBHOOK_SECRET: SECRET },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve) => {
    receiver.stdout?.on("data", (chunk) => {
      output += chunk;
      if (output.includes("listening")) resolve();
    });
  });
});
afterAll(() => receiver.kill());

function send(body: string, signedBody = body, secret = SECRET, at = new Date()) {
  const headers = {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("msg_1", at, signedBody),
  };
  return fetch(url, { method: "POST", body, headers });
}

it("accepts a signed event once, and refuses a changed body, another secret and an old time", async () => {
  const body = JSON.stringify({ type: "report.created", timestamp: new Date().toISOString(), data: { report_id: "1" } });
  expect((await send(body)).status).toBe(204);
  expect((await send(body)).status).toBe(204);
  expect(output.match(/report\.created/g)).toHaveLength(1);
  expect((await send(body, `${body} `)).status).toBe(400);
  expect((await send(body, body, `whsec_${Buffer.alloc(32, 8).toString("base64")}`)).status).toBe(400);
  expect((await send(body, body, SECRET, new Date(Date.now() - 600_000))).status).toBe(400);
});
