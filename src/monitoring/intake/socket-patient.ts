// The patient's object for the WebSocket of a device.

import { withPrincipal } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { denyAccess } from "../../access/deny.ts";
import { resolveDeviceAccess } from "../../access/device-access.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import { ApiError } from "../../platform/errors.ts";
import { loadFacts } from "../patient-object/context/facts.ts";
import { callMonitor } from "./ingest.ts";

/** The patient for a device's WebSocket. @throws ApiError unauthenticated, forbidden (no device), conflict (no assignment) */
export async function resolveSocketPatient(env: Env, call: Call): Promise<{ credentialId: string; patientId: string }> {
  const { actor } = call;
  if (actor.kind !== "device") return denySocket(call);
  const { access } = await resolveDeviceAccess(call, actor, OWN_RECORD, "observation:create");
  if (!access) throw new ApiError("conflict", "The device is not assigned to a patient.");
  const facts = await loadFacts(call, access.patient.id, Date.now());
  if (facts) await callMonitor(env, async () => env.PATIENT_MONITOR.getByName(access.patient.id).configure(facts));
  return { credentialId: actor.credentialId, patientId: access.patient.id };
}

async function denySocket(call: Call): Promise<never> {
  const { role, hospitalId } = (await withPrincipal(call, "observation:create", () => [])).effectiveRole;
  return denyAccess(call, "observation:create", "forbidden", { role, hospitalId });
}
