// What an audit event says: who did what to which data, and the bytes that its batch stores.
import type { SQL } from "drizzle-orm";
import type { AuditAction, AuditOutcome } from "../audit-log/contract.ts";
import type { StorageCharge } from "../platform/storage-quotas.ts";
import type { Role } from "./actor.ts";
import type { Purpose } from "./purposes.ts";

export type { AuditAction } from "../audit-log/contract.ts";
export type AuditEvent = {
  /** A UUIDv7 that repeats with a repeated delivery; else a new one. */
  id?: string;
  /** `<thing>.<what happened>`, e.g. `report.read`, `login.failed`. */
  event: string;
  action: AuditAction;
  outcome?: AuditOutcome;
  reason?: string;
  role?: Role | "device" | "app";
  basis?: string;
  /** What allowed the access beyond the role, such as a consent; stands in the detail. */
  ground?: Readonly<Record<string, string>> | undefined;
  /** Why the data were used; `purposeOf` (purposes.ts) gives the default. */
  purpose?: Purpose | undefined;
  /** The hospital whose data was accessed. */
  hospitalId?: string | null;
  /** The actor's hospital; stored only when it is another one. */
  actorHospitalId?: string | null;
  entity?: { type: string; id: string };
  /** Patients whose data the event touched. */
  subjects?: readonly string[];
  /** Further subjects that are known in SQL only: a query of one column of patient ids. */
  subjectsQuery?: SQL;
  /** Ids, counts and keyed hashes only. */
  detail?: Record<string, unknown>;
  /** Condition for writes that are decided in SQL. `changes() > 0`: the previous statement changed a row. */
  when?: SQL;
  /** Files that the batch adds to object storage, and bytes of rows that its statements derive from lists: both count. */
  storedFiles?: { bytes: number; counts?: StorageCharge["files"]["counts"] };
  derivedBytes?: number;
  /** The import grant that an earlier step of the operation named, or null for none; else the request's header decides. */
  importGrant?: string | null;
};
