// The actor of a request, and the call context passed to operations.
import type { AuditLogs } from "../audit-log/audit-logs.ts";
import type { Keys } from "../platform/config.ts";
import type { Db } from "../platform/db/client.ts";
import type { ROLES } from "../platform/db/schema.ts";
import type { LogFields } from "../platform/log.ts";

export type Role = (typeof ROLES)[number];
export type DoctorScope = "care_team" | "hospital";

/** Origin of a request. `requestId` and `ip` are written to the audit log; `importGrant` is the header Import-Grant. */
export type RequestOrigin = { requestId: string; ip: string | null; importGrant?: string | null };

/** How the person of a session last proved who they are. `at`: epoch milliseconds. */
export type SignIn = {
  at: number;
  hasSecondStep: boolean;
  /** The hospital requires a second step of this role, and the session has none. */
  isEnrolmentRequired: boolean;
};

/** A user's role at the acting hospital. The token claims it, the database decides it (access.ts) and adds the sign-in. */
export type UserEffectiveRole = { role: Role; hospitalId: string | null; doctorScope: DoctorScope; signIn?: SignIn };
/** An app's role at its hospital. */
export type AppEffectiveRole = { role: "app"; hospitalId: string; doctorScope: "care_team"; scopes: readonly string[] };
export type EffectiveRole = UserEffectiveRole | AppEffectiveRole;

/** An effective role as selected from the database. */
export type EffectiveRoleRow = {
  is_admin: number;
  member_role: Role | "app" | null;
  acting_hospital: string | null;
  doctor_scope: DoctorScope | null;
  scopes: string | null;
  signed_in_at: number | null;
  second_step: number;
  enrolment_required: number;
};

export type UserActor = {
  kind: "user";
  userId: string;
  sessionId: string;
  claimedRole: UserEffectiveRole;
  /** The token was issued beside the refresh cookie, as the portal's are. Decides only the rate limit. */
  viaCookie?: boolean;
  via: RequestOrigin;
};
/** A device. The first statement that uses the secret verifies it; null when a redeemed link has proved the credential. */
export type DeviceActor = { kind: "device"; credentialId: string; secretHash: string | null; via: RequestOrigin };
/** An app of a hospital. The token carries the hospital under a MAC; scopes come from the database. */
export type AppActor = { kind: "app"; credentialId: string; hospitalId: string; secretHash: string | null; via: RequestOrigin };
export type AnonymousActor = { kind: "anonymous"; via: RequestOrigin };
export type SystemActor = { kind: "system"; name: string; via: RequestOrigin };
export type Actor = UserActor | DeviceActor | AppActor | AnonymousActor | SystemActor;

/** The actor's id, as stored in rows and keys. */
export function getActorId(actor: Actor): string {
  switch (actor.kind) {
    case "user":
      return actor.userId;
    case "device":
    case "app":
      return actor.credentialId;
    case "system":
      return actor.name;
    case "anonymous":
      return "anonymous";
  }
}

/** Context of every operation: database, keys, actor and the server's time in epoch milliseconds. */
export type Call<A extends Actor = Actor> = {
  db: Db;
  keys: Keys;
  actor: A;
  now: number;
  auditLog: AuditLogs;
  /** A change that loses a race against another one runs again (http/conditional-requests.ts), and its failure is not recorded. */
  repeatsLostRaces?: boolean;
  /** Writes a DEBUG log line for this request. */
  debug?: (message: string, fields: LogFields) => void;
};
export type UserCall = Call<UserActor>;
/** A user or an app: the actors that work with patient records. */
export type Principal = UserActor | AppActor;
export type PrincipalCall = Call<Principal>;
