// API keys: apps of a hospital, the access that scopes give, and expiry and revocation.
import { beforeAll, describe, expect, it } from "vitest";
import { withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newPatient,
  newPdf,
  newWorld,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
let elsewhere: World;
beforeAll(async () => {
  world = await newWorld();
  elsewhere = await newWorld();
});

const issue = (json: object, as: RequestOptions["as"] = world.manager, more: RequestOptions = {}) =>
  sendRequest(`${API}/api-keys`, { as, json: { name: `key ${uniqueText()}`, ...json }, ...more });
const newKey = async (...scopes: string[]) => (await readJson(await issue({ scopes }))).data;
const listed = async (id: string) => {
  const { data } = await readJson(await sendRequest(`${API}/api-keys?limit=100`, { as: world.manager }));
  return data.find((key: { api_key_id: string }) => key.api_key_id === id);
};

describe("a key", () => {
  it("is shown once, works at its hospital only, and has a time of last use", async () => {
    const response = await issue({ scopes: ["patient:read", "report:create", "report:read"] });
    expect(response.status).toBe(201);
    const key = (await readJson(response)).data;
    expect(key.token).toMatch(/^eca_[0-9a-f-]{36}_[0-9a-f-]{36}_[A-Za-z0-9_-]{43}$/);
    expect(await listed(key.api_key_id)).toMatchObject({ last_used_at: null });
    const sent = await uploadReport(key, newPdf(), { patient_id: world.stranger.id });
    expect(sent.status).toBe(201);
    const { report_id, cloud_url } = (await readJson(sent)).data;
    const report = (await readJson(await sendRequest(`${API}/reports/${report_id}`, { as: key }))).data;
    expect(report.uploaded_by).toEqual({ kind: "app", id: key.api_key_id });
    expect((await sendRequest(cloud_url)).status).toBe(200);
    expect((await uploadRaw(key, newPdf(), `?patient_id=${world.patient.id}`)).status).toBe(201);
    expect((await readJson(await sendRequest(`${API}/patients?limit=100`, { as: key }))).meta.pagination.total).toBe(2);
    for (const path of [`patients/${elsewhere.patient.id}`, `patients/${elsewhere.patient.id}/summary`]) {
      await expectProblem(await sendRequest(`${API}/${path}`, { as: key }), 404, "not_found");
    }
    await expectProblem(await uploadReport(key, newPdf(), { patient_id: elsewhere.patient.id }), 404, "not_found");
    await expectProblem(await uploadReport(key, newPdf()), 400, "invalid_request");
    const row = await listed(key.api_key_id);
    expect(Date.parse(row.last_used_at)).toBeGreaterThan(Date.parse(key.created_at) - 1);
    expect(JSON.stringify(row)).not.toContain("eca_");
    const stored = JSON.stringify((await env.DB.prepare("SELECT * FROM credentials").all()).results);
    expect(stored).not.toContain(key.token.slice(-43));
  });

  it("does what its scopes say and no more", async () => {
    const reader = await newKey("patient:read");
    const writer = await newKey("patient:read", "patient:create", "patient:search");
    for (const scope of ["patient:create", "patient:update"])
      await expectProblem(await issue({ scopes: [scope] }), 400, "invalid_request");
    const made = await sendRequest(`${API}/patients`, { as: writer, json: { first_name: "Interface" } });
    expect(made.status).toBe(201);
    const { patient_id } = (await readJson(made)).data;
    const [row] = await readAuditEvents(made.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ actor_kind: "app", actor_id: writer.api_key_id, actor_role: "app", basis: "app" });
    expect((await sendRequest(`${API}/patients/search?q=interface`, { as: writer })).status).toBe(200);
    await expectProblem(
      await sendRequest(`${API}/patients/${patient_id}`, {
        as: writer,
        method: "PATCH",
        json: { phone: null },
        headers: { "If-Match": '"1"' },
      }),
      403,
      "forbidden",
    );
    expect((await sendRequest(`${API}/patients/${patient_id}`, { as: reader })).status).toBe(200);
    await expectProblem(await sendRequest(`${API}/patients`, { as: reader, json: { first_name: "No" } }), 403, "forbidden");
    await expectProblem(await sendRequest(`${API}/patients/search?q=interface`, { as: reader }), 403, "forbidden");
    for (const path of ["auth/me", "users", "hospitals", "api-keys", "audit-events", "devices", "admin/stats"]) {
      expect({ path, status: (await sendRequest(`${API}/${path}`, { as: reader })).status }).toEqual({ path, status: 403 });
    }
  });

  it("shows of a patient only the kinds of data in its scopes", async () => {
    const { id, canary } = await newPatient(world.hospitalId, world.nurse);
    const metrics = '{"heart_rate":137}';
    const { data } = await readJson(await uploadReport(world.nurse, newPdf(), { patient_id: id, metrics }));
    const summary = async (...scopes: string[]) => {
      const response = await sendRequest(`${API}/patients/${id}/summary`, { as: await newKey(...scopes) });
      return { status: response.status, text: await response.text() };
    };
    const [narrow, wide] = [await summary("patient:read"), await summary("patient:read", "report:read")];
    expect(JSON.parse(narrow.text).data).toMatchObject({ reports: null, latest_report: null, missing_scopes: ["report:read"] });
    expect(narrow.text).not.toContain("137");
    expect(JSON.parse(wide.text).data).toMatchObject({
      reports: { total: 1 },
      latest_report: { report_id: data.report_id, heart_rate: 137 },
      missing_scopes: [],
    });
    expect((await summary("report:read", "observation:read", "alert:read")).status).toBe(403);
    const staff = await readJson(await sendRequest(`${API}/patients/${id}/summary`, { as: world.nurse }));
    expect(staff.data).toMatchObject({ latest_report: { heart_rate: 137 }, missing_scopes: [] });
    for (const path of [`reports/${data.report_id}`, `ecg/reports/${data.report_id}`, `reports?patient_id=${id}`]) {
      const read = async (...scopes: string[]) => sendRequest(`${API}/${path}`, { as: await newKey(...scopes) });
      const alone = await (await read("report:read")).text();
      expect(alone).toContain('"heart_rate":137');
      expect(alone).not.toContain(canary);
      expect(alone).toContain('"name":null,"gender":null,"date_of_birth":null');
      expect(await (await read("report:read", "patient:read")).text()).toContain(canary);
    }
  });

  it("falls with its revocation, its end, its hospital, or any change of its token", async () => {
    const [revoked, expired, key] = [await newKey("patient:read"), await newKey("patient:read"), await newKey("patient:read")];
    const use = (token: string) => sendRequest(`${API}/patients`, { as: token });
    expect((await use(revoked.token)).status).toBe(200);
    expect((await sendRequest(`${API}/api-keys/${revoked.api_key_id}`, { as: world.manager, method: "DELETE" })).status).toBe(
      200,
    );
    await expectProblem(await use(revoked.token), 401, "unauthenticated");
    await expectProblem(
      await sendRequest(`${API}/api-keys/${revoked.api_key_id}`, { as: world.manager, method: "DELETE" }),
      404,
      "not_found",
    );
    await env.DB.prepare("UPDATE credentials SET expires_at = ? WHERE id = ?")
      .bind(Date.now() - 1, expired.api_key_id)
      .run();
    await expectProblem(await use(expired.token), 401, "unauthenticated");
    const swapped = key.token.replace(world.hospitalId, elsewhere.hospitalId);
    for (const token of [
      swapped,
      key.token.replace("eca_", "ecd_"),
      key.token.slice(0, -1) + (key.token.endsWith("A") ? "E" : "A"),
      key.token.replace(/^eca_[^_]+_/, "ecd_"),
    ]) {
      await expectProblem(await use(token), 401, "unauthenticated");
    }
    await expectProblem(await issue({ scopes: ["patient:read"], expires_at: "2020-01-01T00:00:00Z" }), 400, "invalid_request");
  });

  it("rotates with an overlap that the caller chooses", async () => {
    const old = await newKey("patient:read");
    const rotate = (id: string, json: object, more: RequestOptions = {}) =>
      sendRequest(`${API}/api-keys/${id}/rotate`, { as: world.manager, json, ...more });
    const { data: next } = await readJson(await rotate(old.api_key_id, {}));
    expect(next).toMatchObject({ name: old.name, scopes: old.scopes, replaces: { api_key_id: old.api_key_id } });
    const overlap = Date.parse(next.replaces.expires_at) - Date.now();
    expect(Math.round(overlap / 86_400_000)).toBe(7);
    for (const { token } of [old, next]) expect((await sendRequest(`${API}/patients`, { as: token })).status).toBe(200);
    const { data: last } = await readJson(await rotate(next.api_key_id, { grace_days: 0 }));
    await expectProblem(await sendRequest(`${API}/patients`, { as: next.token }), 401, "unauthenticated");
    expect((await sendRequest(`${API}/patients`, { as: last.token })).status).toBe(200);
    await expectProblem(await rotate(next.api_key_id, {}), 409, "conflict");
    await expectProblem(await rotate(last.api_key_id, { grace_days: 31 }), 400, "invalid_request");
    const key = { headers: { "Idempotency-Key": `rotate-${uniqueText()}` } };
    const again = [await rotate(last.api_key_id, { grace_days: 3 }, key), await rotate(last.api_key_id, { grace_days: 3 }, key)];
    const [one, two] = await Promise.all(again.map(async (r) => (await readJson(r)).data));
    expect([two.api_key_id, two.token]).toEqual([one.api_key_id, null]);
  });

  it("is the managers' business, at their own hospital", async () => {
    const key = await newKey("patient:read");
    for (const as of [world.nurse, world.doctor, world.self])
      await expectProblem(await issue({ scopes: ["patient:read"] }, as), 403, "forbidden");
    const path = `${API}/api-keys/${key.api_key_id}`;
    await expectProblem(await sendRequest(path, { as: elsewhere.manager, method: "DELETE" }), 404, "not_found");
    await expectProblem(await sendRequest(`${path}/rotate`, { as: elsewhere.manager, json: {} }), 404, "not_found");
    await expectProblem(await issue({ scopes: ["patient:read"], hospital_id: elsewhere.hospitalId }), 404, "not_found");
    await expectProblem(await issue({ scopes: ["patient:read"] }, world.admin), 400, "invalid_request");
    expect((await issue({ scopes: ["patient:read"], hospital_id: world.hospitalId }, world.admin)).status).toBe(201);
    for (const scopes of [[], ["admin:read"], ["patient:delete"], "patient:read", ["user:create"]]) {
      await expectProblem(await issue({ scopes }), 400, "invalid_request");
    }
    const { data } = await readJson(await sendRequest(`${API}/api-keys?limit=100`, { as: elsewhere.manager }));
    expect(data).toEqual([]);
  });

  it("of a deactivated hospital grants no access", async () => {
    const closed = await newWorld();
    const { token } = (await readJson(await issue({ scopes: ["patient:read"] }, closed.manager))).data;
    expect((await sendRequest(`${API}/patients`, { as: token })).status).toBe(200);
    await env.DB.prepare("UPDATE hospitals SET active = 0 WHERE id = ?").bind(closed.hospitalId).run();
    await expectProblem(await sendRequest(`${API}/patients`, { as: token }), 401, "unauthenticated");
    await expectProblem(await sendRequest(`${API}/patients/${closed.patient.id}`, { as: token }), 401, "unauthenticated");
  });

  it("is revoked while it uploads: nothing of the upload is kept", async () => {
    const key = await newKey("report:create");
    const patient = await newPatient(world.hospitalId, world.nurse);
    const slow = withRandomDelays(env);
    const results = await Promise.all([
      uploadReport(key, newPdf(), { patient_id: patient.id }, { env: slow }),
      sendRequest(`${API}/api-keys/${key.api_key_id}`, { as: world.manager, method: "DELETE", env: slow }),
    ]);
    const n = await env.DB.prepare("SELECT count(*) AS n FROM reports WHERE patient_id = ?").bind(patient.id).first<number>("n");
    expect([results[1].status, n]).toEqual([200, results[0].status === 201 ? 1 : 0]);
    await expectProblem(await uploadReport(key, newPdf(), { patient_id: patient.id }), 401, "unauthenticated");
  });

  it("that may only send is answered alike when it repeats itself", async () => {
    const key = await newKey("report:create");
    const [pdf, headers] = [newPdf(), { "Idempotency-Key": `send-${uniqueText()}` }];
    const sent = [0, 1].map(() => () => uploadReport(key, pdf, { patient_id: world.stranger.id }, { headers }));
    const ids = [];
    for (const send of sent) {
      const response = await send();
      expect(response.status).toBe(201);
      ids.push((await readJson(response)).data.report_id);
    }
    expect(new Set(ids).size).toBe(1);
    await expectProblem(await sendRequest(`${API}/reports/${ids[0]}`, { as: key }), 403, "forbidden");
  });

  it("opens no record to a doctor, and another hospital's id is refused, not ignored", async () => {
    const key = await newKey("patient:read", "patient:create", "patient:update", "patient:search");
    const json = { first_name: "x", assigned_doctor_id: world.doctor.id };
    await expectProblem(await sendRequest(`${API}/patients`, { as: key, json }), 403, "forbidden");
    const change = { as: key, method: "PATCH", json: { assigned_doctor_id: world.doctor.id }, headers: { "If-Match": '"1"' } };
    await expectProblem(await sendRequest(`${API}/patients/${world.stranger.id}`, change), 403, "forbidden");
    const other = elsewhere.hospitalId;
    await expectProblem(await sendRequest(`${API}/patients/search?q=first&hospital_id=${other}`, { as: key }), 404, "not_found");
    await expectProblem(await sendRequest(`${API}/api-keys?hospital_id=${other}`, { as: world.manager }), 404, "not_found");
    for (const expires_at of ["9999-12-31T23:59:59-23:59", "2040-01-01T00:00:00Z"]) {
      await expectProblem(await issue({ scopes: ["patient:read"], expires_at }), 400, "invalid_request");
    }
  });
});
