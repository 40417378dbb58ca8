// Versions of a hospital's data by kind: random, and replaced by triggers in the transaction of every change.
import { type SQL, sql } from "drizzle-orm";
import { dataVersions } from "./schema.ts";

export type DataKind = Exclude<keyof typeof dataVersions.$inferSelect, "hospitalId">;

/** The versions of these kinds as one text; empty for a hospital whose data never changed. */
export function versionOf(hospitalId: string, kinds: readonly DataKind[]): SQL<string> {
  const versions = sql.join(
    kinds.map((kind) => sql`${dataVersions[kind]}`),
    sql` || '.' || `,
  );
  return sql<string>`coalesce((SELECT ${versions} FROM data_versions WHERE hospital_id = ${hospitalId}), '')`;
}
