// Load on one bundle with a CPU profile of its isolate.
import { readFileSync } from "node:fs";
import { newSecrets } from "../../scripts/dev-secrets.mjs";
import { callApi } from "../api.ts";
import { startBench } from "../server.ts";
import type { Bundle } from "./bundles.ts";
import { type CpuTime, childProcesses, Profiler } from "./profile.ts";
import { type Kinds, newWorld } from "./world.ts";

export const BARE = "bench/cpu/bare";
/** Concurrent requests. */
const LANES = 4;
/** Warm-up before the measurement, until the compiler has seen every path. */
const WARM_UP = 100;

export type Runner = {
  measure(kind: string, requests: number): Promise<CpuTime>;
  kinds: readonly string[];
  nameOf(frame: string): string;
  close(): Promise<void>;
};

/** Starts a bundle, creates its data and warms it up. @param only requests whose name contains this text */
export async function start({ root, main }: Bundle, only = ""): Promise<Runner> {
  const bare = root === BARE;
  const secrets = newSecrets();
  const others = new Set(childProcesses());
  const { url, inspector, close } = await startBench({ root, main, secrets, rateLimit: 1e9, inspect: true });
  const pid = childProcesses().find((child) => !others.has(child));
  if (!inspector || pid === undefined) throw new Error("no inspector, or no process of workerd");
  const all: Kinds = bare ? new Map([["bare", () => ({ path: "/", token: "" })]]) : await newWorld(url, secrets.BOOTSTRAP_TOKEN);
  const kinds: Kinds = new Map([...all].filter(([kind]) => bare || kind.includes(only)));
  const profiler = await Profiler.attach(pid, inspector, "edgecare");
  let sent = 0;
  const drive = async (kind: string, requests: number) => {
    const next = kinds.get(kind);
    if (!next) throw new Error(`no requests of kind ${kind}`);
    const end = sent + requests;
    const lane = async () => {
      while (sent < end) {
        const { token, path, json, expected = "" } = next(sent++);
        const answer = await callApi(url, token, path, json);
        if (!answer.includes(expected)) throw new Error(`${kind}: expected ${expected} in ${answer.slice(0, 500)}`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  };
  for (const kind of kinds.keys()) await drive(kind, WARM_UP);
  return {
    kinds: [...kinds.keys()],
    measure: (kind, requests) => profiler.measure(() => drive(kind, requests)),
    nameOf: namesOf(main),
    close: async () => {
      profiler.close();
      await close();
    },
  };
}

/** Names a profile frame by function and source file, which comments in the bundle give. */
function namesOf(main: string): (frame: string) => string {
  const files: string[] = [];
  let file = "";
  for (const line of readFileSync(main, "utf8").split("\n")) {
    const [, path] = /^\/\/ (\S+\.[mc]?[jt]s)$/.exec(line) ?? [];
    file = path ?? file;
    files.push(file);
  }
  return (frame) => {
    const [, name = "", url = "", line = "0"] = /^(.*) (\S*):(\d+)$/.exec(frame) ?? [];
    if (url === "") return name;
    const source = url.endsWith("index.js") ? files[Number(line) - 1] : url;
    return `${name} (${(source ?? url).replace(/^.*node_modules\//, "")})`;
  };
}
