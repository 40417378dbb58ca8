// Uploads that an erasure deletes: each is settled before its file is deleted, so that nobody makes a report of it meanwhile.
import { sql } from "drizzle-orm";
import { failsUnless } from "../../access/sign-in.ts";
import type { Keys } from "../../platform/config.ts";
import type { Db, Statement } from "../../platform/db/client.ts";
import { openDetail } from "../../reports/upload/upload-log.ts";
import { giveBackPer } from "./give-back.ts";
import type { Row } from "./search.ts";

export const UPLOAD_COLUMNS = ["outcome", "file_size", "hospital_id", "actor_id", "detail_sealed"] as const;

/**
 * Discards files in quarantine and ends uploads that wait for their file, if all are as they were read. The room of files in quarantine
 * returns to the hospital and the device or app, as when they are discarded (reports/quarantine). Other uploads have no file, or their
 * report has it. A file under an import grant counts nowhere else.
 */
export async function settleUploads(db: Db, rows: readonly Row[], keys: Keys): Promise<Statement[]> {
  const open = rows.filter(({ outcome }) => outcome === "quarantined" || outcome === "awaiting");
  if (open.length === 0) return [];
  const asRead = JSON.stringify(open.map(({ id, outcome, file_key }) => [id, outcome, file_key]));
  const unchanged = sql`(SELECT count(*) FROM json_each(${asRead}) JOIN uploads u ON u.id = value->>0
    WHERE u.outcome = value->>1 AND u.file_key IS value->>2)`;
  return [
    failsUnless(db, sql`${unchanged} = ${open.length}`),
    ...(await giveBackQuarantined(db, open, keys)),
    db.run(sql`UPDATE uploads SET outcome = iif(outcome = 'quarantined', 'discarded', 'expired')
      WHERE id IN (SELECT value->>0 FROM json_each(${asRead}))`),
  ];
}

async function giveBackQuarantined(db: Db, open: readonly Row[], keys: Keys): Promise<Statement[]> {
  const quarantined = open.filter(({ outcome }) => outcome === "quarantined");
  const areGranted = await Promise.all(quarantined.map((row) => isUnderGrant(keys, row)));
  const counted = quarantined.filter((_, i) => !areGranted[i]);
  if (counted.length === 0) return [];
  const files = JSON.stringify(counted.map((row) => [row["id"], row["hospital_id"], row["actor_id"], row["file_size"]]));
  const device = sql`coalesce((SELECT device_id FROM credentials WHERE id = value->>2), value->>2)`;
  const from = sql`json_each(${files}) WHERE EXISTS (SELECT 1 FROM uploads WHERE id = value->>0 AND outcome = 'quarantined')`;
  return giveBackPer(db, "files", sql`value->>3`, from, sql`(value->>1)`, device);
}

/** Also of a detail that does not open: nothing is returned that may never have counted. */
const isUnderGrant = (keys: Keys, row: Row): Promise<boolean> =>
  openDetail({ keys }, { id: String(row["id"]), detailSealed: row["detail_sealed"] as string | null }).then(
    ({ import_grant }) => import_grant !== undefined,
    () => true,
  );
