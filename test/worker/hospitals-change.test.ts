// Changes to hospitals: versions, fields, the scope of their doctors, and the immediate effects of deactivation.
import { describe, expect, it } from "vitest";
import { SELF_CARE_HOSPITAL_ID } from "../../src/platform/db/schema.ts";
import { withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  findEvents,
  newDevice,
  newHospital,
  newLogin,
  newPdf,
  newPerson,
  newWorld,
  PASSWORD,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
} from "../world.ts";

const at = (id: string) => `${API}/hospitals/${id}`;
const change = (as: Person, id: string, json: unknown, version: number | null = 1, more: RequestOptions = {}) =>
  sendRequest(at(id), {
    as,
    method: "PATCH",
    json,
    ...(version !== null && { headers: { "If-Match": `"${version}"` } }),
    ...more,
  });
const shut = (as: Person, id: string, version = 1, more: RequestOptions = {}) =>
  sendRequest(at(id), { as, method: "DELETE", headers: { "If-Match": `"${version}"` }, ...more });
const status = async (response: Promise<Response>) => {
  const answer = await response;
  await answer.arrayBuffer();
  return answer.status;
};
const events = async (response: Response) =>
  (await readAuditEvents(response.headers.get("x-request-id") ?? "")).map(
    ({ event, outcome, reason, hospital_id, entity_id }) => ({
      event,
      outcome,
      reason,
      hospital_id,
      entity_id,
    }),
  );

describe("a change of a hospital", () => {
  it("keeps every field, in any script, and counts the version", async () => {
    const { manager, admin, nurse, hospitalId } = await newWorld();
    const fields = {
      name: "दीनानाथ रुग्णालय",
      time_zone: "Asia/Kolkata",
      phone: "+91 20 5550 0100",
      email: "Desk@Example.org",
      address: "एरंडवणे\nपुणे ४११००४",
    };
    const first = await change(manager, hospitalId, fields);
    expect([first.status, first.headers.get("etag")]).toEqual([200, expect.stringMatching(/^"2-/)]);
    const told = { ...fields, hospital_id: hospitalId, is_active: true, version: 2 };
    expect((await readJson(first)).data).toMatchObject(told);
    const seen = await sendRequest(at(hospitalId), { as: nurse });
    expect([seen.headers.get("etag"), (await readJson(seen)).data]).toMatchObject([expect.stringMatching(/^"2-/), told]);
    const cleared = await change(admin, hospitalId, { phone: null, email: null, address: null }, 2);
    expect((await readJson(cleared)).data).toMatchObject({
      name: fields.name,
      phone: null,
      email: null,
      address: null,
      version: 3,
    });
    const entity = { outcome: "success", reason: null, hospital_id: hospitalId, entity_id: hospitalId };
    for (const answer of [first, cleared]) expect(await events(answer)).toEqual([{ event: "hospital.update", ...entity }]);
    const [row] = await readAuditEvents(first.headers.get("x-request-id") ?? "");
    expect(JSON.parse(row?.detail ?? "")).toEqual({ fields: Object.keys(fields) });
  });

  it("needs the present version", async () => {
    const { manager, hospitalId } = await newWorld();
    expect((await change(manager, hospitalId, { name: "A" }, null)).status).toBe(428);
    expect((await sendRequest(at(hospitalId), { as: manager, method: "DELETE" })).status).toBe(428);
    for (const etag of ['"2"', '"0"', "1", '"x"', '"2", "3"', '"1" "2"', '*, "1"']) {
      const stale = await change(manager, hospitalId, { name: "A" }, null, { headers: { "If-Match": etag } });
      expect(stale.status, etag).toBe(412);
    }
    const stale = await change(manager, hospitalId, { name: "A" }, 7);
    expect(await events(stale)).toMatchObject([{ event: "hospital.update", outcome: "failed", reason: "precondition_failed" }]);
  });

  it("refuses what is no time zone, no field and no change", async () => {
    const { manager, hospitalId } = await newWorld();
    const bad = [
      ...["Mars/Base", "+05:30", "asia/kolkata", "", "Asia/Kolkata ", "UTC; DROP", 330].map((time_zone) => ({ time_zone })),
      ...["", " ", "\u2003", "a\nb", "a\u202eb", "x".repeat(201)].map((name) => ({ name })),
      { phone: "call us" },
      { email: "nobody" },
      { address: "x".repeat(501) },
      { doctor_scope: "all" },
      { is_active: 1 },
      { version: 3 },
      { hospital_id: hospitalId, name: "A" },
      {},
    ];
    for (const json of bad) expect((await change(manager, hospitalId, json)).status, JSON.stringify(json)).toBe(400);
    for (const zone of ["Asia/Kolkata", "Asia/Calcutta", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]) {
      const answer = await sendRequest(`${API}/hospitals`, {
        as: await newPerson("admin"),
        json: { name: `Hospital ${uniqueText()}`, time_zone: zone },
      });
      expect([answer.status, (await readJson(answer)).data.time_zone]).toEqual([201, zone]);
    }
  });

  it("is for its administrator and the platform's; whether it works is for the platform's alone", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    for (const as of [world.nurse, world.doctor, world.self]) {
      expect([await status(change(as, world.hospitalId, { name: "A" })), await status(shut(as, world.hospitalId))]).toEqual([
        403, 403,
      ]);
    }
    const denied = { outcome: "denied", event: "access.denied" };
    const foreign = await change(world.manager, other.hospitalId, { name: "A" }, 1, {
      headers: { "If-Match": '"1"', "X-Hospital-Id": other.hospitalId },
    });
    const nowhere = await change(world.manager, world.admin.id, { name: "A" });
    expect([foreign.status, nowhere.status]).toEqual([404, 404]);
    expect(await events(foreign)).toMatchObject([{ ...denied, reason: "not_found", entity_id: other.hospitalId }]);
    for (const attempt of [
      () => change(world.manager, world.hospitalId, { is_active: false }),
      () => change(world.manager, world.hospitalId, { is_active: true, name: "A" }),
      () => change(world.manager, other.hospitalId, { is_active: false }),
      () => shut(world.manager, world.hospitalId),
      () => shut(world.manager, other.hospitalId),
    ]) {
      const answer = await attempt();
      expect(answer.status, attempt.toString()).toBe(403);
      expect(await events(answer)).toMatchObject([{ ...denied, reason: "forbidden" }]);
    }
    expect((await readJson(await sendRequest(at(world.hospitalId), { as: world.nurse }))).data.version).toBe(1);
    expect(await status(shut(world.admin, world.admin.id))).toBe(404);
  });

  it("of the built-in organisation is denied to everybody", async () => {
    const { admin, manager, nurse } = await newWorld();
    const before = await env.DB.prepare("SELECT * FROM hospitals WHERE id = ?").bind(SELF_CARE_HOSPITAL_ID).first();
    for (const json of [{ name: "Mine" }, { is_active: false }, { doctor_scope: "hospital" }]) {
      expect((await change(admin, SELF_CARE_HOSPITAL_ID, json)).status).toBe(403);
    }
    expect(await status(shut(admin, SELF_CARE_HOSPITAL_ID))).toBe(403);
    expect(await status(change(manager, SELF_CARE_HOSPITAL_ID, { name: "Mine" }))).toBe(404);
    const join = { as: admin, method: "PUT", json: { role: "doctor" } };
    expect(await status(sendRequest(`${at(SELF_CARE_HOSPITAL_ID)}/members/${nurse.id}`, join))).toBe(403);
    expect(
      await status(sendRequest(`${API}/wards`, { as: admin, json: { name: "W", hospital_id: SELF_CARE_HOSPITAL_ID } })),
    ).toBe(403);
    expect(await env.DB.prepare("SELECT * FROM hospitals WHERE id = ?").bind(SELF_CARE_HOSPITAL_ID).first()).toEqual(before);
    expect(
      await env.DB.prepare("SELECT count(*) AS n FROM memberships WHERE hospital_id = ?").bind(SELF_CARE_HOSPITAL_ID).first("n"),
    ).toBe(0);
  });

  it("made by twenty at once with one version counts once", async () => {
    const { manager, hospitalId } = await newWorld();
    const of = withRandomDelays(env);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => change(manager, hospitalId, { name: `Name ${i}` }, 1, { env: of })),
    );
    const won = answers.filter((answer) => answer.status === 200);
    expect([won.length, answers.filter((answer) => answer.status === 412).length]).toEqual([1, 19]);
    const { data } = await readJson(await sendRequest(at(hospitalId), { as: manager }));
    expect(data).toEqual((await readJson(won[0] ?? new Response("{}"))).data);
    const outcomes = (await findEvents({ event: "hospital.update", hospital_id: hospitalId })).map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual([...Array(19).fill("failed"), "success"]);
  });

  it("would count several times by a look-up that is followed by an update (the known-bad twin)", async () => {
    const id = await newHospital();
    const { DB } = withRandomDelays(env);
    async function naive(name: string): Promise<boolean> {
      const version = await DB.prepare("SELECT version FROM hospitals WHERE id = ?").bind(id).first("version");
      if (version !== 1) return false;
      await DB.prepare("UPDATE hospitals SET name = ?, version = version + 1 WHERE id = ?").bind(name, id).run();
      return true;
    }
    const won = await Promise.all(Array.from({ length: 20 }, (_, i) => naive(`Name ${i}`)));
    expect(won.filter(Boolean).length).toBeGreaterThan(1);
  });
});

describe("the scope of doctors", () => {
  it("counts with the next request, in list, total, statistics and detail", async () => {
    const { manager, doctor, patient, stranger, nurse, hospitalId } = await newWorld();
    const reports: string[] = [];
    for (const { id } of [patient, stranger]) {
      reports.push((await readJson(await uploadReport(nurse, newPdf(), { patient_id: id }))).data.report_id);
    }
    const sees = async () => {
      const list = await readJson(await sendRequest(`${API}/patients`, { as: doctor }));
      const files = await readJson(await sendRequest(`${API}/reports`, { as: doctor }));
      const stats = await readJson(await sendRequest(`${API}/reports/stats`, { as: doctor }));
      return [
        list.data.length,
        list.meta.pagination.total,
        files.data.length,
        files.meta.pagination.total,
        stats.data.total,
        await status(sendRequest(`${API}/patients/${stranger.id}`, { as: doctor })),
        await status(sendRequest(`${API}/reports/${reports[1]}`, { as: doctor })),
      ];
    };
    const team = [1, 1, 1, 1, 1, 404, 404];
    const whole = [2, 2, 2, 2, 2, 200, 200];
    expect(await sees()).toEqual(team);
    expect((await change(manager, hospitalId, { doctor_scope: "hospital" })).status).toBe(200);
    expect(await sees()).toEqual(whole);
    expect((await change(manager, hospitalId, { doctor_scope: "care_team" }, 2)).status).toBe(200);
    expect(await sees()).toEqual(team);
  });
});

describe("a hospital that is deactivated", () => {
  const login = (email: string) => sendRequest(`${API}/auth/login`, { json: { email, password: PASSWORD } });
  const refresh = (token: string) => sendRequest(`${API}/auth/refresh`, { json: { refresh_token: token } });

  it("rejects its staff, sessions, devices and links at their next request, until it is reactivated", async () => {
    const { admin, nurse, doctor, manager, self, patient, hospitalId } = await newWorld();
    const device = await newDevice(nurse, patient.id);
    const sent = await readJson(await uploadReport(device, newPdf()));
    const link = async (as: { token: string }): Promise<string> =>
      (await readJson(await sendRequest(`${API}/reports/${sent.data.report_id}`, { as }))).data.download_url;
    const links = [await link(nurse), await link(device)];
    const see = (as: { token: string }) => status(sendRequest(`${API}/patients/${patient.id}`, { as }));
    for (const url of links) expect(await status(sendRequest(url))).toBe(200);

    const answer = await shut(admin, hospitalId);
    expect([answer.status, answer.headers.get("etag")]).toEqual([200, expect.stringMatching(/^"2-/)]);
    expect((await readJson(answer)).data).toMatchObject({ is_active: false, version: 2 });
    expect(await events(answer)).toMatchObject([{ event: "hospital.deactivate", outcome: "success", hospital_id: hospitalId }]);
    for (const person of [nurse, doctor, manager]) {
      expect([await see(person), await status(refresh(person.refresh)), await status(login(person.email))]).toEqual([
        401, 401, 401,
      ]);
    }
    for (const url of links) expect(await status(sendRequest(url))).toBe(401);
    expect(await status(uploadReport(device, newPdf()))).toBe(401);
    // Patients keep access to their own data, and administrators to everything.
    expect([await see(self), await see(admin)]).toEqual([200, 200]);
    const revoked = env.DB.prepare("SELECT DISTINCT revoked_reason AS r FROM sessions WHERE hospital_id = ?").bind(hospitalId);
    expect((await revoked.all()).results).toEqual([{ r: "hospital_deactivated" }]);

    const back = await change(admin, hospitalId, { is_active: true }, 2);
    expect(await events(back)).toMatchObject([{ event: "hospital.reactivate", outcome: "success" }]);
    expect(await status(uploadReport(device, newPdf()))).toBe(201);
    // An ended session stays ended; a login opens a new one.
    expect([await see(nurse), await status(refresh(nurse.refresh)), await status(sendRequest(links[0] ?? ""))]).toEqual([
      401, 401, 401,
    ]);
    const again = await readJson(await login(nurse.email));
    expect([again.data.hospital_id, await see({ token: again.data.access_token })]).toEqual([hospitalId, 200]);
  });

  it("rejects its apps too, until it is reactivated", async () => {
    const { admin, manager, hospitalId } = await newWorld();
    const json = { name: "lab system", scopes: ["patient:read"] };
    const { data } = await readJson(await sendRequest(`${API}/api-keys`, { as: manager, json }));
    const use = () => status(sendRequest(`${API}/patients`, { as: { token: data.token } }));
    expect(await use()).toBe(200);
    expect(await status(shut(admin, hospitalId))).toBe(200);
    expect(await use()).toBe(401);
    expect(await status(change(admin, hospitalId, { is_active: true }, 2))).toBe(200);
    expect(await use()).toBe(200);
  });

  it("keeps other hospitals open to staff who also work there, and ends only its own sessions", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    await env.DB.prepare(
      "INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at) VALUES (?, ?, 'nurse', 't', 9e15)",
    )
      .bind(world.nurse.id, other.hospitalId)
      .run();
    const there = await newLogin(world.nurse.id, { role: "nurse", hospitalId: other.hospitalId, doctorScope: "care_team" });
    expect(await status(shut(world.admin, world.hospitalId))).toBe(200);
    const me = (as: { token: string }) => status(sendRequest(`${API}/hospitals`, { as }));
    expect([await me(world.nurse), await me(there), await me(other.nurse), await me(world.self)]).toEqual([401, 200, 200, 200]);
    expect(await status(refresh(there.refresh))).toBe(200);
    expect((await readJson(await login(world.nurse.email))).data).toMatchObject({ hospital_id: other.hospitalId, role: "nurse" });
  });

  it("is found by the filter, and stays in the list of administrators", async () => {
    const { admin, nurse, hospitalId } = await newWorld();
    expect(await status(shut(admin, hospitalId))).toBe(200);
    const ids = async (query: string): Promise<string[]> => {
      const { data } = await readJson(await sendRequest(`${API}/hospitals?limit=100${query}`, { as: admin }));
      return data.map((row: { hospital_id: string }) => row.hospital_id);
    };
    expect([(await ids("")).includes(hospitalId), (await ids("&active=false")).includes(hospitalId)]).toEqual([true, true]);
    expect((await ids("&active=true")).includes(hospitalId)).toBe(false);
    for (const query of ["active=1", "active=", "active=TRUE", "is_active=true", "name=x", "active=true&active=false"]) {
      expect(await status(sendRequest(`${API}/hospitals?${query}`, { as: admin })), query).toBe(400);
    }
    expect(await status(sendRequest(`${API}/hospitals`, { as: nurse }))).toBe(401);
  });

  it("when a rename comes in the same instant, either is refused or the sessions end: never half", async () => {
    for (let round = 0; round < 5; round++) {
      const { admin, manager, nurse, hospitalId } = await newWorld();
      const of = withRandomDelays(env);
      const [ended, renamed] = await Promise.all([
        status(shut(admin, hospitalId, 1, { env: of })),
        status(change(manager, hospitalId, { name: "New" }, 1, { env: of })),
      ]);
      const row = env.DB.prepare("SELECT revoked_at FROM sessions WHERE id = ?").bind(nurse.sessionId);
      const revoked = (await row.first("revoked_at")) !== null;
      expect([ended, renamed, revoked]).toSatisfy(([a, b, c]: unknown[]) =>
        a === 200 ? (b === 412 || b === 401) && c === true : a === 412 && b === 200 && c === false,
      );
    }
  });
});
