// Every read that a consent can open × the states of a consent × the staff of the hospital that asked. What one step outside of a
// grant lies is as closed as without one.
import { runDurableObjectAlarm } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { getDb } from "../../src/platform/db/client.ts";
import { addToCareTeam } from "../authz.world.ts";
import { type AskedScope, grantAsAsked, postJson, revoke } from "../consent-scene.ts";
import { newText, uploadDocument } from "../document-files.ts";
import {
  API,
  env,
  link,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type Patient,
  type Person,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.now();
/** All data is from the middle of the hour in the middle of the granted range. */
const AT = Math.floor(NOW / HOUR_MS) * HOUR_MS - 4.5 * HOUR_MS;
const iso = (at: number) => new Date(at).toISOString();
const KINDS = ["report:ecg", "documents", "observations", "medical_history"];
const RANGE = { data_from: iso(AT - 2 * HOUR_MS), data_until: iso(NOW + HOUR_MS) };

const word = uniqueText();
/** No time and no id contains it. */
const VALUE = 61.5;
const data = { reportId: "", documentId: "" };
let holder: World;
let person: Person;
let record: Patient;

type Read = { name: string; kind: string; shows: string | RegExp; send: (as: Person) => Promise<Response> };
const get = (path: () => string) => (as: Person) => sendRequest(`${API}${path()}`, { as });
const ofReports = { kind: "report:ecg", shows: word };
const ofDocuments = { kind: "documents", shows: word };
const ofSamples = { kind: "observations", shows: /\b61\.5\b/ };
const READS: readonly Read[] = [
  { name: "report", ...ofReports, send: get(() => `/reports/${data.reportId}`) },
  { name: "report by its old path", ...ofReports, send: get(() => `/ecg/reports/${data.reportId}`) },
  { name: "file of a report", ...ofReports, send: get(() => `/reports/${data.reportId}/file`) },
  { name: "list of reports", ...ofReports, send: get(() => `/reports?patient_id=${record.id}`) },
  { name: "list of reports by its old path", ...ofReports, send: get(() => `/ecg/reports?patient_id=${record.id}`) },
  { name: "document", ...ofDocuments, send: get(() => `/documents/${data.documentId}`) },
  { name: "file of a document", ...ofDocuments, send: get(() => `/documents/${data.documentId}/file`) },
  {
    name: "link to a document",
    kind: "documents",
    shows: "?link=",
    send: (as) => postJson(`/documents/${data.documentId}/link`, as),
  },
  { name: "list of documents", ...ofDocuments, send: get(() => `/documents?patient_id=${record.id}`) },
  { name: "samples", ...ofSamples, send: get(() => `/patients/${record.id}/observations`) },
  { name: "chart", ...ofSamples, send: get(() => `/patients/${record.id}/history?buckets=5`) },
  {
    name: "chart of hours",
    ...ofSamples,
    send: get(() => `/patients/${record.id}/history?buckets=5&from=${iso(NOW - 72 * HOUR_MS)}`),
  },
  { name: "rollups", ...ofSamples, send: get(() => `/patients/${record.id}/observations/rollups`) },
  { name: "intake", kind: "medical_history", shows: word, send: get(() => `/patients/${record.id}/intake`) },
];

const PRINCIPALS = ["nurse", "manager", "doctor in the care team", "doctor"] as const;
type Principal = (typeof PRINCIPALS)[number];
type Reader = { staff: Record<Principal, Person>; asker: Person; own: Patient; hospitalId: string };

async function newReader(): Promise<Reader> {
  const world = await newWorld();
  const own = await newPatient(world.hospitalId, world.nurse);
  await link(person, own);
  const treating = await newPerson("doctor", world.hospitalId);
  await addToCareTeam(own.id, treating.id);
  const staff = { nurse: world.nurse, manager: world.manager, "doctor in the care team": treating, doctor: world.doctor };
  return { staff, asker: world.nurse, own, hospitalId: world.hospitalId };
}

const grant = ({ asker, own }: Reader, scope: Partial<AskedScope> = {}, shared: Patient = record) =>
  grantAsAsked({ person, atA: shared, atB: own, b: { nurse: asker } }, { kinds: KINDS, ...RANGE, ...scope });
const change = (id: string, set: ReturnType<typeof sql>) => getDb(env.DB).run(sql`UPDATE consents SET ${set} WHERE id = ${id}`);

async function request({ asker, own }: Reader): Promise<string> {
  const body = { patient_id: own.id, purpose: "CAREMGT", kinds: KINDS, ...RANGE, expires_at: iso(NOW + 24 * HOUR_MS) };
  return (await readJson(await postJson("/consents", asker, body))).data.consent_id;
}

/** Brings the consent of a hospital into the state. `opens`: whether a read of the kind is allowed to those who see the own record. */
const STATES: Record<string, { prepare: (reader: Reader) => Promise<unknown>; opens?: (kind: string) => boolean }> = {
  none: { prepare: async () => undefined },
  requested: { prepare: request },
  denied: { prepare: async (reader) => postJson(`/consents/${await request(reader)}/deny`, person) },
  granted: { prepare: grant, opens: () => true },
  "granted, another kind": {
    prepare: (reader) => grant(reader, { kinds: ["report:cpap", "documents"] }),
    opens: (kind) => kind === "documents",
  },
  "granted, data from one millisecond later": { prepare: (reader) => grant(reader, { data_from: iso(NOW + HOUR_MS - 1) }) },
  "granted, data until one millisecond before": { prepare: (reader) => grant(reader, { data_until: iso(AT - 1) }) },
  "at the end of its life": {
    prepare: async (reader) => change(await grant(reader), sql`expires_at = ${Date.now()}`),
  },
  revoked: { prepare: async (reader) => revoke({ person }, await grant(reader)) },
  expired: { prepare: async (reader) => change(await grant(reader), sql`status = 'expired'`) },
  "granted to another hospital": { prepare: async () => grant(await newReader()) },
  "granted for another record of the person": {
    prepare: async (reader) => {
      const other = await newWorld();
      const patient = await newPatient(other.hospitalId, other.nurse);
      await link(person, patient);
      await grant(reader, {}, patient);
    },
  },
  "granted, and the reader has left": {
    prepare: async (reader) => {
      await grant(reader);
      await getDb(env.DB).run(sql`UPDATE memberships SET ended_at = 1 WHERE hospital_id = ${reader.hospitalId}`);
    },
  },
};

beforeAll(async () => {
  holder = await newWorld();
  person = await newPerson("patient");
  record = await newPatient(holder.hospitalId, holder.nurse);
  await link(person, record);
  const fields = { patient_id: record.id, kind: "ecg", recorded_at: iso(AT), fileName: `${word}.pdf` };
  data.reportId = (await readJson(await uploadReport(holder.nurse, newPdf(word), fields))).data.report_id;
  const document = { patient_id: record.id, date: iso(AT), title: word };
  data.documentId = (await readJson(await uploadDocument(holder.nurse, newText(word), document))).data.document_id;
  const sample = { code: "8867-4", value: VALUE, unit: "/min", effective_at: iso(AT) };
  await sendRequest(`${API}/observations`, { as: holder.nurse, json: { patient_id: record.id, samples: [sample] } });
  const intake = await postJson(`/patients/${record.id}/intake`, holder.nurse, { symptoms: [word] });
  expect(intake.status).toBe(201);
  await getDb(env.DB).run(sql`UPDATE intake_responses SET authored_at = ${AT} WHERE patient_id = ${record.id}`);
  // The hour is counted by the next alarm of the patient's object.
  const rollups = async () => {
    await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(record.id));
    return (await sendRequest(`${API}/patients/${record.id}/observations/rollups`, { as: holder.nurse })).text();
  };
  await vi.waitFor(async () => expect(await rollups()).toMatch(ofSamples.shows), { timeout: 20_000 });
});

describe(`reads by consent: ${READS.length} reads, ${Object.keys(STATES).length} states, ${PRINCIPALS.length} principals`, () => {
  it.for(Object.entries(STATES))("%s", async ([, { prepare, opens }], { expect }) => {
    const reader = await newReader();
    await prepare(reader);
    const found: [string, boolean][] = [];
    const expected: [string, boolean][] = [];
    for (const read of READS) {
      for (const principal of PRINCIPALS) {
        const response = await read.send(reader.staff[principal]);
        const text = new TextDecoder("latin1").decode(await response.arrayBuffer());
        const shows = typeof read.shows === "string" ? text.includes(read.shows) : read.shows.test(text);
        found.push([`${read.name}: ${principal}`, shows]);
        expected.push([`${read.name}: ${principal}`, principal !== "doctor" && opens?.(read.kind) === true]);
      }
    }
    expect(found).toEqual(expected);
    expect(found.length).toBe(READS.length * PRINCIPALS.length);
  });
});
