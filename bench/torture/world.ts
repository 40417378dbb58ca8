// The users, patients and devices of the torture tests.
import { DEVICE_SCOPES } from "../../src/access/permissions.ts";
import { createCredentialToken } from "../../src/accounts/sessions/credential-tokens.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { credentials, deviceAssignments, devices } from "../../src/platform/db/schema.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { createUser } from "../people.ts";
import { seedHospitals, seedPatients } from "../seed.ts";

/** Tokens of users of one hospital, and its patients with the tokens of their devices. */
export type World = { nurse: string; manager: string; patients: { id: string; token: string }[] };

/** @param count of patients, with a device each */
export async function createWorld(env: Env, count: number): Promise<World> {
  const [hospitalId = ""] = await seedHospitals(env.DB);
  const seeded = await seedPatients(env.DB, await getKeys(env), [hospitalId], 0, count);
  await env.DB.prepare("UPDATE patients SET monitoring = 'ward'").run();
  const { token: nurse } = await createUser(env, { role: "nurse", hospitalId, doctorScope: "hospital" });
  const { token: manager } = await createUser(env, { role: "hospital_admin", hospitalId, doctorScope: "hospital" });
  const db = getDb(env.DB);
  const made = { createdBy: "bench", createdAt: Date.now() };
  const scopes = DEVICE_SCOPES.join(" ");
  const patients = [];
  for (const patientId of seeded.patients) {
    const deviceId = uuidv7();
    const id = uuidv7();
    const { token, secretHash } = await createCredentialToken(await getKeys(env), id, null);
    await db.insert(devices).values({ id: deviceId, hospitalId, kind: "gateway", name: "torture", updatedAt: 0, ...made });
    await db.insert(deviceAssignments).values({ id: uuidv7(), deviceId, patientId, startedAt: 0, createdBy: "bench" });
    await db.insert(credentials).values({ id, kind: "device", deviceId, hospitalId, name: "t", secretHash, scopes, ...made });
    patients.push({ id: patientId, token });
  }
  return { nurse, manager, patients };
}
