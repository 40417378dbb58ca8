// Corrections of reports: values with history, the move to the right patient, and entered in error.
import { beforeAll, describe, expect, it } from "vitest";
import {
  API,
  env,
  link,
  newDevice,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type Patient,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  type UploadFields,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([newWorld(), newWorld()]);
});

type As = { token: string };
async function newReport(fields: UploadFields = {}, as: As = world.nurse, pdf = newPdf()): Promise<string> {
  const sent = await uploadReport(as, pdf, { patient_id: world.patient.id, ...fields });
  expect(sent.status).toBe(201);
  return (await readJson(sent)).data.report_id;
}

const act = (as: As, path: string, json: object, version: number | "*", options: RequestOptions = {}) =>
  sendRequest(`${API}${path}`, { as, json, headers: { "If-Match": version === "*" ? "*" : `"${version}"` }, ...options });
const correct = (as: As, id: string, json: object, version: number | "*" = "*") =>
  act(as, `/reports/${id}`, { reason: "test", ...json }, version, { method: "PATCH" });
const move = (as: As, id: string, to: Patient, version: number | "*" = "*", reason = "Two patients of one name") =>
  act(as, `/reports/${id}/move`, { patient_id: to.id, reason }, version);
const get = async (as: As, path: string) => (await readJson(await sendRequest(`${API}${path}`, { as }))).data;
const status = async (as: As, path: string) => {
  const response = await sendRequest(path.startsWith("http") ? path : `${API}${path}`, { as });
  await response.body?.cancel();
  return response.status;
};
const changesOf = (id: string, as: As = world.nurse) => get(as, `/reports/${id}/changes`);
const listedIds = async (as: As, query: string) =>
  (await get(as, `/reports?limit=100&${query}`)).map(({ report_id }: { report_id: string }) => report_id);
const totals = async (as: As, query: string) =>
  (await readJson(await sendRequest(`${API}/reports?limit=1&${query}`, { as }))).meta.pagination.total;

describe("a correction", () => {
  it("changes time, kind and comment, keeps what they were, and seals both", async () => {
    const id = await newReport({ recorded_at: "2026-01-02T03:04:05Z", metrics: '{"heart_rate":72,"spo2_percent":97}' });
    const changed = await correct(
      world.nurse,
      id,
      { recorded_at: "2026-01-03T03:04:05Z", kind: "oxygen", comment: "unmistakable", reason: "The clock was a day behind" },
      1,
    );
    expect(changed.status).toBe(200);
    expect((await readJson(changed)).data).toMatchObject({
      version: 2,
      kind: "oxygen",
      status: "preliminary",
      effective_at: "2026-01-03T03:04:05.000Z",
      comment: "unmistakable",
    });
    expect(await get(world.doctor, `/reports/${id}`)).toMatchObject({
      comment: "unmistakable",
      kind: "oxygen",
      metric_flags: [{ name: "heart_rate", code: "unknown" }],
    });
    expect((await correct(world.doctor, id, { comment: null, reason: "Not needed" }, 2)).status).toBe(200);
    expect(await changesOf(id)).toMatchObject([
      {
        what: "corrected",
        version: 3,
        changed_by: world.doctor.id,
        before: { comment: "unmistakable" },
        after: { comment: null },
      },
      {
        what: "corrected",
        version: 2,
        changed_by: world.nurse.id,
        reason: "The clock was a day behind",
        from_patient_id: null,
        before: { effective_at: "2026-01-02T03:04:05.000Z", kind: "ecg", comment: null },
        after: { effective_at: "2026-01-03T03:04:05.000Z", kind: "oxygen", comment: "unmistakable" },
      },
    ]);
    const rows = await env.DB.prepare("SELECT * FROM report_changes WHERE report_id = ?").bind(id).all();
    const report = await env.DB.prepare("SELECT * FROM reports WHERE id = ?").bind(id).first();
    expect(JSON.stringify([rows.results, report])).not.toMatch(/unmistakable|clock/);
    const events = await readAuditEvents(changed.headers.get("x-request-id") ?? "");
    expect(events).toMatchObject([{ event: "report.correct", action: "U", subjects: [world.patient.id] }]);
    expect(JSON.stringify(events)).not.toMatch(/unmistakable|clock/);
  });

  it("moves the report between the totals of its kinds", async () => {
    const stats = async () => (await get(world.manager, "/reports/stats")).by_kind;
    await newReport();
    const id = await newReport();
    const before = await stats();
    await correct(world.nurse, id, { kind: "cpap" });
    expect(await stats()).toEqual({ ...before, ecg: before.ecg - 1, cpap: (before.cpap ?? 0) + 1 });
    expect(await totals(world.nurse, `patient_id=${world.patient.id}&kind=cpap`)).toBe(
      (await listedIds(world.nurse, `patient_id=${world.patient.id}&kind=cpap`)).length,
    );
  });

  it("needs the version, a reason and a change; one that changes nothing leaves no entry", async () => {
    const id = await newReport();
    const path = `${API}/reports/${id}`;
    const bare = await sendRequest(path, { as: world.nurse, method: "PATCH", json: { kind: "other", reason: "x" } });
    expect(bare.status).toBe(428);
    expect((await correct(world.nurse, id, { kind: "other" }, 2)).status).toBe(412);
    for (const json of [
      { kind: "sonar" },
      { reason: "" },
      {},
      { recorded_at: "yesterday" },
      { recorded_at: "2099-01-01T00:00:00Z" },
      { status: "final" },
    ])
      expect((await correct(world.nurse, id, json)).status, JSON.stringify(json)).toBe(400);
    expect((await correct(world.nurse, id, { kind: "ecg", status: "preliminary" }, 1)).status).toBe(200);
    expect(await changesOf(id)).toEqual([]);
    expect(await get(world.nurse, `/reports/${id}`)).toMatchObject({ version: 1 });
  });

  it.each(["0000-01-01T00:00", "0000-01-01T00:00:00Z", "1969-12-30T00:00"])(
    "to the time %s says that it is out of range",
    async (recorded_at) => {
      const refused = await readJson(await correct(world.nurse, await newReport(), { recorded_at }));
      expect(refused.errors).toMatchObject([{ path: "recorded_at", code: "invalid_format" }]);
    },
  );

  it("of two at once of one version is made once", async () => {
    const id = await newReport();
    const answers = await Promise.all(["a", "b", "c"].map((comment) => correct(world.nurse, id, { comment }, 1)));
    expect(answers.map((response) => response.status).sort()).toEqual([200, 412, 412]);
    expect(await changesOf(id)).toHaveLength(1);
  });
});

describe("a move", () => {
  let target: Patient;
  let self: Person;
  beforeAll(async () => {
    target = await newPatient(world.hospitalId, world.nurse);
    self = await newPerson("patient");
    await link(self, target);
  });

  it("takes the report to the right record; links end, both logs say so, and a mark without content stays", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const pdf = newPdf();
    const id = await newReport({ patient_id: undefined, metrics: '{"heart_rate":61}', fileName: "verma.pdf" }, device, pdf);
    const { download_url } = await get(world.nurse, `/reports/${id}`);
    expect(await status(world.nurse, download_url)).toBe(200);
    const counted = async () => [
      await totals(world.nurse, `patient_id=${world.patient.id}`),
      await totals(world.nurse, `patient_id=${target.id}`),
      await totals(world.nurse, ""),
    ];
    const [from = 0, to = 0, all = 0] = await counted();
    const moved = await move(world.nurse, id, target, 1, "Meant for the neighbour");
    expect(moved.status).toBe(200);
    expect((await readJson(moved)).data).toMatchObject({ version: 2, patient: { patient_id: target.id } });
    expect(await counted()).toEqual([from - 1, to + 1, all]);
    expect(await listedIds(self, "")).toContain(id);
    expect(await listedIds(world.self, "")).not.toContain(id);
    expect(await get(self, `/reports/${id}`)).toMatchObject({ metrics: { heart_rate: 61 }, file_name: "verma.pdf" });
    const file = await sendRequest(`${API}/reports/${id}/file`, { as: self });
    expect(Buffer.from(await file.arrayBuffer()).equals(Buffer.from(pdf))).toBe(true);

    // The old place: not found, the earlier link ended, a mark that names neither content nor the other patient.
    expect(await status(world.self, `/reports/${id}`)).toBe(404);
    const old = await sendRequest(download_url, {});
    expect([old.status, (await readJson(old)).code]).toEqual([410, "link_expired"]);
    expect(await status(world.nurse, (await get(world.nurse, `/reports/${id}`)).download_url)).toBe(200);
    const marks = await get(world.self, `/patients/${world.patient.id}/moved-reports`);
    expect(marks).toEqual([{ mark_id: expect.any(String), moved_at: expect.any(String) }]);
    expect(await get(self, `/patients/${target.id}/moved-reports`)).toEqual([]);

    const events = await readAuditEvents(moved.headers.get("x-request-id") ?? "");
    expect(events.map(({ event, subjects }) => [event, subjects])).toEqual([
      ["report.moved_out", [world.patient.id]],
      ["report.moved_in", [target.id]],
    ]);
    for (const [person, patient, event] of [
      [world.self, world.patient, "report.moved_out"],
      [self, target, "report.moved_in"],
    ] as const) {
      const log = await get(person, `/audit-events?patient_id=${patient.id}&limit=100`);
      expect(log.map((entry: { event: string }) => entry.event)).toContain(event);
    }
    // The device's retry of the same file is still one report.
    const again = await readJson(await uploadReport(device, pdf));
    expect(again.data).toMatchObject({ duplicate_of: id });
  });

  it("changes whose report the upload log shows, and to whom an assignment is repeated", async () => {
    const device = await newDevice(world.nurse, null);
    const held = (await readJson(await uploadReport(device, newPdf()))).data.upload_id;
    const assign = (to: Patient) =>
      sendRequest(`${API}/uploads/${held}/assign`, { as: world.nurse, json: { patient_id: to.id } });
    expect((await assign(world.patient)).status).toBe(201);
    for (const id of [held, await newReport()]) {
      expect((await move(world.nurse, id, target)).status).toBe(200);
      const read = await sendRequest(`${API}/uploads/${id}`, { as: world.nurse });
      expect((await readJson(read)).data).toMatchObject({ report_id: id, patient_id: target.id });
      expect(await readAuditEvents(read.headers.get("x-request-id") ?? "")).toMatchObject([
        { event: "upload.read", subjects: [target.id] },
      ]);
      const list = await sendRequest(`${API}/uploads?limit=100`, { as: world.nurse });
      const listed = (await readJson(list)).data.find((item: { upload_id: string }) => item.upload_id === id);
      expect(listed).toMatchObject({ report_id: id, patient_id: target.id });
      const [event] = await readAuditEvents(list.headers.get("x-request-id") ?? "");
      expect(event?.subjects).toContain(target.id);
    }
    expect((await assign(world.patient)).status).toBe(409);
    const again = await assign(target);
    expect([again.status, (await readJson(again)).data.report_id]).toEqual([200, held]);
  });

  it("ends the retries of the upload: 409 report_moved, which names nobody, and the report stays one", async () => {
    const retry = { headers: { "Idempotency-Key": "lost-answer-1" } };
    const other = { headers: { "Idempotency-Key": "lost-answer-2" } };
    const pdf = newPdf();
    const raw = newPdf();
    const rawRetry = { headers: { "Idempotency-Key": "lost-answer-3" } };
    const send = (options: RequestOptions, as: As = world.self) => uploadReport(as, pdf, {}, options);
    const sendRaw = () => uploadRaw(world.self, raw, "", rawRetry);
    const id = (await readJson(await send(retry))).data.report_id;
    expect((await readJson(await send(other))).data).toMatchObject({ duplicate_of: id });
    const rawId = (await readJson(await sendRaw())).data.report_id;
    for (const one of [id, rawId]) expect((await move(world.nurse, one, target)).status).toBe(200);
    for (const answer of [await send(retry), await send(other), await sendRaw(), await send(retry)]) {
      const problem = await readJson(answer);
      expect([answer.status, problem.code]).toEqual([409, "report_moved"]);
      for (const hidden of [id, rawId, target.id]) expect(JSON.stringify(problem)).not.toContain(hidden);
      expect(await readAuditEvents(answer.headers.get("x-request-id") ?? "")).toMatchObject([
        { event: "report.refuse", outcome: "failed", reason: "report_moved", subjects: [world.patient.id] },
      ]);
    }
    expect(await listedIds(world.self, "")).not.toContain(id);
    // Without the key it is a new upload: its sender says once more whose it is.
    const anew = await uploadRaw(world.self, raw);
    expect([anew.status, (await readJson(anew)).data.report_id === rawId]).toEqual([201, false]);
    // A device reads what it sent, wherever that is.
    const device = await newDevice(world.nurse, world.patient.id);
    const own = newPdf();
    const sendOwn = (key: string) => uploadReport(device, own, {}, { headers: { "Idempotency-Key": key } });
    const keys = ["of-a-device-1", "of-a-device-2"];
    const answers = async () => {
      const all = [];
      for (const key of keys) {
        const answer = await sendOwn(key);
        all.push([answer.status, (await readJson(answer)).data.report_id]);
      }
      return all;
    };
    const sent = await answers();
    expect(sent).toEqual([
      [201, sent[0]?.[1]],
      [200, sent[0]?.[1]],
    ]);
    expect((await move(world.nurse, String(sent[0]?.[1]), target)).status).toBe(200);
    expect(await answers()).toEqual(sent);
    // Back in the record, the retry is the report again.
    expect((await move(world.nurse, id, world.patient)).status).toBe(200);
    const again = await send(retry);
    expect([again.status, (await readJson(again)).data.report_id]).toEqual([201, id]);
  });

  it("is in the history of the report, with the record that it left for those who see all of the hospital", async () => {
    const id = await newReport();
    await act(world.manager, `/reports/${id}/move`, { patient_id: world.stranger.id, reason: "Wrong bed" }, "*");
    expect(await changesOf(id)).toMatchObject([
      { what: "moved", reason: "Wrong bed", from_patient_id: world.patient.id, before: {}, after: {} },
    ]);
    expect(await status(world.doctor, `/reports/${id}/changes`)).toBe(404);
    expect((await act(world.nurse, `/reports/${id}/move`, { patient_id: world.patient.id, reason: "Back" }, "*")).status).toBe(
      200,
    );
    expect((await changesOf(id, world.doctor)).map((entry: { from_patient_id: string | null }) => entry.from_patient_id)).toEqual(
      [null, null],
    );
  });

  it("is refused across hospitals, to patients the caller may not see, without rights and on a stale version", async () => {
    const id = await newReport();
    expect((await move(world.nurse, id, other.patient)).status).toBe(404);
    expect((await move(world.admin, id, other.patient)).status).toBe(404);
    expect((await move(world.doctor, id, world.stranger)).status).toBe(404);
    expect((await move(other.nurse, id, other.patient)).status).toBe(404);
    const device = await newDevice(world.nurse, world.patient.id);
    for (const as of [world.self, device]) {
      expect((await move(as, id, world.patient)).status).toBe(403);
      expect((await correct(as, id, { kind: "other" })).status).toBe(403);
      expect(await status(as, `/reports/${id}/changes`)).toBe(403);
    }
    expect((await move(world.nurse, id, target, 7)).status).toBe(412);
    expect(await get(world.nurse, `/reports/${id}`)).toMatchObject({ version: 1, patient: { patient_id: world.patient.id } });
    expect(await changesOf(id)).toEqual([]);
  });

  it("to a patient who has the same file is a conflict", async () => {
    const pdf = newPdf();
    const id = await newReport({}, world.nurse, pdf);
    await newReport({ patient_id: target.id }, world.nurse, pdf);
    const refused = await move(world.nurse, id, target);
    expect([refused.status, (await readJson(refused)).code]).toEqual([409, "conflict"]);
    const event = { event: "report.move", outcome: "failed", reason: "conflict", entity_id: id };
    const [recorded, ...more] = await readAuditEvents(refused.headers.get("x-request-id") ?? "");
    expect([recorded, more]).toMatchObject([event, []]);
    expect(new Set(recorded?.subjects)).toEqual(new Set([world.patient.id, target.id]));
    expect(await get(world.nurse, `/reports/${id}`)).toMatchObject({ version: 1 });
  });
});

describe("a report that was entered in error", () => {
  it("leaves lists and totals, stays readable and marked, and can come back", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const patient_id = patient.id;
    const pdf = newPdf();
    const id = await newReport({ patient_id, confidence: "0.5" }, world.nurse, pdf);
    const kept = await newReport({ patient_id, confidence: "1" });
    const stats = async () => {
      const { total, average_confidence, by_day } = await get(world.manager, "/reports/stats?days=1");
      return { total, average_confidence, today: by_day[0].n };
    };
    const before = await stats();
    expect((await correct(world.nurse, id, { status: "entered-in-error", reason: "Test print" }, 1)).status).toBe(200);
    expect(await listedIds(world.nurse, `patient_id=${patient_id}`)).toEqual([kept]);
    expect(await totals(world.nurse, `patient_id=${patient_id}`)).toBe(1);
    expect(await listedIds(world.nurse, `patient_id=${patient_id}&status=entered-in-error`)).toEqual([id]);
    expect(await totals(world.nurse, `patient_id=${patient_id}&status=entered-in-error`)).toBe(1);
    expect((await stats()).total).toBe(before.total - 1);
    expect((await stats()).today).toBe(before.today - 1);
    const summary = await get(world.nurse, `/patients/${patient_id}/summary`);
    expect(summary).toMatchObject({ reports: { total: 1 }, latest_report: { report_id: kept } });
    expect(await get(world.nurse, `/reports/${id}`)).toMatchObject({ status: "entered-in-error" });
    expect(await status(world.nurse, `/reports/${id}/file`)).toBe(200);
    // A new upload of the file says what became of the first.
    const again = await readJson(await uploadReport(world.nurse, pdf, { patient_id }));
    expect(again.data).toMatchObject({ duplicate_of: id, status: "entered-in-error" });
    expect((await correct(world.nurse, id, { status: "preliminary", reason: "It was his after all" }, 2)).status).toBe(200);
    expect(await stats()).toEqual(before);
    expect((await changesOf(id)).map(({ what }: { what: string }) => what)).toEqual(["restored", "entered_in_error"]);
    expect((await listedIds(world.nurse, `patient_id=${patient_id}`)).sort()).toEqual([id, kept].sort());
  });
});
