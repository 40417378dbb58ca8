// Practitioners: eligible accounts, visibility, public fields, and self-service changes.
import { describe, expect, it } from "vitest";
import { withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  findEvents,
  link,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";

const FULL = {
  specialty: "हृदयरोग",
  qualifications: ["MBBS", "MD (Medicine)"],
  registration_number: "MMC 2011/04/1234",
  languages: ["en-IN", "mr-IN"],
  phone: "+91 20 5550 0199",
  about: "हृदयाच्या लयीचे विकार.\nMornings only.",
};
const create = (as: Person, json: object, headers: Record<string, string> = {}, of = env) =>
  sendRequest(`${API}/practitioners`, { as, json, headers, env: of });
const profileOf = async (world: World, person: Person, more: object = {}): Promise<string> =>
  (await readJson(await create(world.manager, { user_id: person.id, ...more }))).data.practitioner_id;
const get = (as: Person, id: string) => sendRequest(`${API}/practitioners/${id}`, { as });
const change = (as: Person, id: string, json: unknown, version = 1, of = env) =>
  sendRequest(`${API}/practitioners/${id}`, { as, method: "PATCH", json, headers: { "If-Match": `"${version}"` }, env: of });
const remove = (as: Person, id: string, version = 1) =>
  sendRequest(`${API}/practitioners/${id}`, { as, method: "DELETE", headers: { "If-Match": `"${version}"` } });
const ids = async (as: Person, query = ""): Promise<string[]> => {
  const { data } = await readJson(await sendRequest(`${API}/practitioners?limit=100${query}`, { as }));
  return data.map((row: { practitioner_id: string }) => row.practitioner_id).sort();
};
const trace = async (response: Response) =>
  (await readAuditEvents(response.headers.get("x-request-id") ?? "")).map(({ event, outcome, reason }) => [
    event,
    outcome,
    reason,
  ]);
const run = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();

describe("a profile", () => {
  it("is made for a doctor or nurse who works there, once", async () => {
    const world = await newWorld();
    const made = await create(world.manager, { user_id: world.doctor.id, ...FULL });
    expect([made.status, made.headers.get("etag"), await trace(made)]).toEqual([
      201,
      expect.stringMatching(/^"1-/),
      [["practitioner.create", "success", null]],
    ]);
    const { data } = await readJson(made);
    expect(data).toMatchObject({ user_id: world.doctor.id, role: "doctor", is_active: true, version: 1, ...FULL });
    expect(data.hospital.hospital_id).toBe(world.hospitalId);
    for (const as of [world.nurse, world.doctor, world.manager, world.self, world.admin]) {
      const seen = await get(as, data.practitioner_id);
      expect([seen.headers.get("etag"), (await readJson(seen)).data]).toEqual([expect.stringMatching(/^"1-/), data]);
      expect(await trace(seen)).toEqual([["practitioner.read", "success", null]]);
    }
    const again = await create(world.manager, { user_id: world.doctor.id });
    expect([again.status, (await readJson(again)).code]).toEqual([409, "already_exists"]);
    const bare = (await readJson(await create(world.admin, { user_id: world.nurse.id, hospital_id: world.hospitalId }))).data;
    expect(bare).toMatchObject({ role: "nurse", specialty: null, qualifications: [], languages: [], phone: null, about: null });
  });

  it("is for nobody else", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const [ended, suspended, disabled] = await Promise.all([1, 2, 3].map(() => newPerson("doctor", world.hospitalId)));
    await run("UPDATE memberships SET ended_at = 1 WHERE user_id = ?", ended?.id);
    await run("UPDATE memberships SET suspended_at = 1 WHERE user_id = ?", suspended?.id);
    await run("UPDATE users SET active = 0 WHERE id = ?", disabled?.id);
    for (const person of [other.doctor, world.self, world.admin, ended, suspended, disabled]) {
      const answer = await create(world.manager, { user_id: person?.id });
      expect([answer.status, await trace(answer)]).toEqual([404, [["access.denied", "denied", "not_found"]]]);
    }
    const manager = await create(world.admin, { user_id: world.manager.id, hospital_id: world.hospitalId });
    expect([manager.status, await trace(manager)]).toEqual([409, [["practitioner.create", "failed", "conflict"]]]);
    for (const hospital_id of [other.hospitalId, world.admin.id]) {
      expect((await create(world.manager, { user_id: other.doctor.id, hospital_id })).status).toBe(404);
      expect((await create(world.admin, { user_id: world.doctor.id, hospital_id })).status).toBe(404);
    }
    expect((await create(world.admin, { user_id: world.doctor.id })).status).toBe(400);
    for (const as of [world.nurse, world.doctor, world.self]) {
      expect((await create(as, { user_id: as.id })).status).toBe(403);
    }
    const rows = env.DB.prepare("SELECT count(*) AS n FROM practitioners WHERE hospital_id IN (?, ?)");
    expect(await rows.bind(world.hospitalId, other.hospitalId).first("n")).toBe(0);
  });

  it("shows exactly the documented fields to every role", async () => {
    const world = await newWorld();
    const id = await profileOf(world, world.doctor, FULL);
    const fields = [
      ...["practitioner_id", "user_id", "full_name", "role", "hospital", "is_active", "created_at", "updated_at", "version"],
      ...Object.keys(FULL),
    ].sort();
    for (const as of [world.nurse, world.doctor, world.manager, world.self, world.admin]) {
      for (const path of [`/practitioners/${id}`, `/practitioners?hospital_id=${world.hospitalId}`]) {
        const text = await (await sendRequest(API + path, { as })).text();
        const { data } = JSON.parse(text);
        const row = Array.isArray(data) ? data[0] : data;
        expect([Object.keys(row).sort(), Object.keys(row.hospital).sort()]).toEqual([fields, ["hospital_id", "name"]]);
        for (const hidden of [world.doctor.email, world.doctor.username, "sealed", "index", "password"]) {
          expect(text).not.toContain(hidden);
        }
      }
    }
    const stored = await env.DB.prepare("SELECT * FROM practitioners WHERE id = ?").bind(id).first();
    const dump = JSON.stringify(stored);
    for (const word of ["MBBS", "MMC", "en-IN", "5550", "Mornings"]) expect(dump).not.toContain(word);
    const trail = await findEvents({ entity_id: id });
    expect(trail.length).toBeGreaterThan(1);
    expect(JSON.stringify(trail.map(({ detail }) => detail))).not.toMatch(/MBBS|MMC|5550|Mornings/);
  });

  it("accepts languages as BCP 47 tags, and single-line fields without line breaks", async () => {
    const world = await newWorld();
    const id = await profileOf(world, world.doctor);
    const bad = [
      ...["en_US", "", "x", "12", "i-klingon", "en-", "a".repeat(36)].map((tag) => ({ languages: [tag] })),
      { languages: ["en", "EN"] },
      { languages: Array.from({ length: 21 }, (_, i) => `en-x-a${i}`) },
      { qualifications: ["a\nb"] },
      { qualifications: Array(21).fill("MD") },
      { registration_number: "" },
      { phone: "call" },
      { about: "x".repeat(2_001) },
      { specialty: "\u2003" },
      { role: "doctor" },
      { user_id: world.nurse.id },
      { full_name: "Dr X" },
      {},
    ];
    for (const json of bad) expect((await change(world.manager, id, json)).status, JSON.stringify(json)).toBe(400);
    const kept = await change(world.manager, id, { languages: ["EN-in", "hi-deva-in", "mr"] });
    expect((await readJson(kept)).data.languages).toEqual(["en-IN", "hi-Deva-IN", "mr"]);
  });
});

describe("practitioners are seen", () => {
  it("by staff of their hospital, by patients of the hospitals that hold their records, by administrators", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const mine = [await profileOf(world, world.doctor), await profileOf(world, world.nurse)].sort();
    const theirs = await profileOf(other, other.doctor);
    for (const as of [world.nurse, world.doctor, world.manager, world.self]) expect(await ids(as)).toEqual(mine);
    expect(await ids(await newPerson("patient"))).toEqual([]);
    expect(await ids(world.admin)).toEqual(expect.arrayContaining([...mine, theirs]));
    for (const as of [world.nurse, world.doctor, world.manager, world.self, await newPerson("patient")]) {
      const answer = await get(as, theirs);
      expect([answer.status, await trace(answer)]).toEqual([404, [["access.denied", "denied", "not_found"]]]);
      expect(await ids(as, `&hospital_id=${other.hospitalId}`)).toEqual([]);
    }
    await link(world.self, await newPatient(other.hospitalId, other.nurse));
    expect(await ids(world.self)).toEqual([...mine, theirs].sort());
    expect(await ids(world.self, `&hospital_id=${other.hospitalId}`)).toEqual([theirs]);
  });

  it("as the filters say, page by page, with totals of what is visible", async () => {
    const world = await newWorld();
    const doctors = await Promise.all(Array.from({ length: 4 }, () => newPerson("doctor", world.hospitalId)));
    const all: string[] = [];
    for (const [i, doctor] of doctors.entries())
      all.push(await profileOf(world, doctor, { specialty: i % 2 ? "Cardiology" : "ICU" }));
    const nurse = await profileOf(world, world.nurse);
    await change(world.manager, all[0] ?? "", { is_active: false });
    expect(await ids(world.doctor)).toEqual([...all, nurse].sort());
    expect(await ids(world.doctor, "&role=nurse")).toEqual([nurse]);
    expect(await ids(world.doctor, "&specialty=Cardiology")).toEqual([all[1], all[3]].sort());
    expect(await ids(world.doctor, "&active=false")).toEqual([all[0]]);
    expect(await ids(world.self, "&active=false")).toEqual([]);
    expect(await ids(world.self, "&role=doctor")).toEqual(all.slice(1).sort());
    for (const [as, expected] of [
      [world.doctor, [nurse, ...all.toReversed()]],
      [world.self, [nurse, ...all.slice(1).toReversed()]],
    ] as const) {
      const walked: string[] = [];
      let cursor = "";
      for (let pages = 0; pages < 5 && walked.length < expected.length; pages++) {
        const { data, meta } = await readJson(await sendRequest(`${API}/practitioners?limit=2${cursor}`, { as }));
        walked.push(...data.map((row: { practitioner_id: string }) => row.practitioner_id));
        expect(meta.pagination.total).toBe(expected.length);
        cursor = `&cursor=${meta.pagination.next_cursor}`;
      }
      expect(walked).toEqual(expected);
      const foreign = await sendRequest(`${API}/practitioners?limit=2${cursor}`, { as: world.manager });
      expect(foreign.status).toBe(400);
    }
    for (const query of ["role=hospital_admin", "active=1", "name=x", "specialty=", "hospital_id=x", "email=x"]) {
      expect((await sendRequest(`${API}/practitioners?${query}`, { as: world.self })).status, query).toBe(400);
    }
  });

  it("by patients only while they work there; by colleagues as inactive", async () => {
    const world = await newWorld();
    const id = await profileOf(world, world.doctor);
    const states: [string, string][] = [
      ["UPDATE memberships SET ended_at = 1 WHERE user_id = ?", "UPDATE memberships SET ended_at = NULL WHERE user_id = ?"],
      [
        "UPDATE memberships SET suspended_at = 1 WHERE user_id = ?",
        "UPDATE memberships SET suspended_at = NULL WHERE user_id = ?",
      ],
      ["UPDATE users SET active = 0 WHERE id = ?", "UPDATE users SET active = 1 WHERE id = ?"],
      [
        "UPDATE memberships SET role = 'hospital_admin' WHERE user_id = ?",
        "UPDATE memberships SET role = 'doctor' WHERE user_id = ?",
      ],
      ["UPDATE practitioners SET active = 0 WHERE user_id = ?", "UPDATE practitioners SET active = 1 WHERE user_id = ?"],
    ];
    for (const [end, back] of states) {
      await run(end, world.doctor.id);
      expect([await ids(world.self), (await get(world.self, id)).status], end).toEqual([[], 404]);
      expect((await readJson(await get(world.nurse, id))).data.is_active, end).toBe(false);
      await run(back, world.doctor.id);
      expect([await ids(world.self), (await get(world.self, id)).status], back).toEqual([[id], 200]);
      expect((await readJson(await get(world.nurse, id))).data.is_active).toBe(true);
    }
    await run("UPDATE hospitals SET active = 0 WHERE id = ?", world.hospitalId);
    expect(await ids(world.self)).toEqual([]);
  });
});

describe("a change of a profile", () => {
  it("is the manager's, and of phone, languages and about the person's own", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const id = await profileOf(world, world.doctor, FULL);
    const own = await change(world.doctor, id, { phone: "+91 99999 00000", languages: ["hi"], about: null });
    expect([own.status, own.headers.get("etag")]).toEqual([200, expect.stringMatching(/^"2-/)]);
    expect((await readJson(own)).data).toMatchObject({
      ...FULL,
      phone: "+91 99999 00000",
      languages: ["hi"],
      about: null,
      version: 2,
    });
    for (const json of [
      { specialty: "Surgery" },
      { qualifications: ["FRCS"] },
      { registration_number: "1" },
      { is_active: false },
      { about: "x", specialty: "Surgery" },
    ]) {
      const answer = await change(world.doctor, id, json, 2);
      expect([answer.status, await trace(answer)]).toEqual([403, [["access.denied", "denied", "forbidden"]]]);
    }
    for (const as of [world.nurse, other.manager, other.doctor]) {
      const answer = await change(as, id, { about: "x" }, 2);
      expect([answer.status, await trace(answer)]).toEqual([404, [["access.denied", "denied", "not_found"]]]);
    }
    expect((await change(world.self, id, { about: "x" }, 2)).status).toBe(403);
    const managed = await change(world.manager, id, { specialty: null, is_active: false }, 2);
    expect((await readJson(managed)).data).toMatchObject({ specialty: null, is_active: false, languages: ["hi"], version: 3 });
    expect((await change(world.admin, id, { is_active: true }, 3)).status).toBe(200);
    expect((await readJson(await get(world.self, id))).data).toMatchObject({ is_active: true, version: 4 });
    const stale = await change(world.doctor, id, { about: "x" }, 1);
    expect([stale.status, await trace(stale)]).toEqual([412, [["practitioner.update", "failed", "precondition_failed"]]]);
    expect(
      (await sendRequest(`${API}/practitioners/${id}`, { as: world.doctor, method: "PATCH", json: { about: "x" } })).status,
    ).toBe(428);
  });

  it("made by twenty at once with one version counts once, and opens", async () => {
    const world = await newWorld();
    const id = await profileOf(world, world.doctor);
    const of = withRandomDelays(env);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => change(world.manager, id, { about: `About ${i}` }, 1, of)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(412)]);
    const won = answers.find(({ status }) => status === 200);
    expect((await readJson(await get(world.nurse, id))).data).toEqual((await readJson(won ?? new Response("{}"))).data);
  });

  it("a removal deletes the profile and keeps the membership", async () => {
    const world = await newWorld();
    const id = await profileOf(world, world.doctor);
    for (const as of [world.doctor, world.nurse, world.self]) expect((await remove(as, id)).status).toBe(403);
    expect((await remove(world.manager, id, 2)).status).toBe(412);
    const gone = await remove(world.manager, id);
    expect([gone.status, await trace(gone)]).toEqual([200, [["practitioner.delete", "success", null]]]);
    expect([(await get(world.manager, id)).status, (await remove(world.manager, id)).status]).toEqual([404, 404]);
    expect((await sendRequest(`${API}/patients`, { as: world.doctor })).status).toBe(200);
    expect((await create(world.manager, { user_id: world.doctor.id })).status).toBe(201);
  });
});

describe("races for a profile", () => {
  it("of twenty creations one wins; of twenty with one key all show it", async () => {
    const world = await newWorld();
    const of = withRandomDelays(env);
    const free = await Promise.all(Array.from({ length: 20 }, () => create(world.manager, { user_id: world.doctor.id }, {}, of)));
    expect(free.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    const keyed = await Promise.all(
      Array.from({ length: 20 }, () =>
        create(world.manager, { user_id: world.nurse.id }, { "Idempotency-Key": "profile-race" }, of),
      ),
    );
    const bodies = await Promise.all(keyed.map(readJson));
    expect(keyed.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(new Set(bodies.map(({ data }) => data.practitioner_id)).size).toBe(1);
    expect(await findEvents({ event: "practitioner.create", hospital_id: world.hospitalId })).toHaveLength(2);
  });

  it("with the end of the membership: a profile exists or it was refused, and its key is free again", async () => {
    const world = await newWorld();
    const of = withRandomDelays(env);
    const seen: number[] = [];
    for (let round = 0; round < 10; round++) {
      const doctor = await newPerson("doctor", world.hospitalId);
      const member = `${API}/hospitals/${world.hospitalId}/members/${doctor.id}`;
      const key = { "Idempotency-Key": `profile-end-${round}` };
      const [made] = await Promise.all([
        create(world.manager, { user_id: doctor.id }, key, of),
        sendRequest(member, { as: world.manager, method: "DELETE", env: of }),
      ]);
      seen.push(made.status);
      const rows = env.DB.prepare("SELECT count(*) AS n FROM practitioners WHERE user_id = ?").bind(doctor.id);
      expect([201, 404, 409]).toContain(made.status);
      expect(await rows.first("n")).toBe(made.status === 201 ? 1 : 0);
      if (made.status === 201) continue;
      await run("UPDATE memberships SET ended_at = NULL WHERE user_id = ?", doctor.id);
      expect((await create(world.manager, { user_id: doctor.id }, key)).status).toBe(201);
    }
    expect(seen).toHaveLength(10);
  });
});
