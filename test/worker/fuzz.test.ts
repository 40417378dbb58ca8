// Generated requests by all principals: a short run against the Worker, and answers that the fuzzer must find wrong.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../src/app.ts";
import type { Answer } from "../fuzz/contract.ts";
import type { ApiDocument } from "../fuzz/document.ts";
import type { Plan } from "../fuzz/plans.ts";
import { Pool } from "../fuzz/pool.ts";
import { findViolations, printFaults } from "../fuzz/report.ts";
import { type FuzzOptions, runFuzz } from "../fuzz/run.ts";
import { createFuzzWorld, type FuzzWorld, loginWith, type Send, type Timed } from "../fuzz/world.ts";
import { times } from "../long.ts";
import { API, env, PASSWORD, readJson, sendRequest, uniqueText } from "../world.ts";

const REQUESTS = times(600, 3_000);

let address = 0;

/** @returns null for what this client does not send, such as an invalid URL */
function createRequest(url: string, init: RequestInit): Request | null {
  try {
    return new Request(url, init);
  } catch {
    return null;
  }
}

/** Through the Worker's entry, each from a new address. */
const send: Send = async ({ method, target, headers, body }) => {
  const started = performance.now();
  address++;
  const ip = `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`;
  const request = createRequest(`http://localhost${target}`, {
    method,
    headers: [...headers, ["CF-Connecting-IP", ip]],
    body,
    redirect: "manual",
  });
  if (!request) return null;
  const ctx = createExecutionContext();
  const response = await app.fetch(request, env, ctx);
  const answer: Answer = { status: response.status, headers: Object.fromEntries(response.headers), text: "" };
  response.webSocket?.accept();
  response.webSocket?.close();
  if (answer.headers["content-type"] === "text/event-stream") await response.body?.cancel();
  else if (!response.webSocket) answer.text = await response.text();
  await waitOnExecutionContext(ctx);
  return { ...answer, ms: performance.now() - started };
};

let document: ApiDocument;
let world: FuzzWorld;
beforeAll(async () => {
  document = await readJson(await sendRequest("/openapi.json"));
  const account = { email: `${uniqueText()}@example.org`, password: PASSWORD, full_name: "Fuzz Keeper" };
  const made = await sendRequest(`${API}/auth/bootstrap`, { json: { ...account, token: env.BOOTSTRAP_TOKEN } });
  expect(made.status).toBe(201);
  const unique = uniqueText();
  world = await createFuzzWorld(send, { login: loginWith(send, account.email, account.password) }, new Pool(unique), unique);
});

/** The speed of a machine is measured by `npm run fuzz`. */
const run = (options: Partial<FuzzOptions>) =>
  runFuzz({
    document,
    send,
    world,
    seed: 1,
    requests: REQUESTS,
    lanes: 4,
    isRaw: false,
    slowMs: 60_000,
    shrinks: 30,
    ...options,
  });

it("finds no fault in a short run, which reaches the handlers", async () => {
  const report = await run({});
  printFaults(report, 1);
  expect(report.faults.map(({ operationId, kind, curl }) => `${operationId}: ${kind}\n${curl}`)).toEqual([]);
  expect(findViolations(report)).toEqual([]);
  expect(report.sent).toBe(REQUESTS);
  // Thirteen kinds of principals and more.
  expect(Object.keys(report.principals).length).toBeGreaterThan(20);
});

it("sends the same requests for the same seed, and others for another", async () => {
  const plansOf = async (seed: number) => {
    const plans: [number, string, string, Plan][] = [];
    const silent: Send = async () => ({ status: 404, headers: {}, text: "", ms: 0 });
    await run({
      send: silent,
      seed,
      requests: 200,
      shrinks: 0,
      onPlan: (index, { name }, { group }, plan) => plans.push([index, name, group, plan]),
    });
    return plans.sort(([a], [b]) => a - b);
  };
  const first = await plansOf(7);
  expect(await plansOf(7)).toEqual(first);
  expect(await plansOf(8)).not.toEqual(first);
});

describe("a wrong answer is found, with a request that repeats it", () => {
  type Known = { name: string; kind: string; change: (answer: Timed) => Timed };
  const problem = (status: number) =>
    JSON.stringify({
      ...{ type: "urn:edgecare:problem:x", title: "x", status, detail: "x", instance: "/", code: "x", error_id: "e" },
      ...{ request_id: "r", errors: [] },
    });
  const known: Known[] = [
    { name: "an internal error", kind: "status 500", change: (answer) => ({ ...answer, status: 500, text: problem(500) }) },
    { name: "a status that is not documented", kind: "undeclared status 418", change: (answer) => ({ ...answer, status: 418 }) },
    {
      name: "a media type that is not documented",
      kind: "undeclared media type text/html of 200",
      change: (answer) => ({ ...answer, headers: { ...answer.headers, "content-type": "text/html" } }),
    },
    {
      name: "an undocumented member",
      kind: "body of 200",
      change: (answer) => ({ ...answer, text: answer.text.replace('"data":[{', '"data":[{"secret_hash":"x",') }),
    },
    {
      name: "an undocumented header",
      kind: "undeclared header location",
      change: (answer) => ({ ...answer, headers: { ...answer.headers, location: "/" } }),
    },
    {
      name: "a problem with another request id",
      kind: "wrong request_id",
      change: (answer) => (answer.status < 400 ? answer : { ...answer, headers: { ...answer.headers, "x-request-id": "other" } }),
    },
    {
      name: "a marker of another hospital",
      kind: "a marker that the sender may not see",
      change: (answer) => ({
        ...answer,
        text: answer.text.replace('"request_id"', `"${world.marks.get("B")?.[0]}":1,"request_id"`),
      }),
    },
    { name: "a slow answer", kind: "slow", change: (answer) => ({ ...answer, ms: 90_000 }) },
  ];

  it.each(known)("$name", async ({ kind, change }) => {
    const report = await run({
      send: async (request) => {
        const answer = await send(request);
        return answer && change(answer);
      },
      only: ["getWards"],
      requests: 15_000,
      seed: 3,
    });
    const found = report.faults.find((fault) => fault.kind.includes(kind));
    expect(report.faults.map((fault) => fault.kind)).toContainEqual(expect.stringContaining(kind));
    expect(found?.curl).toMatch(/^curl -i --path-as-is -X \w+ 'http:\/\/localhost:8787\/+api\/v1\/wards/);
  });
});
