// Pagination: bounds of limit and offset, cursors bound to caller and filter, complete pages, literal parameters.
import { beforeAll, describe, expect, it } from "vitest";
import { API, env, newPatient, newPdf, newWorld, readJson, sendRequest, uploadReport, type World } from "../world.ts";

let world: World;
let other: World;
let ids: string[] = [];
beforeAll(async () => {
  [world, other] = await Promise.all([newWorld(), newWorld()]);
  const more = [];
  for (let i = 0; i < 5; i++) more.push(await newPatient(world.hospitalId, world.nurse));
  ids = [world.patient, world.stranger, ...more].map((patient) => patient.id);
  for (const id of ids) await uploadReport(world.nurse, newPdf(), { patient_id: id });
});

const get = (path: string, as: { token: string } = world.nurse) => sendRequest(API + path, { as });
const pageOf = async (path: string, as?: { token: string }) => {
  const response = await get(path, as);
  expect(response.status, path).toBe(200);
  return readJson(response);
};
const idsOf = (body: { data: { patient_id?: string; report_id?: string }[] }) =>
  body.data.map((r) => r.report_id ?? r.patient_id);

/** Every page by cursor. */
async function walk(path: string, as?: { token: string }): Promise<(string | undefined)[]> {
  const seen = [];
  let cursor: string | null = "";
  for (let pages = 0; cursor !== null && pages < 20; pages++) {
    const body = await pageOf(`${path}${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`, as);
    seen.push(...idsOf(body));
    expect(body.meta.pagination.has_more).toBe(body.meta.pagination.next_cursor !== null);
    cursor = body.meta.pagination.next_cursor;
  }
  return seen;
}

describe("bounds", () => {
  it("limit is 1 to 100, offset 0 to 10,000, both whole numbers", async () => {
    for (const path of ["/patients", "/reports", "/devices", "/hospitals", "/uploads"]) {
      for (const query of ["limit=1", "limit=100", "offset=0", "offset=10000", ""]) {
        expect((await get(`${path}?${query}`)).status, path + query).toBe(200);
      }
      for (const query of [
        "limit=0",
        "limit=-1",
        "limit=1.5",
        "limit=abc",
        "limit=1e9",
        "limit=2147483648",
        "limit=NaN",
        "limit=",
      ]) {
        expect((await get(`${path}?${query}`)).status, path + query).toBe(400);
      }
      for (const query of ["offset=-1", "offset=0.5", "offset=10001", "offset=9007199254740993", "offset=x"]) {
        expect((await get(`${path}?${query}`)).status, path + query).toBe(400);
      }
    }
  });

  it("parameters that are unknown, repeated or not listed are refused", async () => {
    for (const query of [
      "nope=1",
      "limit=1&limit=9",
      "Limit=1",
      "limit[]=1",
      "sort=name",
      "sort=id;DROP TABLE patients",
      "sort=",
    ]) {
      expect((await get(`/patients?${query}`)).status, query).toBe(400);
    }
    expect((await get(`/patients/${world.patient.id}?x=1&x=2`)).status).toBe(400);
    for (const query of ["kind=xray", "status=done", "from=yesterday", "to=2026-13-01", "heart_rate_min=a", "patient_id=1"]) {
      expect((await get(`/reports?${query}`)).status, query).toBe(400);
    }
  });

  it("injection strings are literals, and the schema is unchanged", async () => {
    const schema = () => env.DB.prepare("SELECT group_concat(sql) AS all_sql FROM sqlite_schema").first<string>("all_sql");
    const before = await schema();
    const attacks = ["' OR 1=1--", "x'; DROP TABLE reports;--", "%", "_", "\\", "*", "a".repeat(60), "1 UNION SELECT 1", "मीना"];
    for (const attack of attacks) {
      const body = await pageOf(`/reports?session_type=${encodeURIComponent(attack)}`);
      expect([body.data, body.meta.pagination.total]).toEqual([[], 0]);
      const trail = await get(`/audit-events?event=${encodeURIComponent(attack)}`, world.admin);
      expect((await readJson(trail)).data, attack).toEqual([]);
    }
    expect((await get(`/reports?session_type=${"a".repeat(61)}`)).status).toBe(400);
    expect(await schema()).toBe(before);
  });
});

describe("pages", () => {
  it("cursor and offset return the same rows, each once, in every order", async () => {
    for (const path of [
      "/patients?sort=number",
      "/patients?sort=-number",
      "/patients?sort=updated",
      "/patients?sort=-updated",
      "/reports?",
    ]) {
      const whole = idsOf(await pageOf(`${path}&limit=100`));
      expect(whole).toHaveLength(7);
      expect(await walk(`${path}&limit=2`)).toEqual(whole);
      const byOffset = [];
      for (let offset = 0; offset < 8; offset += 3) byOffset.push(...idsOf(await pageOf(`${path}&limit=3&offset=${offset}`)));
      expect(byOffset).toEqual(whole);
    }
    const numbers = (await pageOf("/patients?sort=number")).data.map((row: { patient_number: number }) => row.patient_number);
    expect(numbers).toEqual(numbers.toSorted((a: number, b: number) => a - b));
  });

  it("a row that is inserted between two pages is not skipped or shown twice", async () => {
    const { data, meta } = await pageOf("/patients?limit=1", other.nurse);
    const first = data.map((row: { patient_id: string }) => row.patient_id);
    const all = await walk("/patients?limit=100", other.nurse);
    await newPatient(other.hospitalId, other.nurse);
    const cursor = encodeURIComponent(meta.pagination.next_cursor);
    const rest = idsOf(await pageOf(`/patients?limit=100&cursor=${cursor}`, other.nurse));
    expect(rest.length).toBeGreaterThan(0);
    expect([...first, ...rest]).toEqual(all);
  });

  it("totals count what the caller sees and nothing else", async () => {
    const totals = async (as: { token: string }) => {
      const [patients, reports, stats] = await Promise.all([
        pageOf("/patients?limit=1", as),
        pageOf("/reports?limit=1", as),
        get("/reports/stats", as).then(readJson),
      ]);
      return [patients.meta.pagination.total, reports.meta.pagination.total, stats.data.total];
    };
    expect(await totals(world.doctor)).toEqual([1, 1, 1]);
    expect(await totals(world.self)).toEqual([1, 1, 1]);
    expect((await totals(world.nurse)).slice(1)).toEqual([7, 7]);
    expect(await totals(other.doctor)).toEqual([1, 0, 0]);
    const one = await pageOf(`/reports?patient_id=${world.stranger.id}`, world.doctor);
    expect([one.data, one.meta.pagination.total]).toEqual([[], 0]);
    expect((await pageOf(`/reports?patient_id=${world.stranger.id}`)).meta.pagination.total).toBe(1);
  });
});

describe("cursors", () => {
  const cursorOf = async (path: string, as?: { token: string }): Promise<string> => {
    return (await pageOf(path, as)).meta.pagination.next_cursor;
  };

  it("belong to one caller, one list and one filter", async () => {
    const patients = await cursorOf("/patients?limit=2&sort=number");
    const reports = await cursorOf("/reports?limit=2");
    const at = (path: string, cursor: string, as?: { token: string }) => get(`${path}cursor=${encodeURIComponent(cursor)}`, as);
    expect((await at("/patients?limit=3&sort=number&", patients)).status).toBe(200);
    expect((await at("/patients/list?limit=3&sort=number&", patients)).status).toBe(200);
    expect((await at("/reports/list?", reports)).status).toBe(200);
    for (const [path, cursor, as] of [
      ["/patients?", patients],
      ["/patients?sort=-number&", patients],
      ["/patients?sort=number&monitoring=off&", patients],
      ["/patients?sort=number&offset=1&", patients],
      ["/patients?sort=number&", patients, world.manager],
      ["/patients?sort=number&", patients, world.admin],
      ["/patients?sort=number&", patients, other.nurse],
      ["/patients?sort=number&", reports],
      ["/reports?", patients],
      ["/reports?kind=ecg&", reports],
      ["/ecg/reports?", reports],
      ["/uploads?", reports],
      ["/admin/reports?", reports, world.admin],
    ] as const) {
      expect((await at(path, cursor, as)).status, path).toBe(400);
    }
  });

  it("any changed character makes them invalid", async () => {
    const cursor = await cursorOf("/patients?limit=2");
    expect((await get(`/patients?cursor=${cursor}`)).status).toBe(200);
    const wrong = new Set([
      "",
      ".",
      cursor.slice(1),
      cursor.slice(0, -1),
      `${cursor}A`,
      `${cursor}.x`,
      "x".repeat(601),
      `${cursor}=`,
    ]);
    for (let i = 0; i < cursor.length; i += 3) {
      const flipped = String.fromCharCode(cursor.charCodeAt(i) ^ (1 << (i % 5)));
      wrong.add(cursor.slice(0, i) + flipped + cursor.slice(i + 1));
    }
    expect(wrong.size).toBeGreaterThan(20);
    for (const bad of wrong) {
      const response = await get(`/patients?cursor=${encodeURIComponent(bad)}`);
      expect(response.status, bad).toBe(400);
      if (bad.length > 8) expect(await response.text()).not.toContain(bad);
    }
  });
});
