// The live socket on the served product: the documented client, and malformed frames, which close only their own
// connection.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { served } from "./served-product.ts";

const server = served.shared;
let token = "";

beforeAll(async () => {
  const answer = await fetch(`${server.url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: "nurse@demo.com", password: DEMO_PASSWORD }),
  });
  token = JSON.parse(await answer.text()).data.access_token;
});

/** A masked frame with any first byte; clients mask (RFC 6455, 5.3). */
function frameOf(first: number, payload: Buffer, masked = true): Buffer {
  const mask = randomBytes(4);
  const head = Buffer.from([first, (masked ? 0x80 : 0) | payload.length]);
  return masked
    ? Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))])
    : Buffer.concat([head, payload]);
}

type Raw = { socket: Socket; status: string; closeCode: Promise<number> };

/** The code of the close frame among the server's frames, or null if there is none. Servers do not mask. */
function closeCodeIn(bytes: Buffer): number | null {
  for (let at = bytes.indexOf("\r\n\r\n") + 4; at + 2 <= bytes.length; ) {
    const short = bytes.readUInt8(at + 1);
    const [head, size] =
      short < 126
        ? [2, short]
        : short === 126
          ? [4, bytes.length >= at + 4 ? bytes.readUInt16BE(at + 2) : bytes.length]
          : [10, bytes.length >= at + 10 ? Number(bytes.readBigUInt64BE(at + 2)) : bytes.length];
    if ((bytes.readUInt8(at) & 15) === 8 && bytes.length >= at + head + 2) return bytes.readUInt16BE(at + head);
    at += head + size;
  }
  return null;
}

/** The handshake, written by hand. */
async function raw(headers: Record<string, string> = { Authorization: `Bearer ${token}` }): Promise<Raw> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let bytes = Buffer.alloc(0);
  let closed: (code: number) => void = () => undefined;
  const closeCode = new Promise<number>((resolve) => {
    closed = resolve;
  });
  const status = await new Promise<string>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (data) => {
      bytes = Buffer.concat([bytes, data]);
      resolve(bytes.toString("latin1").split("\r\n")[0] ?? "");
      const code = closeCodeIn(bytes);
      if (code !== null) closed(code);
    });
    const lines = Object.entries({
      Host: `${hostname}:${port}`,
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET /ws/vitals HTTP/1.1\r\n${lines.join("")}\r\n`);
  });
  return { socket, status, closeCode };
}

describe("the served socket", () => {
  it("opens only for a program with a token", async () => {
    const opened = await raw();
    expect(opened.status).toContain("101");
    opened.socket.write(frameOf(0x88, Buffer.from([0x03, 0xe8])));
    expect(await opened.closeCode).toBe(1000);
    opened.socket.destroy();
    const refused = await raw({});
    expect(refused.status).toContain("401");
    refused.socket.destroy();
    const foreign = await raw({ Authorization: `Bearer ${token}`, Origin: "https://evil.example" });
    expect(foreign.status).toContain("403");
    foreign.socket.destroy();
  });

  it("opens for a browser's client with a ticket, snapshot first", async () => {
    const answer = await fetch(`${server.url}/api/v1/live/tickets`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: "{}",
    });
    const { data } = JSON.parse(await answer.text());
    const socket = new WebSocket(data.url);
    const first = await new Promise<string>((resolve, reject) => {
      socket.addEventListener("message", (event) => resolve(String(event.data)));
      socket.addEventListener("error", () => reject(new Error("refused")));
    });
    expect(JSON.parse(first)).toMatchObject({ type: "snapshot" });
    // The code that Node's client reports is 1006 when the answer takes longer than its own time limit.
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.close(1000);
    await closed;
  });

  it("answers the client of docs/live.md as the page says", async () => {
    const code = /```js\n([\s\S]*?)```/.exec(readFileSync("docs/live.md", "utf8"))?.[1] ?? "";
    const env = { ...process.env, EDGECARE_URL: server.url, EDGECARE_TOKEN: token };
    const client = spawn("node", ["--input-type=module", "-e", code], { env, stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    await new Promise<void>((resolve) => {
      client.on("exit", () => resolve());
      client.stdout.on("data", (data) => {
        printed += data;
        if (printed.includes("view")) resolve();
      });
    });
    client.kill();
    expect(printed).toMatch(/^snapshot \d+\n(.*\n)*view \d+\n/);
  });

  const parts = [0x01, ...Array(5_000).fill(0x00), 0x80].map((first) => frameOf(first, Buffer.from(" ")));
  it.each([
    ["text that is not UTF-8", frameOf(0x81, Buffer.from([0xc3, 0x28])), 1008],
    ["a frame without a mask", frameOf(0x81, Buffer.from("{}"), false), 1008],
    ["a reserved opcode", frameOf(0x83, Buffer.from("x")), 1002],
    ["a reserved bit", frameOf(0xc1, Buffer.from("x")), 1002],
    ["a ping in parts", frameOf(0x09, Buffer.from("x")), 1002],
    ["a continuation of nothing", frameOf(0x80, Buffer.from("x")), 1002],
    ["a message of five thousand parts", Buffer.concat(parts), 1009],
  ])("ends a connection that sends %s, and serves the next", async (_, bytes, code) => {
    const { socket, closeCode } = await raw();
    socket.write(bytes);
    expect(await closeCode).toBe(code);
    socket.destroy();
    const next = await raw();
    expect(next.status).toContain("101");
    next.socket.destroy();
  });
});
