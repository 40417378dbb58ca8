// Whom live views show is in the audit log: once per screen, patient and clock hour, whatever fails or restarts meanwhile.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_SUBJECTS } from "../../src/audit-log/contract.ts";
import { AuditQueue, MAX_QUEUED_EVENTS } from "../../src/monitoring/live/audit-queue.ts";
import { FeedStorage } from "../../src/monitoring/live/feed-storage.ts";
import { ShownPatients } from "../../src/monitoring/live/shown-patients.ts";
import { toViewEvent, type Viewer, viewEventDocument } from "../../src/monitoring/live/view-event.ts";
import type { WardFeed } from "../../src/monitoring/live/ward-feed.ts";
import { HOUR_MS, toIso } from "../../src/platform/time.ts";
import { eventually } from "../eventually.ts";
import { captureLogs, expectProblem } from "../token-forge.ts";
import { API, env, listLoggedEvents, newWorld, type Person, readJson, sendRequest } from "../world.ts";
import {
  createTicket,
  getFeed,
  hasValue,
  leave,
  openLiveView,
  publish,
  runAlarmAfter,
  sendHandshake,
  startMonitoring,
} from "./live-client.ts";

/** An event is in the patient's own log after so much time at the latest. */
const WITHIN_MS = 5_000;
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const auditLog = (hospitalId: string) => env.AUDIT_LOG.getByName(hospitalId);
const hourStart = (now = Date.now()) => Math.floor(now / HOUR_MS) * HOUR_MS;

const listViews = async (hospitalId: string) =>
  (await listLoggedEvents([hospitalId])).filter(({ event, hospital_id }) => event === "live.view" && hospital_id === hospitalId);
const subjectsOf = (events: { subjects: string[] }[]) => events.map(({ subjects }) => subjects.toSorted());

/** Waits until the hospital's log has so many events of views, and makes sure that no more follow. */
async function awaitViews(hospitalId: string, count: number) {
  await eventually(async () => expect((await listViews(hospitalId)).length).toBeGreaterThanOrEqual(count));
  await eventually(async () => expect(await countQueued(hospitalId)).toBe(0));
  const events = await listViews(hospitalId);
  expect(events).toHaveLength(count);
  return events;
}

const countQueued = (hospitalId: string) =>
  runInDurableObject(getFeed(hospitalId), (_, { storage: { sql } }) => {
    return sql.exec<{ n: number }>("SELECT count(log) AS n FROM audit_queue").one().n;
  });

const readOwnLog = async (self: Person) =>
  (await readJson(await sendRequest(`${API}/audit-events?event=live.view`, { as: self }))).data;

/** Makes every append to the log fail until the returned function is called. */
async function breakLog(hospitalId: string): Promise<() => Promise<unknown>> {
  const rename = (from: string, to: string) =>
    runInDurableObject(auditLog(hospitalId), (_, { storage: { sql } }) => {
      const statement = `ALTER TABLE ${from} RENAME TO ${to}`;
      sql.exec(statement);
    });
  // The object creates its tables with its first event.
  await eventually(async () => expect((await listLoggedEvents()).some((event) => event.hospital_id === hospitalId)).toBe(true));
  await rename("entries", "unavailable");
  captureLogs();
  return () => rename("unavailable", "entries");
}

/** An app, whose connections do not end with a token. */
async function newApp(manager: Person): Promise<{ token: string }> {
  const json = { name: "board", scopes: ["patient:read", "observation:read", "alert:read"] };
  const { data } = await readJson(await sendRequest(`${API}/api-keys`, { as: manager, json }));
  return { token: String(data.token) };
}

const toViewer = (userId: string): Viewer => ({
  holder: { kind: "user", userId, sessionId: "session" },
  role: "nurse",
  actingFor: null,
  view: "hospital/all",
  screen: "screen",
  requestId: "request",
  ip: null,
});

const runAlarm = (hospitalId: string) => runInDurableObject(getFeed(hospitalId), (feed: WardFeed) => feed.alarm());

describe("a view of the whole hospital", () => {
  it("is in the own log of each patient it shows, within five seconds", async () => {
    const { nurse, self, patient, stranger, hospitalId } = await newWorld();
    await startMonitoring(patient.id, stranger.id);
    const live = await openLiveView(nurse, "", { ip: "203.0.113.9" });
    const opened = Date.now();
    const own = await eventually(async () => {
      const found = await readOwnLog(self);
      expect(found).toHaveLength(1);
      return found;
    });
    expect(Date.now() - opened).toBeLessThan(WITHIN_MS);
    expect(own[0]).toMatchObject({
      event: "live.view",
      action: "R",
      actor: { kind: "user", id: nurse.id, role: "nurse" },
      hospital_id: hospitalId,
      basis: "staff",
      purpose: "TREAT",
      detail: { patients: 2, hour: toIso(hourStart()) },
      ip: null,
    });
    // Nothing of the other patient.
    expect(JSON.stringify(own)).not.toContain(stranger.id);
    const [event] = await awaitViews(hospitalId, 1);
    expect(event?.subjects.toSorted()).toEqual([patient.id, stranger.id].sort());
    expect(event?.ip).toBe("203.0.113.9");
    live.close();
  });

  it("names a patient who joins later, once", async () => {
    const { nurse, patient, stranger, hospitalId } = await newWorld();
    await startMonitoring(patient.id);
    const live = await openLiveView(nurse);
    await awaitViews(hospitalId, 1);
    await startMonitoring(stranger.id);
    await getFeed(hospitalId).recheck();
    await live.until(({ type, patient_ids }) => type === "view" && patient_ids.length === 2);
    expect(subjectsOf(await awaitViews(hospitalId, 2))).toEqual([[patient.id], [stranger.id]]);
    // Leaving and coming back within the hour is no new view.
    await env.DB.prepare("UPDATE patients SET monitoring = 'off' WHERE id = ?").bind(stranger.id).run();
    await getFeed(hospitalId).recheck();
    await startMonitoring(stranger.id);
    await getFeed(hospitalId).recheck();
    await awaitViews(hospitalId, 2);
    live.close();
  });

  it("is recorded again in the next hour, before frames of that hour are sent, and not again within an hour", async () => {
    const { manager, patient, hospitalId } = await newWorld();
    await startMonitoring(patient.id);
    const app = await newApp(manager);
    const next = hourStart() + HOUR_MS;
    vi.useFakeTimers({ now: next - 60_000, toFake: ["Date"] });
    const live = await openLiveView(app);
    await runAlarm(hospitalId);
    await publish(hospitalId, patient.id, 71);
    await live.until(hasValue(71));
    await awaitViews(hospitalId, 1);
    vi.setSystemTime(next);
    await publish(hospitalId, patient.id, 72);
    // Stored when the frame has not left the object yet.
    expect(await countQueued(hospitalId)).toBe(1);
    await live.until(hasValue(72));
    await runAlarm(hospitalId);
    const events = await awaitViews(hospitalId, 2);
    const hours = events.map(({ detail }) => JSON.parse(detail ?? "").hour);
    expect(hours).toEqual([toIso(next - HOUR_MS), toIso(next)]);
    live.close();
  });
});

describe("a screen", () => {
  it("continues when its client reconnects within the hour; another one is another screen", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    await startMonitoring(patient.id);
    const first = await openLiveView(nurse);
    await awaitViews(hospitalId, 1);
    const since = await leave(first);
    const again = await openLiveView(nurse, `?since=${since}`);
    await awaitViews(hospitalId, 1);
    const beside = await openLiveView(nurse);
    const events = await awaitViews(hospitalId, 2);
    expect(new Set(events.map(({ entity_id }) => entity_id)).size).toBe(2);
    again.close();
    beside.close();
  });

  it("is recorded with the ground on which its holder sees the patients, by event stream too", async () => {
    const { admin, doctor, manager, self, patient, hospitalId } = await newWorld();
    const app = await newApp(manager);
    const query = `?patient_id=${patient.id}`;
    const lives = await Promise.all([admin, doctor, manager, self, app].map((as) => openLiveView(as, query)));
    await awaitViews(hospitalId, 5);
    const stream = await sendRequest(`${API}/live/sse?ticket=${await createTicket(doctor, { patient_id: patient.id })}`);
    const events = await awaitViews(hospitalId, 6);
    const grounds = events.map(({ actor_kind, actor_role, basis, purpose }) => [actor_kind, actor_role, basis, purpose].join());
    expect(grounds.sort()).toEqual(
      [
        "app,app,app,TREAT",
        "user,admin,admin,HSYSADMIN",
        "user,doctor,care_team,TREAT",
        "user,doctor,care_team,TREAT",
        "user,hospital_admin,staff,TREAT",
        "user,patient,self,PATRQT",
      ].sort(),
    );
    expect(subjectsOf(events)).toEqual(new Array(6).fill([patient.id]));
    for (const live of lives) live.close();
    await stream.body?.cancel();
  });

  it("of a doctor with the scope of the hospital is one of staff", async () => {
    const { doctor, patient, hospitalId } = await newWorld("hospital");
    const live = await openLiveView(doctor, `?patient_id=${patient.id}`);
    expect(await awaitViews(hospitalId, 1)).toMatchObject([{ actor_role: "doctor", basis: "staff" }]);
    live.close();
  });
});

describe("an event of a view", () => {
  it("is delivered once by a feed that restarts before it was, with the same id", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    await startMonitoring(patient.id);
    await openLiveView(nurse);
    const stored = await runInDurableObject(getFeed(hospitalId), (_, { storage: { sql } }) =>
      sql.exec<{ log: string; event: string }>("SELECT log, event FROM audit_queue").toArray(),
    );
    expect(stored).toMatchObject([{ log: hospitalId }]);
    await evictDurableObject(getFeed(hospitalId));
    await runAlarm(hospitalId);
    const [event] = await awaitViews(hospitalId, 1);
    expect(stored[0]?.event).toContain(event?.id);
    // Delivered again, as after a restart between append and removal.
    await runInDurableObject(getFeed(hospitalId), (_, { storage: { sql } }) => {
      for (const row of stored) sql.exec("INSERT INTO audit_queue (log, event) VALUES (?, ?)", row.log, row.event);
    });
    await evictDurableObject(getFeed(hospitalId));
    await runAlarm(hospitalId);
    await awaitViews(hospitalId, 1);
  });

  it("waits for a log that fails, while views open and frames arrive", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    await startMonitoring(patient.id);
    await leave(await openLiveView(nurse));
    await awaitViews(hospitalId, 1);
    const repair = await breakLog(hospitalId);
    const second = await openLiveView(nurse, `?patient_id=${patient.id}`);
    await publish(hospitalId, patient.id, 71);
    await second.until(hasValue(71));
    await scheduler.wait(700);
    expect(await countQueued(hospitalId)).toBe(1);
    await evictDurableObject(getFeed(hospitalId));
    await runAlarm(hospitalId);
    expect(await countQueued(hospitalId)).toBe(1);
    await repair();
    await runAlarmAfter(hospitalId, 60_000);
    expect(subjectsOf(await awaitViews(hospitalId, 2))).toEqual([[patient.id], [patient.id]]);
    second.close();
  });

  it("does not get lost when the queue is full: then no view opens, and open ones end with the hour", async () => {
    const { manager, nurse, patient, hospitalId } = await newWorld();
    await startMonitoring(patient.id);
    const live = await openLiveView(await newApp(manager));
    await awaitViews(hospitalId, 1);
    const repair = await breakLog(hospitalId);
    await runInDurableObject(getFeed(hospitalId), (_, { storage: { sql } }) => {
      sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO audit_queue (log, event) SELECT ?, ? FROM n`,
        MAX_QUEUED_EVENTS,
        hospitalId,
        viewEventDocument.write(
          toViewEvent(toViewer(nurse.id), hospitalId, { patientIds: [patient.id], grant: null, hour: 0 }, 0),
        ),
      );
    });
    // The queue's size is known in memory.
    await evictDurableObject(getFeed(hospitalId));
    await publish(hospitalId, patient.id, 71);
    await live.until(hasValue(71));
    await expectProblem(await sendHandshake(`${API}/live`, { as: nurse }), 503, "unavailable");
    await runAlarmAfter(hospitalId, HOUR_MS);
    expect(await live.closed).toMatchObject({ code: 1013 });
    await runInDurableObject(getFeed(hospitalId), (_, { storage: { sql } }) => {
      sql.exec("DELETE FROM audit_queue");
    });
    await repair();
  });

  it("names at most a thousand patients; a view of more has several", async () => {
    const hospitalId = crypto.randomUUID();
    const patientIds = Array.from({ length: MAX_SUBJECTS + 1 }, () => crypto.randomUUID());
    await runInDurableObject(getFeed(hospitalId), (_, { storage }) => {
      const feed = new FeedStorage(storage, (error) => expect.unreachable(error.message));
      const queue = new AuditQueue(env, feed, expect.unreachable, () => undefined);
      const shown = new ShownPatients(feed, queue, hospitalId);
      const patients = patientIds.map((id) => ({ id, grant: null }));
      expect(shown.record(toViewer("nurse"), patients, Date.now())).toBe(true);
      expect(shown.record(toViewer("nurse"), patients, Date.now())).toBe(true);
    });
    const events = await awaitViews(hospitalId, 2);
    expect(events.map(({ subjects }) => subjects.length).sort()).toEqual([1, MAX_SUBJECTS]);
    expect(new Set(events.flatMap(({ subjects }) => subjects)).size).toBe(MAX_SUBJECTS + 1);
  });
});
