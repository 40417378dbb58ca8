// Erasures after a backup was restored that is older than they are: what is kept outside of it, and how it is applied.
import { beforeAll, expect, it } from "vitest";
import type { Certificate } from "../../src/erasure/run/certificate.ts";
import { runErasure } from "../../src/erasure/run/run-erasures.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { renewSignIn } from "../authz.factors.ts";
import { newErasure, signCertificate } from "../erasure-rows.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, link, newPatient, newPerson, newWorld, readAuditEvents, readJson, sendRequest, type World } from "../world.ts";
import { approved, eraseAll, idsOf, LATER, scanD1 } from "./erasure-world.ts";

let world: World & { admin: Awaited<ReturnType<typeof newPerson>> };
beforeAll(async () => {
  world = { ...(await newWorld()), admin: await newPerson("admin") };
  await renewSignIn(world.admin.sessionId);
});

/** A patient with a login. */
async function newSubject(): Promise<Pick<World, "manager" | "self" | "patient">> {
  const patient = await newPatient(world.hospitalId, world.nurse);
  const self = await newPerson("patient");
  await link(self, patient);
  return { manager: world.manager, self, patient };
}

const list = async (query = "") =>
  (await readJson(await sendRequest(`${API}/admin/erasures${query}`, { as: world.admin }))).data as {
    certificates: Certificate[];
    has_more: boolean;
  };
const afterOf = ({ erased_at, erasure_id }: Certificate) => `?erased_after=${erased_at}&after_id=${erasure_id}`;
const toSigned = ({ signed_text, signature: { key_id, value } }: Certificate) => ({ signed_text, key_id, signature: value });
const apply = (certificates: readonly object[], as = world.admin) =>
  sendRequest(`${API}/admin/erasures/apply`, { as, json: { certificates } });
const appliedStates = async (response: Response) =>
  (await readJson(response)).data.erasures.map(({ state }: { state: string }) => state);

/** Writes rows back as they were. */
async function restore(backup: Map<string, string[]>): Promise<void> {
  const statements = [...backup].flatMap(([table, rows]) =>
    rows.map((text) => {
      const row = JSON.parse(text) as Record<string, unknown>;
      const names = Object.keys(row).map((name) => `"${name}"`);
      const values = names.map((name) => `value->>'$.${name}'`);
      // biome-ignore lint/plugin: names of tables and columns that were read from the database.
      return env.DB.prepare(
        `INSERT OR REPLACE INTO "${table}" (${names.join()}) SELECT ${values.join()} FROM json_each(json_array(json(?)))`,
      ).bind(text);
    }),
  );
  await env.DB.batch([env.DB.prepare("PRAGMA defer_foreign_keys = on"), ...statements]);
}

/** A patient who was erased and is back from a backup. */
async function newRestored() {
  const subject = await newSubject();
  const ids = await idsOf(subject.patient.id, subject.self.id);
  const id = await approved(subject);
  const backup = await scanD1(ids, []);
  await eraseAll(id);
  const text = await env.DB.prepare("SELECT certificate FROM erasures WHERE id = ?").bind(id).first<string>("certificate");
  await restore(backup);
  expect((await scanD1(ids)).size).toBeGreaterThan(3);
  return { id, ids, subject, certificate: JSON.parse(text ?? "") as Certificate };
}

it("locks and erases a restored patient again, and repeating it changes nothing", async () => {
  const { id, ids, subject, certificate } = await newRestored();
  await env.DB.prepare("UPDATE patients SET restricted_at = NULL, active = 1 WHERE id = ?").bind(subject.patient.id).run();
  const applied = await apply([toSigned(certificate)]);
  const events = await readAuditEvents(applied.headers.get("x-request-id") ?? "");
  expect(events).toMatchObject([{ event: "erasure.apply", action: "D", subjects: [subject.patient.id] }]);
  expect(await appliedStates(applied)).toEqual(["erasing"]);
  expect((await sendRequest(`${API}/patients/${subject.patient.id}`, { as: world.nurse })).status).toBe(404);
  expect(await appliedStates(await apply([toSigned(certificate)]))).toEqual(["erasing"]);
  await eraseAll(id);
  expect(Object.fromEntries(await scanD1(ids))).toEqual({});
  expect(await appliedStates(await apply([toSigned(certificate)]))).toEqual(["absent"]);
});

it("erases also where the restored backup does not know the erasure", async () => {
  const { id, ids, subject, certificate } = await newRestored();
  await env.DB.prepare("DELETE FROM erasures WHERE id = ?").bind(id).run();
  await newErasure(subject.patient.id, world.hospitalId, "requested");
  expect(await appliedStates(await apply([toSigned(certificate)]))).toEqual(["erasing"]);
  await eraseAll(id);
  expect(Object.fromEntries(await scanD1(ids))).toEqual({});
});

/** Runs the job until a table has no rows of the patient. */
async function eraseUntilEmpty(id: string, patientId: string): Promise<void> {
  const context = { env, db: getDb(env.DB), keys: await getKeys(env) };
  for (let step = 0; step < 200; step++) {
    await runErasure(context, id, LATER, 3);
    const links = await env.DB.prepare("SELECT count(*) AS n FROM patient_links WHERE patient_id = ?").bind(patientId).first("n");
    if (links === 0) return;
  }
  throw new Error("the links stay");
}

it.each([
  { order: "first", isFirst: true },
  { order: "last", isFirst: false },
])("erases a patient of two certificates once: the one that is under way comes $order", async ({ isFirst }) => {
  const { patient, self } = await newSubject();
  const both = [await signCertificate(patient.id, world.hospitalId), await signCertificate(patient.id, world.hospitalId)];
  const applied = await apply(both);
  expect(await readAuditEvents(applied.headers.get("x-request-id") ?? "")).toMatchObject([{ subjects: [patient.id] }]);
  expect(await appliedStates(applied)).toEqual(["erasing", "erasing"]);
  const { results } = await env.DB.prepare("SELECT id FROM erasures WHERE patient_id = ?").bind(patient.id).all<{ id: string }>();
  expect(results).toHaveLength(1);
  const id = results[0]?.id ?? "";
  // From here on nothing in D1 says that the login is the patient's.
  await eraseUntilEmpty(id, patient.id);
  expect(await appliedStates(await apply(isFirst ? both : [...both].reverse()))).toEqual(["erasing", "erasing"]);
  await eraseAll(id);
  expect(Object.fromEntries(await scanD1([patient.id, self.id]))).toEqual({});
  expect(await appliedStates(await apply(both))).toEqual(["absent", "absent"]);
});

it("refuses what no key of the deployment has signed, and erases nothing for it", async () => {
  const { patient } = await newSubject();
  const signed = await signCertificate(patient.id, world.hospitalId);
  const other = await newPatient(world.hospitalId, world.nurse);
  const forged = [
    { ...signed, signed_text: signed.signed_text.replace(patient.id, other.id) },
    { ...signed, key_id: "a9" },
    { ...signed, signature: "AA" },
    { ...signed, signed_text: "edgecare/audit/1\n" },
  ];
  expect(await appliedStates(await apply(forged))).toEqual(["refused", "refused", "refused", "refused"]);
  for (const { id } of [patient, other]) {
    expect((await sendRequest(`${API}/patients/${id}`, { as: world.nurse })).status).toBe(200);
  }
  await expectProblem(await apply([signed], world.manager), 403, "forbidden");
  await expectProblem(await apply([signed], await newPerson("admin")), 401, "step_up_required");
  const many = Array.from({ length: 21 }, () => signed);
  await expectProblem(await apply(many), 400, "invalid_request");
  await expectProblem(await apply([]), 400, "invalid_request");
});

it("lists each certificate once, also those that ended in the same millisecond", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { id } = await newPatient(world.hospitalId, world.nurse);
    const erasure = await newErasure(id, world.hospitalId, "erased");
    // After those of other tests, and all at once.
    const at = LATER + 10 * 366 * 86_400_000;
    await env.DB.prepare(
      "UPDATE erasures SET erased_at = CAST(? AS INTEGER), certificate = json_set(certificate, '$.erased_at', ?) WHERE id = ?",
    )
      .bind(at, new Date(at).toISOString(), erasure)
      .run();
    ids.push(erasure);
  }
  const found: string[] = [];
  let page = await list("?limit=2");
  for (;;) {
    found.push(...page.certificates.map(({ erasure_id }) => erasure_id));
    const last = page.certificates.at(-1);
    if (!page.has_more || !last) break;
    page = await list(`${afterOf(last)}&limit=2`);
  }
  expect(found.filter((id) => ids.includes(id))).toEqual([...ids].sort());
  expect(new Set(found).size).toBe(found.length);
  const invalid = await sendRequest(`${API}/admin/erasures?after_id=${ids[0]}`, { as: world.admin });
  await expectProblem(invalid, 400, "invalid_request");
});
