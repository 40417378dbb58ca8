// Every read that an emergency access can open × the states of an access × the staff of the reader's hospital.
import { sql } from "drizzle-orm";
import { beforeAll, describe, it } from "vitest";
import { toAlertId } from "../../src/monitoring/patient-object/samples/ids.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { newDocument } from "../document-files.ts";
import { identify, identifyAsOne, openInEmergency, setReach } from "../emergency-scene.ts";
import {
  API,
  env,
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
import { newAlert } from "./alert-fixture.ts";
import { sendHandshake } from "./live-client.ts";

const run = (query: ReturnType<typeof sql>) => getDb(env.DB).run(query);

let holder: World;
let record: Patient;
let person: string;
const data = { reportId: "", documentId: "", alertId: "" };

type Read = (as: Person) => Promise<boolean>;
const get = (path: string, as: Person) => sendRequest(`${API}${path}`, { as });
const isOpen =
  (path: () => string): Read =>
  async (as) => {
    const response = await get(path(), as);
    await response.arrayBuffer();
    return response.status === 200;
  };
const isListed =
  (path: () => string): Read =>
  async (as) => {
    const response = await get(path(), as);
    return response.status === 200 && (await readJson(response)).data.length > 0;
  };
const ofPatient = (path: string) => isOpen(() => `/patients/${record.id}${path}`);

const READS: Record<string, Read> = {
  record: ofPatient(""),
  intake: ofPatient("/intake"),
  "care team": ofPatient("/care-team"),
  changes: ofPatient("/changes"),
  summary: ofPatient("/summary"),
  samples: ofPatient("/observations"),
  chart: ofPatient("/history?buckets=5"),
  "latest values": ofPatient("/observations/latest"),
  rollups: ofPatient("/observations/rollups"),
  score: ofPatient("/scores/news2"),
  limits: ofPatient("/alert-rules"),
  monitoring: ofPatient("/monitoring"),
  report: isOpen(() => `/reports/${data.reportId}`),
  "file of a report": isOpen(() => `/reports/${data.reportId}/file`),
  "list of reports": isListed(() => `/reports?patient_id=${record.id}`),
  document: isOpen(() => `/documents/${data.documentId}`),
  "file of a document": isOpen(() => `/documents/${data.documentId}/file`),
  "list of documents": isListed(() => `/documents?patient_id=${record.id}`),
  "list of alerts": isListed(() => `/alerts?patient_id=${record.id}`),
  "ticket of a live view": async (as) =>
    (await sendRequest(`${API}/live/tickets`, { as, json: { patient_id: record.id } })).status === 201,
  "live view": async (as) => {
    const { webSocket } = await sendHandshake(`${API}/live?patient_id=${record.id}`, { as });
    webSocket?.accept();
    webSocket?.close(1000);
    return webSocket !== null;
  },
  "live events": async (as) => {
    const response = await get(`/live/sse?patient_id=${record.id}`, as);
    await response.body?.cancel();
    return response.status === 200;
  },
};

const PRINCIPALS = ["reader", "doctor", "nurse", "manager"] as const;
type Reader = { staff: Record<(typeof PRINCIPALS)[number], Person>; own: Patient; hospitalId: string };

async function newReader(): Promise<Reader> {
  const world = await newWorld();
  const own = await newPatient(world.hospitalId, world.nurse);
  await identify(own.id, person);
  await setReach(world.hospitalId, "any_hospital");
  const { doctor, nurse, manager, hospitalId } = world;
  return { staff: { reader: doctor, doctor: await newPerson("doctor", hospitalId), nurse, manager }, own, hospitalId };
}

const start = ({ staff }: Reader, id = record.id) => openInEmergency(staff.reader, id);
const setTimes = (id: string, set: ReturnType<typeof sql>) => run(sql`UPDATE emergency_accesses SET ${set} WHERE id = ${id}`);

/** Brings the reader's access into the state. Only a running one opens the record, and to the reader alone. */
const STATES: Record<string, (reader: Reader) => Promise<unknown>> = {
  none: async () => undefined,
  running: start,
  "ended by the reader": async (reader) =>
    sendRequest(`${API}/emergency-access/${await start(reader)}/end`, { as: reader.staff.reader, method: "POST" }),
  "at its end": async (reader) => setTimes(await start(reader), sql`ends_at = CAST(${Date.now()} AS INTEGER)`),
  "to another record": async (reader) => {
    const other = await newPatient(holder.hospitalId, holder.nurse);
    const own = await newPatient(reader.hospitalId, reader.staff.nurse);
    await identifyAsOne(other.id, own.id);
    await start(reader, other.id);
  },
  "to the own record": async (reader) => start(reader, reader.own.id),
  "of another hospital's reader": async () => start(await newReader()),
  "without the reader's reach": async (reader) => {
    await start(reader);
    await setReach(reader.hospitalId, "own_hospital");
  },
  "without a record of the person": async (reader) => {
    await start(reader);
    await identify(reader.own.id, uniqueText());
  },
  "of one who has left": async (reader) => {
    await start(reader);
    await run(sql`UPDATE memberships SET ended_at = 1 WHERE user_id = ${reader.staff.reader.id}`);
  },
};

beforeAll(async () => {
  holder = await newWorld();
  person = uniqueText();
  record = await newPatient(holder.hospitalId, holder.nurse);
  await identify(record.id, person);
  await setReach(holder.hospitalId, "any_hospital");
  const sent = await uploadReport(holder.nurse, newPdf(), { patient_id: record.id, kind: "ecg" });
  data.reportId = (await readJson(sent)).data.report_id;
  data.documentId = await newDocument(holder.nurse, record.id);
  data.alertId = toAlertId(record.id, 1);
  const why = JSON.stringify(newAlert(1).why);
  await run(sql`INSERT INTO alerts (id, patient_id, hospital_id, rule, code, priority, state, why, raised_at, updated_at, version)
    VALUES (${data.alertId}, ${record.id}, ${holder.hospitalId}, 'limit', '8867-4', 'high', 'cleared', ${why}, 1, 1, 1)`);
});

const counts = [Object.keys(READS).length, Object.keys(STATES).length, PRINCIPALS.length];
describe(`reads in an emergency: ${counts[0]} reads, ${counts[1]} states, ${counts[2]} principals`, () => {
  it.for(Object.entries(STATES))("%s", async ([state, prepare], { expect }) => {
    const reader = await newReader();
    await prepare(reader);
    const cells = Object.entries(READS).flatMap(([name, read]) => PRINCIPALS.map((principal) => ({ name, read, principal })));
    const found = await Promise.all(
      cells.map(async ({ name, read, principal }) => [`${name}: ${principal}`, await read(reader.staff[principal])]),
    );
    expect(found).toEqual(
      cells.map(({ name, principal }) => [`${name}: ${principal}`, state === "running" && principal === "reader"]),
    );
  });
});
