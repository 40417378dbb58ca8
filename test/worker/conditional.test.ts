// Conditional requests and the spelling of ids: ETags, If-Match, If-None-Match, ids in upper case.
import { beforeAll, describe, expect, it } from "vitest";
import { createAuditLogs } from "../../src/audit-log/audit-logs.ts";
import { updateWard } from "../../src/organization/wards/wards.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { newWebhook } from "../authz.world.ts";
import { newCareExamples } from "../care-examples.ts";
import { newConsent } from "../consent-rows.ts";
import { newDocument } from "../document-files.ts";
import { newRequestRow } from "../document-request-rows.ts";
import { RETENTION } from "../erasure-rows.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newDevice,
  newPdf,
  newWard,
  newWorld,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
let ids: Record<string, string>;
/** Paths of the operations whose GET has an ETag. */
let versioned: string[];

beforeAll(async () => {
  world = await newWorld();
  const { manager, nurse, doctor, hospitalId, patient } = world;
  const profile = await sendRequest(`${API}/practitioners`, { as: manager, json: { user_id: nurse.id } });
  const report = await uploadReport(nurse, newPdf(), { patient_id: patient.id });
  ids = {
    ward_id: await newWard(manager),
    webhook_id: (await newWebhook(hospitalId)).webhookId,
    hospital_id: hospitalId,
    patient_id: patient.id,
    device_id: (await newDevice(nurse, null)).id,
    user_id: doctor.id,
    practitioner_id: (await readJson(profile)).data.practitioner_id,
    report_id: (await readJson(report)).data.report_id,
    document_id: await newDocument(nurse, patient.id),
    consent_id: await newConsent(patient.id),
    document_request_id: await newRequestRow({ patientId: patient.id, hospitalId }, nurse.id),
  };
  Object.assign(ids, await newCareExamples(world, ids["practitioner_id"] ?? ""));
  // Inherited settings have no version.
  for (const scope of [`hospitals/${hospitalId}`, `wards/${ids["ward_id"]}`])
    await sendRequest(`${API}/${scope}/escalation`, { as: manager, method: "PUT", json: { tiers: [[{ role: "doctor" }]] } });
  await sendRequest(`${API}/hospitals/${hospitalId}/retention`, { as: manager, method: "PUT", json: RETENTION });
  const document = await readJson(await sendRequest("/openapi.json"));
  versioned = Object.keys(document.paths).filter((path) => document.paths[path].get?.responses["304"]);
});

const at = (path: string) => path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? name);

describe("If-None-Match", () => {
  it("answers 304 without a body for the version that the caller has, on every read with an ETag", async () => {
    expect(versioned.length).toBeGreaterThan(10);
    for (const path of versioned) {
      const read = (value?: string, method = "GET") =>
        sendRequest(at(path), { as: world.manager, method, headers: value === undefined ? {} : { "If-None-Match": value } });
      const first = await read();
      const etag = first.headers.get("etag") ?? "";
      expect([first.status, etag], path).toEqual([200, expect.stringMatching(/^"(?:[1-9]\d*-[0-9a-f]{16}|[\w-]{22})"$/)]);
      await first.body?.cancel();
      for (const value of [etag, `W/${etag}`, `"1-0000000000000000", ${etag}`, "*"]) {
        for (const method of ["GET", "HEAD"]) {
          const same = await read(value, method);
          expect([same.status, same.headers.get("etag"), await same.text()], `${method} ${path} ${value}`).toEqual([
            304,
            etag,
            "",
          ]);
          expect([same.headers.get("cache-control"), same.headers.get("content-type")]).toEqual(["no-store", null]);
          expect(same.headers.get("x-request-id")).not.toBeNull();
        }
      }
      for (const other of ['"1-0000000000000000"', '"1"', "1", "", "**"]) {
        expect((await read(other)).status, `${path} ${other}`).toBe(200);
      }
    }
  });

  it("sees what a resource shows of other rows, whose change is no new version", async () => {
    const device = await newDevice(world.nurse, null);
    const read = (headers: Record<string, string> = {}) =>
      sendRequest(`${API}/devices/${device.id}`, { as: world.nurse, headers });
    const etag = (await read()).headers.get("etag") ?? "";
    const json = { patient_id: world.patient.id };
    await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json });
    const later = await read({ "If-None-Match": etag });
    expect([later.status, (await readJson(later)).data]).toMatchObject([200, { patient_id: world.patient.id, version: 1 }]);
  });

  it("is ignored by errors and by lists without an ETag", async () => {
    const headers = { "If-None-Match": "*" };
    expect((await sendRequest(`${API}/devices`, { as: world.nurse, headers })).status).toBe(200);
    expect((await sendRequest(`${API}/patients/${crypto.randomUUID()}`, { as: world.nurse, headers })).status).toBe(404);
  });
});

describe("If-Match", () => {
  const ownerOf = (path: string) =>
    path.includes("/users/") ? world.admin : /patients|devices/.test(path) ? world.nurse : world.manager;
  const change = (path: string, match: string, json: object) =>
    sendRequest(at(path), { as: ownerOf(path), method: "PATCH", json, headers: { "If-Match": match } });

  it("takes one ETag, a list of them or *, on every change of a versioned resource", async () => {
    const changes: [string, object][] = [
      [`${API}/wards/{ward_id}`, { name: `Ward ${uniqueText()}` }],
      [`${API}/hospitals/{hospital_id}`, { phone: "+91 20 5550 0100" }],
      [`${API}/patients/{patient_id}`, { notes: "seen" }],
      [`${API}/patients/{patient_id}/monitoring`, { spo2_scale: 2 }],
      [`${API}/devices/{device_id}`, { name: "Cart" }],
      [`${API}/users/{user_id}`, { full_name: "Dev Anand" }],
      [`${API}/practitioners/{practitioner_id}`, { specialty: "Cardiology" }],
      [`${API}/auth/me`, { full_name: "Mira Manager" }],
    ];
    for (const [path, json] of changes) {
      const read = await sendRequest(at(path), { as: ownerOf(path) });
      const etag = read.headers.get("etag") ?? "";
      const { version } = (await readJson(read)).data;
      for (const stale of [
        `"${version + 1}"`,
        `"${version + 7}", "${version + 8}"`,
        '"x"',
        '"0"',
        `${version}`,
        "",
        `*, ${etag}`,
      ]) {
        await expectProblem(await change(path, stale, json), 412, "precondition_failed");
      }
      const accepted = ["*", `"9999", "${version + 1}-0000000000000000"`, `W/"${version + 2}","x" , "y"`, `"${version + 3}"`];
      for (const [i, match] of accepted.entries()) {
        const changed = await change(path, match, json);
        expect(changed.status, `${path} ${match}`).toBe(200);
        expect((await readJson(changed)).data.version).toBe(version + i + 1);
      }
    }
  });

  it("with * succeeds however many change the resource at once, and loses no change", async () => {
    const { nurse, manager, admin, patient } = await newWorld();
    const ward = `${API}/wards/${await newWard(manager)}`;
    const device = `${API}/devices/${(await newDevice(nurse, null)).id}`;
    const rule = `${API}/patients/${patient.id}/alert-rules/heart_rate`;
    await sendRequest(rule, { as: nurse, method: "PUT", json: { low: 46 } });
    const sent = [{ first_name: "Ira" }, { last_name: "Bose" }, { notes: "seen" }];
    const cases: [string, string, Person, object[]][] = [
      [`${API}/patients/${patient.id}`, "PATCH", nurse, sent],
      [ward, "PATCH", manager, sent.map((_, i) => ({ name: `Ward ${uniqueText()} ${i}` }))],
      [device, "PATCH", nurse, sent.map((_, i) => ({ name: `Cart ${i}` }))],
      [`${API}/users/${nurse.id}`, "PATCH", admin, sent.map((_, i) => ({ full_name: `Nia ${i}` }))],
      [`${API}/patients/${patient.id}/monitoring`, "PATCH", nurse, sent.map((_, i) => ({ pregnant: i % 2 === 0 }))],
      [rule, "PUT", nurse, sent.map((_, i) => ({ low: 40 + i }))],
    ];
    for (const [path, method, as, changes] of cases) {
      const options = { as, method, headers: { "If-Match": "*" } };
      const answers = await Promise.all(changes.map((json) => sendRequest(path, { ...options, json })));
      const bodies = await Promise.all(answers.map(readJson));
      expect(
        bodies.map(({ code, data }) => code ?? typeof data.version),
        path,
      ).toEqual(changes.map(() => "number"));
      expect(new Set(bodies.map(({ data }) => data.version)).size, path).toBe(changes.length);
      const events = await Promise.all(answers.map((one) => readAuditEvents(one.headers.get("x-request-id") ?? "")));
      expect(
        events.flat().filter(({ outcome }) => outcome !== "success"),
        path,
      ).toEqual([]);
    }
    const stored = (await readJson(await sendRequest(`${API}/patients/${patient.id}`, { as: nurse }))).data;
    expect(stored).toMatchObject(Object.assign({}, ...sent));
  });

  it("with * would fail in such a race if the change did not run again", async () => {
    const { manager, hospitalId } = await newWorld();
    const id = await newWard(manager);
    const claimedRole = { role: "hospital_admin", hospitalId, doctorScope: "care_team" } as const;
    const via = { requestId: uniqueText(), ip: null };
    const actor = { kind: "user", userId: manager.id, sessionId: manager.sessionId, claimedRole, via } as const;
    const call = { db: getDb(env.DB), keys: await getKeys(env), actor, now: Date.now(), auditLog: createAuditLogs(env) };
    const results = await Promise.allSettled(
      [0, 1, 2].map((i) => updateWard(call, id, "*", { name: `Ward ${uniqueText()} ${i}` })),
    );
    const reasons = results.flatMap((one) => (one.status === "rejected" ? [String(one.reason.code)] : []));
    expect(reasons).toContain("precondition_failed");
  });

  it("with * expects a rule that exists", async () => {
    const path = `${API}/wards/{ward_id}/alert-rules/heart_rate`;
    const put = (headers: Record<string, string>) =>
      sendRequest(at(path), { as: world.nurse, method: "PUT", json: { low: 46 }, headers });
    await expectProblem(await put({ "If-Match": "*" }), 412, "precondition_failed");
    expect((await put({})).status).toBe(200);
    await expectProblem(await put({}), 428, "precondition_required");
    expect((await readJson(await put({ "If-Match": "*" }))).data.version).toBe(2);
    const removed = await sendRequest(at(path), { as: world.nurse, method: "DELETE", headers: { "If-Match": '"1", "2"' } });
    expect(removed.status).toBe(200);
  });
});

describe("an id in upper case", () => {
  const upper = (text: string) => text.toUpperCase();

  it("in the path names the same resource", async () => {
    for (const [name, path] of [
      ["ward_id", "wards"],
      ["hospital_id", "hospitals"],
      ["patient_id", "patients"],
      ["device_id", "devices"],
      ["user_id", "users"],
      ["practitioner_id", "practitioners"],
      ["report_id", "reports"],
      ["document_id", "documents"],
      ["consent_id", "consents"],
    ] as const) {
      const response = await sendRequest(`${API}/${path}/${upper(ids[name] ?? "")}`, { as: world.manager });
      expect([response.status, (await readJson(response)).data?.[name]], path).toEqual([200, ids[name]]);
    }
    const { data } = await readJson(await sendRequest(`${API}/reports/${ids["report_id"]}`, { as: world.nurse }));
    const link = String(data.download_url).replace(ids["report_id"] ?? "", upper(ids["report_id"] ?? ""));
    const file = await sendRequest(link);
    expect(file.status).toBe(200);
    await file.arrayBuffer();
  });

  it("in the query filters by the same resource", async () => {
    const { patient_id, report_id } = ids;
    const list = await sendRequest(`${API}/reports?patient_id=${upper(patient_id ?? "")}`, { as: world.nurse });
    expect((await readJson(list)).data.map((one: { report_id: string }) => one.report_id)).toEqual([report_id]);
    const live = await sendRequest(`${API}/live?patient_ids=${upper(patient_id ?? "")}`, { as: world.nurse });
    expect(live.status).toBe(426);
  });

  it("in a body or a form refers to the same resource", async () => {
    const patient_id = upper(world.patient.id);
    const sample = { code: "8867-4", value: 72, unit: "/min", effective_at: new Date().toISOString() };
    const recorded = await sendRequest(`${API}/observations`, { as: world.nurse, json: { patient_id, ...sample } });
    expect([recorded.status, (await readJson(recorded)).data]).toMatchObject([200, { patient_id: world.patient.id, stored: 1 }]);
    expect((await uploadReport(world.nurse, newPdf(), { patient_id })).status).toBe(201);
    const device = await newDevice(world.nurse, null);
    const assigned = await sendRequest(`${API}/devices/${upper(device.id)}/assignments`, {
      as: world.nurse,
      json: { patient_id },
    });
    expect([assigned.status, (await readJson(assigned)).data.patient_id]).toEqual([201, world.patient.id]);
    const ward_id = upper(ids["ward_id"] ?? "");
    const options = { as: world.nurse, method: "PATCH", json: { ward_id }, headers: { "If-Match": "*" } };
    const moved = await sendRequest(`${API}/patients/${patient_id}`, options);
    expect([moved.status, (await readJson(moved)).data.ward_id]).toEqual([200, ids["ward_id"]]);
  });
});

it("a grant in upper case is the same grant", async () => {
  const json = { bytes: 1_000_000, expires_at: new Date(Date.now() + 86_400_000).toISOString(), reason: "Old records" };
  const issued = await sendRequest(`${API}/hospitals/${world.hospitalId}/import-grants`, { as: world.admin, json });
  const grant = String((await readJson(issued)).data.grant_id).toUpperCase();
  const options = { as: world.nurse, json: { first_name: "Uma" }, headers: { "Import-Grant": grant } };
  expect((await sendRequest(`${API}/patients`, options)).status).toBe(201);
});

it("a credential cannot expire in a year beyond 9999, which ISO 8601 writes differently", async () => {
  const device = await newDevice(world.nurse, null);
  const issue = (expires_at: string) =>
    sendRequest(`${API}/devices/${device.id}/credentials`, { as: world.nurse, json: { name: "x", expires_at } });
  await expectProblem(await issue("9999-12-31T23:59:59-01:00"), 400, "invalid_request");
  const last = await issue("9999-12-31T23:59:59+01:00");
  expect((await readJson(last)).data.expires_at).toBe("9999-12-31T22:59:59.000Z");
});
