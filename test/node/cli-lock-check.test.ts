// `edgecare audit lock-check` against a server that answers as Cloudflare's API reference describes.
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findLockProblems, type LockRule } from "../../cli/lock-check.ts";

const TOKEN = "token-of-the-test";
const ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353";
type Answer = { status: number; body: unknown };

let answer: Answer;
const requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  const isKnown = request.url === `/accounts/${ACCOUNT}/r2/buckets/edgecare-files/lock`;
  const isAllowed = request.headers.authorization === `Bearer ${TOKEN}`;
  const { status, body } = !isAllowed
    ? failure(403, 10000, "Authentication error")
    : !isKnown
      ? failure(404, 10006, "The specified bucket does not exist.")
      : answer;
  response.writeHead(status, { "Content-Type": "application/json" }).end(typeof body === "string" ? body : JSON.stringify(body));
});
let base = "";
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  base = typeof address === "object" && address ? `http://127.0.0.1:${address.port}` : "";
});
afterAll(() => void server.close());

const failure = (status: number, code: number, message: string): Answer => ({
  status,
  body: { success: false, errors: [{ code, message }], messages: [], result: null },
});
const success = (rules?: LockRule[]): Answer => ({
  status: 200,
  body: { success: true, errors: [], messages: [], result: rules ? { rules } : {} },
});
const rule = (prefix: string | undefined, condition: LockRule["condition"], enabled = true): LockRule => ({
  id: `lock ${prefix ?? "all"}`,
  enabled,
  condition,
  ...(prefix === undefined ? {} : { prefix }),
});
const FOREVER = { type: "Indefinite" } as const;
const WEEK = { type: "Age", maxAgeSeconds: 604_800 } as const;

async function run(args: string[] = [], env: Record<string, string> = {}) {
  const child = spawn("node", ["cli/edgecare.ts", "audit", "lock-check", ...args], {
    env: {
      ...process.env,
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      CLOUDFLARE_API_TOKEN: TOKEN,
      CLOUDFLARE_API_BASE_URL: base,
      ...env,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
  const status = await new Promise<number | null>((done) => child.on("close", done));
  expect(output).not.toContain(TOKEN);
  return { status, output };
}

describe("edgecare audit lock-check", () => {
  it("passes when the bucket of wrangler.toml locks tlog/ indefinitely", async () => {
    answer = success([rule("tlog/", FOREVER), rule("logs/", WEEK)]);
    expect(await run()).toMatchObject({ status: 0, output: expect.stringContaining("locked indefinitely") });
    expect(requests.at(-1)?.method).toBe("GET");
    await run(["--jurisdiction", "eu"]);
    expect(requests.at(-1)?.headers["cf-r2-jurisdiction"]).toBe("eu");
  });

  it("fails without such a rule, and says how to add it", async () => {
    answer = success();
    expect(await run()).toMatchObject({ status: 1, output: expect.stringContaining("--prefix tlog/") });
  });

  it("says why it has no answer", async () => {
    expect(await run([], { CLOUDFLARE_API_TOKEN: "" })).toMatchObject({
      status: 2,
      output: expect.stringContaining("Set CLOUDFLARE"),
    });
    expect(await run(["--bucket", "other"])).toMatchObject({ status: 2, output: expect.stringContaining("does not exist") });
    answer = { status: 200, body: "<html>" };
    expect(await run()).toMatchObject({ status: 2, output: expect.stringContaining("unexpected answer") });
    expect(await run(["--unknown"])).toMatchObject({ status: 2, output: expect.stringContaining("lock-check") });
  });
});

it("accepts only rules that keep tlog/ for ever and leave segments alone", () => {
  const isAccepted = (...rules: LockRule[]) => findLockProblems(rules).length === 0;
  expect(isAccepted(rule("tlog/", FOREVER))).toBe(true);
  expect(isAccepted(rule("tlog/", WEEK), rule("t", FOREVER))).toBe(true);
  expect(isAccepted(rule("tlog/", FOREVER, false))).toBe(false);
  expect(isAccepted(rule("tlog/", WEEK))).toBe(false);
  expect(isAccepted(rule("tlog/", { type: "Date", date: "2030-01-01T00:00:00Z" }))).toBe(false);
  expect(isAccepted(rule("tlog/a", FOREVER))).toBe(false);
  expect(isAccepted(rule("audit/", FOREVER))).toBe(false);
  // Covers tlog/, but keeps the service from deleting anything.
  expect(isAccepted(rule(undefined, FOREVER))).toBe(false);
  expect(isAccepted(rule("tlog/", FOREVER), rule("audit/x", WEEK))).toBe(false);
});
