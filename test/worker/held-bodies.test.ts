// Memory of request bodies: bounded per isolate and caller, given back when a request ends; trickled bodies are cut off.
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { heldBytes } from "../../src/http/held-bodies.ts";
import { API, newPdf, newPerson, newWorld, type Person, readJson, sendRequest, uploadForm, type World } from "../world.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => vi.useRealTimers());

type OpenBody = { response: Promise<Response>; send: (bytes: Uint8Array) => void; end: () => void };

/** A request whose body has begun with `size` bytes and goes on. */
function openBody(path: string, type: string, size: number, as?: Person, ip = "192.0.2.1"): OpenBody {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (started) => {
      controller = started;
      started.enqueue(new Uint8Array(size).fill(32));
    },
  });
  const headers = { "Content-Type": type, "CF-Connecting-IP": ip };
  const response = sendRequest(API + path, { ...(as && { as }), method: "POST", body, headers });
  return { response, send: (bytes) => controller?.enqueue(bytes), end: () => controller?.close() };
}
const openForm = (as: Person, size: number) => openBody("/reports", "multipart/form-data; boundary=b", size, as);
const openLogin = (ip: string) => openBody("/auth/login", "application/json", 16 * KIB, undefined, ip);

async function endAll(bodies: OpenBody[]): Promise<number[]> {
  for (const { end } of bodies) end();
  const responses = await Promise.all(bodies.map(({ response }) => response));
  await Promise.all(responses.map((response) => response.text()));
  return responses.map(({ status }) => status);
}

it("one caller holds two forms at most, and another is served meanwhile", async () => {
  const open = Array.from({ length: 2 }, () => openForm(world.nurse, 10 * MIB));
  await expect.poll(heldBytes).toBe(20 * MIB);
  const third = openForm(world.nurse, 7 * MIB);
  const refused = await third.response;
  expect([refused.status, refused.headers.get("Retry-After"), (await readJson(refused)).code]).toEqual([503, "5", "unavailable"]);
  const body = uploadForm(newPdf(), { patient_id: world.patient.id });
  expect((await sendRequest(`${API}/reports`, { as: world.doctor, body })).status).toBe(201);
  expect(await endAll(open)).toEqual([400, 400]);
  expect(heldBytes()).toBe(0);
});

it("patients leave half of it to staff", async () => {
  const patients = await Promise.all(Array.from({ length: 3 }, () => newPerson("patient")));
  const open = patients.map((patient) => openForm(patient, 8 * MIB));
  await expect.poll(heldBytes).toBe(24 * MIB);
  expect((await openForm(await newPerson("patient"), 3 * MIB).response).status).toBe(503);
  const body = uploadForm(newPdf(), { patient_id: world.patient.id });
  expect((await sendRequest(`${API}/reports`, { as: world.nurse, body })).status).toBe(201);
  await endAll(open);
  expect(heldBytes()).toBe(0);
});

it("logins whose bodies do not end fill their address alone", async () => {
  const open = Array.from({ length: 64 }, () => openLogin("192.0.2.7"));
  await expect.poll(heldBytes).toBe(MIB);
  expect((await openLogin("192.0.2.7").response).status).toBe(503);
  const other = { "CF-Connecting-IP": "192.0.2.8" };
  const login = await sendRequest(`${API}/auth/login`, { json: { email: "a@example.org", password: "wrong" }, headers: other });
  expect(login.status).toBe(401);
  await endAll(open);
  expect(heldBytes()).toBe(0);
});

it("what a cancelled request held is given back a minute after its last byte", async () => {
  const cancelled = Array.from({ length: 2 }, () => openForm(world.nurse, 10 * MIB));
  await expect.poll(heldBytes).toBe(20 * MIB);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 59_000 });
  expect((await openForm(world.nurse, 7 * MIB).response).status).toBe(503);
  vi.setSystemTime(Date.now() + 2_000);
  const next = openForm(world.nurse, 7 * MIB);
  await expect.poll(heldBytes).toBe(7 * MIB);
  vi.useRealTimers();
  await endAll([next, ...cancelled]);
  expect(heldBytes()).toBe(0);
});

it("a body without credentials has 16 KiB at most", async () => {
  const json = { email: "a@example.org", password: "x".repeat(16 * KIB) };
  expect((await sendRequest(`${API}/auth/login`, { json })).status).toBe(413);
});

it("a body that trickles is cut off, one that makes progress is not", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
  const trickle = openBody("/auth/login", "application/json", 100);
  const slow = openBody("/auth/login", "application/json", 100);
  for (let round = 0; round < 4; round++) {
    await scheduler.wait(20);
    await vi.advanceTimersByTimeAsync(17_000);
    trickle.send(new Uint8Array([32]));
    slow.send(new Uint8Array(3_500).fill(32));
  }
  expect((await trickle.response).status).toBe(408);
  vi.useRealTimers();
  slow.send(new TextEncoder().encode('{"email":"a@example.org","password":"wrong"}'));
  slow.end();
  expect((await slow.response).status).toBe(401);
  expect(heldBytes()).toBe(0);
});
