// Restores the demo logins: initial passwords, names, roles and hospitals, without locks and sessions.
import { and, eq, isNull, ne, sql } from "drizzle-orm";
import type { Call } from "../../src/access/actor.ts";
import { recordAuditEvent } from "../../src/access/audit.ts";
import { sealProfile } from "../../src/access/profile.ts";
import { computeEmailIndex, computeUsernameIndex } from "../../src/accounts/auth/login-names.ts";
import { createUnverifiedUserRow } from "../../src/accounts/users/users.ts";
import { COUNTER_SCOPES, incrementCounters } from "../../src/platform/counters.ts";
import { batch, isUniqueViolation, type Statement } from "../../src/platform/db/client.ts";
import {
  hospitals,
  loginAttempts,
  memberships,
  passwordResets,
  patientLinks,
  patients,
  sessions,
  users,
} from "../../src/platform/db/schema.ts";
import { DEMO_PASSWORD, STAFF } from "./people.ts";

type Person = (typeof STAFF)[number];

/** @throws Error where demo data are incomplete, or another account took the name of a demo login */
export async function recreateLogins(call: Call): Promise<void> {
  const places = await call.db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.demo, 1)).orderBy(hospitals.id);
  if (places.length !== 2) throw new Error("A demo hospital is missing: use `npm run reset`.");
  await batch(call.db, [
    call.db.update(hospitals).set({ active: 1, doctorScope: "care_team", updatedAt: call.now }).where(eq(hospitals.demo, 1)),
  ]);
  for (const person of STAFF) {
    try {
      await recreate(call, person, places[person.hospital - 1]?.id ?? null);
    } catch (error) {
      if (!isUniqueViolation(error, "users.")) throw error;
      throw new Error(`Another account has the e-mail address or user name of ${person.email}: use \`npm run reset\`.`);
    }
  }
}

async function recreate(call: Call, person: Person, hospitalId: string | null): Promise<void> {
  const { db, keys, actor, now } = call;
  const index = {
    emailIndex: await computeEmailIndex(keys, person.email),
    usernameIndex: await computeUsernameIndex(keys, person.username),
  };
  const [known] = await db
    .select({ id: users.id })
    .from(users)
    .where(sql`email_index = ${index.emailIndex} OR username_index = ${index.usernameIndex}`)
    // An account that kept the email address has priority over one that kept only the user name.
    .orderBy(sql`email_index = ${index.emailIndex} DESC`)
    .limit(1);
  const fresh = await createUnverifiedUserRow(call, { ...person, password: DEMO_PASSWORD });
  const id = known?.id ?? fresh.id;
  const { email, username, full_name } = person;
  const account = {
    ...index,
    profileSealed: await sealProfile(keys, id, { email, username, full_name }),
    passwordHash: fresh.passwordHash,
    passwordChangedAt: now,
    passwordGiven: 0,
    emailVerifiedAt: now,
    isAdmin: person.role === "admin" ? 1 : 0,
    active: 1,
    demo: 1,
    updatedAt: now,
  };
  await batch(db, [
    known
      ? db
          .update(users)
          .set({ ...account, version: sql`version + 1` })
          .where(eq(users.id, id))
      : db.insert(users).values({ ...fresh, ...account }),
    ...(known ? [] : [incrementCounters(db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "users", n: 1 }])]),
    db
      .update(sessions)
      .set({ revokedAt: now, revokedReason: "revoked" })
      .where(and(eq(sessions.userId, id), isNull(sessions.revokedAt))),
    db.update(passwordResets).set({ usedAt: now }).where(eq(passwordResets.userId, id)),
    // Failures for a name without an account are counted under its keyed index.
    db.delete(loginAttempts).where(sql`subject IN (${id}, ${`name:${index.emailIndex}`}, ${`name:${index.usernameIndex}`})`),
    ...placeOf(call, person, id, hospitalId),
    ...recordAuditEvent(db, actor, now, { event: "user.update", action: "U", hospitalId, entity: { type: "user", id } }),
  ]);
}

/** Gives the account exactly the membership that its role needs; a patient gets the link to the first record. */
function placeOf({ db, now }: Call, { role }: Person, userId: string, hospitalId: string | null): Statement[] {
  const elsewhere = db
    .update(memberships)
    .set({ endedAt: now })
    .where(and(eq(memberships.userId, userId), isNull(memberships.endedAt), ne(memberships.hospitalId, hospitalId ?? "")));
  if (role === "patient") return [elsewhere, linkToFirstRecord({ db, now }, userId)];
  if (role === "admin" || !hospitalId) return [elsewhere];
  const membership = { role, endedAt: null, suspendedAt: null };
  return [
    elsewhere,
    db
      .insert(memberships)
      .values({ ...membership, userId, hospitalId, createdBy: "demo", createdAt: now })
      .onConflictDoUpdate({ target: [memberships.userId, memberships.hospitalId], set: membership }),
  ];
}

function linkToFirstRecord({ db, now }: Pick<Call, "db" | "now">, userId: string): Statement {
  const first = sql`(SELECT ${patients.id} FROM ${patients} WHERE ${patients.demo} = 1 ORDER BY ${patients.id} LIMIT 1)`;
  return db
    .insert(patientLinks)
    .values({ userId, patientId: first, method: "claim_code", verifiedBy: "demo", createdAt: now })
    .onConflictDoNothing();
}
