// Metrics per kind of report: values from devices stay unchanged, invalid ones are rejected by field.
import { beforeAll, describe, expect, it } from "vitest";
import { REPORT_KINDS } from "../../src/platform/db/vocabulary.ts";
import {
  API,
  env,
  newDevice,
  newPdf,
  newPerson,
  newWorld,
  readJson,
  sendRequest,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";
import { listStoredKeys, readUploadRows } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const send = (kind: string, metrics: string, as = world.nurse) =>
  uploadReport(as, newPdf(), { patient_id: world.patient.id, kind, metrics });

async function detailOf(response: Response) {
  expect(response.status).toBe(201);
  return (await readJson(await sendRequest(`${API}/reports/${(await readJson(response)).data.report_id}`, { as: world.doctor })))
    .data;
}

const FULL: Record<string, [Record<string, unknown>, number | null]> = {
  ecg: [
    {
      heart_rate: 72,
      rr_interval_ms: 833.3,
      p_duration_ms: 108,
      pr_interval_ms: 158,
      qrs_duration_ms: 96,
      qt_interval_ms: 388,
      qtc_bazett_ms: 425,
      qtc_fridericia_ms: 412,
      p_axis_deg: -30,
      qrs_axis_deg: 60,
      t_axis_deg: 355,
      interpretation: "Sinus rhythm · सामान्य",
    },
    72,
  ],
  cpap: [{ ahi: 3.4, usage_hours: 7.25, pressure_cmh2o: 9.5, leak_l_min: 12 }, null],
  bipap: [{ ahi: 1, usage_hours: 0, ipap_cmh2o: 16, epap_cmh2o: 8, respiratory_rate: 14, tidal_volume_ml: 480 }, null],
  oxygen: [{ spo2_percent: 94.5, flow_l_min: 2, fio2_percent: 28, pulse_rate: 81 }, 81],
  consultation: [{ summary: "free" }, null],
  other: [{ heart_rate: 0 }, 0],
};

describe("metrics", () => {
  it.each(REPORT_KINDS)("of %s are returned as sent, with unknown keys", async (kind) => {
    const [known, rate] = FULL[kind] ?? [{}, null];
    const metrics = { ...known, vendor: { nested: [1, null, { "x.y": "é" }] }, "": "an empty key", huge: 1e300 };
    const report = await detailOf(await send(kind, JSON.stringify(metrics)));
    expect(report).toMatchObject({ kind, heart_rate: rate });
    expect(report.metrics).toEqual(metrics);
  });

  it("come in a header with a raw upload, percent-encoded", async () => {
    const metrics = { heart_rate: 61, interpretation: "नमस्ते 100%" };
    const headers = { "X-Report-Metrics": encodeURIComponent(JSON.stringify(metrics)) };
    const query = `?patient_id=${world.patient.id}&kind=ecg&confidence=0.5&session_type=rest&recorded_at=2026-01-02T03:04:05%2B05:30`;
    const report = await detailOf(await uploadRaw(world.nurse, newPdf(), query, { headers }));
    expect(report.metrics).toEqual(metrics);
    expect(report).toMatchObject({
      heart_rate: 61,
      confidence: 0.5,
      session_type: "rest",
      effective_at: "2026-01-01T21:34:05.000Z",
    });
  });

  it("are not needed", async () => {
    const report = await detailOf(await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id }));
    expect(report).toMatchObject({ metrics: null, heart_rate: null, confidence: null, session_type: null });
  });

  it("follow the kind of the device that sends them", async () => {
    for (const kind of ["cpap", "bipap", "oxygen", "ecg"]) {
      const device = await newDevice(world.nurse, world.patient.id, kind);
      const report = await detailOf(await uploadReport(device, newPdf(), { metrics: JSON.stringify(FULL[kind]?.[0]) }));
      expect(report.kind).toBe(kind);
    }
    const cpap = await newDevice(world.nurse, world.patient.id, "cpap");
    const refused = await uploadReport(cpap, newPdf(), { metrics: '{"ahi":-1}' });
    expect((await readJson(refused)).errors).toMatchObject([{ path: "ahi" }]);
  });

  it("lie sealed in the bucket, and the row keeps the rate alone", async () => {
    const report = await detailOf(await send("ecg", '{"heart_rate":72.5,"interpretation":"unmistakable"}'));
    const row = await env.DB.prepare("SELECT * FROM reports WHERE id = ?").bind(report.report_id).first();
    expect(row).toMatchObject({ heart_rate: 72.5 });
    expect(JSON.stringify(row)).not.toContain("unmistakable");
    const object = await env.FILES.get(String(row?.["metrics_key"]));
    const bytes = Buffer.from((await object?.arrayBuffer()) ?? new ArrayBuffer());
    expect(bytes.length).toBe(Number(row?.["metrics_size"]) + 16);
    expect(bytes.includes("unmistakable")).toBe(false);
  });
});

describe("QTc", () => {
  it("is computed from the supplied intervals, beside the machine's, and differences are named", async () => {
    const sent = { qt_interval_ms: 400, rr_interval_ms: 640, qtc_bazett_ms: 480, qtc_fridericia_ms: 464 };
    const report = await detailOf(await send("ecg", JSON.stringify(sent)));
    expect(report.metrics).toEqual(sent);
    expect(report.computed_qtc).toEqual({
      label: "computed from supplied intervals",
      qt_interval_ms: 400,
      rr_interval_ms: 640,
      rr_source: "rr_interval_ms",
      bazett_ms: 500,
      fridericia_ms: 464,
      differing: ["qtc_bazett_ms"],
    });
    for (const metrics of [
      '{"qt_interval_ms":400}',
      '{"rr_interval_ms":640,"qtc_bazett_ms":480}',
      '{"qt_interval_ms":0,"heart_rate":60}',
    ])
      expect((await detailOf(await send("ecg", metrics))).computed_qtc).toBeNull();
  });
});

describe("invalid metrics", () => {
  it.each<[string, string, string, number]>([
    ["ecg", "heart_rate", "-1", 0],
    ["ecg", "heart_rate", "401", 400],
    ["ecg", "rr_interval_ms", "20001", 20_000],
    ["ecg", "pr_interval_ms", "5001", 5000],
    ["ecg", "qrs_axis_deg", "-181", -180],
    ["ecg", "t_axis_deg", "361", 360],
    ["cpap", "ahi", "201", 200],
    ["cpap", "usage_hours", "24.1", 24],
    ["cpap", "pressure_cmh2o", "61", 60],
    ["cpap", "leak_l_min", "301", 300],
    ["bipap", "ipap_cmh2o", "61", 60],
    ["bipap", "tidal_volume_ml", "5001", 5000],
    ["bipap", "ahi", "-0.1", 0],
    ["oxygen", "spo2_percent", "100.1", 100],
    ["oxygen", "flow_l_min", "101", 100],
    ["oxygen", "fio2_percent", "101", 100],
    ["oxygen", "pulse_rate", "401", 400],
    ["other", "heart_rate", "401", 400],
  ])("%s: %s = %s is refused by name, the limit itself taken", async (kind, field, bad, limit) => {
    const before = await listStoredKeys();
    // Only the first hundred refused uploads of a person and day have a row.
    const nurse = await newPerson("nurse", world.hospitalId);
    for (const value of [bad, '"72"', "null", "true", "[1]", "{}"]) {
      const refused = await send(kind, `{"${field}":${value},"vendor":1}`, nurse);
      const problem = await readJson(refused);
      expect({ status: refused.status, code: problem.code }, value).toEqual({ status: 400, code: "invalid_request" });
      expect(problem.errors).toMatchObject([{ path: field }]);
      expect(await readUploadRows(refused)).toMatchObject([{ outcome: "refused", reason: "invalid_request" }]);
    }
    expect(await listStoredKeys()).toEqual(before);
    expect((await send(kind, `{"${field}":${limit}}`)).status).toBe(201);
  });

  it("names every field that is wrong, and echoes no value", async () => {
    const refused = await send("ecg", '{"heart_rate":"secret-word","qt_interval_ms":-1,"interpretation":7}');
    const text = await refused.text();
    expect(text).not.toContain("secret-word");
    const paths = JSON.parse(text).errors.map((error: { path: string }) => error.path);
    expect(paths.sort()).toEqual(["heart_rate", "interpretation", "qt_interval_ms"]);
  });

  it.each<[string, string, number, string]>([
    ["no JSON", "heart_rate=72", 400, "malformed_json"],
    ["nothing", "", 400, "malformed_json"],
    ["an array", "[1]", 400, "invalid_request"],
    ["a number", "72", 400, "invalid_request"],
    ["null", "null", 400, "invalid_request"],
    ["infinity", '{"heart_rate":1e999}', 400, "malformed_json"],
    ["NaN", '{"heart_rate":NaN}', 400, "malformed_json"],
    ["__proto__", '{"__proto__":{"admin":true}}', 400, "malformed_json"],
    ["a lone surrogate", '{"a":"\\ud800"}', 400, "malformed_json"],
    ["depth", `{"a":${"[".repeat(70)}${"]".repeat(70)}}`, 400, "malformed_json"],
    ["65 KiB", JSON.stringify({ a: "x".repeat(65 * 1024) }), 413, "too_large"],
  ])("of %s: refused", async (_, metrics, status, code) => {
    const refused = await send("ecg", metrics);
    expect({ status: refused.status, ...(await readJson(refused)) }).toMatchObject({ status, code });
  });

  it("the same applies to the fields beside them", async () => {
    const patient_id = world.patient.id;
    for (const [field, bad] of [
      ["kind", "sonar"],
      ["confidence", "1.01"],
      ["confidence", "high"],
      ["recorded_at", "yesterday"],
      ["recorded_at", "2026-01-02T03:04:05"],
      ["encounter_id", "7"],
      ["session_type", "x".repeat(61)],
    ] as const) {
      for (const refused of [
        await uploadReport(world.nurse, newPdf(), { patient_id, [field]: bad }),
        await uploadRaw(world.nurse, newPdf(), `?patient_id=${patient_id}&${field}=${bad}`),
      ]) {
        expect(refused.status, `${field}=${bad}`).toBe(400);
        expect((await readJson(refused)).errors[0]).toMatchObject({ path: field });
      }
    }
    const empty = await uploadRaw(world.nurse, newPdf(), `?patient_id=${patient_id}&confidence=&session_type=`);
    expect(await detailOf(empty)).toMatchObject({ confidence: null, session_type: null });
  });
});
