// The demo ward that `npm start` simulates: the first look shows living patients, restarts continue, and nothing outlives the server.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { LIVING_WARD, SPOT_PATIENT } from "../../cli/demo/living-ward.ts";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { served } from "./served-product.ts";
import { deleteStateFolder, newDemoState, type Server, startServer } from "./server.ts";

const state = newDemoState(served.demo);
let server: Server;
let nurse = "";

// biome-ignore lint/suspicious/noExplicitAny: the test asserts the response field by field.
async function ask(path: string, json?: object): Promise<any> {
  const headers = { "Content-Type": "application/json", ...(nurse && { Authorization: `Bearer ${nurse}` }) };
  const init = json ? { method: "POST", body: JSON.stringify(json) } : {};
  const response = await fetch(`${server.url}/api/v1${path}`, { headers, ...init });
  return JSON.parse(await response.text());
}

async function start(): Promise<void> {
  server = await startServer(state, { demo: true, ward: true, build: false });
  nurse = "";
  nurse = (await ask("/auth/login", { email: "nurse@demo.com", password: DEMO_PASSWORD })).data.access_token;
}

let wardId = "";
/** The ward board's patients by number. */
async function readBoard() {
  wardId ||= (await ask("/wards")).data[0].ward_id;
  const { data } = await ask(`/wards/${wardId}/board`);
  type Row = { patient_id: string; patient_number: number; news2: { status: string; score: number | null } };
  return new Map<number, Row>(data.patients.map((row: Row) => [row.patient_number, row]));
}

const countDevices = async () => (await ask("/devices?kind=bedside_monitor&limit=100")).data.length;
const numbers = LIVING_WARD.map(({ patient }) => patient);

async function countValues(patient: number): Promise<number> {
  const id = (await readBoard()).get(patient)?.patient_id;
  return (await ask(`/patients/${id}/observations?code=heart_rate&limit=1000`)).data.length;
}

/** As Ctrl-C and `kill` do. @returns when no process of its group is left */
async function stop(): Promise<void> {
  process.kill(server.pid, "SIGTERM");
  const isRunning = () => spawnSync("pgrep", ["-g", String(server.pid)]).status === 0;
  await expect.poll(isRunning, { interval: 200 }).toBe(false);
}

beforeAll(start);
afterAll(async () => {
  await server.kill().catch(() => undefined);
  deleteStateFolder(state);
});

it("shows monitored patients with a score, a spot patient, and six hours of values", async () => {
  const scored = async () =>
    [...(await readBoard())].filter(([, { news2 }]) => news2.status === "complete").map(([number]) => number);
  await expect.poll(scored, { interval: 2_000 }).toEqual(expect.arrayContaining([...numbers, SPOT_PATIENT]));
  // Every two minutes since six hours ago.
  for (const patient of [1, 2]) await expect.poll(() => countValues(patient), { interval: 2_000 }).toBeGreaterThan(180);
  const board = await readBoard();
  // In the middle of a slow deterioration.
  expect(board.get(2)?.news2.score).toBeGreaterThan(board.get(1)?.news2.score ?? 99);
});

it("ends with the server, and continues with the same devices at the next start", async () => {
  const [devices, before] = [await countDevices(), await countValues(1)];
  expect(devices).toBe(numbers.length);
  expect(statSync(join(state, "demo-ward.json")).mode & 0o777).toBe(0o600);
  await stop();
  await start();
  await expect.poll(() => countValues(1), { interval: 2_000 }).toBeGreaterThan(before);
  expect(await countDevices()).toBe(devices);
});

it("is off where EDGECARE_DEMO_WARD says so, as in all other tests", () => {
  expect(existsSync(join(served.product.state, "demo-ward.json"))).toBe(false);
});
