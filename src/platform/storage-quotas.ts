// Byte quotas: the limits per day and in all, and the statement that counts a batch's bytes and fails it beyond a limit.
import { type SQL, sql } from "drizzle-orm";
import type { Db, Statement } from "./db/types.ts";
import { ApiError } from "./errors.ts";
import { DAY_MS, toIso, utcDayOf } from "./time.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const TIB = 1024 ** 4;

/** `records`: bytes in D1. `files`: bytes in R2. */
export const STORAGE_KINDS = ["records", "files"] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];
/** Bytes per UTC day, and in all. */
export type StorageLimits = Record<StorageKind, { day: number; total: number }>;

/**
 * A D1 database holds 10 GB. R2 has no size limit; only cost grows. docs/data.md has the arithmetic. `selfCare` is the hospital of
 * self-registered patients: a part of the database that anybody may fill.
 */
export const STORAGE_LIMITS = {
  patient: { records: { day: 8 * MIB, total: 64 * MIB }, files: { day: 512 * MIB, total: 10 * GIB } },
  staff: { records: { day: 32 * MIB, total: 2 * GIB }, files: { day: 4 * GIB, total: 4 * TIB } },
  device: { records: { day: 64 * MIB, total: 2 * GIB }, files: { day: 2 * GIB, total: 4 * TIB } },
  app: { records: { day: 128 * MIB, total: 4 * GIB }, files: { day: 20 * GIB, total: 10 * TIB } },
  hospital: { records: { day: 512 * MIB, total: 8 * GIB }, files: { day: 100 * GIB, total: 20 * TIB } },
  selfCare: { records: { day: 256 * MIB, total: 2 * GIB }, files: { day: 20 * GIB, total: TIB } },
} as const satisfies Record<string, StorageLimits>;

/** The part of a hospital's quotas for patients, devices and apps together. Only staff may use the rest. */
export const SHARED_PART = 0.6;
/** An account that has stored no more than this in all may use the rest of the self-care hospital's quotas too. */
export const SELF_CARE_ACCOUNT_RESERVE: Record<StorageKind, number> = { records: MIB, files: 64 * MIB };

/**
 * A device's credential stands for the device, or for the record whose own device it is, with the limits of a patient. A user without
 * limits has those of staff if the account was ever staff, else of a patient.
 */
export type StorageAccount =
  | { userId: string; limits?: StorageLimits }
  | { deviceCredentialId: string }
  | { credentialId: string; limits: StorageLimits };
/** `part` of its limits that the account may use; all of them while the account's own total is within `reserve`. */
type HospitalShare = { hospitalId: string; limits: StorageLimits; part: number; reserve: Record<StorageKind, number> | null };

/** Whose quotas a batch counts against, and the bytes that its statements do not show. */
export type StorageCharge = {
  now: number;
  /** A user, device or app; null for requests without one. */
  account: StorageAccount | null;
  hospital: HospitalShare | null;
  /** Files that the batch adds. A direct upload counts for the day when it begins and in all when it is confirmed. */
  files: { bytes: number; counts: "day" | "total" | "both" };
  /** Bytes of rows beyond the bound values: rows that one statement derives from a list. */
  derivedBytes: number;
  /** Only the account's day counts. */
  dayOnly: boolean;
  /** An import grant to count against instead of the quotas. */
  grantId: string | null;
};

/** Per INSERT or UPDATE: keys, index entries and defaults, which are no bound values. */
const STATEMENT_BYTES = 256;
export const DAY_PREFIX = "quota-day:";
export const TOTAL_PREFIX = "quota:";
export const GRANT_PREFIX = "quota:g:";
/** Counters of a hospital that are no quotas: bytes under import grants in all, and samples of closed hours of the day. */
export const IMPORTED = "imported";
export const SAMPLES = "samples";

/** The charge of a batch, by one of its statements: the audit event says who writes, and `batch` knows the bytes. */
const chargeByStatement = new WeakMap<object, StorageCharge>();

/** Makes the batch that contains the statement count against quotas (db/client.ts). */
export function attachCharge(statement: Statement, charge: StorageCharge): void {
  chargeByStatement.set(statement, charge);
}

export function findCharge(statements: readonly Statement[]): StorageCharge | undefined {
  return statements.map((statement) => chargeByStatement.get(statement)).find((charge) => charge !== undefined);
}

const encoder = new TextEncoder();
const sizeOf = (value: unknown) => (typeof value === "string" ? encoder.encode(value).length : 8);

/** Bytes that statements write to D1. */
export function countWrittenBytes(queries: readonly { sql: string; params: unknown[] }[]): number {
  return queries
    .filter(({ sql }) => /^\s*(insert|update)\b/i.test(sql))
    .reduce((sum, { params }) => params.reduce<number>((bytes, value) => bytes + sizeOf(value), sum + STATEMENT_BYTES), 0);
}

/** The column that is NULL in the row beyond its limit: the constraint error names it. */
const LIMIT_BY_COLUMN = {
  n: "account day",
  name: "hospital day",
  sum: "account total",
  scope: "hospital total",
  day: "grant",
} as const;
type LimitColumn = keyof typeof LIMIT_BY_COLUMN;
type ExceededLimit = (typeof LIMIT_BY_COLUMN)[LimitColumn];

/** The owner stands for the subject `account`. The higher limit holds as `hasHigherLimits` says, and within `reserve`. */
type CounterRow = {
  prefix: string;
  owner: string;
  day: number;
  name: string;
  bytes: number;
  limit: number;
  higherLimit: number;
  reserve: number | null;
  exceededColumn: LimitColumn;
};

function listRows(charge: StorageCharge, records: number): CounterRow[] {
  const { account, hospital, now, files, dayOnly, grantId } = charge;
  const bytes = { records, files: files.bytes } as const;
  if (grantId) return listGrantRows(grantId, hospital, records + (files.counts === "total" ? 0 : files.bytes));
  const kinds = STORAGE_KINDS.filter((kind) => bytes[kind] > 0);
  type Limited = Pick<CounterRow, "limit" | "higherLimit" | "reserve">;
  const rowsOf = (
    owner: string,
    limitOf: (kind: StorageKind, period: "day" | "total") => Limited,
    columns: { day: LimitColumn; total: LimitColumn },
  ) =>
    kinds.flatMap((kind) => {
      const counts = dayOnly ? "day" : kind === "files" ? files.counts : "both";
      return (["day", "total"] as const)
        .filter((period) => counts === "both" || counts === period)
        .map((period) => ({
          prefix: period === "day" ? DAY_PREFIX : TOTAL_PREFIX,
          owner,
          day: period === "day" ? utcDayOf(now) : 0,
          name: kind,
          bytes: bytes[kind],
          ...limitOf(kind, period),
          exceededColumn: columns[period],
        }));
    });
  const ofAccount = (of: StorageAccount) =>
    rowsOf("account", (kind, period) => ({ ...accountLimits(of, kind, period), reserve: null }), { day: "n", total: "sum" });
  const ofHospital = ({ hospitalId, limits, part, reserve }: HospitalShare) =>
    rowsOf(
      `h:${hospitalId}`,
      (kind, period) => {
        const higherLimit = limits[kind][period];
        return { limit: Math.floor(part * higherLimit), higherLimit, reserve: reserve?.[kind] ?? null };
      },
      { day: "name", total: "scope" },
    );
  return [...(account ? ofAccount(account) : []), ...(hospital && !dayOnly ? ofHospital(hospital) : [])];
}

/** The grant, and the hospital's bytes under grants. */
function listGrantRows(grantId: string, hospital: HospitalShare | null, bytes: number): CounterRow[] {
  const unlimited = { limit: Number.MAX_SAFE_INTEGER, higherLimit: 0 };
  const row = { prefix: TOTAL_PREFIX, day: 0, bytes, ...unlimited, reserve: null, exceededColumn: "day" } as const;
  const imported = hospital ? [{ ...row, owner: `h:${hospital.hospitalId}`, name: IMPORTED }] : [];
  return [{ ...row, owner: `g:${grantId}`, name: "records" }, ...imported];
}

function accountLimits(account: StorageAccount, kind: StorageKind, period: "day" | "total") {
  const [lower, higher] =
    "deviceCredentialId" in account
      ? [STORAGE_LIMITS.patient, STORAGE_LIMITS.device]
      : [account.limits ?? STORAGE_LIMITS.patient, account.limits ?? STORAGE_LIMITS.staff];
  return { limit: lower[kind][period], higherLimit: higher[kind][period] };
}

/** The subject of an account: `u:<user>`, `m:<device or API key>` or, for all own devices of a record, `r:<patient>`. */
function subjectOf(account: StorageAccount): SQL {
  if ("userId" in account) return sql`${`u:${account.userId}`}`;
  if ("credentialId" in account) return sql`${`m:${account.credentialId}`}`;
  const id = account.deviceCredentialId;
  return sql`coalesce((SELECT coalesce('r:' || d.owner_patient_id, 'm:' || d.id)
    FROM credentials c JOIN devices d ON d.id = c.device_id WHERE c.id = ${id}), ${`m:${id}`})`;
}

/** Whether an account without limits was ever staff, as its counters hold what it stored as staff, or is a hospital's device. */
function hasHigherLimits(account: StorageAccount): SQL {
  if ("deviceCredentialId" in account)
    return sql`NOT EXISTS (SELECT 1 FROM credentials c JOIN devices d ON d.id = c.device_id
      WHERE c.id = ${account.deviceCredentialId} AND d.owner_patient_id IS NOT NULL)`;
  if (account.limits || !("userId" in account)) return sql`0`;
  const { userId } = account;
  return sql`(EXISTS (SELECT 1 FROM memberships WHERE user_id = ${userId})
    OR EXISTS (SELECT 1 FROM users WHERE id = ${userId} AND is_admin = 1))`;
}

/**
 * Adds a batch's bytes to the counters of account and hospital. Beyond a limit a column is NULL and the whole batch fails, so
 * concurrent requests cannot exceed it; see `toQuotaError`.
 * @param written bytes of the batch's statements
 */
export function chargeStatement(db: Db, charge: StorageCharge, written: number): Statement {
  const { account, grantId, hospital, now } = charge;
  const rows = listRows(charge, written + charge.derivedBytes).map((row) => [
    row.prefix,
    row.owner,
    row.day,
    row.name,
    row.bytes,
    row.limit,
    row.higherLimit,
    row.reserve,
    row.exceededColumn,
  ]);
  const granted = sql`(SELECT bytes FROM import_grants WHERE id = ${grantId} AND hospital_id = ${hospital?.hospitalId ?? ""}
    AND revoked_at IS NULL AND expires_at > ${now})`;
  const limit = grantId ? sql`iif(value->>3 = ${IMPORTED}, value->>5, ${granted})` : sql`value->>5`;
  const isWithinReserve = sql`reserve IS NOT NULL AND bytes + coalesce((SELECT n FROM counters
    WHERE scope = ${TOTAL_PREFIX} || account AND day = 0 AND name = added.name), 0) <= reserve`;
  const isHigherAllowed = sql`iif(owner = 'account', ${account ? hasHigherLimits(account) : sql`0`}, ${isWithinReserve})`;
  // `iif` evaluates the higher limit's condition, which reads rows, only beyond the lower one.
  return db.run(sql`INSERT INTO counters (scope, day, name, n, sum)
    SELECT iif(exceeded <> 'scope' OR fits, scope, NULL), iif(exceeded <> 'day' OR fits, day, NULL),
      iif(exceeded <> 'name' OR fits, name, NULL), iif(exceeded <> 'n' OR fits, bytes, NULL), iif(exceeded <> 'sum' OR fits, 0, NULL)
    FROM (SELECT *, iif(coalesce(sum <= most, 0), 1, iif(${isHigherAllowed}, sum <= higher, 0)) AS fits
      FROM (SELECT *, bytes + coalesce((SELECT n FROM counters c WHERE c.scope = entry.scope AND c.day = entry.day
          AND c.name = entry.name), 0) AS sum
        FROM (SELECT value->>0 || iif(value->>1 = 'account', account, value->>1) AS scope, value->>1 AS owner, value->>2 AS day,
            value->>3 AS name, value->>4 AS bytes, ${limit} AS most, value->>6 AS higher, value->>7 AS reserve, value->>8 AS exceeded, account
          FROM json_each(${JSON.stringify(rows)}), (SELECT ${account ? subjectOf(account) : sql`''`} AS account)) entry) added)
    WHERE 1 ON CONFLICT (scope, day, name) DO UPDATE SET n = n + excluded.n`);
}

/** Selects the bytes that an account may still store today. */
export function selectDayRoom(db: Db, account: StorageAccount, kind: StorageKind, now: number) {
  const { limit, higherLimit } = accountLimits(account, kind, "day");
  return db.all<{
    room: number;
  }>(sql`SELECT iif(${hasHigherLimits(account)}, ${higherLimit}, ${limit}) - coalesce((SELECT n FROM counters
    WHERE scope = ${DAY_PREFIX} || ${subjectOf(account)} AND day = ${utcDayOf(now)} AND name = ${kind}), 0) AS room`);
}

/** Gives deleted bytes back to the ceilings. @param freed a query of scope, name and bytes, one row per counter */
export function giveBackStatement(db: Db, freed: SQL): Statement {
  return db.run(sql`UPDATE counters SET n = max(0, counters.n - freed.bytes) FROM (${freed}) AS freed
    WHERE counters.scope = freed.scope AND counters.day = 0 AND counters.name = freed.name`);
}

/** The error for a batch that `chargeStatement` failed; null for other errors. Nothing was written. */
export function toQuotaError(error: unknown, now: number): ApiError | null {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    const column = /NOT NULL constraint failed: counters\.(\w+)/.exec(current.message)?.[1];
    if (column !== undefined && Object.hasOwn(LIMIT_BY_COLUMN, column))
      return quotaError(LIMIT_BY_COLUMN[column as LimitColumn], now);
  }
  return null;
}

/** True for an error of `quotaError`. */
export const isQuotaError = (error: unknown): error is ApiError =>
  error instanceof ApiError && ["quota_exceeded", "storage_full", "import_grant_ended"].includes(error.code);

export function quotaError(limit: ExceededLimit, now: number): ApiError {
  if (limit === "grant")
    return new ApiError("import_grant_ended", "The import grant is unknown, used up, revoked or past its end.");
  const whose = limit.startsWith("hospital") ? "hospital" : "account or device";
  if (limit.endsWith("total")) {
    const detail = `The storage ceiling of the ${whose} is reached. Waiting does not end it: an administrator can grant more room.`;
    return new ApiError("storage_full", detail);
  }
  const end = (utcDayOf(now) + 1) * DAY_MS;
  return new ApiError("quota_exceeded", `The daily storage quota of the ${whose} is used up. It ends at ${toIso(end)}.`, {
    headers: { "Retry-After": String(Math.ceil((end - now) / 1000)) },
  });
}

/** Deletes the counters of past days. Their events without a row are in the audit log by then (access/row-allowance.ts). */
export function pruneDayCounters(db: Db, now: number): Statement {
  return db.run(sql`DELETE FROM counters WHERE scope >= 'quota-day:' AND scope < 'quota-day;' AND day < ${utcDayOf(now)}`);
}
