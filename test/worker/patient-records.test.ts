// Patient administration: filters and sorts, claim codes, intake, summary, and deletion of wrong entries.
import { beforeAll, describe, expect, it } from "vitest";
import { CLAIM_CODE_TTL_MS } from "../../src/patients/record/claim-codes.ts";
import { withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newHospital,
  newLogin,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
let elsewhere: World;
beforeAll(async () => {
  world = await newWorld();
  elsewhere = await newWorld();
});

const BORN = "1964-03-04";
let registered = 0;
/** Every patient has another name: of equal ones with one birth date the second is a possible duplicate. */
const register = async (json: object = {}, as: RequestOptions["as"] = world.nurse) => {
  const own = { first_name: "Desk", last_name: `Number ${++registered}`, date_of_birth: BORN };
  return (await readJson(await sendRequest(`${API}/patients`, { as, json: { ...own, ...json } }))).data;
};
const change = (id: string, version: number, json: object, as: RequestOptions["as"] = world.nurse) =>
  sendRequest(`${API}/patients/${id}`, { as, method: "PATCH", json, headers: { "If-Match": `"${version}"` } });
const idsOf = (body: { data: { patient_id: string }[] }) => body.data.map((p) => p.patient_id);
const countRows = async (table: "patients" | "patient_links" | "patient_tokens", id: string) => {
  const queries = {
    patients: "SELECT count(*) AS n FROM patients WHERE id = ?",
    patient_links: "SELECT count(*) AS n FROM patient_links WHERE patient_id = ?",
    patient_tokens: "SELECT count(*) AS n FROM patient_tokens WHERE patient_id = ?",
  };
  // biome-ignore lint/plugin: constants of this file.
  return env.DB.prepare(queries[table]).bind(id).first<number>("n");
};

describe("filters and sorts", () => {
  it("agree with a recount by hand, one by one and together", async () => {
    const own = await newWorld();
    const ward = (await readJson(await sendRequest(`${API}/wards`, { as: own.manager, json: { name: "Ward 7" } }))).data.ward_id;
    const made = [];
    for (let i = 0; i < 24; i++) {
      made.push(
        await register(
          {
            monitoring: ["off", "home", "ward"][i % 3],
            ward_id: i % 4 ? null : ward,
            assigned_doctor_id: i % 5 ? null : own.doctor.id,
          },
          own.nurse,
        ),
      );
    }
    for (const p of made.filter((_, i) => i % 6 === 1))
      await change(p.patient_id, 1, { is_active: false, reason: "Moved" }, own.nurse);
    const all = (await readJson(await sendRequest(`${API}/patients?limit=100`, { as: own.nurse }))).data;
    expect(all.length).toBe(26);
    const [from, to] = [made[5].created_at, made[15].created_at];
    type Row = Record<string, unknown> & { patient_id: string; created_at: string; updated_at: string; patient_number: number };
    const filters: [string, (p: Row) => boolean][] = [
      ["monitoring=ward", (p) => p["monitoring"] === "ward"],
      ["monitoring=off", (p) => p["monitoring"] === "off"],
      [`ward_id=${ward}`, (p) => p["ward_id"] === ward],
      [`assigned_doctor_id=${own.doctor.id}`, (p) => p["assigned_doctor_id"] === own.doctor.id],
      ["active=false", (p) => p["is_active"] === false],
      ["active=true", (p) => p["is_active"] === true],
      [`created_from=${from}`, (p) => p.created_at >= from],
      [`created_to=${to}`, (p) => p.created_at < to],
      [`updated_from=${to}`, (p) => p.updated_at >= to],
      [`updated_to=${to}`, (p) => p.updated_at < to],
      [`hospital_id=${own.hospitalId}`, () => true],
      ["patient_uid=aaaaaaaaaaaaaaaaaaaaaaaaaa", () => false],
    ];
    const sorts: [string, (p: Row) => string | number][] = [
      ["number", (p) => p.patient_number],
      ["created", (p) => p.created_at],
      ["updated", (p) => p.updated_at],
    ];
    const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);
    let checked = 0;
    for (const [a, isA] of filters) {
      for (const [b, isB] of filters) {
        if (a.split("=")[0] === b.split("=")[0] && a !== b) continue;
        const [name, key] = sorts[checked++ % sorts.length] ?? sorts[0] ?? ["number", () => 0];
        const down = checked % 2 === 0;
        const query = `${a}${a === b ? "" : `&${b}`}&sort=${down ? "-" : ""}${name}&limit=100`;
        const body = await readJson(await sendRequest(`${API}/patients?${query}`, { as: own.nurse }));
        const expected = all.filter((p: Row) => isA(p) && isB(p));
        const sorted = expected.sort((x: Row, y: Row) => compare(key(x), key(y)) || compare(x.patient_id, y.patient_id));
        if (down) sorted.reverse();
        expect({ query, ids: idsOf(body) }).toEqual({ query, ids: idsOf({ data: sorted }) });
        expect(body.meta.pagination.total).toBe(expected.length);
      }
    }
    expect(checked).toBeGreaterThan(100);
  });

  it.each(["sort=name", "sort=id;DROP", "active=1", "ward_id=x", "created_from=yesterday", "gender=female", "patient_uid="])(
    "refuse %s",
    async (query) => {
      await expectProblem(await sendRequest(`${API}/patients?${query}`, { as: world.nurse }), 400, "invalid_request");
    },
  );

  it("of another hospital show nothing", async () => {
    const body = await readJson(await sendRequest(`${API}/patients?hospital_id=${elsewhere.hospitalId}`, { as: world.nurse }));
    expect(body).toMatchObject({ data: [], meta: { pagination: { total: 0 } } });
  });
});

describe("wards and doctors of another hospital", () => {
  it("cannot be given to a patient, at the start or later", async () => {
    const ward = (await readJson(await sendRequest(`${API}/wards`, { as: elsewhere.manager, json: { name: "Not ours" } }))).data
      .ward_id;
    for (const json of [{ ward_id: ward }, { assigned_doctor_id: elsewhere.doctor.id }]) {
      await expectProblem(
        await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "x", ...json } }),
        400,
        "invalid_request",
      );
      await expectProblem(await change(world.stranger.id, 1, json), 400, "invalid_request");
    }
    for (const json of [
      { hospital_id: elsewhere.hospitalId },
      { patient_number: 1 },
      { patient_uid: "x" },
      { version: 9 },
      { created_by: "x" },
    ]) {
      await expectProblem(await change(world.stranger.id, 1, json), 400, "invalid_request");
    }
  });
});

describe("a claim code", () => {
  const issue = async (id: string, as: RequestOptions["as"] = world.nurse) =>
    sendRequest(`${API}/patients/${id}/claim-codes`, { as, method: "POST" });
  const claim = (code: string, as: RequestOptions["as"], more: RequestOptions = {}) =>
    sendRequest(`${API}/patients/claim`, { as, json: { code, date_of_birth: BORN }, ...more });

  it("ties a login to the record, once, and leaves a trace that the patient can read", async () => {
    const { patient_id } = await register({ first_name: "Claimed" });
    const person = await newPerson("patient");
    await expectProblem(await sendRequest(`${API}/patients/${patient_id}`, { as: person }), 404, "not_found");
    const issued = (await readJson(await issue(patient_id))).data;
    expect(issued.code).toMatch(/^[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}$/);
    const claimed = await claim(` ${issued.code.toLowerCase().replaceAll("-", " ")} `, person);
    expect([claimed.status, (await readJson(claimed)).data]).toEqual([200, { patient_id }]);
    expect((await readJson(await sendRequest(`${API}/patients/${patient_id}`, { as: person }))).data.first_name).toBe("Claimed");
    const [row] = await readAuditEvents(claimed.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ event: "patient.claim", basis: "self", hospital_id: world.hospitalId, subjects: [patient_id] });
    const trail = await readJson(await sendRequest(`${API}/audit-events`, { as: person }));
    expect(trail.data.map((e: { event: string }) => e.event)).toContain("patient.claim");
    await expectProblem(await claim(issued.code, await newPerson("patient")), 404, "not_found");
    await expectProblem(await claim(issued.code, person), 404, "not_found");
  });

  it("is used by one of fifty", async () => {
    const { patient_id } = await register();
    const { code } = (await readJson(await issue(patient_id))).data;
    const people = await Promise.all(Array.from({ length: 50 }, () => newPerson("patient")));
    const slow = withRandomDelays(env);
    const statuses = await Promise.all(people.map(async (person) => (await claim(code, person, { env: slow })).status));
    expect(statuses.filter((status) => status === 200).length).toBe(1);
    expect(statuses.filter((status) => status === 404).length).toBe(49);
    expect(await countRows("patient_links", patient_id)).toBe(1);
  });

  it("ends when it expires, when a new one is made, and with the desk's reach", async () => {
    const { patient_id } = await register();
    const person = await newPerson("patient");
    const old = (await readJson(await issue(patient_id))).data.code;
    const fresh = (await readJson(await issue(patient_id))).data.code;
    await expectProblem(await claim(old, person), 404, "not_found");
    await env.DB.prepare("UPDATE patient_claim_codes SET expires_at = ? WHERE patient_id = ?")
      .bind(Date.now() - 1, patient_id)
      .run();
    await expectProblem(await claim(fresh, person), 404, "not_found");
    await expectProblem(await issue(patient_id, elsewhere.nurse), 404, "not_found");
    await expectProblem(await issue(patient_id, world.doctor), 403, "forbidden");
    await expectProblem(await claim(fresh, world.nurse), 403, "forbidden");
    for (const code of ["short", "1111-1111-1111", "", "a".repeat(13)])
      await expectProblem(await claim(code, person), 400, "invalid_request");
    expect(CLAIM_CODE_TTL_MS).toBe(3 * 86_400_000);
  });

  it("counts for nothing when its issuer has gone, its hospital has closed, or the caller made it", async () => {
    const own = await newWorld();
    const nurse = await newPerson("nurse", own.hospitalId);
    const codeFor = async (as: RequestOptions["as"]) => {
      const { patient_id } = await register({}, own.nurse);
      return { patient_id, code: (await readJson(await issue(patient_id, as))).data.code };
    };
    const [left, closed, mine, good] = [
      await codeFor(nurse),
      await codeFor(own.nurse),
      await codeFor(own.nurse),
      await codeFor(own.nurse),
    ];
    const person = await newPerson("patient");
    const member = `${API}/hospitals/${own.hospitalId}/members/${nurse.id}`;
    expect((await sendRequest(member, { as: own.manager, method: "DELETE" })).status).toBe(200);
    await expectProblem(await claim(left.code, person), 404, "not_found");
    const asSelf = await readJson(
      await sendRequest(`${API}/auth/switch-hospital`, { as: own.nurse, json: { hospital_id: null } }),
    );
    await expectProblem(await claim(mine.code, String(asSelf.data.access_token)), 404, "not_found");
    const second = await newLogin(person.id, { role: "patient", hospitalId: null, doctorScope: "care_team" });
    expect((await claim(good.code, person)).status).toBe(200);
    expect((await sendRequest(`${API}/patients/${good.patient_id}`, { as: person })).status).toBe(200);
    // Another holder of one of her sessions reads nothing of it.
    await expectProblem(await sendRequest(`${API}/patients/${good.patient_id}`, { as: second }), 401, "unauthenticated");
    await env.DB.prepare("UPDATE hospitals SET active = 0 WHERE id = ?").bind(own.hospitalId).run();
    await expectProblem(await claim(closed.code, person), 404, "not_found");
    expect((await sendRequest(`${API}/patients/${good.patient_id}`, { as: person })).status).toBe(200);
    await expectProblem(await uploadReport(person, newPdf(), { patient_id: good.patient_id }), 403, "forbidden");
  });

  it("waits until the password is one's own", async () => {
    const { patient_id } = await register();
    const person = await newPerson("patient");
    await env.DB.prepare("UPDATE users SET password_given = 1 WHERE id = ?").bind(person.id).run();
    const { code } = (await readJson(await issue(patient_id))).data;
    await expectProblem(await claim(code, person), 409, "password_given");
    await env.DB.prepare("UPDATE users SET password_given = 0 WHERE id = ?").bind(person.id).run();
    expect((await claim(code, person)).status).toBe(200);
  });

  it("leaves a link that the desk sees and can take away", async () => {
    const { patient_id } = await register();
    const person = await newPerson("patient");
    const { code } = (await readJson(await issue(patient_id))).data;
    await claim(code, person);
    const path = `${API}/patients/${patient_id}/links`;
    const listed = await readJson(await sendRequest(path, { as: world.nurse }));
    expect(listed.data).toMatchObject([
      {
        user_id: person.id,
        full_name: expect.stringMatching(/^Name /),
        method: "claim_code",
        proof: "date_of_birth",
        verified_by: world.nurse.id,
      },
    ]);
    for (const as of [elsewhere.nurse, world.doctor, person]) expect((await sendRequest(path, { as })).ok).toBe(false);
    await expectProblem(await sendRequest(`${path}/${person.id}`, { as: elsewhere.nurse, method: "DELETE" }), 404, "not_found");
    const gone = await sendRequest(`${path}/${person.id}`, { as: world.nurse, method: "DELETE" });
    expect(await readAuditEvents(gone.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "patient.unlink", subjects: [patient_id] },
    ]);
    await expectProblem(await sendRequest(`${API}/patients/${patient_id}`, { as: person }), 404, "not_found");
    await expectProblem(await sendRequest(`${path}/${person.id}`, { as: world.nurse, method: "DELETE" }), 404, "not_found");
  });

  it("is kept as a MAC alone", async () => {
    const { patient_id } = await register();
    const { code } = (await readJson(await issue(patient_id))).data;
    const { results } = await env.DB.prepare("SELECT * FROM patient_claim_codes").all();
    expect(JSON.stringify(results)).toContain(patient_id);
    expect(JSON.stringify(results).toLowerCase()).not.toContain(code.toLowerCase().replaceAll("-", ""));
  });
});

describe("intake", () => {
  const answers = {
    chief_complaint: "Palpitations",
    symptoms: ["palpitations", "धड़कन"],
    allergies: ["penicillin"],
    answers: { smoker: "no" },
  };
  const intake = (id: string, json: object, as: RequestOptions["as"] = world.nurse, more: RequestOptions = {}) =>
    sendRequest(`${API}/patients/${id}/intake`, { as, json, ...more });

  it("is kept as given, and its symptoms become the patient's", async () => {
    const { patient_id } = await register({ symptoms: ["old"], medical_history: "Kept" });
    const made = await intake(patient_id, answers);
    expect(made.status).toBe(201);
    const { data } = await readJson(made);
    expect(data).toMatchObject({ ...answers, medications: [], patient_id, authored_by: world.nurse.id });
    const patient = (await readJson(await sendRequest(`${API}/patients/${patient_id}`, { as: world.nurse }))).data;
    expect(patient).toMatchObject({ symptoms: answers.symptoms, medical_history: "Kept", version: 2 });
    await intake(patient_id, { symptoms: [] });
    const listed = (await readJson(await sendRequest(`${API}/patients/${patient_id}/intake`, { as: world.nurse }))).data;
    expect(listed.map((i: { symptoms: string[] }) => i.symptoms)).toEqual([[], answers.symptoms]);
    const dump = JSON.stringify((await env.DB.prepare("SELECT * FROM intake_responses").all()).results);
    expect(dump).toContain(patient_id);
    expect(dump).not.toContain("alpitations");
  });

  it("of twenty at once loses none", async () => {
    const { patient_id } = await register();
    const slow = withRandomDelays(env);
    const sent = await Promise.all(
      Array.from({ length: 20 }, (_, i) => intake(patient_id, { symptoms: [`s${i}`] }, world.nurse, { env: slow })),
    );
    const kept = sent.filter((r) => r.status === 201).length;
    expect(sent.map((r) => r.status)).toEqual(sent.map(() => 201));
    const listed = (await readJson(await sendRequest(`${API}/patients/${patient_id}/intake`, { as: world.nurse }))).data;
    expect(listed.length).toBe(Math.min(20, kept));
    const patient = (await readJson(await sendRequest(`${API}/patients/${patient_id}`, { as: world.nurse }))).data;
    expect(patient.version).toBe(1 + kept);
    expect(patient.symptoms.length).toBe(1);
  });

  it("has one effect per key, and is not readable at another hospital", async () => {
    const { patient_id } = await register();
    const key = { headers: { "Idempotency-Key": `intake-${patient_id}` } };
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push((await readJson(await intake(patient_id, answers, world.nurse, key))).data.intake_id);
    expect(new Set(ids).size).toBe(1);
    for (let i = 0; i < 20; i++) await intake(patient_id, {});
    expect((await readJson(await intake(patient_id, answers, world.nurse, key))).data.intake_id).toBe(ids[0]);
    await expectProblem(await intake(patient_id, answers, elsewhere.nurse), 404, "not_found");
    await expectProblem(await intake(world.patient.id, answers, world.self), 403, "forbidden");
    await expectProblem(await intake(patient_id, { symptoms: "cough" }), 400, "invalid_request");
  });
});

describe("the summary", () => {
  it("counts what exists of the patient and nothing of others", async () => {
    const own = await newWorld();
    for (let i = 0; i < 3; i++)
      await uploadReport(own.nurse, newPdf(), {
        patient_id: own.patient.id,
        kind: i ? "ecg" : "oxygen",
        metrics: '{"heart_rate":61}',
      });
    await uploadReport(own.nurse, newPdf(), { patient_id: own.stranger.id });
    for (const as of [own.nurse, own.doctor, own.self, own.admin]) {
      const { data } = await readJson(await sendRequest(`${API}/patients/${own.patient.id}/summary`, { as }));
      expect(data).toMatchObject({
        patient: { patient_id: own.patient.id },
        reports: { total: 3, by_kind: { ecg: 2, oxygen: 1 } },
        latest_report: { kind: "ecg", status: "preliminary", heart_rate: 61 },
        care_team: 1,
        devices: 0,
        claimed: true,
        latest_intake_at: null,
      });
    }
    await expectProblem(await sendRequest(`${API}/patients/${own.stranger.id}/summary`, { as: own.doctor }), 404, "not_found");
    await expectProblem(
      await sendRequest(`${API}/patients/${own.patient.id}/summary`, { as: elsewhere.nurse }),
      404,
      "not_found",
    );
  });
});

describe("a record made by mistake", () => {
  const remove = (id: string, version = 1, as: RequestOptions["as"] = world.manager) =>
    sendRequest(`${API}/patients/${id}`, { as, method: "DELETE", headers: { "If-Match": `"${version}"` } });
  const total = async () => (await readJson(await sendRequest(`${API}/patients`, { as: world.manager }))).meta.pagination.total;

  it("goes with its tokens, codes and team, and is then absent for everybody", async () => {
    const before = await total();
    const { patient_id } = await register({ first_name: "Mistake" }, world.doctor);
    await sendRequest(`${API}/patients/${patient_id}/claim-codes`, { as: world.nurse, method: "POST" });
    expect(await total()).toBe(before + 1);
    await expectProblem(await remove(patient_id, 1, world.nurse), 403, "forbidden");
    await expectProblem(await remove(patient_id, 1, elsewhere.manager), 404, "not_found");
    await expectProblem(await remove(patient_id, 2), 412, "precondition_failed");
    const gone = await remove(patient_id);
    expect(gone.status).toBe(200);
    expect(await readAuditEvents(gone.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "patient.delete", subjects: [patient_id] },
    ]);
    expect(await total()).toBe(before);
    expect(await countRows("patients", patient_id)).toBe(0);
    expect(await countRows("patient_tokens", patient_id)).toBe(0);
    for (const as of [world.manager, world.admin, world.nurse]) {
      for (const path of ["", "/summary", "/intake", "/care-team"]) {
        expect((await sendRequest(`${API}/patients/${patient_id}${path}`, { as })).status).toBe(404);
      }
    }
    await expectProblem(await remove(patient_id), 404, "not_found");
  });

  it("frees no number for reuse", async () => {
    const first = await register();
    await remove(first.patient_id);
    expect((await register()).patient_number).toBe(first.patient_number + 1);
  });

  it("is kept unchanged when other data refers to it", async () => {
    const hooks: ((id: string) => Promise<unknown>)[] = [
      (id) => uploadReport(world.nurse, newPdf(), { patient_id: id }),
      async (id) => link(await newPerson("patient"), { id, number: 0, canary: "" }),
      (id) => sendRequest(`${API}/patients/${id}/intake`, { as: world.nurse, json: {} }),
    ];
    for (const hook of hooks) {
      const { patient_id } = await register({ first_name: "Kept" });
      await hook(patient_id);
      const { version } = (await readJson(await sendRequest(`${API}/patients/${patient_id}`, { as: world.nurse }))).data;
      await expectProblem(await remove(patient_id, version), 409, "conflict");
      expect(await countRows("patients", patient_id)).toBe(1);
      expect(await countRows("patient_tokens", patient_id)).toBeGreaterThan(0);
    }
  });

  it("or its report: of a removal and an upload at once, one is done and the other refused", async () => {
    for (let round = 0; round < 10; round++) {
      const { patient_id } = await register();
      const slow = withRandomDelays(env);
      const [gone, sent] = await Promise.all([
        sendRequest(`${API}/patients/${patient_id}`, {
          as: world.manager,
          method: "DELETE",
          headers: { "If-Match": '"1"' },
          env: slow,
        }),
        uploadReport(world.nurse, newPdf(), { patient_id }, { env: slow }),
      ]);
      const there = await countRows("patients", patient_id);
      expect([gone.status, there]).toEqual(sent.status === 201 ? [409, 1] : [200, 0]);
      if (sent.status !== 201) expect(sent.status).toBe(404);
    }
  });
});

describe("a hospital that is closed", () => {
  it("accepts no new patient, ward, device, key or account, from any caller", async () => {
    const closed = await newHospital();
    await env.DB.prepare("UPDATE hospitals SET active = 0 WHERE id = ?").bind(closed).run();
    for (const [path, json] of [
      ["patients", { first_name: "x" }],
      ["wards", { name: "x" }],
      ["devices", { kind: "ecg", name: "x" }],
      ["api-keys", { name: "x", scopes: ["patient:read"] }],
      ["users", { email: `${Date.now()}@example.org`, full_name: "x", password: "quiet river stones", role: "nurse" }],
    ] as const) {
      const response = await sendRequest(`${API}/${path}`, { as: world.admin, json: { ...json, hospital_id: closed } });
      expect([path, response.status]).toEqual([path, 404]);
    }
  });
});

describe("who opens a record to a doctor", () => {
  it("is a nurse or a manager, and the audit log names the doctor", async () => {
    const other = await newPerson("doctor", world.hospitalId);
    const json = { first_name: "x", assigned_doctor_id: other.id };
    await expectProblem(await sendRequest(`${API}/patients`, { as: world.doctor, json }), 403, "forbidden");
    expect(
      (await sendRequest(`${API}/patients`, { as: world.doctor, json: { ...json, assigned_doctor_id: world.doctor.id } })).status,
    ).toBe(201);
    const made = await sendRequest(`${API}/patients`, { as: world.nurse, json });
    const [row] = await readAuditEvents(made.headers.get("x-request-id") ?? "");
    expect(row?.detail).toContain(other.id);
    const { patient_id } = (await readJson(made)).data;
    const changed = await change(patient_id, 1, { assigned_doctor_id: world.doctor.id });
    expect((await readAuditEvents(changed.headers.get("x-request-id") ?? ""))[0]?.detail).toContain(world.doctor.id);
  });
});

describe("an inactive patient", () => {
  it("stays readable and is marked in lists", async () => {
    const { patient_id } = await register({ first_name: "Moved" });
    const done = await change(patient_id, 1, { is_active: false, reason: "Moved away" });
    expect((await readJson(done)).data).toMatchObject({ is_active: false, version: 2 });
    const listed = await readJson(await sendRequest(`${API}/patients?active=false&limit=100`, { as: world.nurse }));
    expect(idsOf(listed)).toContain(patient_id);
    const back = await change(patient_id, 2, { is_active: true, reason: "Came back" });
    expect((await readJson(back)).data.is_active).toBe(true);
  });
});

describe("two hospitals", () => {
  it("do not see each other's desks", async () => {
    const other = await newPatient(await newHospital(), elsewhere.nurse);
    for (const path of ["", "/summary", "/intake"]) {
      await expectProblem(await sendRequest(`${API}/patients/${other.id}${path}`, { as: world.nurse }), 404, "not_found");
    }
  });
});
