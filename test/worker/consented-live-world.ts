// A person with records at two hospitals, whose live vitals at A are shared with B, and frames of which B may see a part.
import { expect } from "vitest";
import type { AlertView, LiveSample, PatientFrame } from "../../src/monitoring/patient-object/contract.ts";
import { API, env, link, newPatient, newPerson, newWorld, type Person, readJson, sendRequest, type World } from "../world.ts";
import { createSampleFrame, getFeed, startMonitoring } from "./live-client.ts";

export const HOUR_MS = 3_600_000;
export const iso = (at: number) => new Date(at).toISOString();
export const post = (path: string, as: Person, json: object = {}) => sendRequest(`${API}${path}`, { as, method: "POST", json });

export async function newScene(doctorScope: "care_team" | "hospital" = "care_team") {
  const [a, b] = [await newWorld(), await newWorld(doctorScope)];
  const person = await newPerson("patient");
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, patient);
  await startMonitoring(atA.id);
  return { a, b, person, atA, atB };
}
export type Scene = Awaited<ReturnType<typeof newScene>>;

/** Times of a grant, relative to now. By default from an hour ago until tomorrow. */
type GrantTimes = { kinds?: string[]; from?: number; until?: number; expires?: number };

export async function grant(
  { b, person, atA, atB }: { b: World; person: Person; atA: { id: string }; atB: { id: string } },
  { kinds = ["observations"], from = -HOUR_MS, until = 24 * HOUR_MS, expires = 24 * HOUR_MS }: GrantTimes = {},
): Promise<string> {
  const now = Date.now();
  const times = { data_from: iso(now + from), data_until: iso(now + until), expires_at: iso(now + expires) };
  const asked = await post("/consents", b.nurse, { patient_id: atB.id, purpose: "PUBHLTH", kinds, ...times });
  expect(asked.status).toBe(201);
  const id: string = (await readJson(asked)).data.consent_id;
  expect((await post(`/consents/${id}/grant`, person, { patient_ids: [atA.id] })).status).toBe(200);
  return id;
}

export const revoke = (id: string, { person }: Scene) => post(`/consents/${id}/revoke`, person);

type FeedCalls = { endGrant: (consentId: string) => Promise<unknown>; recheck: () => Promise<unknown> };

/** Revokes with other calls to the feed than the product's; they reach the feed by `feed`. */
export function revokeBy(id: string, { person }: Scene, calls: (feed: ReturnType<typeof getFeed>) => FeedCalls) {
  const getByName = (name: string) => calls(getFeed(name));
  const changed = { ...env, WARD_FEED: { getByName } as unknown as Env["WARD_FEED"] };
  return sendRequest(`${API}/consents/${id}/revoke`, { as: person, method: "POST", json: {}, env: changed });
}

/** Stores samples at A, measured so long ago. */
export async function storeSamples(
  { a, atA }: Scene,
  samples: readonly { code: string; value: number; unit: string; ago: number }[],
) {
  const items = samples.map(({ ago, ...sample }) => ({ ...sample, effective_at: iso(Date.now() - ago) }));
  const sent = await post("/observations", a.nurse, { patient_id: atA.id, samples: items });
  expect(sent.status).toBeLessThan(300);
}

/** No other number of a frame contains it by chance. */
export const CANARY = 987_654.25;
export const hasCanary = (text: string) => text.includes(String(CANARY)) || text.includes("canary");

/** A frame of samples measured so long ago; with the canary where a value is null. */
export function samplesFrame(patientId: string, values: readonly { value: number | null; ago: number }[]): PatientFrame {
  const frame = createSampleFrame(patientId, 0);
  if (frame.type !== "samples") throw new Error("no frame of samples");
  const [first] = frame.samples;
  if (!first) throw new Error("no sample");
  const samples = values.map(
    ({ value, ago }): LiveSample => ({ ...first, value: value ?? CANARY, effective_at: iso(Date.now() - ago) }),
  );
  return { ...frame, samples, news2: { status: "incomplete", missing: ["canary"], stale: [] } };
}

const canaryAlert = (patientId: string): AlertView => ({
  alert_id: "canary",
  patient_id: patientId,
  rule: "limit",
  code: "8867-4",
  device_id: null,
  priority: "high",
  state: "active",
  why: { value: CANARY, bound: CANARY, side: "high", window_s: null, text: "canary" },
  sounds: true,
  raised_at: iso(Date.now()),
  acknowledged_at: null,
  acknowledged_by: null,
  assigned_to: null,
  escalation_tier: 0,
  snoozed_until: null,
  escalates_at: null,
  recovered_at: null,
  cleared_at: null,
  duration_s: null,
});

/** One frame of each type that a view by consent must not show. */
export function hiddenFrames(patientId: string): PatientFrame[] {
  const due = { mode: "spot", status: "due", due_at: "canary", overdue_at: null, last_attempt: null, pause: null } as const;
  const limits = { critical_low: CANARY, low: null, high: null, critical_high: null, silence_s: null };
  return [
    { type: "alert", patient_id: patientId, what: "raised", alert: canaryAlert(patientId) },
    { type: "limits", patient_id: patientId, limits: [{ code: "8867-4", set_by: "patient", ...limits }] },
    { type: "observations", patient_id: patientId, observations: due, trend_mark: null },
    samplesFrame(patientId, [{ value: null, ago: 2 * HOUR_MS }]),
  ];
}
