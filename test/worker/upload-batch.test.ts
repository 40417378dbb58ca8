// Many files in one form: each is processed like a single upload; and the daily byte limit of a device or app.
import { beforeAll, describe, expect, it } from "vitest";
import { runCleanup } from "../../src/cron.ts";
import { STORAGE_LIMITS } from "../../src/platform/storage-quotas.ts";
import { DAY_MS, utcDayOf } from "../../src/platform/time.ts";
import { withCounters, withRandomDelays, withStoreFault } from "../stores.ts";
import { API, env, newDevice, newPdf, newWorld, readJson, sendRequest, uniqueText, uploadReport, type World } from "../world.ts";
import { listReferencedKeys, listReportIds, listStoredKeys, readUploadRows, verifyEveryReport } from "./storage-evidence.ts";

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = [await newWorld(), await newWorld()];
});

type As = { token: string };
type Pdf = Uint8Array<ArrayBuffer>;

function send(as: As, files: Pdf[], items: unknown, on = env): Promise<Response> {
  const body = new FormData();
  for (const [i, pdf] of files.entries()) body.append("file", new File([pdf], `ecg-${i}.pdf`, { type: "application/pdf" }));
  if (items !== undefined) body.append("items", typeof items === "string" ? items : JSON.stringify(items));
  return sendRequest(`${API}/reports/batch`, { as, body, env: on });
}

const mine = (more: object = {}) => ({ patient_id: world.patient.id, ...more });

describe("a batch", () => {
  it("answers each file as the single upload would, in its order, and logs each", async () => {
    const known = newPdf();
    await uploadReport(world.nurse, known, { patient_id: world.patient.id });
    const files = [newPdf(), newPdf().slice(3), newPdf(), known, newPdf(), newPdf(), newPdf()];
    const response = await send(world.nurse, files, [
      mine({ metrics: { heart_rate: 61 }, session_type: "rest", confidence: 0.25 }),
      mine(),
      { patient_id: other.patient.id },
      mine(),
      mine({ confidence: "high" }),
      mine({ colour: "red" }),
      mine({ idempotency_key: "short" }),
    ]);
    expect(response.status).toBe(200);
    const { data } = await readJson(response.clone());
    expect(data.map((item: { index: number }) => item.index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(data.map(({ status, code }: { status: number; code: string }) => [status, code])).toEqual([
      [201, null],
      [415, "not_pdf"],
      [404, "not_found"],
      [200, null],
      [400, "invalid_request"],
      [400, "invalid_request"],
      [400, "invalid_idempotency_key"],
    ]);
    expect(data[3].duplicate_of).toBe(data[3].report_id);
    expect(data[0].errors).toEqual([]);
    expect(data[4].errors).toMatchObject([{ path: "confidence" }]);
    expect(data[5].errors).toEqual([{ path: "colour", message: "Unknown field", code: "unknown_field" }]);
    const { data: report } = await readJson(await sendRequest(`${API}/reports/${data[0].report_id}`, { as: world.doctor }));
    expect(report).toMatchObject({ heart_rate: 61, session_type: "rest", confidence: 0.25, file_name: "ecg-0.pdf" });
    const outcomes = (await readUploadRows(response)).map((row) => row.outcome).sort();
    expect(outcomes).toEqual(["duplicate", "refused", "refused", "refused", "refused", "refused", "stored"]);
    await verifyEveryReport();
  });

  it("accepts 100 files, and rejects 101 before any work", async () => {
    const patient_id = world.stranger.id;
    const files = Array.from({ length: 101 }, () => newPdf());
    const refused = await send(
      world.nurse,
      files,
      files.map(() => ({ patient_id })),
    );
    expect(refused.status).toBe(400);
    expect(await readUploadRows(refused)).toEqual([]);
    const taken = await send(
      world.nurse,
      files.slice(1),
      files.slice(1).map(() => ({ patient_id })),
    );
    const { data } = await readJson(taken);
    expect(data).toHaveLength(100);
    expect(data.every(({ status }: { status: number }) => status === 201)).toBe(true);
    expect(await listReportIds(patient_id)).toHaveLength(100);
  });

  it("of one file many times makes one report", async () => {
    const pdf = newPdf();
    const { data } = await readJson(await send(world.nurse, Array(12).fill(pdf), Array(12).fill(mine()), withRandomDelays(env)));
    const by = Map.groupBy(data, (item: { status: number }) => item.status);
    expect([by.get(201)?.length, by.get(200)?.length]).toEqual([1, 11]);
    expect(new Set(data.map((item: { report_id: string }) => item.report_id)).size).toBe(1);
  });

  it("of a device goes to its patient, or to the queue", async () => {
    const bound = await newDevice(world.nurse, world.patient.id);
    const unbound = await newDevice(world.nurse, null);
    const statuses = async (as: As) =>
      (await readJson(await send(as, [newPdf(), newPdf()], undefined))).data.map((item: { status: number }) => item.status);
    expect(await statuses(bound)).toEqual([201, 201]);
    expect(await statuses(unbound)).toEqual([202, 202]);
  });

  it.each([
    ["no file", () => send(world.nurse, [], []), 400],
    ["fewer items than files", () => send(world.nurse, [newPdf(), newPdf()], [mine()]), 400],
    ["items that are no array", () => send(world.nurse, [newPdf()], { patient_id: 1 }), 400],
    ["items that are no JSON", () => send(world.nurse, [newPdf()], "[{"), 400],
    ["more than 10 MB together", () => send(world.nurse, [newPdf("a", 6e6), newPdf("b", 6e6)], [mine(), mine()]), 413],
    ["another type", () => sendRequest(`${API}/reports/batch`, { as: world.nurse, json: [] }), 415],
    ["no token", () => send({ token: "x" }, [newPdf()], [mine()]), 401],
  ])("with %s is refused as a whole", async (_, run, status) => {
    expect((await run()).status).toBe(status);
  });

  it("that ends half-way can be sent again: each file has one effect", async () => {
    let fired = 0;
    for (const when of ["before", "after"] as const) {
      for (const store of ["DB", "FILES"] as const) {
        for (let k = 1; k <= 12; k++) {
          const files = [newPdf(), newPdf(), newPdf()];
          const items = files.map(() => mine({ idempotency_key: `batch-${uniqueText()}`, metrics: { heart_rate: 60 } }));
          const before = (await listReportIds(world.patient.id)).length;
          const faulty = withStoreFault(env, k, when, store);
          const first = await send(world.nurse, files, items, faulty.env);
          if (!faulty.fault.fired) break;
          fired++;
          const text = await first.text();
          expect(text).not.toMatch(/injected|D1_ERROR/);
          if (first.status === 200) {
            for (const item of JSON.parse(text).data) expect([201, 503]).toContain(item.status);
          } else expect(first.status).toBe(503);
          const { data } = await readJson(await send(world.nurse, files, items));
          expect(data.map((item: { status: number }) => item.status)).toEqual([201, 201, 201]);
          expect((await listReportIds(world.patient.id)).length).toBe(before + 3);
        }
      }
    }
    expect(fired).toBeGreaterThan(20);
    await verifyEveryReport();
  });

  it("costs three round trips a file at most, and one for the form", async () => {
    const { env: counted, counts } = withCounters(env);
    const files = Array.from({ length: 10 }, () => newPdf());
    await send(
      world.nurse,
      files,
      files.map(() => mine({ idempotency_key: uniqueText() })),
      counted,
    );
    expect(counts.d1).toBeLessThanOrEqual(1 + 3 * files.length);
  });
});

describe("the file bytes of a day", () => {
  const MAX_BYTES_PER_DAY = STORAGE_LIMITS.device.files.day;
  const scope = (device: { id: string }) => `quota-day:m:${device.id}`;
  const used = (device: { id: string }) =>
    env.DB.prepare("SELECT n FROM counters WHERE scope = ? AND day = ? AND name = 'files'")
      .bind(scope(device), utcDayOf(Date.now()))
      .first<number>("n");
  const spendOf = (subject: string, n: number) =>
    env.DB.prepare(
      "INSERT INTO counters (scope, day, name, n) VALUES (?, CAST(? AS INTEGER), 'files', CAST(? AS INTEGER)) ON CONFLICT DO UPDATE SET n = excluded.n",
    )
      .bind(subject, utcDayOf(Date.now()), n)
      .run();
  const spend = (device: { id: string }, n: number) => spendOf(scope(device), n);

  it("are counted for what is stored, in the queue or not, and for nothing else", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const pdf = newPdf("counted", 5_000);
    await uploadReport(device, pdf, { metrics: '{"heart_rate":60}' });
    expect(await used(device)).toBe(pdf.length + 17);
    await uploadReport(device, pdf);
    await uploadReport(device, newPdf(), { confidence: "high" });
    expect(await used(device)).toBe(pdf.length + 17);
    const corrupt = newPdf().slice(3);
    await uploadReport(device, corrupt);
    expect(await used(device)).toBe(pdf.length + 17 + corrupt.length);
  });

  it("end with 429 and the seconds to midnight (UTC), in the queue too, and for people", async () => {
    const [bound, unbound] = [await newDevice(world.nurse, world.patient.id), await newDevice(world.nurse, null)];
    for (const device of [bound, unbound]) {
      await spend(device, MAX_BYTES_PER_DAY - 100);
      const objects = (await listStoredKeys()).length;
      const refused = await uploadReport(device, newPdf());
      expect({ status: refused.status, code: (await readJson(refused.clone())).code }).toEqual({
        status: 429,
        code: "quota_exceeded",
      });
      const wait = Number(refused.headers.get("retry-after"));
      expect(utcDayOf(Date.now() + wait * 1000)).toBe(utcDayOf(Date.now()) + 1);
      expect(wait).toBeLessThanOrEqual(86_400);
      expect(await readUploadRows(refused)).toMatchObject([{ outcome: "refused", reason: "quota_exceeded" }]);
      expect(await listStoredKeys()).toHaveLength(objects);
      expect(await used(device)).toBe(MAX_BYTES_PER_DAY - 100);
    }
    const { nurse, patient } = world;
    const today = (id: string) => `quota-day:u:${id}`;
    expect((await uploadReport(nurse, newPdf(), { patient_id: patient.id })).status).toBe(201);
    await spendOf(today(nurse.id), STORAGE_LIMITS.staff.files.day - 10);
    expect((await uploadReport(nurse, newPdf(), { patient_id: patient.id })).status).toBe(429);
    await spendOf(today(nurse.id), 0);
    await spendOf(today(world.self.id), STORAGE_LIMITS.patient.files.day - 10);
    expect((await uploadReport(world.self, newPdf())).status).toBe(429);
  });

  it("of a direct upload count when it begins, so that no links store more", async () => {
    const { nurse, patient } = world;
    await spendOf(`quota-day:u:${nurse.id}`, STORAGE_LIMITS.staff.files.day - 2_500);
    const begin = () =>
      sendRequest(`${API}/reports/direct`, { as: nurse, json: { patient_id: patient.id, size: 1000, sha256: "0".repeat(64) } });
    const statuses = (await Promise.all([begin(), begin(), begin()])).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([201, 201, 429]);
    await spendOf(`quota-day:u:${nurse.id}`, 0);
  });

  it.each([true, false])("hold exactly when 50 uploads come at once (bound: %s)", async (isBound) => {
    const device = await newDevice(world.nurse, isBound ? world.patient.id : null);
    const pdfs = Array.from({ length: 50 }, () => newPdf(uniqueText(), 1_000));
    const room = 7 * 1_000 + 500;
    await spend(device, MAX_BYTES_PER_DAY - room);
    const all = await Promise.all(pdfs.map((pdf) => uploadReport(device, pdf, {}, { env: withRandomDelays(env) })));
    const by = Map.groupBy(all, ({ status }) => status);
    expect(by.get(isBound ? 201 : 202)).toHaveLength(7);
    expect(by.get(429)).toHaveLength(43);
    expect(await used(device)).toBe(MAX_BYTES_PER_DAY - 500);
  });

  it("left no bytes of what was refused, and yesterday's counts go", async () => {
    await runCleanup(env, Date.now() + DAY_MS);
    expect((await listStoredKeys()).sort()).toEqual((await listReferencedKeys()).sort());
    const rows = env.DB.prepare("SELECT count(*) AS n FROM counters WHERE scope LIKE 'quota-day:%'");
    expect(await rows.first("n")).toBe(0);
    await verifyEveryReport();
  });
});
