// Who is asking, and the call they are making.
import type { Keys } from "../platform/config.ts";
import type { Db } from "../platform/db/client.ts";
import type { ROLES } from "../platform/db/schema.ts";
import type { LogFields } from "../platform/log.ts";

export type Role = (typeof ROLES)[number];
export type DoctorScope = "care_team" | "hospital";

/** How a request reached us; both go into the audit row. */
export type RequestOrigin = { requestId: string; ip: string | null };

/** What a person may be at the hospital they act for. The token claims it, the database decides it (access.ts). */
export type UserEffectiveRole = { role: Role; hospitalId: string | null; doctorScope: DoctorScope };
/** What a program may do at the hospital it belongs to. */
export type AppEffectiveRole = { role: "app"; hospitalId: string; doctorScope: "care_team"; scopes: readonly string[] };
export type EffectiveRole = UserEffectiveRole | AppEffectiveRole;

/** A standing as the database gives it. */
export type EffectiveRoleRow = {
  is_admin: number;
  member_role: Role | "app" | null;
  acting_hospital: string | null;
  doctor_scope: DoctorScope | null;
  scopes: string | null;
};

export type UserActor = { kind: "user"; userId: string; sessionId: string; claimedRole: UserEffectiveRole; via: RequestOrigin };
/** A machine. Its secret is checked by the statement that first uses it; null where a redeemed link has proved it. */
export type DeviceActor = { kind: "device"; credentialId: string; secretHash: string | null; via: RequestOrigin };
/** A program of a hospital. The hospital stands in its token, under a MAC; the scopes are the database's. */
export type AppActor = { kind: "app"; credentialId: string; hospitalId: string; secretHash: string | null; via: RequestOrigin };
export type AnonymousActor = { kind: "anonymous"; via: RequestOrigin };
export type SystemActor = { kind: "system"; name: string; via: RequestOrigin };
export type Actor = UserActor | DeviceActor | AppActor | AnonymousActor | SystemActor;

/** Who it is, in one word: what rows and keys remember of an actor. */
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

/** What every verb needs: the database, the keys, who asks and the server's time in epoch milliseconds. */
export type Call<A extends Actor = Actor> = {
  db: Db;
  keys: Keys;
  actor: A;
  now: number;
  /** A DEBUG line of this request. */
  debug?: (message: string, fields: LogFields) => void;
};
export type UserCall = Call<UserActor>;
/** Whoever works with patients: a person, or a program of a hospital. */
export type Principal = UserActor | AppActor;
export type PrincipalCall = Call<Principal>;
