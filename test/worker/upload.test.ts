// Uploads within and beyond their limits: size, announced length, digest, media type; one log row per attempt.
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_MULTIPART_BYTES } from "../../src/http/form-body.ts";
import { MAX_RAW_BYTES } from "../../src/reports/upload/upload-request.ts";
import {
  API,
  env,
  link,
  newDevice,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  readAuditEvents,
  readJson,
  sendRequest,
  sha256,
  uploadForm,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";
import { encodeForm, listReportIds, listStoredKeys, readUploadRows } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

/** The rejection is a problem response, stores nothing, and is recorded once in the upload log and the audit log. */
async function expectRefusal(send: () => Promise<Response>, status: number, code: string): Promise<void> {
  const before = await listStoredKeys();
  const reports = await listReportIds(world.patient.id);
  const response = await send();
  expect({ status: response.status, ...(await readJson(response)) }).toMatchObject({ status, code });
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await readUploadRows(response)).toMatchObject([
    { outcome: "refused", reason: code, report_id: null, hospital_id: world.hospitalId },
  ]);
  expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([{ outcome: "failed", reason: code }]);
  expect(await listStoredKeys()).toEqual(before);
  expect(await listReportIds(world.patient.id)).toEqual(reports);
}

const rawQuery = () => `?patient_id=${world.patient.id}`;

describe("size", () => {
  it.each([
    ["multipart", MAX_MULTIPART_BYTES],
    ["raw", MAX_RAW_BYTES],
  ] as const)("takes a %s file of the limit and one byte less, and refuses one byte more", async (form, limit) => {
    const send = (pdf: Uint8Array<ArrayBuffer>) =>
      form === "raw" ? uploadRaw(world.nurse, pdf, rawQuery()) : uploadReport(world.nurse, pdf, { patient_id: world.patient.id });
    for (const size of [limit - 1, limit]) {
      const pdf = newPdf(`${form} ${size}`, size);
      expect(pdf.length).toBe(size);
      const sent = await send(pdf);
      expect(sent.status).toBe(201);
      const { data } = await readJson(sent);
      const file = await sendRequest(data.cloud_url);
      expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(await sha256(pdf));
    }
    await expectRefusal(() => send(newPdf("big", limit + 1)), 413, "too_large");
  });

  it("counts the bytes of a form whose announced length lies, either way", async () => {
    const { type, bytes } = await encodeForm(newPdf("big", MAX_MULTIPART_BYTES + 200_000), { patient_id: world.patient.id });
    const small = await encodeForm(newPdf("small"), { patient_id: world.patient.id });
    const send = (body: Uint8Array<ArrayBuffer>, contentType: string, length: string) =>
      sendRequest(`${API}/reports`, {
        as: world.nurse,
        body,
        headers: { "Content-Type": contentType, "Content-Length": length },
      });
    await expectRefusal(() => send(bytes, type, "100"), 413, "too_large");
    await expectRefusal(() => send(small.bytes, small.type, String(small.bytes.length - 1)), 400, "length_mismatch");
    await expectRefusal(() => send(small.bytes, small.type, String(small.bytes.length + 1)), 400, "length_mismatch");
    await expectRefusal(() => send(small.bytes, small.type, "-1"), 400, "length_mismatch");
    await expectRefusal(() => send(small.bytes, small.type, "abc"), 400, "length_mismatch");
    await expectRefusal(() => send(small.bytes, small.type, String(1e15)), 413, "too_large");
    expect((await send(small.bytes, small.type, String(small.bytes.length))).status).toBe(201);
  });
});

describe("a raw upload's announced length", () => {
  const pdf = newPdf("length", 200_000);
  const withLength = (length: string) => uploadRaw(world.nurse, pdf, rawQuery(), { headers: { "Content-Length": length } });

  it("is required", async () => {
    const headers = { "Content-Type": "application/pdf", "X-Content-SHA256": await sha256(pdf) };
    const chunked = () =>
      sendRequest(`${API}/reports${rawQuery()}`, { as: world.nurse, method: "POST", body: new Blob([pdf]).stream(), headers });
    await expectRefusal(chunked, 411, "length_required");
  });

  it.each(["1", "199999", "200001", "400000"])("must be true: %s", async (length) => {
    await expectRefusal(() => withLength(length), 400, "length_mismatch");
  });

  it.each(["-1", "abc", "1e5", "0x10", "200000, 200000", " "])("must be a number: %s", async (length) => {
    const response = await withLength(length);
    expect([400, 411]).toContain(response.status);
    expect(await readUploadRows(response)).toMatchObject([{ outcome: "refused" }]);
  });

  it("holds for a body that breaks off", async () => {
    const cut = () => {
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent++ < 2) controller.enqueue(pdf.slice((sent - 1) * 65_536, sent * 65_536));
          else controller.close();
        },
      });
      return uploadRaw(world.nurse, pdf, rawQuery(), { body });
    };
    await expectRefusal(cut, 400, "length_mismatch");
    expect((await withLength("200000")).status).toBe(201);
  });
});

describe("headers of a form", () => {
  const sendForm = (path: string, headers: Record<string, string>, pdf = newPdf("form")) =>
    sendRequest(`${API}/${path}`, { as: world.nurse, body: uploadForm(pdf, { patient_id: world.patient.id }), headers });

  it("a digest must be the file's", async () => {
    const [mine, other] = [newPdf("mine"), newPdf("other")];
    const digest = { "X-Content-SHA256": (await sha256(mine)).toUpperCase() };
    await expectRefusal(() => sendForm("reports", digest, other), 400, "digest_mismatch");
    await expectRefusal(() => sendForm("reports", { "X-Content-SHA256": "abc" }, other), 400, "digest_required");
    expect((await sendForm("reports", digest, mine)).status).toBe(201);
  });

  it("that describe a raw PDF or one file are refused, not ignored", async () => {
    for (const [path, name] of [
      ["reports", "X-File-Name"],
      ["reports", "X-Report-Metrics"],
      ["reports/batch", "Idempotency-Key"],
      ["reports/batch", "X-Content-SHA256"],
    ] as const) {
      const response = await sendForm(path, { [name]: "a".repeat(64) });
      expect(await readJson(response), `${path} ${name}`).toMatchObject({ status: 400, errors: [{ path: name }] });
    }
  });
});

describe("a raw upload's digest", () => {
  it("is required, in hexadecimal", async () => {
    for (const digest of ["", "abc", "z".repeat(64), "a".repeat(63)]) {
      const send = () => uploadRaw(world.nurse, newPdf("digest"), rawQuery(), { headers: { "X-Content-SHA256": digest } });
      await expectRefusal(send, 400, "digest_required");
    }
  });

  it("must be the body's, whether or not a report has that digest already", async () => {
    const [mine, other] = [newPdf("mine", 90_000), newPdf("other", 90_000)];
    const lie = async () => uploadRaw(world.nurse, other, rawQuery(), { headers: { "X-Content-SHA256": await sha256(mine) } });
    await expectRefusal(lie, 400, "digest_mismatch");
    const [flipped] = [mine.slice()];
    flipped[80_000] = 0;
    const oneByte = async () =>
      uploadRaw(world.nurse, flipped, rawQuery(), { headers: { "X-Content-SHA256": await sha256(mine) } });
    await expectRefusal(oneByte, 400, "digest_mismatch");

    const upper = (await sha256(mine)).toUpperCase();
    const stored = await uploadRaw(world.nurse, mine, rawQuery(), { headers: { "X-Content-SHA256": upper } });
    expect(stored.status).toBe(201);
    await expectRefusal(lie, 400, "digest_mismatch");
    await expectRefusal(oneByte, 400, "digest_mismatch");
    const again = await uploadRaw(world.nurse, mine, rawQuery());
    expect(again.status).toBe(200);
  });
});

describe("media type", () => {
  const pdf = newPdf("type");

  it.each(["image/png", "text/html", "application/octet-stream", "application/pdf2", "multipart/mixed; boundary=x"])(
    "%s is refused",
    async (type) => {
      const headers = { "Content-Type": type, "Content-Length": String(pdf.length) };
      const send = () => sendRequest(`${API}/reports${rawQuery()}`, { as: world.nurse, method: "POST", body: pdf, headers });
      await expectRefusal(send, 415, "unsupported_media_type");
    },
  );

  it("is refused when absent, and with a content encoding", async () => {
    const bare = () => sendRequest(`${API}/reports${rawQuery()}`, { as: world.nurse, method: "POST", body: pdf });
    await expectRefusal(bare, 415, "unsupported_media_type");
    const zipped = () => uploadRaw(world.nurse, pdf, rawQuery(), { headers: { "Content-Encoding": "gzip" } });
    await expectRefusal(zipped, 415, "unsupported_media_type");
  });
});

describe("what is no PDF", () => {
  const text = new TextEncoder();
  const pdf = newPdf("body");
  const joined = (...parts: (string | Uint8Array)[]) =>
    new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === "string" ? text.encode(part) : part))));
  const cases: [string, Uint8Array<ArrayBuffer>][] = [
    ["nothing", new Uint8Array()],
    ["five bytes", joined("%PDF-")],
    ["no %%EOF", joined("%PDF-1.4\nhello")],
    ["%PDF- at offset 1", joined("x", pdf)],
    ["%PDF- at offset 1000", joined("x".repeat(1000), pdf)],
    ["a GIF before it", joined("GIF89a", pdf)],
    ["a ZIP before it", joined("PK\u0003\u0004", pdf)],
    ["HTML", joined("<html><script>alert(1)</script>%%EOF")],
    ["2 KB of program after it", joined(pdf, "MZ".repeat(1024))],
  ];

  it.each(cases)("is refused: %s", async (_, bytes) => {
    const form = () => uploadReport(world.nurse, bytes, { patient_id: world.patient.id });
    await expectRefusal(form, 415, "not_pdf");
    const raw = () => uploadRaw(world.nurse, bytes, rawQuery());
    await expectRefusal(raw, 415, "not_pdf");
  });

  it("is refused for zeros without end before the whole body is read", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const headers = { "Content-Length": String(MAX_RAW_BYTES), "X-Content-SHA256": "0".repeat(64) };
    await expectRefusal(() => uploadRaw(world.nurse, pdf, rawQuery(), { body, headers }), 415, "not_pdf");
    expect(pulled).toBeLessThan(1_000_000);
  });
});

describe("the patient of an upload", () => {
  it("is decided before the body is read", async () => {
    const other = await newWorld();
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const headers = { "Content-Length": String(10 * 1024 * 1024), "X-Content-SHA256": "0".repeat(64) };
    const sent = await uploadRaw(world.nurse, newPdf(), `?patient_id=${other.patient.id}`, { body, headers });
    expect(sent.status).toBe(404);
    expect(pulled).toBeLessThanOrEqual(2);
    expect(await readUploadRows(sent)).toMatchObject([{ outcome: "refused", reason: "not_found", patient_id: null }]);
    expect(await readAuditEvents(sent.headers.get("x-request-id") ?? "")).toMatchObject([
      { outcome: "denied", reason: "not_found" },
    ]);
  });

  it("is oneself for a person with one record, and must be named with two", async () => {
    const pdf = newPdf("self");
    const sent = await uploadReport(world.self, pdf);
    expect(sent.status).toBe(201);
    const { data } = await readJson(sent);
    const seen = await readJson(await sendRequest(`${API}/reports/${data.report_id}`, { as: world.self }));
    expect(seen.data).toMatchObject({
      patient: { patient_id: world.patient.id },
      uploaded_by: { kind: "user", id: world.self.id },
    });
    expect((await readAuditEvents(sent.headers.get("x-request-id") ?? ""))[0]).toMatchObject({ basis: "self" });

    const second = await newPatient(world.hospitalId, world.nurse);
    await link(world.self, second);
    const unnamed = await uploadReport(world.self, newPdf("which"));
    expect({ status: unnamed.status, ...(await readJson(unnamed)) }).toMatchObject({ status: 409, code: "patient_ambiguous" });
    expect(await readUploadRows(unnamed)).toMatchObject([{ outcome: "refused", reason: "patient_ambiguous" }]);
    expect((await uploadReport(world.self, newPdf("which"), { patient_id: second.id })).status).toBe(201);
    expect((await uploadReport(world.self, newPdf("not mine"), { patient_id: world.stranger.id })).status).toBe(404);
    await env.DB.prepare("DELETE FROM patient_links WHERE patient_id = ?").bind(second.id).run();
  });

  it("is missing for a person without a record, and must be named by staff", async () => {
    const lonely = await newPerson("patient");
    const sent = await uploadReport(lonely, newPdf());
    expect(sent.status).toBe(404);
    expect(await readUploadRows(sent)).toMatchObject([{ outcome: "refused", reason: "not_found" }]);
    await expectRefusal(() => uploadReport(world.nurse, newPdf()), 400, "invalid_request");
    expect((await uploadReport(world.nurse, newPdf(), { patient_id: String(world.patient.number) })).status).toBe(201);
  });
});

describe("the upload log", () => {
  it("has a row for every attempt, whatever its outcome, and none for unauthenticated callers", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const pdf = newPdf("log");
    const key = { headers: { "Idempotency-Key": "upload-log-key" } };
    const patient_id = world.patient.id;
    const attempts: [Promise<Response>, string, string | null][] = [];
    const add = async (send: Promise<Response>, outcome: string, reason: string | null = null) => {
      await send;
      attempts.push([send, outcome, reason]);
    };
    await add(uploadReport(world.nurse, pdf, { patient_id }, key), "stored");
    await add(uploadReport(world.nurse, pdf, { patient_id }, key), "replayed");
    await add(uploadReport(world.nurse, pdf, { patient_id }), "duplicate");
    await add(uploadReport(world.nurse, newPdf(), { patient_id }, key), "refused", "idempotency_key_reused");
    await add(
      uploadReport(world.nurse, pdf, { patient_id }, { headers: { "Idempotency-Key": "short" } }),
      "refused",
      "invalid_idempotency_key",
    );
    await add(uploadReport(world.nurse, pdf, { patient_id, confidence: "2" }), "refused", "invalid_request");
    await add(uploadReport(device, newPdf("x").subarray(3).slice(), {}), "quarantined", "not_pdf");
    await add(uploadRaw(device, pdf, "", { headers: { "Content-Type": "image/png" } }), "refused", "unsupported_media_type");
    await add(
      sendRequest(`${API}/reports`, { as: device, body: uploadForm(pdf, { kind: "sonar" }) }),
      "refused",
      "invalid_request",
    );
    const wanted = [];
    for (const [send, outcome, reason] of attempts) {
      const rows = await readUploadRows(await send);
      expect(rows).toMatchObject([{ outcome, reason, hospital_id: world.hospitalId }]);
      wanted.unshift({ upload_id: rows[0]?.id, outcome, reason });
    }
    const listed = await readJson(await sendRequest(`${API}/uploads?limit=${wanted.length}`, { as: world.manager }));
    expect(listed.data).toMatchObject(wanted);
    expect(listed.data.at(-1)).toMatchObject({
      file_name: "ecg.pdf",
      sha256: await sha256(pdf),
      kind: "ecg",
      actor_kind: "user",
    });

    const forged = { token: device.token.replace(/.{8}$/, "AAAAAAAA") };
    for (const type of ["image/png", "application/pdf"]) {
      const refused = await uploadRaw(forged, pdf, "", { headers: { "Content-Type": type, "Content-Length": "x" } });
      expect(refused.status).toBe(401);
      expect(await readUploadRows(refused)).toEqual([]);
      expect(await readAuditEvents(refused.headers.get("x-request-id") ?? "")).toEqual([]);
    }
  });

  it("shows nurses and administrators what their hospital tried, by outcome and page", async () => {
    const [mine, other] = [await newWorld(), await newWorld()];
    for (const patient of [mine.patient, mine.stranger]) {
      await uploadReport(mine.nurse, newPdf(), { patient_id: patient.id });
      await uploadReport(mine.nurse, newPdf("junk").slice(2), { patient_id: patient.id });
    }
    const seen = async (as: { token: string }, query = "") =>
      (await readJson(await sendRequest(`${API}/uploads${query}`, { as }))).meta.pagination.total;
    expect(await seen(mine.nurse)).toBe(4);
    expect(await seen(mine.manager, "?outcome=refused")).toBe(2);
    expect(await seen(other.manager)).toBe(0);
    for (const as of [mine.self, mine.doctor]) expect((await sendRequest(`${API}/uploads`, { as })).status).toBe(403);
    const first = await readJson(await sendRequest(`${API}/uploads?limit=3`, { as: mine.nurse }));
    const rest = await readJson(
      await sendRequest(`${API}/uploads?limit=3&cursor=${first.meta.pagination.next_cursor}`, { as: mine.nurse }),
    );
    const ids = [...first.data, ...rest.data].map((row: { upload_id: string }) => row.upload_id);
    expect(new Set(ids).size).toBe(4);
    expect(rest.meta.pagination.has_more).toBe(false);
  });
});
