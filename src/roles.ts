// Which roles may ever do what. Whether to this patient is the question of access.ts.
import type { Role } from "./actor.ts";
import type { AuditAction } from "./audit.ts";

const STAFF: readonly Role[] = ["nurse", "doctor", "hospital_admin", "admin"];
const EVERYONE: readonly Role[] = ["patient", ...STAFF];
const CARE_EDITORS: readonly Role[] = ["nurse", "hospital_admin", "admin"];
const MANAGERS: readonly Role[] = ["hospital_admin", "admin"];

const MAY = {
  "self:read": EVERYONE,
  "self:write": EVERYONE,
  "patient:read": EVERYONE,
  "patient:create": STAFF,
  "patient:update": STAFF,
  "care_team:read": STAFF,
  "care_team:update": CARE_EDITORS,
  "report:read": EVERYONE,
  "report:create": EVERYONE,
  "upload:read": CARE_EDITORS,
  "device:read": STAFF,
  "device:manage": CARE_EDITORS,
  "hospital:read": EVERYONE,
  "hospital:create": ["admin"],
  "member:read": MANAGERS,
  "member:manage": MANAGERS,
  "user:create": MANAGERS,
  "user:unlock": MANAGERS,
  "audit:read": ["patient", "hospital_admin", "admin"],
  "admin:read": ["admin"],
  "docs:read": STAFF,
} as const satisfies Record<string, readonly Role[]>;

export type Action = keyof typeof MAY;
/** The FHIR AuditEvent.action of an action, by its second word. */
const VERBS: Record<string, AuditAction> = { read: "R", create: "C", update: "U", manage: "U", write: "U", unlock: "U" };

export function auditAction(action: Action): AuditAction {
  return VERBS[action.split(":")[1] ?? ""] ?? "E";
}

export function mayEver(role: Role, action: Action): boolean {
  const roles: readonly Role[] = MAY[action];
  return roles.includes(role);
}
