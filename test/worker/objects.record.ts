// Records fixtures of the object classes as the current code writes them: `npm run record:objects`.
import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, inject, it, vi } from "vitest";
import { FeedStorage } from "../../src/monitoring/live/feed-storage.ts";
import { toViewEvent, type Viewer } from "../../src/monitoring/live/view-event.ts";
import { HOUR_MS } from "../../src/platform/time.ts";
import { dumpStorage, type ObjectFixture } from "../object-storage.ts";
import { env } from "../world.ts";
import { appendAll, HOUR, inside, logNamed, MINUTE, newEvents, runDue } from "./audit-log-world.ts";
import { answersOf, goOn, HOSPITAL, livePatient, MORNING, PATIENT } from "./object-lives.ts";

const VIEWER: Viewer = {
  holder: { kind: "user", userId: "user", sessionId: "session" },
  role: "nurse",
  actingFor: HOSPITAL,
  view: "hospital/all",
  screen: "screen",
  requestId: "request",
  ip: null,
};
const RECORDING = inject("recording");
const write = (fixture: ObjectFixture) =>
  expect(`${JSON.stringify(fixture, null, 1)}\n`).toMatchFileSnapshot(`../fixtures/objects/${fixture.object}-${RECORDING}.json`);
afterEach(() => void vi.useRealTimers());

it("a patient's object", async () => {
  vi.useFakeTimers({ now: MORNING, toFake: ["Date"] });
  await livePatient();
  const answers = await answersOf();
  const stub = env.PATIENT_MONITOR.getByName(PATIENT);
  const storage = await runInDurableObject(stub, (_, state) => dumpStorage(state.storage.sql));
  const next = await goOn();
  await write({ object: "PatientMonitor", name: PATIENT, storage, answers: { ...answers, next } });
});

it("a hospital's feed", async () => {
  const stub = env.WARD_FEED.getByName(HOSPITAL);
  const storage = await runInDurableObject(stub, (_, state) => {
    const feed = new FeedStorage(state.storage, (error) => expect.unreachable(error.message));
    feed.redeemTicket("used-ticket", MORNING, Date.now());
    feed.saveView("hospital/all", null, new Set([PATIENT]), MORNING);
    feed.saveView("hospital/named", [PATIENT, "somebody-else"], new Set([PATIENT]), MORNING);
    feed.addFollower("hospital-that-follows");
    feed.saveScreen("session hospital/all", "screen", MORNING / HOUR_MS, new Set([PATIENT]));
    feed.enqueue([
      { log: HOSPITAL, event: toViewEvent(VIEWER, HOSPITAL, { patientIds: [PATIENT], grant: null, hour: MORNING }, MORNING) },
    ]);
    return dumpStorage(state.storage.sql);
  });
  await write({ object: "WardFeed", name: HOSPITAL, storage, answers: {} });
});

it("an audit log", async () => {
  vi.useFakeTimers({ now: MORNING, toFake: ["Date"] });
  const { stub } = logNamed(HOSPITAL);
  for (let hour = 0; hour < 3; hour++) {
    vi.setSystemTime(MORNING + hour * HOUR + 5 * MINUTE);
    await appendAll(stub, newEvents(hour === 0 ? 260 : 3));
    vi.setSystemTime(MORNING + (hour + 1) * HOUR);
    if (hour < 2) await runDue(stub);
  }
  await stub.setHold(MORNING);
  const storage = await inside(stub, (_, state) => dumpStorage(state.storage.sql));
  const answers = { status: await stub.status(), open: await stub.select({ patientIds: null }, null, 10) };
  await write({ object: "AuditLog", name: HOSPITAL, storage, answers });
});
