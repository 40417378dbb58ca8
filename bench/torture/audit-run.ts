// Kills the server again and again while clients read and write, and compares the audit log with what they were answered.
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { mulberry32, uniformBetween, uniformIntegerBetween } from "../../cli/random.ts";
import { writeVariants } from "./audit-bundle.ts";
import { type Comparison, compare, countStaged, type LogsFound, readLogs } from "./audit-check.ts";
import { createClients, Ledger, sendUntil } from "./audit-client.ts";
import { killServer, type Life, type Lives, withLives } from "./lives.ts";

const CLIENTS = 8;
const PATIENTS = 10;
/** A server is killed after this many answers and then this many milliseconds. */
const ANSWERS = [0, 200] as const;
const DELAY_MS = [0, 50] as const;
/** Without so many answers it is killed after this time. */
const MAX_LIFETIME_MS = 20_000;
/** Segments close that early, so that kills fall into it. */
const OPEN_MS = 700;
const HAND_OVER_MS = 20_000;

export type RunOptions = {
  kills: number;
  /** Decides the requests and the times of the kills. */
  seed: number;
  /** Serves the known-bad twin. */
  isTwin: boolean;
  onKill?: (kills: number, requests: number) => void;
};
export type RunResult = Comparison & Omit<LogsFound, "events"> & { events: number };

/** @param bundle the production bundle  @returns counts, and all faults that were found */
export async function tortureAuditLog(bundle: string, options: RunOptions): Promise<RunResult> {
  const { folder, product, twin } = writeVariants(bundle, OPEN_MS);
  try {
    const served = { main: options.isTwin ? twin : product, patients: PATIENTS, rateLimit: 1e9 };
    return await withLives(served, (lives) => run(lives, options));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run({ state, start, readWorld }: Lives, { kills, seed, onKill }: RunOptions): Promise<RunResult> {
  const ledger = new Ledger();
  const random = mulberry32(seed);
  let life = await start();
  const world = readWorld();
  const clients = createClients(CLIENTS, seed, world);
  for (let k = 1; k <= kills; k++) {
    let isStopped = false;
    const sending = Promise.all(clients.map((client) => sendUntil(client, life.url, ledger, () => isStopped)));
    const goal = ledger.answered + uniformIntegerBetween(random, ...ANSWERS);
    for (const began = Date.now(); ledger.answered < goal && Date.now() - began < MAX_LIFETIME_MS; ) await sleep(2);
    await sleep(uniformBetween(random, ...DELAY_MS));
    await killServer(life);
    isStopped = true;
    await sending;
    life = await start();
    onKill?.(k, ledger.size);
  }
  await handOver(life, world.manager, state);
  const changes = await readChanges(life, world.nurse);
  await killServer(life);
  const { events, ...logs } = await readLogs(state);
  const compared = compare(ledger, { events }, changes);
  const waiting = countStaged(state);
  const faults = [...compared.faults, ...logs.problems, ...(waiting > 0 ? [`${waiting} events wait in the database`] : [])];
  return { ...compared, ...logs, events: events.length, faults };
}

async function get<T>({ url }: Life, path: string, token: string): Promise<T> {
  const response = await fetch(url + path, { headers: { Authorization: `Bearer ${token}` } });
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Lists events, which hands over those that wait, until none does. */
async function handOver(life: Life, manager: string, state: string): Promise<void> {
  for (const began = Date.now(); Date.now() - began < HAND_OVER_MS; ) {
    await get(life, "/audit-events?limit=1", manager);
    if (countStaged(state) === 0) return;
  }
}

type Page = {
  data: { first_name: string; last_name: string; version: number }[];
  meta: { pagination: { next_cursor: string | null } };
};

/** The request ids that writes have stored in names: of its creation the last name, of its change the first name. */
async function readChanges(life: Life, nurse: string): Promise<Set<string>> {
  const changes = new Set<string>();
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query = new URLSearchParams({ limit: "100", ...(cursor && { cursor }) });
    const { data, meta }: Page = await get<Page>(life, `/patients?${query}`, nurse);
    for (const name of data.flatMap(({ first_name, last_name }) => [first_name, last_name]))
      if (name?.startsWith("torture-")) changes.add(name);
    cursor = meta.pagination.next_cursor;
  }
  return changes;
}
