// The body of a webhook's delivery, in the form of the Standard Webhooks specification: type, timestamp, data.
import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Db } from "../../platform/db/client.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import type { Delivery } from "../channel.ts";
import type { WebhookEvent } from "../kinds.ts";

/** Clinical fields of what an event is about; never a name, a contact or free text. Null: no longer, or not yet, stored. */
export type Details = Readonly<Record<string, unknown>> | null;

const Report = z.object({
  kind: z.string(),
  status: z.string(),
  effective_at: z.number().transform(toIso),
  session_type: z.string().nullable(),
  heart_rate: z.number().nullable(),
  confidence: z.number().nullable(),
});
const Alert = z.object({
  rule: z.string(),
  code: z.string().nullable(),
  priority: z.string(),
  state: z.string(),
  value: z.number().nullable(),
  bound: z.number().nullable(),
  raised_at: z.number().transform(toIso),
  cleared_at: z.number().nullable().transform(toIsoOrNull),
});
const Upload = z.object({ kind: z.string().nullable(), reason: z.string().nullable(), created_at: z.number().transform(toIso) });

const selectReport = (
  id: SQL,
  hospitalId: string | null,
) => sql`SELECT kind, status, effective_at, session_type, heart_rate, confidence
  FROM reports WHERE id = ${id} AND hospital_id = ${hospitalId}`;
const selectAlert = (id: SQL, hospitalId: string | null) => sql`SELECT rule, code, priority, state, raised_at, cleared_at,
  iif(json_type(why, '$.value') IN ('integer', 'real'), json_extract(why, '$.value'), NULL) AS value,
  iif(json_type(why, '$.bound') IN ('integer', 'real'), json_extract(why, '$.bound'), NULL) AS bound
  FROM alerts WHERE id = ${id} AND hospital_id = ${hospitalId}`;
const selectUpload = (id: SQL, hospitalId: string | null) => sql`SELECT kind, reason, created_at
  FROM uploads WHERE id = ${id} AND hospital_id = ${hospitalId}`;

type Source = { ref: string; select: (id: SQL, hospitalId: string | null) => SQL; schema: z.ZodType<Record<string, unknown>> };
const ALERT: Source = { ref: "alert_id", select: selectAlert, schema: Alert };
/** Of these only ids are sent. */
type PlainEvent = "document.created" | "appointment.booked" | "appointment.cancelled" | "encounter.finished" | "report.signed";
type DetailedEvent = Exclude<WebhookEvent, PlainEvent>;
const SOURCES: Readonly<Record<DetailedEvent, Source>> = {
  "report.created": { ref: "report_id", select: selectReport, schema: Report },
  "alert.raised": ALERT,
  "alert.cleared": ALERT,
  "upload.quarantined": { ref: "upload_id", select: selectUpload, schema: Upload },
};
const hasDetails = (kind: string): kind is DetailedEvent => kind in SOURCES;

/** Whether events of this type have clinical fields at all. */
export const isOfClinicalEvent = ({ kind }: Pick<Delivery, "kind">): boolean => hasDetails(kind);

/** Reads the clinical fields of what the event is about, within the webhook's own hospital. */
export async function readDetails(
  db: Db,
  { kind, refs, hospitalId }: Pick<Delivery, "kind" | "refs" | "hospitalId">,
): Promise<Details> {
  if (!hasDetails(kind)) return null;
  const { ref, select, schema } = SOURCES[kind];
  const [row] = await db.all<Record<string, unknown>>(select(sql`${refs[ref] ?? null}`, hospitalId));
  return row ? schema.parse(row) : null;
}

/** @param details undefined for a webhook that gets ids only */
export function formatBody({ kind, refs, createdAt }: Pick<Delivery, "kind" | "refs" | "createdAt">, details?: Details): string {
  return JSON.stringify({
    type: kind,
    timestamp: toIso(createdAt),
    data: { ...refs, ...(details !== undefined && { details }) },
  });
}
