// Sealing again while it is killed, while rows change and while people work: nothing is lost, overwritten or refused.
import { beforeAll, describe, expect, it } from "vitest";
import { getKeys } from "../../src/platform/config.ts";
import { sealValue, unsealValue } from "../../src/platform/crypto.ts";
import { STORE_NAMES, sealAgain } from "../../src/service/keys/seal-again.ts";
import { forgetTimeStep, post } from "../factor-steps.ts";
import { times } from "../long.ts";
import { createRandom } from "../node/alerts-randomness.ts";
import { oneTimePassword } from "../one-time-password.ts";
import { interceptStores } from "../stores.ts";
import { API, env, newPatient, newPdf, PASSWORD, type Patient, readJson, sendRequest, uploadReport } from "../world.ts";
import {
  dropped,
  filesOf,
  NEW_KEY,
  newRecords,
  objectText,
  type Rotated,
  readKeyStatus,
  runUntilFree,
  signing,
  tablesWithValuesOf,
  withFieldKeys,
} from "./rotation-world.ts";

const RING = `${NEW_KEY},${env.FIELD_KEYS}`;
const DAY_MS = 24 * 3_600_000;
const random = createRandom(7);

let world: Rotated;
let sentinel: string | null;
beforeAll(async () => {
  // A run of several files has emptied the stores, and the isolate knows its keys already.
  const known = await env.DB.prepare("SELECT 1 FROM deployment WHERE name = 'sentinel'").first();
  const context = { table: "deployment", column: "value", id: "sentinel" };
  const value = await sealValue((await getKeys(env)).fields, context, "edgecare");
  if (!known) await env.DB.prepare("INSERT INTO deployment (name, value) VALUES ('sentinel', ?)").bind(value).run();
  world = await newRecords();
  sentinel = await env.DB.prepare("SELECT value FROM deployment WHERE name = 'sentinel'").first<string>("value");
});

/** Another rotation, of records that are still to be created under the first key. */
async function beginAgain(): Promise<void> {
  await env.DB.batch([
    env.DB.prepare("DELETE FROM resealing"),
    env.DB.prepare("UPDATE deployment SET value = ? WHERE name = 'sentinel'").bind(sentinel),
  ]);
}

class Killed extends Error {}

/** The error of a kill, which a store's client may have wrapped. */
function asKilled(error: unknown): void {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof Killed) return;
  throw error;
}

/** Ends the job before or after one of its operations on a store; of D1 and R2 both happen. */
function killedAt(k: number, isAfter: boolean): Env {
  const stores = interceptStores(env, async (call, run) => {
    if (call.k < k) return run();
    if (call.k > k) throw new Killed();
    if (isAfter) await run();
    throw new Killed();
  });
  return withFieldKeys(RING, stores);
}

const identityOf = (id: string) =>
  env.DB.prepare("SELECT identity_sealed, version FROM patients WHERE id = ?")
    .bind(id)
    .first<{ identity_sealed: string; version: number }>();
const firstName = async ({ id }: Patient, of: Env) => {
  const response = await sendRequest(`${API}/patients/${id}`, { as: world.nurse, env: of });
  return { status: response.status, name: (await readJson(response)).data?.first_name };
};
const rename = async ({ id }: Patient, name: string, as = world.nurse) => {
  const of = signing;
  const { data } = await readJson(await sendRequest(`${API}/patients/${id}`, { as, env: of }));
  return sendRequest(`${API}/patients/${id}`, {
    as,
    method: "PATCH",
    json: { first_name: name },
    headers: { "If-Match": `"${data.version}"` },
    env: of,
  });
};

describe("sealing again", () => {
  it("never overwrites a row that changes between reading and writing it", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    let isRenamed = false;
    const racing = interceptStores(env, async ({ store, op }, run) => {
      const { results } = await env.DB.prepare(
        "SELECT cursor FROM resealing WHERE store = 'patients' AND phase = 'sealing'",
      ).all();
      if (store === "DB" && results.length > 0 && !isRenamed) {
        // The rows were read by this operation; the next one writes them.
        const rows = await run();
        isRenamed = true;
        expect((await rename(patient, "Renamed")).status, op).toBe(200);
        return rows;
      }
      return run();
    });
    const of = withFieldKeys(RING, racing);
    for (let run = 0; run < 40 && !isRenamed; run++) await sealAgain(of, Date.now(), 5);
    await sealAgain(of, Date.now());
    expect(isRenamed).toBe(true);
    expect(await firstName(patient, signing)).toEqual({ status: 200, name: "Renamed" });
  });

  it("would lose the change without comparing the value that it read", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const before = await identityOf(patient.id);
    const { fields } = await getKeys(signing);
    const context = { table: "patients", column: "identity", id: patient.id, version: before?.version ?? 0 };
    const sealed = await sealValue(fields, context, await unsealValue(fields, context, before?.identity_sealed ?? ""));
    await rename(patient, "Renamed");
    await env.DB.prepare("UPDATE patients SET identity_sealed = ? WHERE id = ?").bind(sealed, patient.id).run();
    expect((await firstName(patient, signing)).status).toBe(500);
    // Of this version again, so that the following tests have no value that cannot be opened.
    await env.DB.prepare("UPDATE patients SET identity_sealed = ?2, version = ?3 WHERE id = ?1")
      .bind(patient.id, sealed, before?.version)
      .run();
  });

  it("leaves a value that does not open as it is, counts it, and seals all others", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const { identity_sealed: sealed = "" } = (await identityOf(patient.id)) ?? {};
    const damaged = `${sealed.slice(0, -2)}${sealed.endsWith("AA") ? "BB" : "AA"}`;
    const setIdentity = (value: string) =>
      env.DB.prepare("UPDATE patients SET identity_sealed = ? WHERE id = ?").bind(value, patient.id).run();
    await setIdentity(damaged);
    await beginAgain();
    await runUntilFree(signing, Date.now());
    expect((await identityOf(patient.id))?.identity_sealed).toBe(damaged);
    const { keys, stores } = await readKeyStatus(world.admin, signing);
    expect(keys.find(({ key_id }: { key_id: string }) => key_id === "f1")).toMatchObject({ values: 1, can_be_dropped: false });
    expect(stores.find(({ store }: { store: string }) => store === "patients")).toMatchObject({ phase: "done", unreadable: 1 });
    expect(await tablesWithValuesOf("f1")).toEqual(["patients"]);
    await setIdentity(sealed);
    await runUntilFree(signing, Date.now() + 2 * DAY_MS);
    expect(await tablesWithValuesOf("f1")).toEqual([]);
  });

  it("continues where it was killed, at any operation", async () => {
    await beginAgain();
    const another = await newRecords();
    expect(await filesOf("f1")).not.toEqual([]);
    let now = Date.now();
    for (let kill = 0; kill < times(25, 300); kill++, now += 10 * 60_000) {
      await sealAgain(killedAt(random.integer(1, 40), random.chance(0.5)), now).catch(asKilled);
    }
    now = await runUntilFree(signing, now);
    expect(await tablesWithValuesOf("f1")).toEqual([]);
    const objects = [await objectText(world.monitoredId), await objectText(another.monitoredId)].join("\n");
    expect(await filesOf("f1"), objects).toEqual([]);
    const file = await sendRequest(`${API}/reports/${another.reportId}/file`, { as: another.nurse, env: dropped });
    expect(Buffer.from(await file.arrayBuffer()).equals(Buffer.from(another.pdf))).toBe(true);
  });

  it("does not call a key free while an object fails, whose values it does not know", async () => {
    await beginAgain();
    const { monitoredId } = await newRecords();
    const failing = withFieldKeys(
      RING,
      interceptStores(env, (call, run) => (call.op === "monitor.countSealed" ? Promise.reject(new Error("overloaded")) : run())),
    );
    let now = Date.now();
    for (let run = 0; run < 30; run++, now += 10 * 60_000) await sealAgain(failing, now);
    const { keys } = await readKeyStatus(world.admin, signing);
    expect(keys.find(({ key_id }: { key_id: string }) => key_id === "f1")).toMatchObject({ can_be_dropped: false });
    expect(await tablesWithValuesOf("f1")).toEqual(["deployment"]);
    await runUntilFree(signing, now);
    expect(await objectText(monitoredId)).not.toMatch(/s1\.f1\.|"f1\//);
    expect(await tablesWithValuesOf("f1")).toEqual([]);
  });

  it("has a row of progress for each store", async () => {
    const { results } = await env.DB.prepare("SELECT store FROM resealing ORDER BY store").all<{ store: string }>();
    expect(results.map(({ store }) => store)).toEqual([...STORE_NAMES].sort());
  });
});

describe("a rotation under load", () => {
  it("fails no request: reads, changes, uploads, downloads and logins with a second step", async () => {
    await beginAgain();
    const { nurse, doctor, patient, reportId, documentId, totpSecret } = await newRecords();
    const statuses: Record<string, number[]> = {};
    const note = async (name: string, response: Response | Promise<Response>) => {
      const { status } = await response;
      statuses[name] = [...(statuses[name] ?? []), status];
      await (await response).arrayBuffer();
    };
    const get = (path: string) => sendRequest(`${API}${path}`, { as: nurse, env: signing });
    let isEnded = false;
    const load = async () => {
      for (let round = 0; !isEnded || round < times(5, 100); round++) {
        await note("patient", get(`/patients/${patient.id}`));
        await note("report", get(`/reports/${reportId}/file`));
        await note("document", get(`/documents/${documentId}/file`));
        await note("list", get("/reports?limit=100"));
        await note("rename", rename(patient, `Name ${round}`, nurse));
        await note("upload", uploadReport(nurse, newPdf(), { patient_id: patient.id }, { env: signing }));
        if (round % 5 !== 0) continue;
        const login = await post("/auth/login", null, { email: doctor.email, password: PASSWORD }, { env: signing });
        await forgetTimeStep(doctor.id);
        const step = { ticket: (await readJson(login)).ticket, code: oneTimePassword(totpSecret) };
        await note("login", post("/auth/login/second-step", null, step, { env: signing }));
      }
    };
    const rotate = async () => {
      await runUntilFree(signing, Date.now(), 3);
      isEnded = true;
    };
    await Promise.all([load(), rotate()]);
    const distinct = Object.fromEntries(Object.entries(statuses).map(([name, all]) => [name, [...new Set(all)].join()]));
    expect(distinct).toEqual({
      patient: "200",
      report: "200",
      document: "200",
      list: "200",
      rename: "200",
      upload: "201",
      login: "200",
    });
    expect(await tablesWithValuesOf("f1")).toEqual([]);
  });
});
