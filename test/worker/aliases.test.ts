// Legacy paths and names: the same responses from the same handlers, and an explicit response for removed paths.
import { beforeAll, describe, expect, it } from "vitest";
import { PATH_ALIASES } from "../../src/http/path-aliases.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  newDevice,
  newPdf,
  newWorld,
  PASSWORD,
  type RequestOptions,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
let deviceId: string;
let reportId: string;
beforeAll(async () => {
  world = await newWorld();
  deviceId = (await newDevice(world.nurse, world.patient.id)).id;
  reportId = (await readJson(await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id }))).data.report_id;
});

/** Parts that differ between two equal requests. */
async function comparable(path: string, as: RequestOptions["as"]) {
  const response = await sendRequest(path, { as });
  const body = await response.text();
  const cut = body.replace(/"(request_id|error_id|instance|next_cursor|download_url|download_expires_at)":"[^"]*"/g, '"$1":""');
  return { status: response.status, etag: response.headers.get("etag"), body: cut, headers: response.headers };
}

const pairs = (): [alias: string, canonical: string][] => [
  [`${API}/clients`, `${API}/patients`],
  [`${API}/clients/`, `${API}/patients`],
  [`${API}/clients/${world.patient.id}`, `${API}/patients/${world.patient.id}`],
  [`${API}/clients/search?q=first`, `${API}/patients/search?q=first`],
  [`${API}/clients/${world.patient.id}/summary`, `${API}/patients/${world.patient.id}/summary`],
  ["/api/patients", `${API}/patients`],
  ["/api/patients?limit=1", `${API}/patients?limit=1`],
  [`/api/patients/${world.patient.number}`, `${API}/patients/${world.patient.id}`],
  ["/api/patients/nobody", `${API}/patients/nobody`],
  [`${API}/patients/list/?limit=10`, `${API}/patients?limit=10`],
  [`${API}/patients/search/?q=first`, `${API}/patients/search?q=first`],
  [`${API}/reports/list?limit=10`, `${API}/reports?limit=10`],
  [`${API}/ecg/reports?limit=10`, `${API}/reports?kind=ecg&limit=10`],
  [`${API}/ecg/reports/${reportId}`, `${API}/reports/${reportId}`],
  [`${API}/wearables/devices`, `${API}/devices`],
  [`${API}/wearables/devices/${deviceId}`, `${API}/devices/${deviceId}`],
  [`${API}/doctors`, `${API}/practitioners`],
  [`${API}/admin/users`, `${API}/users`],
];

describe("a legacy path", () => {
  it("answers as the canonical one, to everybody", async () => {
    for (const [alias, canonical] of pairs()) {
      for (const as of [world.nurse, world.doctor, world.self, world.admin, null]) {
        const [one, two] = [await comparable(alias, as), await comparable(canonical, as)];
        if (alias.endsWith("/admin/users") && as !== world.admin) continue;
        expect({ alias, status: one.status, etag: one.etag, body: one.body }).toEqual({
          alias,
          status: two.status,
          etag: two.etag,
          body: two.body,
        });
      }
    }
  });

  it("names its successor if it is deprecated, whatever the status", async () => {
    for (const [alias, canonical] of pairs()) {
      const { headers } = await comparable(alias, world.nurse);
      const gone = /^\/api\/(v1\/clients|patients)/.test(alias);
      expect({ alias, since: headers.get("deprecation") }).toEqual({ alias, since: gone ? "@1795305600" : null });
      const successor = canonical
        .split("?")[0]
        ?.replace(world.patient.id, alias.includes(world.patient.id) ? world.patient.id : String(world.patient.number));
      expect(headers.get("sunset")).toBe(gone ? "Mon, 22 Nov 2027 00:00:00 GMT" : null);
      if (gone) expect(headers.get("link")).toBe(`<${successor}>; rel="successor-version"`);
    }
    expect((await comparable(`${API}/patients`, world.nurse)).headers.has("deprecation")).toBe(false);
    for (const [sent, link] of [
      ["/api/v1/clients/%0A", "/api/v1/patients/%0A"],
      ["/api/patients/%0D%0AX-Evil:%201", "/api/v1/patients/%0D%0AX-Evil:%201"],
      ["/api/patients/x%3E%2C%3C/", "/api/v1/patients/x%3E%2C%3C"],
      ["/api/patients/%E0%A4%86", "/api/v1/patients/%E0%A4%86"],
    ]) {
      const { status, headers } = await comparable(sent ?? "", world.nurse);
      expect([status, headers.get("link")]).toEqual([404, `<${link}>; rel="successor-version"`]);
    }
  });

  it("accepts writes too, and only its methods", async () => {
    for (const path of ["/api/patients", `${API}/clients`]) {
      const made = await sendRequest(path, { as: world.nurse, json: { first_name: "Alias", medical_history: "in plain words" } });
      expect(made.status).toBe(201);
      const { patient_id } = (await readJson(made)).data;
      const read1 = (await readJson(await sendRequest(`${path}/${patient_id}`, { as: world.nurse }))).data;
      expect(read1.medical_history).toBe("in plain words");
      const changed = await sendRequest(`${path}/${patient_id}`, {
        as: world.nurse,
        method: "PATCH",
        json: { notes: "n" },
        headers: { "If-Match": '"1"' },
      });
      expect(changed.status).toBe(200);
      const refused = await sendRequest(path, { as: world.nurse, method: "PUT" });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST, GET, HEAD, OPTIONS"]);
    }
    await expectProblem(await sendRequest("/api/patientsx", { as: world.nurse }), 404, "not_found");
    await expectProblem(await sendRequest("/api/patients"), 401, "unauthenticated");
  });

  it("is described beside the canonical one, and marked", async () => {
    const { paths } = await readJson(await sendRequest("/openapi.json"));
    for (const { path, canonical, deprecated } of PATH_ALIASES) {
      const below = Object.keys(paths).filter((known) => known === canonical || known.startsWith(`${canonical}/`));
      expect(below.length, path).toBeGreaterThan(1);
      for (const known of below) {
        const renamed = path + known.slice(canonical.length);
        expect(Object.keys(paths)).toContain(renamed);
        for (const operation of Object.values<{ deprecated?: boolean }>(paths[renamed]))
          expect(operation.deprecated ?? false).toBe(deprecated);
      }
    }
    const ids = Object.values<Record<string, { operationId?: string }>>(paths).flatMap((item) =>
      Object.values(item).flatMap((o) => o.operationId ?? []),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("legacy clients", () => {
  it("M: a token by form, patients listed, read by number and created with a plain medical_history", async () => {
    const form = await sendRequest("/api/token", {
      body: new URLSearchParams({ username: world.nurse.email, password: PASSWORD }).toString(),
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    });
    const { access_token, token_type } = await readJson(form);
    expect([form.status, token_type]).toEqual([200, "bearer"]);
    const as = String(access_token);
    const created = await sendRequest("/api/patients", { as, json: { first_name: "Meera", medical_history: "Asthma" } });
    const { data } = await readJson(created);
    expect((await readJson(await sendRequest(`/api/patients/${data.patient_number}`, { as }))).data.medical_history).toBe(
      "Asthma",
    );
    expect((await readJson(await sendRequest("/api/patients", { as }))).data[0].patient_id).toBe(data.patient_id);
    await expectProblem(await sendRequest("/api/patients", { json: { first_name: "Nobody" } }), 401, "unauthenticated");
  });

  it("D: a client with every field of its table", async () => {
    const client = {
      first_name: "Dev",
      last_name: "Anand",
      email: `${uniqueText()}@example.org`,
      phone: "+91 98111 22233",
      date_of_birth: "1970-01-31",
      gender: "male",
      address: "1 Sea Face, Mumbai",
      medical_history: "None",
      notes: "Prefers mornings",
      assigned_doctor_id: world.doctor.id,
    };
    const made = await readJson(await sendRequest(`${API}/clients`, { as: world.nurse, json: client }));
    expect(made.data).toMatchObject(client);
    expect(
      (await readJson(await sendRequest(`${API}/clients/${made.data.patient_id}`, { as: world.doctor }))).data,
    ).toMatchObject(client);
  });

  it("S: the list with limit, offset and has_more, the search by name, phone and e-mail, symptoms on the page", async () => {
    const email = `${uniqueText()}@example.org`;
    const { data } = await readJson(
      await sendRequest(`${API}/patients`, {
        as: world.nurse,
        json: { first_name: "Synapse", phone: "+1 555 0100 222", email, symptoms: ["fever"] },
      }),
    );
    const list = await readJson(await sendRequest(`${API}/patients/list/?limit=1&offset=1`, { as: world.nurse }));
    expect(list.meta.pagination).toMatchObject({ limit: 1, offset: 1, has_more: true });
    for (const q of ["synap", "5550100", email]) {
      const found = await readJson(await sendRequest(`${API}/patients/search/?q=${encodeURIComponent(q)}`, { as: world.nurse }));
      expect(found.data.map((p: { patient_id: string }) => p.patient_id)).toContain(data.patient_id);
    }
    expect((await readJson(await sendRequest(`${API}/patients/${data.patient_id}`, { as: world.nurse }))).data.symptoms).toEqual([
      "fever",
    ]);
  });

  it("C: a patient registers herself, logs in, refreshes and reads who she is", async () => {
    const email = `${uniqueText()}@example.org`;
    const registered = await sendRequest(`${API}/auth/register/patient`, {
      json: { email, password: "long enough words here", first_name: "Chitra", aadhaar_number: "9999 9999 0019" },
    });
    expect(registered.status).toBe(201);
    const { data } = await readJson(registered);
    expect(data).toMatchObject({ role: "patient", token_type: "bearer" });
    const login = await readJson(await sendRequest(`${API}/auth/login`, { json: { email, password: "long enough words here" } }));
    const refreshed = await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: login.data.refresh_token } });
    const as = String((await readJson(refreshed)).data.access_token);
    expect((await readJson(await sendRequest(`${API}/auth/me`, { as }))).data).toMatchObject({ email, role: "patient" });
    const own = (await readJson(await sendRequest(`${API}/patients`, { as }))).data;
    // A registration proves nothing about the person: the number is not looked up.
    expect(own).toMatchObject([{ first_name: "Chitra", patient_uid: null, uid_basis: null, aadhaar_last4: "0019" }]);
  });
});
