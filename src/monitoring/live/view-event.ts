// The audit event `live.view`: patients whom a screen began to show in an hour.
import { z } from "zod";
import { PURPOSE_OF_USE } from "../../access/consented.ts";
import { purposeOf } from "../../access/purposes.ts";
import type { AuditLogEvent } from "../../audit-log/contract.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { storedDocument } from "../../platform/stored-document.ts";
import { toIso } from "../../platform/time.ts";
import type { ClientState } from "./clients.ts";
import { isEmergency, type LiveGrant } from "./live-grant.ts";

const text = z.string();
const textOrNull = text.nullable();

const StoredEvent: z.ZodType<AuditLogEvent> = z.strictObject({
  id: text,
  recorded: z.int(),
  event: text,
  action: z.enum(["C", "R", "U", "D", "E"]),
  outcome: z.enum(["success", "denied", "failed"]),
  reason: textOrNull,
  actor: z.strictObject({
    kind: z.enum(["user", "device", "app", "system", "anonymous"]),
    id: textOrNull,
    role: textOrNull,
  }),
  hospital_id: textOrNull,
  actor_hospital_id: textOrNull,
  basis: textOrNull,
  purpose: textOrNull,
  entity: z.strictObject({ type: text, id: text }).nullable(),
  request_id: text,
  ip: textOrNull,
  detail: z.record(text, z.unknown()).nullable(),
  subjects: z.array(text),
});
export const viewEventDocument = storedDocument<AuditLogEvent>("live audit event", StoredEvent);

/** Who looks at a screen: the part of a connection that its audit events name. */
export type Viewer = Pick<ClientState, "holder" | "role" | "actingFor" | "view" | "screen" | "requestId" | "ip">;

/** On what ground the viewer sees patients; a doctor with the scope of the hospital sees them as staff (visibility.ts). */
function basisOf({ role, view }: Viewer): string {
  if (role === "patient") return "self";
  if (role === "doctor") return view.startsWith("hospital/") ? "staff" : "care_team";
  return role === "admin" || role === "app" ? role : "staff";
}

/** What an event says of a consent or an emergency access. */
function grantFields(grant: LiveGrant) {
  if (isEmergency(grant)) return { basis: "emergency", purpose: "BTG", ground: { emergency_access_id: grant.emergencyId } };
  return { basis: "consent", purpose: PURPOSE_OF_USE[grant.purpose], ground: { consent_id: grant.consentId } };
}

/** `patientIds`: at most MAX_SUBJECTS. `grant`: by what they are shown beyond the role, or null. `hour`: when it begins (UTC), Unix ms. */
type Shown = { patientIds: string[]; grant: LiveGrant | null; hour: number };

export function toViewEvent(viewer: Viewer, hospitalId: string, { patientIds, grant, hour }: Shown, now: number): AuditLogEvent {
  const { holder, role, actingFor, screen, requestId, ip } = viewer;
  const granted = grant && grantFields(grant);
  const basis = granted?.basis ?? basisOf(viewer);
  return {
    id: uuidv7(),
    recorded: now,
    event: "live.view",
    action: "R",
    outcome: "success",
    reason: null,
    actor: { kind: holder.kind, id: holder.kind === "user" ? holder.userId : holder.credentialId, role },
    hospital_id: hospitalId,
    actor_hospital_id: actingFor === hospitalId ? null : actingFor,
    basis,
    purpose: granted?.purpose ?? purposeOf(holder, { event: "live.view", basis, role }),
    entity: { type: "live_view", id: screen },
    // Not that of the request, which has an event of its own.
    request_id: `live-${screen}`,
    ip,
    detail: {
      patients: patientIds.length,
      hour: toIso(hour),
      opened_by: requestId,
      ...granted?.ground,
    },
    subjects: patientIds,
  };
}
