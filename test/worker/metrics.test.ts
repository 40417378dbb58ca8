// Metrics per kind of report: values stay as sent, doubtful ones are flagged, and none costs the report.
import { beforeAll, describe, expect, it } from "vitest";
import { REPORT_KINDS } from "../../src/platform/db/vocabulary.ts";
import {
  API,
  env,
  newDevice,
  newPdf,
  newWorld,
  readJson,
  sendRequest,
  sha256,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";

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
    const kept = await uploadReport(cpap, newPdf(), { metrics: '{"ahi":-1}' });
    expect((await readJson(kept)).data.metric_flags).toEqual([{ name: "ahi", code: "out_of_range" }]);
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

describe("doubtful metrics", () => {
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
  ])("%s: %s = %s is kept and flagged, the limit itself is not", async (kind, field, bad, limit) => {
    const sent = await send(kind, `{"${field}":${bad},"vendor":1}`);
    const flags = [
      { name: field, code: "out_of_range" },
      { name: "vendor", code: "unknown" },
    ];
    expect((await readJson(sent.clone())).data.metric_flags).toEqual(flags);
    const report = await detailOf(sent);
    expect(report).toMatchObject({ metrics: { [field]: Number(bad), vendor: 1 }, heart_rate: null, metric_flags: flags });
    expect((await detailOf(await send(kind, `{"${field}":${limit}}`))).metric_flags).toEqual([]);
  });

  it("of several kinds at once are each kept as sent", async () => {
    const metrics = {
      heart_rate: "118 bpm",
      pr_interval_ms: null,
      qrs_duration_ms: "--",
      qt_interval_ms: true,
      qtc_interval_ms: [1],
      p_axis_deg: "45",
      interpretation: 7,
    };
    const report = await detailOf(await send("ecg", JSON.stringify(metrics)));
    expect(report).toMatchObject({ metrics, heart_rate: null, computed_qtc: null, metric_flags_omitted: 0 });
    expect(Object.fromEntries(report.metric_flags.map((flag: { name: string; code: string }) => [flag.name, flag.code]))).toEqual(
      {
        heart_rate: "not_a_number",
        pr_interval_ms: "not_measured",
        qrs_duration_ms: "not_measured",
        qt_interval_ms: "not_a_number",
        qtc_interval_ms: "not_a_number",
        p_axis_deg: "not_a_number",
        interpretation: "not_text",
      },
    );
  });

  it("leave the rate beside them in lists", async () => {
    const report = await detailOf(await send("ecg", '{"heart_rate":118,"pr_interval_ms":null}'));
    expect(report).toMatchObject({ heart_rate: 118, metrics: { heart_rate: 118, pr_interval_ms: null } });
  });

  it("of 400 unknown names are all kept; a hundred flags are returned, known names first", async () => {
    const metrics = { ...Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`v${i}`, i])), heart_rate: 500 };
    const report = await detailOf(await send("ecg", JSON.stringify(metrics)));
    expect(report.metrics).toEqual(metrics);
    expect(report.metric_flags).toHaveLength(100);
    expect(report.metric_flags[0]).toEqual({ name: "heart_rate", code: "out_of_range" });
    expect(report.metric_flags_omitted).toBe(301);
  });

  it.each([
    ["no JSON", "heart_rate=72"],
    ["an array", "[1]"],
    ["a number", "72"],
    ["infinity", '{"heart_rate":1e999}'],
    ["NaN", '{"heart_rate":NaN}'],
    ["__proto__", '{"__proto__":{"admin":true}}'],
    ["a lone surrogate", '{"a":"\\ud800"}'],
    ["depth", `{"a":${"[".repeat(70)}${"]".repeat(70)}}`],
  ])("that are %s are kept as text", async (_, metrics) => {
    const report = await detailOf(await send("ecg", metrics));
    expect(report).toMatchObject({ metrics: null, metrics_text: metrics, heart_rate: null, metric_flags: [] });
  });

  it.each(["", "null", "--", " N/A "])("%j in place of all metrics means that none were measured", async (metrics) => {
    expect(await detailOf(await send("ecg", metrics))).toMatchObject({ metrics: null, metrics_text: null });
  });

  it("are taken alike from forms, raw bodies, batches and direct uploads, of people and of devices", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const metrics = { heart_rate: "118 bpm", pr_interval_ms: "---" };
    const text = JSON.stringify(metrics);
    for (const as of [world.nurse, device]) {
      const patient_id = as === device ? undefined : world.patient.id;
      const query = patient_id ? `?patient_id=${patient_id}` : "";
      const headers = { "X-Report-Metrics": encodeURIComponent(text) };
      const ids = [];
      for (const response of [
        await uploadReport(as, newPdf(), { patient_id, metrics: text }),
        await uploadRaw(as, newPdf(), query, { headers }),
      ])
        ids.push((await readJson(response)).data.report_id);
      const form = new FormData();
      form.set("file", new File([newPdf()], "a.pdf"));
      form.set("items", JSON.stringify([{ ...(patient_id && { patient_id }), metrics }]));
      ids.push((await readJson(await sendRequest(`${API}/reports/batch`, { as, body: form }))).data[0].report_id);
      const pdf = newPdf();
      const json = { ...(patient_id && { patient_id }), size: pdf.length, sha256: await sha256(pdf), metrics };
      const { upload_id } = (await readJson(await sendRequest(`${API}/reports/direct`, { as, json }))).data;
      const key = await env.DB.prepare("SELECT incoming_key FROM uploads WHERE id = ?")
        .bind(upload_id)
        .first<string>("incoming_key");
      await env.FILES.put(key ?? "", pdf);
      const confirmed = await sendRequest(`${API}/reports/direct/${upload_id}/confirm`, { as, method: "POST" });
      ids.push((await readJson(confirmed)).data.report_id);
      for (const id of ids) {
        const { data } = await readJson(await sendRequest(`${API}/reports/${id}`, { as: world.doctor }));
        expect(data).toMatchObject({ metrics, heart_rate: null });
        expect(data.metric_flags).toEqual([
          { name: "heart_rate", code: "not_a_number" },
          { name: "pr_interval_ms", code: "not_measured" },
        ]);
      }
    }
  });

  it("over 64 KiB are refused", async () => {
    const refused = await send("ecg", JSON.stringify({ a: "x".repeat(65 * 1024) }));
    expect({ status: refused.status, ...(await readJson(refused)) }).toMatchObject({ status: 413, code: "too_large" });
  });
});

describe("invalid fields", () => {
  it("are refused by name", async () => {
    const patient_id = world.patient.id;
    for (const [field, bad] of [
      ["kind", "sonar"],
      ["confidence", "1.01"],
      ["confidence", "high"],
      ["recorded_at", "yesterday"],
      ["recorded_at", "2026-02-30T03:04:05"],
      ["recorded_at", "1969-12-31T23:00:00Z"],
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
