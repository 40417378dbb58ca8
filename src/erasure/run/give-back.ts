// The room of deleted files and values, which an erasure returns to the storage ceilings.
import { type SQL, sql } from "drizzle-orm";
import type { Db, Statement } from "../../platform/db/client.ts";
import { giveBackStatement, TOTAL_PREFIX } from "../../platform/storage-quotas.ts";
import type { Subject } from "./progress.ts";
import type { Row } from "./search.ts";

const HOSPITAL = `${TOTAL_PREFIX}h:`;
const DEVICE = `${TOTAL_PREFIX}m:`;

/** Returns the room of deleted files to the hospital. The account that stored them keeps its count: it may be anybody's. */
export function giveBackFiles(db: Db, rows: readonly Row[], sizes: readonly string[], { hospitalId }: Subject): Statement[] {
  const bytes = rows.reduce((sum, row) => sum + sizes.reduce((total, size) => total + Number(row[size] ?? 0), 0), 0);
  return [giveBackStatement(db, sql`SELECT ${`${HOSPITAL}${hospitalId}`} AS scope, 'files' AS name, ${bytes} AS bytes`)];
}

/** Returns the room of samples without a patient to the hospital and the device. Longer ids are those of objects, which count nowhere. */
export function giveBackHeld(db: Db, rows: readonly Row[]): Statement[] {
  const ids = JSON.stringify(rows.map(({ id }) => id));
  const held = sql`held_observations WHERE id IN (SELECT value FROM json_each(${ids})) AND length(id) = 36`;
  return giveBackPer(db, "records", sql`length(items_sealed)`, held, sql`hospital_id`, sql`device_id`);
}

/** @param from the rows, each with a size, a hospital and a device or app */
export const giveBackPer = (db: Db, name: string, size: SQL, from: SQL, hospital: SQL, device: SQL): Statement[] =>
  [sql`${HOSPITAL} || ${hospital}`, sql`${DEVICE} || ${device}`].map((scope) =>
    giveBackStatement(db, sql`SELECT ${scope} AS scope, ${name} AS name, sum(${size}) AS bytes FROM ${from} GROUP BY 1`),
  );
