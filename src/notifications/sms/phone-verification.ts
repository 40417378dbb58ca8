// The phone number of a person for text messages: a code that is sent to it shows that it is theirs.
import { and, eq, gt, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { notificationSettings, phoneCodes } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { firstIdAt, uuidv7 } from "../../platform/ids.ts";
import { getSmsProvider } from "../../platform/sms-provider.ts";
import { DAY_MS, toIso, toIsoOrNull } from "../../platform/time.ts";
import { noteEvent, notify } from "../notify.ts";
import { computePhoneIndex, isPhoneCode, sealPhone, unsealPhone } from "./phone-numbers.ts";
import { PHONE_CODE_KIND } from "./sms-channel.ts";

export const CODE_TTL_MS = 10 * 60_000;
export const MIN_INTERVAL_MS = 60_000;
/** Codes per person and 24 hours; each costs money. */
export const MAX_CODES_PER_PERSON = 5;
/** Codes per number and 24 hours, whoever asks: nobody can be flooded through several accounts. */
export const MAX_CODES_PER_NUMBER = 10;
/** Codes of everybody in 24 hours: what numbers that cost much can take from the hospital's account in a day. */
export const MAX_CODES_IN_ALL = 1_000;
/** Attempts per code. With the codes of a day: 25 of a million. */
export const MAX_ATTEMPTS = 5;

const phoneEvent = ({ role, hospitalId }: UserEffectiveRole, userId: string, event: string, action: "C" | "U" | "D") =>
  ({ event, action, role, hospitalId, entity: { type: "user", id: userId } }) as const;

/**
 * Codes to the number in 24 hours. Counted by their deliveries, whose target is the number's index: the row of a person's code moves to
 * another number with the next request. An id begins with the time of its event.
 */
const countCodesTo = (phoneIndex: string, now: number): SQL => sql`(SELECT count(*) FROM deliveries
  WHERE target_id = ${phoneIndex} AND id >= ${firstIdAt(now - DAY_MS)} AND kind = ${PHONE_CODE_KIND})`;

/** Codes of persons whose 24 hours have not ended. */
const countCodes = (now: number): SQL =>
  sql`(SELECT coalesce(sum(sent_count), 0) FROM phone_codes WHERE window_started_at > ${now - DAY_MS})`;

const selectCode = ({ db, actor }: UserCall) => db.select().from(phoneCodes).where(eq(phoneCodes.userId, actor.userId));

/** The verified number, and one that waits for its code. */
export async function getPhone(anyCall: Call, env: Env) {
  const { call, results } = await withUser(anyCall, "notification:read", (_, call) => [
    call.db
      .select({ phoneSealed: notificationSettings.phoneSealed, verifiedAt: notificationSettings.phoneVerifiedAt })
      .from(notificationSettings)
      .where(and(eq(notificationSettings.userId, call.actor.userId), isNotNull(notificationSettings.phoneSealed))),
    selectCode(call),
  ]);
  const { keys, actor, now } = call;
  const [[stored], [code]] = results;
  const isPending = code && code.usedAt === null && code.expiresAt > now;
  return {
    is_on: getSmsProvider(env) !== null,
    phone: stored?.phoneSealed
      ? await unsealPhone(keys, { table: "notification_settings", id: actor.userId }, stored.phoneSealed)
      : null,
    verified_at: toIsoOrNull(stored?.verifiedAt ?? null),
    pending: isPending
      ? {
          phone: await unsealPhone(keys, { table: "phone_codes", id: code.id }, code.phoneSealed),
          expires_at: toIso(code.expiresAt),
        }
      : null,
  };
}

const tooMany = (waitMs: number) =>
  new ApiError("rate_limited", "Too many codes were sent; try again later.", {
    headers: { "Retry-After": String(Math.max(1, Math.ceil(waitMs / 1000))) },
  });

/**
 * Sends a code to a number. The verified number stays until the code is entered.
 * @param phone E.164  @throws ApiError sms_off, rate_limited
 */
export async function sendPhoneCode(anyCall: Call, env: Env, phone: string) {
  if (getSmsProvider(env) === null) throw new ApiError("sms_off");
  const phoneIndex = await computePhoneIndex(anyCall.keys, phone);
  const { call, effectiveRole, results } = await withUser(anyCall, "notification:write", (_, call) => [
    selectCode(call),
    call.db.all<{ to_number: number; in_all: number }>(sql`SELECT ${countCodesTo(phoneIndex, call.now)} AS to_number,
      ${countCodes(call.now)} AS in_all`),
  ]);
  const { db, keys, actor, now } = call;
  const [[row], [sent]] = results;
  const isInWindow = row !== undefined && row.windowStartedAt > now - DAY_MS;
  if (row && row.createdAt > now - MIN_INTERVAL_MS) throw tooMany(row.createdAt + MIN_INTERVAL_MS - now);
  if (isInWindow && row.sentCount >= MAX_CODES_PER_PERSON) throw tooMany(row.windowStartedAt + DAY_MS - now);
  if (sent && (sent.to_number >= MAX_CODES_PER_NUMBER || sent.in_all >= MAX_CODES_IN_ALL)) throw tooMany(DAY_MS);
  const id = uuidv7();
  const values = {
    id,
    phoneSealed: await sealPhone(keys, { table: "phone_codes", id }, phone),
    phoneIndex,
    createdAt: now,
    expiresAt: now + CODE_TTL_MS,
    usedAt: null,
    attempts: 0,
    sentCount: isInWindow ? row.sentCount + 1 : 1,
    windowStartedAt: isInWindow ? row.windowStartedAt : now,
  };
  const [written] = await batch(db, [
    db
      .insert(phoneCodes)
      .values({ userId: actor.userId, ...values })
      // Of requests at the same time one is first.
      .onConflictDoUpdate({ target: phoneCodes.userId, set: values, setWhere: sql`phone_codes.id = ${row?.id ?? ""}` })
      .returning({ id: phoneCodes.id }),
    ...recordAuditEvent(db, actor, now, {
      ...phoneEvent(effectiveRole, actor.userId, "phone.send_code", "U"),
      when: sql`changes() > 0`,
    }),
    deliverCode(call, id, phoneIndex),
  ]);
  if (written.length === 0) throw tooMany(MIN_INTERVAL_MS);
  return { phone, expires_at: toIso(values.expiresAt) };
}

/** The delivery of the code, if its row was written, and the number has not had too many through other accounts meanwhile. */
function deliverCode({ db, actor, now }: UserCall, codeId: string, phoneIndex: string): Statement {
  const eventId = uuidv7();
  noteEvent(actor, eventId, "security");
  return db.run(sql`INSERT INTO deliveries (id, user_id, hospital_id, channel, target_id, kind, priority, refs, next_attempt_at, created_at)
    SELECT ${`${eventId}.sms.${codeId}`}, user_id, NULL, 'sms', ${phoneIndex}, ${PHONE_CODE_KIND}, 'security',
      json_object('code_id', id), CAST(${now} AS INTEGER), CAST(${now} AS INTEGER)
    FROM phone_codes WHERE id = ${codeId} AND ${countCodesTo(phoneIndex, now)} < ${MAX_CODES_PER_NUMBER}`);
}

/** @throws ApiError code_invalid (wrong, expired, used, or too many attempts) */
export async function verifyPhoneCode(anyCall: Call, code: string) {
  const { call, effectiveRole } = await withUser(anyCall, "notification:write", () => []);
  const { db, keys, actor, now } = call;
  const event = phoneEvent(effectiveRole, actor.userId, "phone.verify", "U");
  // Counted before it is compared, so that attempts at the same time are not compared more often than the limit.
  const isOpen: SQL | undefined = and(
    eq(phoneCodes.userId, actor.userId),
    isNull(phoneCodes.usedAt),
    gt(phoneCodes.expiresAt, now),
  );
  const [row] = await db
    .update(phoneCodes)
    .set({ attempts: sql`attempts + 1` })
    .where(and(isOpen, sql`attempts < ${MAX_ATTEMPTS}`))
    .returning({ id: phoneCodes.id, phoneSealed: phoneCodes.phoneSealed });
  if (!row || !(await isPhoneCode(keys, row.id, code))) return failWithAudit(call, "code_invalid", event);
  const phone = await unsealPhone(keys, { table: "phone_codes", id: row.id }, row.phoneSealed);
  const columns = {
    phoneSealed: await sealPhone(keys, { table: "notification_settings", id: actor.userId }, phone),
    phoneVerifiedAt: now,
    updatedAt: now,
  };
  const [used] = await batch(db, [
    db
      .update(phoneCodes)
      .set({ usedAt: now })
      .where(and(eq(phoneCodes.id, row.id), isOpen))
      .returning({ id: phoneCodes.id }),
    db.run(sql`INSERT INTO notification_settings (user_id, phone_sealed, phone_verified_at, updated_at)
      SELECT ${actor.userId}, ${columns.phoneSealed}, CAST(${now} AS INTEGER), CAST(${now} AS INTEGER) WHERE changes() > 0
      ON CONFLICT (user_id) DO UPDATE SET phone_sealed = excluded.phone_sealed, phone_verified_at = excluded.phone_verified_at,
        updated_at = excluded.updated_at`),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
    ...notify(db, actor, now, {
      kind: "account.channel_added",
      hospitalId: null,
      refs: { channel: "sms" },
      recipients: sql`SELECT user_id FROM phone_codes WHERE id = ${row.id} AND used_at = ${now}`,
    }),
  ]);
  if (used.length === 0) return failWithAudit(call, "code_invalid", event);
  return { phone, verified_at: toIso(now) };
}

/** Removes the number, and one that waits for its code. */
export async function removePhone(anyCall: Call) {
  const { call, effectiveRole } = await withUser(anyCall, "notification:write", () => []);
  const { db, actor, now } = call;
  await batch(db, [
    // The row stays: it counts the codes of the day.
    db
      .update(phoneCodes)
      .set({ usedAt: now })
      .where(and(eq(phoneCodes.userId, actor.userId), isNull(phoneCodes.usedAt))),
    db
      .update(notificationSettings)
      .set({ phoneSealed: null, phoneVerifiedAt: null, updatedAt: now })
      .where(and(eq(notificationSettings.userId, actor.userId), isNotNull(notificationSettings.phoneSealed))),
    ...recordAuditEvent(db, actor, now, phoneEvent(effectiveRole, actor.userId, "phone.delete", "D")),
  ]);
  return { phone: null };
}
