// `npm run fuzz`: generated requests against the product, by all principals, held against its OpenAPI document.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, type ClientRequest, request as httpRequest, type RequestOptions } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureHeap } from "../../bench/cpu/profile.ts";
import { startBench } from "../../bench/server.ts";
import { newSecrets } from "../../scripts/dev-secrets.mjs";
import type { Answer } from "./contract.ts";
import type { ApiDocument } from "./document.ts";
import { Pool } from "./pool.ts";
import { printReport } from "./report.ts";
import { toBytes } from "./requests.ts";
import { runFuzz } from "./run.ts";
import { createFuzzWorld, loginWith, type Send } from "./world.ts";

const USAGE = `usage: npm run fuzz -- [options]
  --seed N          first seed; default: random
  --seeds N         runs, with consecutive seeds; default 1
  --requests N      requests per run; default 10000
  --only ID         of the same run, only the requests to this operation id; may be repeated
  --url URL         a running product instead of a new one; its rate limits apply
  --email, --password   an administrator of that product; default: the demo administrator
  --help`;

const { values: options } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1" },
    requests: { type: "string", default: "10000" },
    only: { type: "string", multiple: true },
    url: { type: "string" },
    email: { type: "string", default: "adm@demo.com" },
    password: { type: "string", default: "password123" },
    help: { type: "boolean", default: false },
  },
});

const LANES = 8;
const SLOW_MS = 2_000;
const SHRINKS = 20;
/** A hanging answer ends the run. */
const TIMEOUT_MS = 60_000;
/** Bytes per run, beyond the first requests that fill caches. An isolate has 128 MB. */
const MAX_HEAP_GROWTH = 24e6;
const MAX_STORED_PER_REQUEST = 8_000;

const agent = new Agent({ keepAlive: true, maxSockets: LANES * 2 });

/** @returns null for a path or a header that this client rejects */
function openRequest(options: RequestOptions): ClientRequest | null {
  try {
    return httpRequest(options);
  } catch {
    return null;
  }
}

/** Sends the path unchanged, unlike `fetch`; a socket or an endless stream is closed at its head. */
function createSend(origin: URL): Send {
  return ({ method, target, headers, body }) =>
    new Promise((resolve, reject) => {
      const started = performance.now();
      const sent = openRequest({
        agent,
        host: origin.hostname,
        port: origin.port,
        method,
        path: target,
        headers: Object.fromEntries(headers),
        timeout: TIMEOUT_MS,
      });
      if (!sent) return resolve(null);
      const finish = (status: number, raw: NodeJS.Dict<string | string[]>, text: string) => {
        const flat = Object.entries(raw).map(([name, value]): [string, string] => [name, String(value)]);
        const answer: Answer = { status, headers: Object.fromEntries(flat), text };
        resolve({ ...answer, ms: performance.now() - started });
      };
      sent.on("timeout", () => sent.destroy(new Error(`${method} ${target}: no answer within ${TIMEOUT_MS} ms`)));
      sent.on("error", reject);
      sent.on("upgrade", (response, socket) => {
        socket.destroy();
        finish(response.statusCode ?? 0, response.headers, "");
      });
      sent.on("response", (response) => {
        const isStream = response.headers["content-type"] === "text/event-stream";
        if (isStream) {
          finish(response.statusCode ?? 0, response.headers, "");
          sent.destroy();
          return;
        }
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => finish(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString("utf8")));
      });
      sent.end(body ?? undefined);
    });
}

/** Resident memory of workerd, the child of this process, in MB; null where /proc is absent. */
function residentMb(): number | null {
  const statuses = globSync("/proc/[0-9]*/status").flatMap((path) => {
    try {
      return [readFileSync(path, "utf8")];
    } catch {
      // The process has ended.
      return [];
    }
  });
  const own = statuses.filter(
    (text) => new RegExp(`^PPid:\\s+${process.pid}$`, "m").test(text) && /^Name:\s+workerd/m.test(text),
  );
  if (own.length === 0) return null;
  return own.reduce((sum, text) => sum + Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0), 0) / 1_024;
}

function storedBytes(folder: string): number {
  return Number(spawnSync("du", ["-sb", folder], { encoding: "utf8" }).stdout.split("\t")[0]);
}

type Target = {
  url: URL;
  login: (send: Send) => Promise<() => Promise<string>>;
  state: string | null;
  inspector: URL | null;
  close: () => Promise<void>;
};

/** A production bundle on stores of its own, with limits that one machine does not reach. */
async function startOwn(): Promise<Target> {
  const state = mkdtempSync(join(tmpdir(), "edgecare-fuzz-"));
  const secrets = newSecrets();
  // The Worker's bundle needs the static files.
  if (!existsSync("dist/public/index.html")) spawnSync("node", ["scripts/build-public.mjs"], { stdio: "inherit" });
  const { url, close, inspector } = await startBench({ state, secrets, rateLimit: 1_000_000, assets: true, inspect: true });
  return {
    url,
    state,
    inspector,
    login: async (send) => {
      const account = { email: "keeper@example.org", password: "quiet river stones", full_name: "Fuzz Keeper" };
      const body = toBytes(JSON.stringify({ ...account, token: secrets.BOOTSTRAP_TOKEN }));
      const headers: [string, string][] = [
        ["Content-Type", "application/json"],
        ["Content-Length", String(body.length)],
      ];
      await send({ method: "POST", target: "/api/v1/auth/bootstrap", headers, body });
      return loginWith(send, account.email, account.password);
    },
    close: async () => {
      await close();
      rmSync(state, { recursive: true, force: true });
    },
  };
}

async function main(): Promise<boolean> {
  const target: Target = options.url
    ? {
        url: new URL(options.url),
        state: null,
        inspector: null,
        login: async (send) => loginWith(send, options.email, options.password),
        close: async () => undefined,
      }
    : await startOwn();
  let isClean = true;
  const total = { runs: 0, requests: 0, faults: 0, slowestMs: 0 };
  try {
    const send = createSend(target.url);
    const document: ApiDocument = JSON.parse(await (await fetch(new URL("/openapi.json", target.url))).text());
    const login = await target.login(send);
    const firstSeed = options.seed === undefined ? Math.floor(Math.random() * 1e6) : Number(options.seed);
    for (let seed = firstSeed; seed < firstSeed + Number(options.seeds); seed++) {
      const unique = `${seed}t${Date.now().toString(36)}`;
      const world = await createFuzzWorld(send, { login }, new Pool(unique), unique);
      const requests = Number(options.requests);
      const heapOf = async () => (target.inspector ? measureHeap(target.inspector, "edgecare") : null);
      let heapBefore: Promise<number | null> = Promise.resolve(null);
      const storedBefore = target.state ? storedBytes(target.state) : 0;
      const started = performance.now();
      const report = await runFuzz({
        document,
        send,
        world,
        seed,
        requests,
        ...(options.only && { only: options.only }),
        lanes: LANES,
        isRaw: true,
        slowMs: SLOW_MS,
        shrinks: SHRINKS,
        onProgress: (sent) => {
          if (sent === Math.min(2_000, Math.floor(requests / 2))) heapBefore = heapOf();
          if (sent % 10_000 === 0) console.log(`${sent} requests after ${Math.round((performance.now() - started) / 1_000)} s`);
        },
      });
      const [before, heap] = [await heapBefore, await heapOf()];
      const growth = {
        heap,
        heapGrowth: heap !== null && before !== null ? heap - before : null,
        residentMb: residentMb(),
        stored: target.state ? storedBytes(target.state) - storedBefore : null,
        maxHeapGrowth: MAX_HEAP_GROWTH,
        maxStored: MAX_STORED_PER_REQUEST * requests,
      };
      total.runs++;
      total.requests += report.sent;
      total.faults += report.faults.length;
      total.slowestMs = Math.max(total.slowestMs, report.slowest.ms);
      isClean = printReport(report, seed, (performance.now() - started) / 1_000, growth) && isClean;
    }
    const { runs, requests, faults, slowestMs } = total;
    console.log(`${runs} runs, ${requests} requests, ${faults} kinds of faults, slowest ${Math.round(slowestMs)} ms`);
  } finally {
    agent.destroy();
    await target.close();
  }
  return isClean;
}

if (options.help) console.log(USAGE);
else process.exitCode = (await main()) ? 0 : 1;
