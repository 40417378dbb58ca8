// The oracle of the authorization matrix: principals, and what a rule decides for each, written independently of src/.
// The rules of the routes are in authz.routes.ts.

export type Role = "patient" | "nurse" | "doctor" | "hospital_admin" | "admin";
/** Three hospitals: A and B let doctors see their care teams, W lets them see the whole hospital. */
export type HospitalKey = "A" | "B" | "W";
/** Three patients: two of A, one of whom has a doctor, an account and a device; one of W. */
export const TARGETS = { treated: "A", untreated: "A", elsewhere: "W" } as const satisfies Record<string, HospitalKey>;
export type Target = keyof typeof TARGETS;

export type TestPrincipal = {
  name: string;
  kind: "anonymous" | "user" | "device" | "app";
  role?: Role;
  place?: HospitalKey;
  /** The hospital shows its doctors every patient. */
  wide?: true;
  /** Why a formerly valid token is no longer valid. */
  ended?: "deactivated" | "left" | "revoked";
  linked?: readonly Target[];
  team?: readonly Target[];
  /** The person has granted the principal's hospital everything, until a time to come. */
  consented?: readonly Target[];
  /** Whose guardian the principal is, confirmed and in force. */
  guards?: readonly Target[];
  bound?: Target;
  /** Of an app or a device; all when absent. */
  scopes?: readonly string[];
};

export const PRINCIPALS: readonly TestPrincipal[] = [
  { name: "anonymous", kind: "anonymous" },
  { name: "patient self", kind: "user", role: "patient", linked: ["treated"] },
  { name: "patient other", kind: "user", role: "patient", linked: ["elsewhere"] },
  { name: "guardian", kind: "user", role: "patient", linked: ["elsewhere"], guards: ["treated"] },
  { name: "doctor treating", kind: "user", role: "doctor", place: "A", team: ["treated"] },
  { name: "doctor not treating", kind: "user", role: "doctor", place: "A" },
  { name: "doctor of an open hospital", kind: "user", role: "doctor", place: "W", wide: true },
  { name: "doctor elsewhere", kind: "user", role: "doctor", place: "B" },
  { name: "nurse", kind: "user", role: "nurse", place: "A" },
  { name: "nurse by consent", kind: "user", role: "nurse", place: "B", consented: ["treated"] },
  { name: "nurse elsewhere", kind: "user", role: "nurse", place: "W" },
  { name: "hospital admin", kind: "user", role: "hospital_admin", place: "A" },
  { name: "hospital admin elsewhere", kind: "user", role: "hospital_admin", place: "W" },
  { name: "platform admin", kind: "user", role: "admin" },
  { name: "device bound", kind: "device", place: "A", bound: "treated" },
  { name: "app", kind: "app", place: "A" },
  { name: "app of patients", kind: "app", place: "A", scopes: ["patient:read"] },
  { name: "app of observations", kind: "app", place: "A", scopes: ["observation:read"] },
  { name: "app of alerts", kind: "app", place: "A", scopes: ["alert:read"] },
  { name: "app of reports", kind: "app", place: "A", scopes: ["report:read"] },
  { name: "app of live data without alerts", kind: "app", place: "A", scopes: ["patient:read", "observation:read"] },
  { name: "app elsewhere", kind: "app", place: "W" },
  { name: "app revoked", kind: "app", place: "A", ended: "revoked" },
  { name: "device of reports", kind: "device", place: "A", scopes: ["report:create"] },
  { name: "device of samples", kind: "device", place: "A", bound: "treated", scopes: ["observation:create"] },
  { name: "device unbound", kind: "device", place: "A" },
  { name: "device revoked", kind: "device", place: "A", bound: "treated", ended: "revoked" },
  { name: "doctor deactivated", kind: "user", role: "doctor", place: "A", team: ["treated"], ended: "deactivated" },
  { name: "doctor who left", kind: "user", role: "doctor", place: "A", team: ["treated"], ended: "left" },
];

/** The subject of a route decides which relation counts. */
type About =
  | "public"
  | "own"
  | "patient"
  | "edit"
  | "report"
  | "upload"
  | "batch"
  | "samples"
  | "stream"
  | "hospital"
  | "staff"
  | "profile"
  | "device"
  | "session";
export type RouteRule = {
  about: About;
  who: readonly Role[];
  /** Audit events of an allowed call: two where each of two patients gets one, and where a change outside of D1 begins and ends. */
  traced: 0 | 1 | 2;
  /** The scopes that an app needs; without them no app may call it. */
  scopes?: readonly string[];
  /** A consent of the person opens it to staff of another hospital. */
  byConsent?: true;
  /** Open to a guardian of the person. */
  byGuardian?: true;
};

export const EVERYONE: readonly Role[] = ["patient", "nurse", "doctor", "hospital_admin", "admin"];
export const STAFF: readonly Role[] = ["nurse", "doctor", "hospital_admin", "admin"];
export const MEMBERS: readonly Role[] = ["nurse", "doctor", "hospital_admin"];
export const EDITORS: readonly Role[] = ["nurse", "hospital_admin", "admin"];
export const MANAGERS: readonly Role[] = ["hospital_admin", "admin"];
export const ADMIN: readonly Role[] = ["admin"];
export const PERSON: readonly Role[] = ["patient"];
export const PUBLIC: RouteRule = { about: "public", who: [], traced: 0 };
export const rule = (about: About, who: readonly Role[], traced: RouteRule["traced"] = 1): RouteRule => ({ about, who, traced });
export const shared = (about: About, who: readonly Role[], ...scopes: string[]): RouteRule => ({ ...rule(about, who), scopes });

export const guarded = (of: RouteRule): RouteRule => ({ ...of, byGuardian: true });
export const consentable = (of: RouteRule): RouteRule => ({ ...of, byConsent: true });

/** The relation between a principal and the target of a request. `uploaded`: the report came from this device. */
export type Relation = "self" | "guardian" | "team" | "colleague" | "bound" | "consent" | "none";

export function relationTo(principal: TestPrincipal, target: Target): Relation {
  if (principal.bound === target) return "bound";
  if (principal.linked?.includes(target)) return "self";
  if (principal.guards?.includes(target)) return "guardian";
  if (principal.consented?.includes(target)) return "consent";
  if (principal.place !== TARGETS[target]) return "none";
  return principal.team?.includes(target) ? "team" : "colleague";
}

/**
 * `quarantine`: a device's report without a patient is stored separately, status 202. `inside`: the same for a file of a batch.
 * `held`: the same for a device's samples. `unbound`: an unassigned device has no socket for its samples.
 */
export type Decision = "allow" | "quarantine" | "quarantine inside" | "404 inside" | "held" | "unbound" | 401 | 403 | 404;

export const DECISION_STATUS: Partial<Record<Decision, number>> = {
  quarantine: 202,
  "quarantine inside": 200,
  "404 inside": 200,
  held: 200,
  unbound: 409,
};
export const isDenial = (decision: Decision): boolean => typeof decision === "number" || decision === "404 inside";

export function expectedDecision(principal: TestPrincipal, rule: RouteRule, relation: Relation): Decision {
  const { about, who, scopes } = rule;
  if (relation === "consent") return rule.byConsent ? "allow" : expectedDecision(principal, rule, "none");
  if (relation === "guardian") return expectedDecision(principal, rule, rule.byGuardian ? "self" : "none");
  if (about === "batch") {
    const alone = expectedDecision(principal, { ...rule, about: "upload" }, relation);
    return alone === "quarantine" ? "quarantine inside" : alone === 404 ? "404 inside" : alone;
  }
  if (about === "public") return "allow";
  if (principal.kind === "anonymous" || principal.ended) return 401;
  const lacks = (scope: string) => principal.scopes !== undefined && !principal.scopes.includes(scope);
  if (principal.kind === "device") {
    if (["upload", "report"].includes(about) && lacks("report:create")) return 403;
    if (["samples", "stream"].includes(about) && lacks("observation:create")) return 403;
    if (about === "upload") return relation === "bound" ? "allow" : "quarantine";
    if (about === "report") return relation === "bound" ? "allow" : 404;
    // The bodies name the target: samples for another patient than the device's are held.
    if (about === "samples") return relation === "bound" ? "allow" : "held";
    if (about === "stream") return principal.bound ? "allow" : "unbound";
    return 403;
  }
  if (principal.kind === "app") {
    if (!scopes || scopes.some(lacks)) return 403;
    return about === "own" || relation === "colleague" ? "allow" : 404;
  }
  const { role } = principal;
  if (!role || !who.includes(role)) return 403;
  if (about === "own") return "allow";
  // Here the target stands for another user's session.
  if (about === "session") return relation === "self" ? "allow" : 404;
  if (role === "admin") return "allow";
  // Doctors and nurses change only their own profile; here it is a colleague's.
  if (about === "profile") return role === "hospital_admin" && relation !== "none" ? "allow" : 404;
  // The device is the hospital's; patients see only their own.
  if (about === "device" && role === "patient") return 404;
  if (about === "hospital" || about === "staff" || about === "device") return relation === "none" ? 404 : "allow";
  if (!maySee(principal, relation)) return 404;
  // A patient changes only records that they created; these are a hospital's.
  return about === "edit" && role === "patient" ? 403 : "allow";
}

function maySee({ kind, role, wide }: TestPrincipal, relation: Relation): boolean {
  if (kind === "app") return relation === "colleague";
  switch (role) {
    case "admin":
      return true;
    case "patient":
      return relation === "self";
    case "nurse":
    case "hospital_admin":
      return relation === "colleague" || relation === "team";
    case "doctor":
      return relation === "team" || (relation === "colleague" && wide === true);
    default:
      return false;
  }
}

/** The patients whose words may appear in the response to a principal. */
export function visibleTargets(principal: TestPrincipal): Target[] {
  if (principal.ended) return [];
  const all: Target[] = ["treated", "untreated", "elsewhere"];
  return all.filter((target) => {
    const relation = relationTo(principal, target);
    return principal.kind === "device" ? relation === "bound" : maySee(principal, relation);
  });
}

/** Audit events of one request: one per decision; a token without a principal causes no decision. */
export function expectedAuditEvents(principal: TestPrincipal, rule: RouteRule, decision: Decision): number {
  if (rule.about === "public" || principal.kind === "anonymous" || decision === "unbound") return 0;
  // Samples from devices are audited per hour, not per request.
  if (principal.kind === "device" && decision === "allow" && ["samples", "stream"].includes(rule.about)) return 0;
  return decision === "allow" ? rule.traced : 1;
}
