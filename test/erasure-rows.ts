// Requests for erasure and legal holds, for tests that go through all routes.
import { getKeys } from "../src/platform/config.ts";
import { sealValue } from "../src/platform/crypto.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { env } from "./world.ts";

const TIME = "2026-11-21T09:30:00.000Z";

/** A certificate that nobody signed. */
const toCertificate = (id: string, patientId: string, hospitalId: string) => ({
  ...{ erasure_id: id, patient_id: patientId, hospital_id: hospitalId },
  ...{ requested_at: TIME, approved_at: TIME, started_at: TIME, erased_at: TIME },
  counts: [{ store: "d1.reports", count: 1 }],
  list_sha256: "0".repeat(64),
  signed_text: "edgecare/erasure/1\n",
  signature: { algorithm: "Ed25519", key_id: "a1", public_key: "AA", value: "AA" },
});

/** An erasure of a patient, requested by nobody; other open ones of the patient are deleted. @returns its id */
export async function newErasure(patientId: string, hospitalId: string, state: "requested" | "erased"): Promise<string> {
  const id = uuidv7();
  const certificate = state === "erased" ? JSON.stringify(toCertificate(id, patientId, hospitalId)) : null;
  await env.DB.batch([
    env.DB.prepare("DELETE FROM erasures WHERE patient_id = ? AND state = 'requested'").bind(patientId),
    env.DB.prepare(`INSERT INTO erasures (id, patient_id, hospital_id, state, requested_by, requested_at, certificate)
      VALUES (?, ?, ?, ?, 'test', CAST(? AS INTEGER), ?)`).bind(id, patientId, hospitalId, state, Date.now(), certificate),
  ]);
  return id;
}

/** What proves the erasure of a patient, signed by the service's key. */
export async function signCertificate(patientId: string, hospitalId: string, id = uuidv7()) {
  const { current } = (await getKeys(env)).auditSigners;
  const times = `requested_at ${TIME}\napproved_at ${TIME}\nstarted_at ${TIME}\nerased_at ${TIME}`;
  const text = `edgecare/erasure/1\nerasure_id ${id}\npatient_id ${patientId}\nhospital_id ${hospitalId}\n${times}\n`;
  const signature = await crypto.subtle.sign("Ed25519", current.privateKey, new TextEncoder().encode(text));
  return { signed_text: text, key_id: current.kid, signature: Buffer.from(signature).toString("base64url") };
}

export const clearRequests = (patientId: string) =>
  env.DB.prepare("DELETE FROM erasures WHERE patient_id = ? AND state = 'requested'").bind(patientId).run();

export const clearHolds = (patientId: string) =>
  env.DB.prepare("DELETE FROM patient_holds WHERE patient_id = ?").bind(patientId).run();

export const clearPolicy = (hospitalId: string) =>
  env.DB.prepare("DELETE FROM retention_policies WHERE hospital_id = ?").bind(hospitalId).run();

/** The only hold of a patient, open. */
export async function newHold(patientId: string, hospitalId: string): Promise<void> {
  const id = uuidv7();
  const { fields } = await getKeys(env);
  const reason = await sealValue(fields, { table: "patient_holds", column: "reason", id }, "A court asked for the record.");
  await clearHolds(patientId);
  await env.DB.prepare(`INSERT INTO patient_holds (id, patient_id, hospital_id, reason_sealed, set_by, set_at)
    VALUES (?, ?, ?, ?, 'test', CAST(? AS INTEGER))`)
    .bind(id, patientId, hospitalId, reason, Date.now())
    .run();
}

export const RETENTION = {
  years: { patient_record: 12, reports: 12, documents: 12, observations: 12 },
  minors_until_age: 28,
};
