// Every filter and sort of report lists against a brute-force recount over mixed data; and a row with a broken seal.
import { beforeAll, describe, expect, it, vi } from "vitest";
import { withCounters } from "../stores.ts";
import {
  API,
  env,
  newDevice,
  newPdf,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";

type Row = {
  id: string;
  patient_id: string;
  hospital_id: string;
  kind: string;
  status: string;
  uploaded_by_kind: string;
  uploaded_by: string;
  encounter_id: string | null;
  session_type: string | null;
  heart_rate: number | null;
  created_at: number;
  effective_at: number;
};

let world: World;
let other: World;
let devices: { id: string; token: string }[];
let second: Person;
let rows: Row[];
const ENCOUNTERS = ["0193a5b0-0000-7000-8000-00000000e001", "0193a5b0-0000-7000-8000-00000000e002"];
const NOBODY = "0193a5b0-0000-7000-8000-00000000ffff";
const HOUR = 3_600_000;
const allRows = async () => (await env.DB.prepare("SELECT * FROM reports").all<Row>()).results;

beforeAll(async () => {
  [world, other] = [await newWorld(), await newWorld("hospital")];
  second = await newPerson("nurse", world.hospitalId);
  devices = [await newDevice(world.nurse, world.patient.id), await newDevice(world.nurse, world.stranger.id)];
  const senders = [world.nurse, devices[0], second, devices[1], other.nurse, world.nurse];
  const base = Date.UTC(2026, 0, 1);
  await env.DB.prepare("UPDATE device_assignments SET started_at = CAST(? AS INTEGER)").bind(base).run();
  for (let i = 0; i < 42; i++) {
    const sender = senders[i % senders.length] ?? world.nurse;
    const patient = sender === other.nurse ? other.patient : i % 2 ? world.stranger : world.patient;
    const own = devices.includes(sender as never) ? {} : { patient_id: patient.id };
    const sent = await uploadReport(sender, newPdf(), {
      ...own,
      kind: ["ecg", "cpap", "oxygen"][i % 3] ?? "ecg",
      ...(i % 4 && { recorded_at: new Date(base + ((i * 7) % 20) * HOUR).toISOString() }),
      ...(i % 3 === 0 && { metrics: JSON.stringify({ heart_rate: 50 + i }) }),
      ...(i % 2 && { session_type: "rest" }),
    });
    expect(sent.status).toBe(201);
    // Uploads accept no encounter, since there are none yet.
    const { report_id } = (await readJson(sent)).data;
    const encounter = i % 5 ? (ENCOUNTERS[i % 2] ?? "") : null;
    await env.DB.prepare("UPDATE reports SET encounter_id = ? WHERE id = ?").bind(encounter, report_id).run();
  }
  // Several received in the same millisecond, to test the order among equals.
  for (const [i, { id }] of (await allRows()).entries()) {
    await env.DB.prepare("UPDATE reports SET created_at = ? WHERE id = ?")
      .bind(Date.now() - Math.floor(i / 4) * HOUR, id)
      .run();
  }
  rows = await allRows();
});

const people = () => ({
  nurse: world.nurse,
  doctor: world.doctor,
  self: world.self,
  admin: world.admin,
  wideDoctor: other.doctor,
  manager: world.manager,
});
type Who = keyof ReturnType<typeof people>;
const WHO: Who[] = ["nurse", "doctor", "self", "admin", "wideDoctor", "manager"];
const visible: Record<Who, (row: Row) => boolean> = {
  nurse: (row) => row.hospital_id === world.hospitalId,
  manager: (row) => row.hospital_id === world.hospitalId,
  doctor: (row) => row.patient_id === world.patient.id,
  self: (row) => row.patient_id === world.patient.id,
  admin: () => true,
  wideDoctor: (row) => row.hospital_id === other.hospitalId,
};

const holds: Record<string, (row: Row, value: string) => boolean> = {
  patient_id: (row, value) => row.patient_id === value,
  kind: (row, value) => row.kind === value,
  status: (row, value) => row.status === value,
  session_type: (row, value) => row.session_type === value,
  device_id: (row, value) => row.uploaded_by_kind === "device" && row.uploaded_by === value,
  uploaded_by: (row, value) => row.uploaded_by_kind === "user" && row.uploaded_by === value,
  encounter_id: (row, value) => row.encounter_id === value,
  hospital_id: (row, value) => row.hospital_id === value,
  from: (row, value) => row.created_at >= Date.parse(value),
  to: (row, value) => row.created_at < Date.parse(value),
  effective_from: (row, value) => row.effective_at >= Date.parse(value),
  effective_to: (row, value) => row.effective_at < Date.parse(value),
  heart_rate_min: (row, value) => row.heart_rate !== null && row.heart_rate >= Number(value),
  heart_rate_max: (row, value) => row.heart_rate !== null && row.heart_rate <= Number(value),
};

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
const time = (field: "created_at" | "effective_at") => new Date(pick(rows)[field]).toISOString();
const choices: Record<string, () => string> = {
  patient_id: () => pick([world.patient.id, world.stranger.id, other.patient.id, NOBODY]),
  kind: () => pick(["ecg", "cpap", "oxygen", "bipap"]),
  status: () => pick(["preliminary", "preliminary", "final"]),
  session_type: () => pick(["rest", "stress"]),
  device_id: () => pick([...devices.map(({ id }) => id), world.nurse.id]),
  uploaded_by: () => pick([world.nurse.id, second.id, other.nurse.id, devices[0]?.id ?? ""]),
  encounter_id: () => pick([...ENCOUNTERS, NOBODY]),
  hospital_id: () => pick([world.hospitalId, other.hospitalId, NOBODY]),
  from: () => time("created_at"),
  to: () => time("created_at"),
  effective_from: () => time("effective_at"),
  effective_to: () => time("effective_at"),
  heart_rate_min: () => String(50 + Math.floor(Math.random() * 40)),
  heart_rate_max: () => String(50 + Math.floor(Math.random() * 40)),
};
const SORTS = ["created", "-created", "effective", "-effective"];

function wanted(who: Who, filters: Record<string, string>, sort: string): string[] {
  const by = sort.endsWith("effective") ? "effective_at" : "created_at";
  const found = rows
    .filter(visible[who])
    .filter((row) => Object.entries(filters).every(([name, value]) => holds[name]?.(row, value)))
    .sort((a, b) => a[by] - b[by] || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
  return sort.startsWith("-") ? found.reverse() : found;
}

const ids = (data: { report_id: string }[]) => data.map(({ report_id }) => report_id);

async function list(who: Who, query: Record<string, string>) {
  const { env: counted, counts } = withCounters(env);
  const answer = await readJson(
    await sendRequest(`${API}/reports?${new URLSearchParams(query)}`, { as: people()[who], env: counted }),
  );
  return { ...answer, trips: counts.d1 };
}

async function expectRecount(who: Who, filters: Record<string, string>, sort?: string): Promise<number> {
  const { data, meta, trips } = await list(who, { limit: "100", ...filters, ...(sort && { sort }) });
  const found = wanted(who, filters, sort ?? "-created");
  expect(ids(data), `${who} ${JSON.stringify(filters)} ${sort}`).toEqual(found);
  expect(meta.pagination).toMatchObject({ total: found.length, total_is_exact: true });
  expect(trips).toBe(1);
  return found.length;
}

describe("a list of reports", () => {
  it.each(Object.keys(choices))("filtered by %s equals a recount for everybody, in every order", async (name) => {
    let found = 0;
    for (const who of WHO) {
      for (const sort of SORTS) found += await expectRecount(who, { [name]: choices[name]?.() ?? "" }, sort);
    }
    for (let i = 0; i < 6; i++) found += await expectRecount("admin", { [name]: choices[name]?.() ?? "" });
    expect(found).toBeGreaterThan(0);
  });

  it("accepts any combination of filters and sorts (120 random ones)", async () => {
    let found = 0;
    for (let i = 0; i < 120; i++) {
      const picked = Object.entries(choices).filter(() => Math.random() < 0.18);
      const filters = Object.fromEntries(picked.map(([name, value]) => [name, value()]));
      found += await expectRecount(WHO[i % WHO.length] ?? "nurse", filters, pick(SORTS));
    }
    expect(found).toBeGreaterThan(50);
  });

  it.each(SORTS)("pages by cursor over every row once, sorted by %s", async (sort) => {
    for (const who of ["nurse", "doctor", "admin"] as const) {
      const got: string[] = [];
      let cursor = "";
      do {
        const { data, meta } = await list(who, { limit: "5", sort, ...(cursor && { cursor }) });
        got.push(...ids(data));
        cursor = meta.pagination.next_cursor ?? "";
      } while (cursor);
      expect(got).toEqual(wanted(who, {}, sort));
    }
  });

  it("accepts a cursor only with its own sort and filters", async () => {
    const { meta } = await list("nurse", { limit: "3", sort: "effective" });
    const cursor = meta.pagination.next_cursor;
    const others: Record<string, string>[] = [{ sort: "-effective" }, {}, { sort: "effective", device_id: devices[0]?.id ?? "" }];
    for (const changed of others) {
      expect((await list("nurse", { cursor, ...changed })).code).toBe("invalid_cursor");
    }
    expect((await list("nurse", { cursor, sort: "effective" })).data.length).toBeGreaterThan(0);
  });

  it.each([
    ["device_id", "x"],
    ["uploaded_by", "1"],
    ["encounter_id", "'"],
    ["hospital_id", ""],
    ["effective_from", "yesterday"],
    ["effective_to", "2026-01-01"],
    ["sort", "created_at"],
    ["sort", ""],
    ["confidence", "1"],
    ["uploader", "me"],
  ])("refuses %s=%s", async (name, value) => {
    expect((await list("nurse", { [name]: value })).status).toBe(400);
  });
});

describe("a row whose seal is broken", () => {
  it("leaves the rest of the page unchanged, is logged, and stays an error on its own page", async () => {
    const mine = await newWorld();
    const made: string[] = [];
    for (let i = 0; i < 3; i++) {
      const sent = await uploadReport(mine.nurse, newPdf(), { patient_id: i < 2 ? mine.patient.id : mine.stranger.id });
      made.push((await readJson(sent)).data.report_id);
    }
    const [name, , identity] = made;
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line) => void lines.push(JSON.stringify(line)));
    await env.DB.prepare("UPDATE reports SET file_name_sealed = 's1.f1.AAAA' WHERE id = ?").bind(name).run();
    await env.DB.prepare("UPDATE patients SET identity_sealed = 's1.f1.AAAA' WHERE id = ?").bind(mine.stranger.id).run();
    const { data } = await readJson(
      await sendRequest(`${API}/reports`, { as: mine.nurse, headers: { "X-Request-Id": `seal-${uniqueText()}` } }),
    );
    vi.restoreAllMocks();
    expect(ids(data)).toEqual([...made].reverse());
    const by = (id: string | undefined) => data.find((report: { report_id: string }) => report.report_id === id);
    expect(by(name)).toMatchObject({ file_name: null, patient: { name: expect.stringContaining("First-") } });
    expect(by(made[1])).toMatchObject({ file_name: "ecg.pdf", patient: { name: expect.stringContaining("First-") } });
    expect(by(identity)).toMatchObject({ file_name: "ecg.pdf", patient: { name: null, gender: null, date_of_birth: null } });
    expect(lines.filter((line) => line.includes("integrity_error") && line.includes('"count":2'))).toHaveLength(1);
    for (const id of [name, identity]) {
      const one = await sendRequest(`${API}/reports/${id}`, { as: mine.nurse });
      expect({ status: one.status, code: (await readJson(one)).code }).toEqual({ status: 500, code: "integrity_error" });
    }
  });
});
