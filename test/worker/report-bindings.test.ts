// A device's report is filed for the patient to whom the device was assigned when it was measured, or goes to quarantine.
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DIRECT_UPLOAD_PREFIX } from "../../src/reports/upload/direct-upload.ts";
import { times } from "../long.ts";
import { withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  newDevice,
  newPatient,
  newPdf,
  newWorld,
  readJson,
  sendRequest,
  sha256,
  uploadReport,
  type World,
} from "../world.ts";

const MINUTE = 60_000;
const DAY = 24 * 3600_000;

let world: World;
let device: Awaited<ReturnType<typeof newDevice>>;
beforeAll(async () => {
  world = await newWorld();
});
beforeEach(async () => {
  device = await newDevice(world.nurse, null);
});

type Pdf = Uint8Array<ArrayBuffer>;
type Span = { patient: string; from: number; until: number | null };
const A = () => world.patient.id;
const B = () => world.stranger.id;
const iso = (at: number) => new Date(at).toISOString();
/** A time after what has happened and before what happens next, which may be in this millisecond. */
const justNow = () => iso(Date.now() - 1);

/** Assignments of the device in the past; ages in milliseconds before now. */
async function assigned(...spans: { patient: string; from: number; until?: number }[]): Promise<void> {
  const now = Date.now();
  for (const { patient, from, until } of spans) {
    await env.DB.prepare(
      "INSERT INTO device_assignments (id, device_id, patient_id, started_at, ended_at, created_by) VALUES (?, ?, ?, CAST(? AS INTEGER), CAST(? AS INTEGER), 'test')",
    )
      .bind(crypto.randomUUID(), device.id, patient, now - from, until === undefined ? null : now - until)
      .run();
  }
}

const rebind = async (patient_id: string) =>
  expect((await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id } })).status).toBe(
    201,
  );
const unbind = () => sendRequest(`${API}/devices/${device.id}/assignments/current`, { as: world.nurse, method: "DELETE" });

async function patientOf(reportId: string): Promise<string> {
  const { data } = await readJson(await sendRequest(`${API}/reports/${reportId}`, { as: world.nurse }));
  return data.patient.patient_id;
}

/** The patient whose report the answer's file became, or the reason for its quarantine. */
async function outcome(response: Response): Promise<string> {
  const { data } = await readJson(response);
  if (response.status !== 202) return patientOf(data.report_id);
  expect(data).toMatchObject({ report_id: null, status: "quarantined" });
  const { data: row } = await readJson(await sendRequest(`${API}/uploads/${data.upload_id}`, { as: world.nurse }));
  expect(row).toMatchObject({ outcome: "quarantined", reason: data.reason, device_id: device.id });
  return data.reason;
}

const upload = async (fields: Record<string, string> = {}) => outcome(await uploadReport(device, newPdf(), fields));
const at = (age: number, fields = {}) => upload({ recorded_at: iso(Date.now() - age), ...fields });

describe("a report of a device that was moved", () => {
  it("belongs to the patient of its time of measurement", async () => {
    await rebind(A());
    expect(await upload()).toBe(A());
    const measured = justNow();
    await rebind(B());
    expect(await upload({ recorded_at: measured })).toBe(A());
    expect(await at(0)).toBe(B());
    await unbind();
    expect(await upload({ recorded_at: measured })).toBe(A());
  });

  it("without a time goes to quarantine, unless the device names its patient", async () => {
    await assigned({ patient: A(), from: 9 * DAY, until: 6 * DAY }, { patient: B(), from: 6 * DAY });
    expect(await upload()).toBe("binding_changed");
    expect(await upload({ patient_id: B() })).toBe(B());
    expect(await upload({ patient_id: A() })).toBe("not_found");
  });

  it("without a time is clear when the move is older than devices stay offline", async () => {
    await assigned({ patient: A(), from: 30 * DAY, until: 8 * DAY }, { patient: B(), from: 8 * DAY });
    expect(await upload()).toBe(B());
  });

  it("without a time is clear for the first patient, and for one who was assigned it again without a gap", async () => {
    await assigned({ patient: A(), from: DAY, until: 3600_000 }, { patient: A(), from: 3600_000 });
    expect(await upload()).toBe(A());
  });

  it("without a time is unclear after a gap in which the device was nobody's", async () => {
    await assigned({ patient: A(), from: DAY, until: 7200_000 }, { patient: A(), from: 3600_000 });
    expect(await upload()).toBe("binding_changed");
    expect(await at(5400_000)).toBe("not_bound_then");
    expect(await at(2 * 7200_000)).toBe(A());
  });

  it.each([
    ["before any assignment", 40 * DAY, "not_bound_then"],
    ["in an assignment that ended eight days ago", 10 * DAY, "binding_ended"],
    ["three minutes ahead", -3 * MINUTE, "in_the_future"],
    ["ten days ahead", -10 * DAY, "in_the_future"],
  ])("measured %s goes to quarantine with this reason", async (_, age, reason) => {
    await assigned({ patient: A(), from: 20 * DAY, until: 8 * DAY }, { patient: B(), from: 8 * DAY });
    expect(await at(age)).toBe(reason);
  });

  it("measured at most two minutes ahead is the current patient's", async () => {
    await assigned({ patient: A(), from: DAY, until: 3600_000 }, { patient: B(), from: 3600_000 });
    expect(await at(-MINUTE)).toBe(B());
  });

  it("honours the patient that the device names, only if it was assigned to that patient then", async () => {
    await assigned({ patient: A(), from: DAY, until: 3600_000 }, { patient: B(), from: 3600_000 });
    expect(await at(7200_000, { patient_id: A() })).toBe(A());
    expect(await at(7200_000, { patient_id: B() })).toBe("not_found");
    expect(await at(0, { patient_id: A() })).toBe("not_found");
  });

  it("goes the same way in a batch", async () => {
    await assigned({ patient: A(), from: DAY, until: 3600_000 }, { patient: B(), from: 3600_000 });
    const items = [
      { recorded_at: iso(Date.now() - 7200_000) },
      { recorded_at: iso(Date.now()) },
      {},
      { recorded_at: iso(Date.now() - 2 * DAY) },
    ];
    const body = new FormData();
    for (const [i] of items.entries()) body.append("file", new File([newPdf()], `${i}.pdf`, { type: "application/pdf" }));
    body.append("items", JSON.stringify(items));
    const { data } = await readJson(await sendRequest(`${API}/reports/batch`, { as: device, body }));
    expect(data.map(({ status, code }: { status: number; code: string }) => [status, code])).toEqual([
      [201, null],
      [201, null],
      [202, "binding_changed"],
      [202, "not_bound_then"],
    ]);
    expect([await patientOf(data[0].report_id), await patientOf(data[1].report_id)]).toEqual([A(), B()]);
  });

  it("assigned by staff from quarantine is never of the future", async () => {
    await rebind(A());
    const sent = await readJson(await uploadReport(device, newPdf(), { recorded_at: iso(Date.now() + 10 * DAY) }));
    const { data } = await readJson(
      await sendRequest(`${API}/uploads/${sent.data.upload_id}/assign`, { as: world.nurse, json: { patient_id: A() } }),
    );
    const report = await readJson(await sendRequest(`${API}/reports/${data.report_id}`, { as: world.nurse }));
    expect(Date.parse(report.data.effective_at)).toBeLessThanOrEqual(Date.now());
  });
});

it("a person's report is refused when it is of the future", async () => {
  const sent = await uploadReport(world.nurse, newPdf(), { patient_id: A(), recorded_at: iso(Date.now() + 3 * MINUTE) });
  expect([sent.status, (await readJson(sent)).errors]).toMatchObject([400, [{ path: "recorded_at", code: "in_the_future" }]]);
});

describe("a device that is moved while its file arrives", () => {
  async function interrupted(query: string): Promise<Response> {
    const pdf = newPdf(undefined, 5_000);
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(pdf.slice(0, 2_000));
        await rebind(B());
        controller.enqueue(pdf.slice(2_000));
        controller.close();
      },
    });
    const length = { "Content-Type": "application/pdf", "Content-Length": String(pdf.length) };
    const headers = { ...length, "X-Content-SHA256": await sha256(pdf) };
    return sendRequest(`${API}/reports/raw${query}`, { as: device, method: "POST", headers, body });
  }

  it("files it by its time of measurement", async () => {
    await rebind(A());
    expect(await outcome(await interrupted(`?recorded_at=${justNow()}`))).toBe(A());
  });

  it("puts it into quarantine without a time", async () => {
    await rebind(A());
    expect(await outcome(await interrupted(""))).toBe("binding_changed");
  });
});

describe("a direct upload of a device that was moved", () => {
  const begin = async (pdf: Pdf, more: object = {}, headers = {}) => {
    const json = { size: pdf.length, sha256: await sha256(pdf), metrics: { heart_rate: 71 }, ...more };
    return sendRequest(`${API}/reports/direct`, { as: device, json, headers });
  };
  const confirm = (id: string, on = env) =>
    sendRequest(`${API}/reports/direct/${id}/confirm`, { as: device, method: "POST", env: on });
  async function sent(pdf: Pdf, more: object = {}): Promise<string> {
    const begun = await begin(pdf, more);
    expect(begun.status).toBe(201);
    const id: string = (await readJson(begun)).data.upload_id;
    const key = await env.DB.prepare("SELECT incoming_key FROM uploads WHERE id = ?").bind(id).first<string>("incoming_key");
    await env.FILES.put(key ?? "", pdf);
    return id;
  }

  it("belongs to the patient of its time of measurement, or of its beginning", async () => {
    await rebind(A());
    const measured = justNow();
    const begun = await sent(newPdf());
    await rebind(B());
    expect(await outcome(await confirm(begun))).toBe(A());
    expect((await confirm(begun)).status).toBe(201);
    const earlier = await sent(newPdf(), { recorded_at: measured });
    await unbind();
    expect(await outcome(await confirm(earlier))).toBe(A());
  });

  it("begun again with its key after the move is the same upload", async () => {
    await rebind(A());
    const [pdf, headers] = [newPdf(), { "Idempotency-Key": "direct-moved-device" }];
    const first = await readJson(await begin(pdf, {}, headers));
    await rebind(B());
    const again = await begin(pdf, {}, headers);
    expect([again.status, (await readJson(again)).data.upload_id]).toEqual([201, first.data.upload_id]);
  });

  it("of a file that is another patient's report goes to quarantine", async () => {
    await assigned({ patient: A(), from: DAY, until: 3600_000 }, { patient: B(), from: 3600_000 });
    const pdf = newPdf();
    const [ofA, ofB] = [iso(Date.now() - 7200_000), iso(Date.now())];
    const [first, second, silent] = [
      await sent(pdf, { recorded_at: ofA }),
      await sent(pdf, { recorded_at: ofB }),
      await sent(pdf),
    ];
    expect(await outcome(await confirm(first))).toBe(A());
    expect(await outcome(await confirm(second))).toBe("same_file_elsewhere");
    const retried = await confirm(silent);
    expect([retried.status, (await readJson(retried)).data.duplicate_of]).toEqual([200, first]);
  });

  it("of an unclear patient goes to quarantine, once, and staff can assign it", async () => {
    await assigned({ patient: A(), from: DAY, until: 3600_000 }, { patient: B(), from: 3600_000 });
    const pdf = newPdf("large", 70_000);
    const [id, again] = [await sent(pdf), await sent(pdf)];
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => confirm(id, withRandomDelays(env))));
    for (const response of all) expect(await outcome(response.clone())).toBe("binding_changed");
    for (const response of [...all, await confirm(again)]) {
      expect(response.status).toBe(202);
      expect((await readJson(response)).data).toEqual({
        upload_id: id,
        report_id: null,
        status: "quarantined",
        reason: "binding_changed",
      });
    }
    expect((await env.FILES.list({ prefix: DIRECT_UPLOAD_PREFIX })).objects).toEqual([]);
    const file = await sendRequest(`${API}/uploads/${id}/file`, { as: world.nurse });
    expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(await sha256(pdf));
    const assignedTo = await sendRequest(`${API}/uploads/${id}/assign`, { as: world.nurse, json: { patient_id: A() } });
    expect([assignedTo.status, (await readJson(assignedTo)).data.report_id]).toEqual([201, id]);
    const { data } = await readJson(await sendRequest(`${API}/reports/${id}`, { as: world.nurse }));
    expect(data).toMatchObject({ heart_rate: 71, uploaded_by: { kind: "device", id: device.id } });
    expect((await confirm(id)).status).toBe(200);
  });
});

describe("the same file of a device that was moved", () => {
  const reportsOf = async (pdf: Pdf) =>
    (
      await env.DB.prepare("SELECT id, patient_id FROM reports WHERE sha256 = ?")
        .bind(await sha256(pdf))
        .all()
    ).results;
  const move = async () => assigned({ patient: A(), from: DAY, until: 3600_000 }, { patient: B(), from: 3600_000 });
  const ofA = () => ({ recorded_at: iso(Date.now() - 7200_000) });
  const ofB = () => ({ recorded_at: iso(Date.now()) });

  it("sent again without a word of patient or time is the first report", async () => {
    const pdf = newPdf();
    await rebind(A());
    const { data: first } = await readJson(await uploadReport(device, pdf));
    for (const change of [() => rebind(B()), unbind]) {
      await change();
      const again = await uploadReport(device, pdf);
      expect(again.status).toBe(200);
      const text = await again.text();
      expect(JSON.parse(text).data).toMatchObject({ report_id: first.report_id, duplicate_of: first.report_id, cloud_url: null });
      expect(text).not.toContain(A());
      expect(await reportsOf(pdf)).toEqual([{ id: first.report_id, patient_id: A() }]);
    }
    const { data: log } = await readJson(await sendRequest(`${API}/uploads?outcome=duplicate&limit=1`, { as: world.nurse }));
    expect(log[0]).toMatchObject({ report_id: first.report_id, patient_id: A() });
  });

  it("sent for the time of another patient goes to quarantine, once, and tells the device no more than that", async () => {
    const pdf = newPdf();
    await move();
    const { data: first } = await readJson(await uploadReport(device, pdf, ofA()));
    expect((await readJson(await uploadReport(device, pdf, ofA()))).data.duplicate_of).toBe(first.report_id);
    const refused = await uploadReport(device, pdf, ofB());
    expect(refused.status).toBe(202);
    const text = await refused.text();
    for (const id of [A(), B(), first.report_id]) expect(text).not.toContain(id);
    const { upload_id, reason } = JSON.parse(text).data;
    expect(reason).toBe("same_file_elsewhere");
    expect((await readJson(await uploadReport(device, pdf, { patient_id: B() }))).data).toMatchObject({ upload_id, reason });
    expect(await reportsOf(pdf)).toHaveLength(1);
    const json = { patient_id: B() };
    expect((await sendRequest(`${API}/uploads/${upload_id}/assign`, { as: world.nurse, json })).status).toBe(201);
  });

  it("that a person has filed for another patient goes to quarantine; one of another hospital does not matter", async () => {
    const [pdf, foreign, other] = [newPdf(), newPdf(), await newWorld()];
    await rebind(B());
    await uploadReport(world.nurse, pdf, { patient_id: A() });
    await uploadReport(other.nurse, foreign, { patient_id: other.patient.id });
    expect(await outcome(await uploadReport(device, pdf))).toBe("same_file_elsewhere");
    expect(await outcome(await uploadReport(device, foreign))).toBe(B());
    expect((await uploadReport(world.nurse, pdf, { patient_id: B() })).status).toBe(201);
  });

  it("sent for two patients at once is filed for one", async () => {
    await move();
    for (let round = 0; round < times(3, 20); round++) {
      const pdf = newPdf();
      const options = { env: withRandomDelays(env) };
      const all = await Promise.all([ofA(), ofB(), ofA(), ofB()].map((fields) => uploadReport(device, pdf, fields, options)));
      expect(await reportsOf(pdf)).toHaveLength(1);
      const statuses = all.map(({ status }) => status).toSorted();
      expect(statuses[1]).toBe(201);
      expect(statuses.slice(2)).toEqual([202, 202]);
    }
  });

  it("would be filed for both if only the search before decided: the race is real", async () => {
    const hash = await sha256(newPdf());
    const filed = new Set<string>();
    const naive = async (patient: string, on: Env) => {
      if (await on.DB.prepare("SELECT 1 FROM reports WHERE sha256 = ?").bind(hash).first()) return;
      filed.add(patient);
    };
    await Promise.all([naive(A(), withRandomDelays(env)), naive(B(), withRandomDelays(env))]);
    expect(filed.size).toBe(2);
  });
});

it("in any history of assignments, a report is never filed for a patient whose it was not", async () => {
  const patients = [A(), B(), (await newPatient(world.hospitalId, world.nurse)).id];
  const step = fc.record({ days: fc.integer({ min: 1, max: 9 }), patient: fc.integer({ min: -1, max: 2 }) });
  const histories = fc.sample(fc.array(step, { minLength: 1, maxLength: 6 }), { numRuns: times(4, 30), seed: 20_261_129 });
  for (const history of histories) {
    device = await newDevice(world.nurse, null);
    const now = Date.now();
    const spans: Span[] = [];
    let from = now - history.reduce((sum, { days }) => sum + days * DAY, 0);
    for (const [i, { days, patient }] of history.entries()) {
      const until = i === history.length - 1 ? null : from + days * DAY;
      const id = patients[patient];
      if (id) spans.push({ patient: id, from, until });
      from += days * DAY;
    }
    await assigned(
      ...spans.map(({ patient, from, until }) => ({ patient, from: now - from, ...(until && { until: now - until }) })),
    );
    for (const age of fc.sample(fc.integer({ min: -1, max: 40 }), { numRuns: 4, seed: history.length })) {
      const measured = now - age * DAY - 3600_000;
      const then = spans.find(({ from, until }) => measured >= from && (until === null || measured < until));
      const filed = await upload({ recorded_at: iso(measured) });
      if (patients.includes(filed)) expect(filed, JSON.stringify({ history, age })).toBe(then?.patient);
      else expect(then === undefined || (then.until ?? now) < now - 6 * DAY || measured > now, `${filed} ${age}`).toBe(true);
    }
    const recent = new Set(spans.filter(({ until }) => until === null || until > now - 7 * DAY).map(({ patient }) => patient));
    const silent = await upload();
    if (patients.includes(silent)) expect([...recent]).toEqual([silent]);
  }
});
