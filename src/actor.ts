// Who is asking, and the call they are making.
import type { Keys } from "./config.ts";
import type { Db } from "./db/client.ts";
import type { ROLES } from "./db/schema.ts";

export type Role = (typeof ROLES)[number];
export type DoctorScope = "care_team" | "hospital";

/** How a request reached us; both go into the audit row. */
export type Via = { requestId: string; ip: string | null };

/** What a person may be at the hospital they act for. The token claims it, the database decides it (access.ts). */
export type Standing = { role: Role; hospitalId: string | null; doctorScope: DoctorScope };

export type UserActor = { kind: "user"; userId: string; sessionId: string; claimed: Standing; via: Via };
/** A machine. Its secret is checked by the statement that first uses it; null where a redeemed link has proved it. */
export type DeviceActor = { kind: "device"; credentialId: string; secretHash: string | null; via: Via };
export type AnonymousActor = { kind: "anonymous"; via: Via };
export type SystemActor = { kind: "system"; name: string; via: Via };
export type Actor = UserActor | DeviceActor | AnonymousActor | SystemActor;

/** What every verb needs: the database, the keys, who asks and the server's time in epoch milliseconds. */
export type Call<A extends Actor = Actor> = { db: Db; keys: Keys; actor: A; now: number };
export type UserCall = Call<UserActor>;
