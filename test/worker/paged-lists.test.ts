// Every list of a record, device, account or hospital is complete page by page: each row once, by cursor and by offset.
import { beforeAll, describe, expect, it } from "vitest";
import { withCounters } from "../stores.ts";
import {
  API,
  env,
  newDevice,
  newLogin,
  newPatient,
  newPdf,
  newPerson,
  newWard,
  newWorld,
  type Patient,
  readJson,
  sendRequest,
  uploadReport,
  type World,
} from "../world.ts";
import { createSample } from "./monitored-patient.ts";

type Row = Record<string, unknown>;
type Page = { data: Row[]; meta: { pagination: { total: number; total_is_exact: boolean; next_cursor: string | null } } };

const HOUR_MS = 3_600_000;
const HOURS = 30;
const CODES = ["8867-4", "2708-6"];

let world: World;
let patient: Patient;
let deviceId: string;
let reportId: string;
beforeAll(async () => {
  world = await newWorld();
  const { nurse, hospitalId, manager } = world;
  patient = await newPatient(hospitalId, nurse);
  for (let i = 0; i < 25; i++) {
    const json = { chief_complaint: `Complaint ${i}` };
    await sendRequest(`${API}/patients/${patient.id}/intake`, { as: nurse, json });
  }
  for (let i = 0; i < 9; i++) {
    const doctor = await newPerson("doctor", hospitalId);
    await sendRequest(`${API}/patients/${patient.id}/care-team/${doctor.id}`, { as: nurse, method: "PUT" });
    const { id } = await newPerson("patient");
    await env.DB.prepare(
      "INSERT INTO patient_links (user_id, patient_id, method, verified_by, created_at) VALUES (?, ?, 'claim_code', 'x', ?)",
    )
      .bind(id, patient.id, 1_000 + Math.floor(i / 3))
      .run();
    // The session of the test is the tenth.
    await newLogin(nurse.id, { role: "nurse", hospitalId, doctorScope: "care_team" });
  }
  // By another person: one has 100 requests per minute.
  for (let i = 0; i < 13; i++) {
    const change = { method: "PATCH", json: { address: `Street ${i}` }, headers: { "If-Match": "*" } };
    await sendRequest(`${API}/patients/${patient.id}`, { as: manager, ...change });
  }
  for (let i = 0; i < 7; i++) await sendRequest(`${API}/patients/${patient.id}/claim-codes`, { as: manager, method: "POST" });
  deviceId = (await newDevice(nurse, null)).id;
  for (let i = 0; i < 9; i++)
    await sendRequest(`${API}/devices/${deviceId}/credentials`, { as: nurse, json: { name: `Credential ${i}` } });
  for (let i = 0; i < 3; i++) {
    const ward = await newWard(manager);
    for (const name of ["heart_rate", "spo2", "respiratory_rate", "systolic"]) {
      await sendRequest(`${API}/wards/${ward}/alert-rules/${name}`, { as: nurse, method: "PUT", json: { duration_s: 20 } });
    }
  }
  reportId = (await readJson(await uploadReport(nurse, newPdf(), { patient_id: patient.id }))).data.report_id;
  const other = await newPatient(hospitalId, nurse);
  for (const [i, target] of [other, patient, other, patient, other].entries()) {
    const json = { patient_id: target.id, reason: `Move ${i}` };
    await sendRequest(`${API}/reports/${reportId}/move`, { as: nurse, json, headers: { "If-Match": "*" } });
  }
  const stats = JSON.stringify(Object.fromEntries(CODES.map((code) => [code, [2, 60, 80, 140, 80, 1000]])));
  const insert = env.DB.prepare(
    "INSERT INTO vital_hours (hospital_id, hour, patient_id, stats, version) VALUES (?, CAST(? AS INTEGER), ?, ?, 1)",
  );
  const thisHour = Math.floor(Date.now() / HOUR_MS);
  await env.DB.batch(Array.from({ length: HOURS }, (_, i) => insert.bind(hospitalId, thisHour - 5 - i, patient.id, stats)));
  // An hour that only the patient's object has.
  await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: patient.id, ...createSample(72) } });
});

const from = () => new Date(Date.now() - 3 * 24 * HOUR_MS).toISOString();

const LISTS: [name: string, path: () => string, rows: number, key: (row: Row) => string, offset: boolean][] = [
  ["intakes", () => `/patients/${patient.id}/intake?`, 25, ({ intake_id }) => String(intake_id), true],
  ["changes of a report", () => `/reports/${reportId}/changes?`, 5, ({ change_id }) => String(change_id), true],
  ["marks of moved reports", () => `/patients/${patient.id}/moved-reports?`, 3, ({ mark_id }) => String(mark_id), true],
  ["care team", () => `/patients/${patient.id}/care-team?`, 9, ({ user_id }) => String(user_id), true],
  ["changes", () => `/patients/${patient.id}/changes?`, 13, ({ change_id }) => String(change_id), true],
  ["claim codes", () => `/patients/${patient.id}/claim-codes?`, 7, ({ issued_at }) => String(issued_at), true],
  ["logins", () => `/patients/${patient.id}/links?`, 9, ({ user_id }) => String(user_id), true],
  ["credentials", () => `/devices/${deviceId}/credentials?`, 10, ({ credential_id }) => String(credential_id), true],
  ["sessions", () => "/auth/sessions?", 10, ({ session_id }) => String(session_id), true],
  ["alert rules", () => "/alert-rules?", 12, ({ ward_id, code }) => `${ward_id} ${code}`, true],
  ["default limits", () => "/alert-rules/defaults?", 0, ({ code }) => String(code), true],
  [
    "hourly rollups",
    () => `/patients/${patient.id}/observations/rollups?from=${from()}&`,
    HOURS * CODES.length + 1,
    ({ hour, code }) => `${hour} ${code}`,
    false,
  ],
  [
    "hourly rollups of one code",
    () => `/patients/${patient.id}/observations/rollups?code=spo2&from=${from()}&`,
    HOURS,
    ({ hour, code }) => `${hour} ${code}`,
    false,
  ],
  [
    "hourly statistics",
    () => `/analytics/hourly-stats?from=${from()}&`,
    HOURS * CODES.length,
    ({ hour, code }) => `${hour} ${code}`,
    false,
  ],
  [
    "hourly statistics of one code",
    () => `/analytics/hourly-stats?code=spo2&from=${from()}&`,
    HOURS,
    ({ hour, code }) => `${hour} ${code}`,
    false,
  ],
];

const read = async (path: string): Promise<Page> => {
  const response = await sendRequest(API + path, { as: world.nurse });
  expect(response.status, `${path} ${await response.clone().text()}`).toBe(200);
  return readJson(response);
};

describe("a list is complete page by page:", () => {
  it.each(LISTS)("%s", async (_, path, rows, key, hasOffset) => {
    // Fixed, because `from` is part of the filter that a cursor is bound to.
    const list = path();
    const whole = await read(`${list}limit=100`);
    const keys = whole.data.map(key);
    expect(new Set(keys).size).toBe(keys.length);
    if (rows > 0) expect(keys).toHaveLength(rows);
    else expect(keys.length).toBeGreaterThan(7);
    expect(whole.meta.pagination).toMatchObject({ total: keys.length, total_is_exact: true, has_more: false, next_cursor: null });

    const walked: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Page = await read(`${list}limit=7${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
      expect(page.data.length).toBeLessThanOrEqual(7);
      walked.push(...page.data.map(key));
      cursor = page.meta.pagination.next_cursor;
      expect(walked.length).toBeLessThanOrEqual(keys.length);
    }
    expect(walked).toEqual(keys);

    if (!hasOffset) {
      expect((await sendRequest(`${API}${list}offset=1`, { as: world.nurse })).status).toBe(400);
      return;
    }
    const skipped: string[] = [];
    for (let offset = 0; offset < keys.length; offset += 4) {
      skipped.push(...(await read(`${list}limit=4&offset=${offset}`)).data.map(key));
    }
    expect(skipped).toEqual(keys);
  });

  it("a cursor of one list is none of another", async () => {
    const { meta } = await read(`/patients/${patient.id}/intake?limit=2`);
    const cursor = encodeURIComponent(meta.pagination.next_cursor ?? "");
    expect(cursor).not.toBe("");
    for (const path of [`/patients/${patient.id}/care-team`, "/auth/sessions", `/patients/${world.patient.id}/intake`]) {
      expect((await sendRequest(`${API}${path}?cursor=${cursor}`, { as: world.nurse })).status, path).toBe(400);
    }
  });

  it("refuses a page, an offset and a cursor beyond the maximum, on every list of the document", async () => {
    type Parameter = { name: string; schema: { maximum?: number } };
    const { paths }: { paths: Record<string, { get?: { parameters?: Parameter[]; responses: object } }> } = await readJson(
      await sendRequest("/openapi.json"),
    );
    const lists = Object.entries(paths).filter(([, { get }]) => JSON.stringify(get?.responses ?? {}).includes("Pagination"));
    expect(lists.length).toBeGreaterThan(40);
    for (const [path, { get }] of lists) {
      const url = path.replace(/\{\w+\}/g, patient.id);
      const ask = (query: string) => sendRequest(`${url}?${query}`, { as: world.admin });
      const maximum = (name: string) => get?.parameters?.find((parameter) => parameter.name === name)?.schema.maximum;
      const limit = maximum("limit") ?? 0;
      expect([100, 1000], path).toContain(limit);
      for (const query of [`limit=${limit + 1}`, "limit=0", `cursor=${"x".repeat(601)}`, "cursor=x.y"]) {
        // A search or a wearable's owner is a required parameter; its absence is a 400 too.
        expect((await ask(query)).status, `${path}?${query}`).toBe(400);
      }
      if (maximum("offset") !== undefined) expect((await ask("offset=10001")).status, path).toBe(400);
    }
  });

  it("a page of hours reads as many hours as it has rows, not the whole range", async () => {
    const rowsRead = async (query: string) => {
      const { env: counted, counts } = withCounters(env);
      const path = `${API}/patients/${patient.id}/observations/rollups?from=${from()}&${query}`;
      await (await sendRequest(path, { as: world.nurse, env: counted })).arrayBuffer();
      return counts.rowsRead;
    };
    const [whole, page] = [await rowsRead("limit=100"), await rowsRead("limit=2")];
    expect(whole - page).toBeGreaterThan(HOURS - 10);
  });
});
