// Byte quotas: the limits per day and in all, and the statement that counts a batch's bytes and fails it beyond a limit.
import { sql } from "drizzle-orm";
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
 * A D1 database holds 10 GB, and R2 has no end but its bill; docs/data.md has the arithmetic. `selfCare` is the hospital of
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

/** Who stores: `u:<user>`, `m:<device or API key>` or `h:<hospital>`. A credential stands for its device. */
export type StorageSubject = { subject: string } | { credentialId: string };
type StorageAccount = StorageSubject & { limits: StorageLimits };

/** Whose quotas a batch counts against, and the bytes that its statements do not show. */
export type StorageCharge = {
  now: number;
  /** A user, device or app; null for requests without one. */
  account: StorageAccount | null;
  hospital: StorageAccount | null;
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
const BLAME = {
  n: "account day",
  name: "hospital day",
  sum: "account total",
  scope: "hospital total",
  day: "grant",
} as const;
type Blamed = keyof typeof BLAME;

type Row = {
  subject: StorageSubject;
  prefix: string;
  day: number;
  kind: StorageKind;
  bytes: number;
  limit: number;
  blame: Blamed;
};

function listRows(charge: StorageCharge, records: number): Row[] {
  const { account, hospital, now, files, dayOnly, grantId } = charge;
  const bytes = { records, files: files.bytes } as const;
  const kinds = STORAGE_KINDS.filter((kind) => bytes[kind] > 0);
  if (grantId) {
    const grant = { subject: { subject: `g:${grantId}` }, prefix: TOTAL_PREFIX, day: 0, kind: "records", limit: 0 } as const;
    return [{ ...grant, bytes: records + (files.counts === "total" ? 0 : files.bytes), blame: "day" }];
  }
  const rowsOf = (owner: StorageAccount, day: Blamed, total: Blamed) =>
    kinds.flatMap((kind): Row[] => {
      const row = { subject: owner, kind, bytes: bytes[kind] };
      const limits = owner.limits[kind];
      const counts = dayOnly ? "day" : kind === "files" ? files.counts : "both";
      const rows: Row[] = [
        { ...row, prefix: DAY_PREFIX, day: utcDayOf(now), limit: limits.day, blame: day },
        { ...row, prefix: TOTAL_PREFIX, day: 0, limit: limits.total, blame: total },
      ];
      return counts === "both" ? rows : rows.slice(counts === "day" ? 0 : 1, counts === "day" ? 1 : 2);
    });
  return [...(account ? rowsOf(account, "n", "sum") : []), ...(hospital && !dayOnly ? rowsOf(hospital, "name", "scope") : [])];
}

/**
 * Adds a batch's bytes to the counters of account and hospital. Beyond a limit a column is NULL and the whole batch fails, so
 * concurrent requests cannot exceed it; see `toQuotaError`.
 * @param written bytes of the batch's statements
 */
export function chargeStatement(db: Db, charge: StorageCharge, written: number): Statement {
  const { grantId, hospital, now } = charge;
  const rows = listRows(charge, written + charge.derivedBytes).map(({ subject, prefix, day, kind, bytes, limit, blame }) => {
    const [scope, credentialId] = "subject" in subject ? [`${prefix}${subject.subject}`, ""] : [prefix, subject.credentialId];
    return [scope, credentialId, day, kind, bytes, limit, blame];
  });
  const hospitalId = hospital && "subject" in hospital ? hospital.subject.slice(2) : "";
  const granted = sql`(SELECT bytes FROM import_grants WHERE id = ${grantId} AND hospital_id = ${hospitalId}
    AND revoked_at IS NULL AND expires_at > ${now})`;
  const limit = grantId ? granted : sql`value->>5`;
  return db.run(sql`INSERT INTO counters (scope, day, name, n, sum)
    SELECT iif(blame <> 'scope' OR fits, scope, NULL), iif(blame <> 'day' OR fits, day, NULL),
      iif(blame <> 'name' OR fits, name, NULL), iif(blame <> 'n' OR fits, bytes, NULL), iif(blame <> 'sum' OR fits, 0, NULL)
    FROM (SELECT *, coalesce(coalesce((SELECT n FROM counters c WHERE c.scope = added.scope AND c.day = added.day
        AND c.name = added.name), 0) + bytes <= most, 0) AS fits
      FROM (SELECT iif(value->>1 = '', value->>0, value->>0 || 'm:' || coalesce((SELECT coalesce(device_id, id) FROM credentials
          WHERE id = value->>1), value->>1)) AS scope,
        value->>2 AS day, value->>3 AS name, value->>4 AS bytes, ${limit} AS most, value->>6 AS blame
        FROM json_each(${JSON.stringify(rows)})) added)
    WHERE 1 ON CONFLICT (scope, day, name) DO UPDATE SET n = n + excluded.n`);
}

/** The error for a batch that `chargeStatement` failed; null for other errors. Nothing was written. */
export function toQuotaError(error: unknown, now: number): ApiError | null {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    const column = /NOT NULL constraint failed: counters\.(\w+)/.exec(current.message)?.[1];
    if (column !== undefined && Object.hasOwn(BLAME, column)) return quotaError(BLAME[column as Blamed], now);
  }
  return null;
}

/** True for an error of `quotaError`. */
export const isQuotaError = (error: unknown): error is ApiError =>
  error instanceof ApiError && ["quota_exceeded", "storage_full", "import_grant_ended"].includes(error.code);

export function quotaError(limit: (typeof BLAME)[Blamed], now: number): ApiError {
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

/** Deletes the counters of past days. Their refused attempts are in the audit log by then (access/refused-attempts.ts). */
export function pruneDayCounters(db: Db, now: number): Statement {
  return db.run(sql`DELETE FROM counters WHERE scope >= 'quota-day:' AND scope < 'quota-day;' AND day < ${utcDayOf(now)}`);
}
