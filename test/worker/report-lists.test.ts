// Report lists and totals: filters and combinations against a brute-force recount, per role; paging while rows are added.
import { beforeAll, describe, expect, it } from "vitest";
import { DAY_MS } from "../../src/platform/time.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  readJson,
  sendRequest,
  sha256,
  uploadForm,
  uploadReport,
  type World,
} from "../world.ts";

type Row = {
  id: string;
  patient_id: string;
  hospital_id: string;
  kind: string;
  status: string;
  session_type: string | null;
  confidence: number | null;
  heart_rate: number | null;
  created_at: number;
};

let world: World;
let other: World;
let rows: Row[];

const allRows = async () => (await env.DB.prepare("SELECT * FROM reports").all<Row>()).results;

beforeAll(async () => {
  [world, other] = [await newWorld(), await newWorld("hospital")];
  const kinds = ["ecg", "cpap", "oxygen", "ecg"];
  for (let i = 0; i < 24; i++) {
    const [nurse, patient] = i % 6 === 5 ? [other.nurse, other.patient] : [world.nurse, i % 2 ? world.patient : world.stranger];
    const kind = kinds[i % 4] ?? "ecg";
    const sent = await uploadReport(nurse, newPdf(), {
      patient_id: patient.id,
      kind,
      ...(i % 3 && { session_type: i % 3 === 1 ? "rest" : "stress" }),
      ...(i % 4 && { confidence: String(i / 32) }),
      ...(kind === "ecg" && { metrics: JSON.stringify({ heart_rate: 50 + 2 * i }) }),
    });
    expect(sent.status).toBe(201);
  }
  // Spread over twelve hours, so that date filters divide them; all in one place, so that totals stay right.
  const now = Date.now();
  for (const [i, { id }] of (await allRows()).entries()) {
    await env.DB.prepare("UPDATE reports SET created_at = ? WHERE id = ?")
      .bind(now - 30 * 60_000 * i, id)
      .run();
  }
  rows = await allRows();
});

/** The rows that a person may see, newest first. */
const visible: Record<string, (row: Row) => boolean> = {
  nurse: (row) => row.hospital_id === world.hospitalId,
  manager: (row) => row.hospital_id === world.hospitalId,
  doctor: (row) => row.patient_id === world.patient.id,
  self: (row) => row.patient_id === world.patient.id,
  admin: () => true,
  wideDoctor: (row) => row.hospital_id === other.hospitalId,
};
const people = () => ({
  nurse: world.nurse,
  manager: world.manager,
  doctor: world.doctor,
  self: world.self,
  admin: world.admin,
  wideDoctor: other.doctor,
});
const personOf = (who: string) => Object.entries(people()).find(([name]) => name === who)?.[1] ?? null;
const seenBy = (who: string) =>
  rows.filter((row) => visible[who]?.(row)).sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));

const tests: Record<string, (row: Row, value: string) => boolean> = {
  patient_id: (row, value) => row.patient_id === value,
  kind: (row, value) => row.kind === value,
  status: (row, value) => row.status === value,
  session_type: (row, value) => row.session_type === value,
  from: (row, value) => row.created_at >= Date.parse(value),
  to: (row, value) => row.created_at < Date.parse(value),
  heart_rate_min: (row, value) => row.heart_rate !== null && row.heart_rate >= Number(value),
  heart_rate_max: (row, value) => row.heart_rate !== null && row.heart_rate <= Number(value),
};

async function list(who: string, filters: Record<string, string>, path = "/reports") {
  const query = new URLSearchParams({ limit: "100", ...filters });
  return readJson(await sendRequest(`${API}${path}?${query}`, { as: personOf(who) }));
}

async function expectRecount(who: string, filters: Record<string, string>, path?: string): Promise<number> {
  const wanted = seenBy(who).filter((row) => Object.entries(filters).every(([name, value]) => tests[name]?.(row, value)));
  const got = await list(who, filters, path);
  expect(
    got.data?.map((r: { report_id: string }) => r.report_id),
    `${who} ${JSON.stringify(filters)}`,
  ).toEqual(wanted.map((r) => r.id));
  expect(got.meta.pagination).toMatchObject({ total: wanted.length, total_is_exact: true, has_more: false, next_cursor: null });
  return wanted.length;
}

const WHO = Object.keys(visible);

describe("a list of reports", () => {
  it.each(WHO)("shows %s what they may see, by every filter", async (who) => {
    const middle = new Date(rows[10]?.created_at ?? 0).toISOString();
    const rate = String(rows.find((row) => row.heart_rate !== null && visible[who]?.(row))?.heart_rate ?? 60);
    const single: Record<string, string>[] = [
      {},
      { patient_id: world.patient.id },
      { patient_id: world.stranger.id },
      { patient_id: other.patient.id },
      { kind: "ecg" },
      { kind: "bipap" },
      { status: "preliminary" },
      { status: "final" },
      { session_type: "rest" },
      { session_type: "nobody's" },
      { from: middle },
      { to: middle },
      { heart_rate_min: rate },
      { heart_rate_max: rate },
    ];
    let found = 0;
    for (const filters of single) found += await expectRecount(who, filters);
    expect(found).toBeGreaterThan(8);
  });

  it("accepts any combination of filters (60 random ones)", async () => {
    const choices: Record<string, () => string> = {
      patient_id: () => [world.patient, world.stranger, other.patient][Math.floor(Math.random() * 3)]?.id ?? "",
      kind: () => ["ecg", "cpap", "oxygen"][Math.floor(Math.random() * 3)] ?? "",
      status: () => "preliminary",
      session_type: () => ["rest", "stress"][Math.floor(Math.random() * 2)] ?? "",
      from: () => new Date(rows[Math.floor(Math.random() * 24)]?.created_at ?? 0).toISOString(),
      to: () => new Date(rows[Math.floor(Math.random() * 24)]?.created_at ?? 0).toISOString(),
      heart_rate_min: () => String(50 + Math.floor(Math.random() * 40)),
      heart_rate_max: () => String(60 + Math.floor(Math.random() * 40)),
    };
    let found = 0;
    for (let i = 0; i < 60; i++) {
      const picked = Object.entries(choices).filter(() => Math.random() < 0.25);
      const filters = Object.fromEntries(picked.map(([name, value]) => [name, value()]));
      found += await expectRecount(WHO[i % WHO.length] ?? "", filters);
    }
    expect(found).toBeGreaterThan(10);
  });

  it("is the same under the legacy paths", async () => {
    await expectRecount("nurse", { session_type: "rest" }, "/reports/list");
    const ecg = await list("nurse", {}, "/ecg/reports");
    expect(ecg.data.map((r: { report_id: string }) => r.report_id)).toEqual(
      seenBy("nurse")
        .filter((row) => row.kind === "ecg")
        .map((row) => row.id),
    );
    expect((await list("nurse", { kind: "cpap" }, "/ecg/reports")).code).toBe("invalid_request");
  });

  it.each([
    ["limit", ["0", "-1", "1.5", "abc", "101", "1e9", "NaN", ""]],
    ["offset", ["-1", "1.5", "abc", "10001", "9007199254740993"]],
    ["cursor", ["", "abc", "abc.def", "'"]],
    ["kind", ["sonar", "ecg'--"]],
    ["status", ["done"]],
    ["from", ["yesterday", "2026-01-01"]],
    ["heart_rate_min", ["fast", "-1"]],
    ["patient_id", ["1", "x"]],
    ["sort", ["created_at"]],
  ])("refuses a wrong %s", async (name, values) => {
    for (const value of values) expect((await list("nurse", { [name]: value })).status, value).toBe(400);
  });

  it("pages by cursor and by offset over the same rows", async () => {
    const wanted = seenBy("nurse").map((row) => row.id);
    for (const by of ["cursor", "offset"]) {
      const got: string[] = [];
      let more: Record<string, string> = {};
      for (let page = 0; page < 10; page++) {
        const { data, meta } = await list("nurse", { limit: "7", ...more });
        got.push(...data.map((r: { report_id: string }) => r.report_id));
        expect(meta.pagination.total).toBe(wanted.length);
        if (!meta.pagination.has_more) break;
        more = by === "cursor" ? { cursor: meta.pagination.next_cursor } : { offset: String(got.length) };
      }
      expect(got).toEqual(wanted);
    }
  });

  it("accepts a cursor only from its own caller, list and filters", async () => {
    const { meta } = await list("nurse", { limit: "3" });
    const cursor = meta.pagination.next_cursor;
    expect((await list("nurse", { limit: "5", cursor })).data).toHaveLength(5);
    expect((await list("manager", { cursor })).code).toBe("invalid_cursor");
    expect((await list("nurse", { cursor, kind: "ecg" })).code).toBe("invalid_cursor");
    expect((await list("nurse", { cursor }, "/ecg/reports")).code).toBe("invalid_cursor");
    expect((await list("nurse", { cursor }, "/uploads")).code).toBe("invalid_cursor");
    expect((await list("nurse", { cursor, offset: "3" })).code).toBe("invalid_request");
    const flipped = [...cursor].map((ch, i) => cursor.slice(0, i) + (ch === "A" ? "B" : "A") + cursor.slice(i + 1));
    for (const one of flipped) expect((await list("nurse", { cursor: one })).code).toBe("invalid_cursor");
  });
});

describe("totals", () => {
  const recount = (seen: Row[]) => {
    const tally = (key: (row: Row) => string) => {
      const counts: Record<string, number> = {};
      for (const row of seen) counts[key(row)] = (counts[key(row)] ?? 0) + 1;
      return counts;
    };
    const sure = seen.flatMap((row) => row.confidence ?? []);
    return {
      total: seen.length,
      by_status: tally((row) => row.status),
      by_kind: tally((row) => row.kind),
      recent_7_days: seen.filter((row) => row.created_at >= (Math.floor(Date.now() / DAY_MS) - 6) * DAY_MS).length,
      average_confidence: sure.length > 0 ? expect.closeTo(sure.reduce((a, b) => a + b, 0) / sure.length, 10) : null,
    };
  };

  it.each(WHO)("of %s equal a recount", async (who) => {
    const { data } = await readJson(await sendRequest(`${API}/reports/stats?days=30`, { as: personOf(who) }));
    const { by_day, ...totals } = data;
    expect(totals).toEqual(recount(seenBy(who)));
    const today = Math.floor(Date.now() / DAY_MS);
    const days = Array.from({ length: 30 }, (_, i) => today - 29 + i);
    // All were received today, whatever creation time their rows were given.
    const n = (day: number) => (day === today ? totals.recent_7_days : 0);
    expect(by_day).toEqual(days.map((day) => ({ day: new Date(day * DAY_MS).toISOString().slice(0, 10), n: n(day) })));
  });

  it("by day of a patient are kept while statistics show them", async () => {
    const { patient, nurse } = await newWorld();
    const today = Math.floor(Date.now() / DAY_MS);
    const days = [0, today - 120, today - 91, today - 89, today - 1];
    const insert = env.DB.prepare(
      "INSERT INTO counters (scope, day, name, n) VALUES ('p:' || ?, CAST(? AS INTEGER), 'report|cpap|final', 1)",
    );
    await env.DB.batch(days.map((day) => insert.bind(patient.id, day)));
    expect((await uploadReport(nurse, newPdf("a"), { patient_id: patient.id, kind: "ecg" })).status).toBe(201);
    const { results } = await env.DB.prepare(
      "SELECT DISTINCT day FROM counters WHERE scope = 'p:' || ? AND name = 'report|cpap|final' ORDER BY day",
    )
      .bind(patient.id)
      .all<{ day: number }>();
    expect(results.map(({ day }) => day)).toEqual([0, today - 89, today - 1]);
  });

  it("without patients are zero", async () => {
    const { data } = await readJson(await sendRequest(`${API}/reports/stats`, { as: await newPerson("patient") }));
    const { by_day, ...totals } = data;
    expect(totals).toEqual({ total: 0, by_status: {}, by_kind: {}, recent_7_days: 0, average_confidence: null });
    expect(by_day.map(({ n }: { n: number }) => n)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    for (const days of ["0", "91", "x"])
      await expectProblem(
        await sendRequest(`${API}/reports/stats?days=${days}`, { as: personOf("nurse") }),
        400,
        "invalid_request",
      );
  });

  it("count no duplicate, replay, refusal or quarantine", async () => {
    const mine = await newWorld();
    const pdf = newPdf();
    const key = { headers: { "Idempotency-Key": "totals-test-key" } };
    for (let i = 0; i < 3; i++) await uploadReport(mine.nurse, pdf, { patient_id: mine.patient.id, confidence: "0.5" }, key);
    await uploadReport(mine.nurse, pdf, { patient_id: mine.patient.id });
    await uploadReport(mine.nurse, newPdf("x").slice(2), { patient_id: mine.patient.id });
    const { data } = await readJson(await sendRequest(`${API}/reports/stats`, { as: mine.manager }));
    expect(data).toMatchObject({ total: 1, by_kind: { ecg: 1 }, recent_7_days: 1, average_confidence: 0.5 });
    rows = await allRows();
  });
});

describe("the ECG app's own flow", () => {
  it("uploads, lists and reads; the administrator sees it with a link that works, and totals that add up", async () => {
    const pdf = newPdf("flow");
    const form = uploadForm(pdf, { patient_id: world.patient.id, metrics: '{"heart_rate":66}', fileName: "ECG_1.pdf" });
    const sent = await sendRequest(`${API}/ecg/reports/upload`, { as: world.nurse, body: form });
    expect(sent.status).toBe(201);
    const { data: created } = await readJson(sent);
    expect(created).toMatchObject({
      report_id: expect.any(String),
      cloud_url: expect.stringMatching(/^https?:\/\/.+\/file\?link=/),
    });

    const { data: listed } = await readJson(await sendRequest(`${API}/ecg/reports?limit=1`, { as: world.doctor }));
    expect(listed).toMatchObject([{ report_id: created.report_id, kind: "ecg", heart_rate: 66, file_name: "ECG_1.pdf" }]);
    const { data: one } = await readJson(await sendRequest(`${API}/ecg/reports/${created.report_id}`, { as: world.doctor }));
    expect(one).toMatchObject({ report_id: created.report_id, metrics: { heart_rate: 66 } });

    const { data: everything } = await readJson(await sendRequest(`${API}/admin/reports?limit=100`, { as: world.admin }));
    expect(everything.length).toBe((await allRows()).length);
    for (const report of everything.slice(0, 5)) {
      const file = await sendRequest(report.download_url);
      expect(file.status).toBe(200);
      expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(report.sha256);
    }
    const { data: users } = await readJson(await sendRequest(`${API}/admin/users?limit=100`, { as: world.admin }));
    expect(users).toContainEqual(expect.objectContaining({ user_id: world.nurse.id, email: world.nurse.email }));

    const { data: stats } = await readJson(await sendRequest(`${API}/admin/stats`, { as: world.admin }));
    const inDays = await readJson(await sendRequest(`${API}/reports/stats`, { as: world.admin }));
    expect(inDays.data).toMatchObject(stats.reports);
    expect(stats.reports.total).toBe((await allRows()).length);
    for (const path of ["/admin/users", "/admin/reports", "/admin/stats"]) {
      expect((await sendRequest(API + path, { as: world.manager })).status, path).toBe(403);
    }
  });
});

describe("pages while rows come in", () => {
  it("show every row that was there once, and none twice", async () => {
    const mine = await newWorld();
    const self = await newPerson("patient");
    const patient = await newPatient(mine.hospitalId, mine.nurse, [mine.doctor]);
    await link(self, patient);
    const add = async () => (await readJson(await uploadReport(mine.nurse, newPdf(), { patient_id: patient.id }))).data.report_id;
    const there: string[] = [];
    for (let i = 0; i < 11; i++) there.push(await add());
    for (const as of [mine.nurse, mine.doctor, self]) {
      const seen: string[] = [];
      let cursor = "";
      do {
        const { data, meta } = await readJson(
          await sendRequest(`${API}/reports?limit=3${cursor && `&cursor=${cursor}`}`, { as }),
        );
        seen.push(...data.map((r: { report_id: string }) => r.report_id));
        cursor = meta.pagination.next_cursor ?? "";
        await add();
      } while (cursor);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => there.includes(id))).toHaveLength(11);
    }
  });

  it("with offsets would show some twice (the reason for cursors)", async () => {
    const mine = await newWorld();
    for (let i = 0; i < 4; i++) await uploadReport(mine.nurse, newPdf(), { patient_id: mine.patient.id });
    const page = async (offset: number) =>
      (await readJson(await sendRequest(`${API}/reports?limit=2&offset=${offset}`, { as: mine.nurse }))).data;
    const first = await page(0);
    await uploadReport(mine.nurse, newPdf(), { patient_id: mine.patient.id });
    const second = await page(2);
    expect(second[0].report_id).toBe(first[1].report_id);
  });
});
