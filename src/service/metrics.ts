// Prometheus gauges of the deployment, from counters and bounded queries in one round trip.

import { sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { COUNT_LIMIT } from "../http/pagination.ts";
import { MAX_ATTEMPTS } from "../monitoring/patient-object/context/change-delivery.ts";
import { PARKED_SCOPE } from "../monitoring/patient-object/delivery/delivery.ts";
import { COUNTER_SCOPES, counterValue } from "../platform/counters.ts";
import { constantTimeEqual, sha256Hex } from "../platform/crypto.ts";
import { batch, type Db } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { HOUR_MS } from "../platform/time.ts";
import { formatGauges, type Gauge } from "./prometheus-format.ts";

/** One more than the documented limit, so that a truncated count is recognizable. */
const MAX_COUNTED = COUNT_LIMIT + 1;

/** @throws ApiError not_found (METRICS_TOKEN is not set), unauthenticated (missing or wrong token) */
export async function authenticateScraper(token: string | undefined, header: string | undefined): Promise<void> {
  if (!token) throw new ApiError("not_found");
  const [givenHash, expectedHash] = await Promise.all([
    sha256Hex(/^Bearer (\S+)$/i.exec(header ?? "")?.[1] ?? ""),
    sha256Hex(token),
  ]);
  const toBytes = (text: string) => new TextEncoder().encode(text);
  if (!constantTimeEqual(toBytes(givenHash), toBytes(expectedHash))) throw new ApiError("unauthenticated");
}

const SCALAR_GAUGES = [
  ["accounts", "User accounts"],
  ["hospitals", "Hospitals, without the built-in one"],
  ["patients", "Patient records"],
  ["devices", "Registered devices"],
  ["sessions_live", "Active sessions among the newest 10,001"],
  ["login_failures", "Failed password attempts that count towards a lockout, at most 10,001"],
  ["uploads_quarantined", "Files in quarantine, at most 10,001"],
  ["uploads_awaiting", "Direct uploads that await confirmation, at most 10,001"],
  ["outbox_depth", "Pending outbox rows, at most 10,001"],
  ["outbox_oldest_due_age_seconds", "Time since the oldest pending outbox row became due"],
  ["outbox_parked", "Outbox rows that failed repeatedly and are retried every six hours, at most 10,001"],
  ["monitor_outbox_parked", "Deliveries from patient objects that failed repeatedly and are retried every six hours"],
  ["audit_staged", "Audit events that are not in their log yet, at most 10,001"],
  ["audit_staged_oldest_age_seconds", "Time since the oldest audit event that is not in its log was recorded"],
  ["audit_parked", "Audit events among them that a log refused and that are retried every six hours"],
  ["schema_migrations", "Applied database migrations"],
] as const;
type ScalarValues = Record<(typeof SCALAR_GAUGES)[number][0], number>;

/** Counts rows of one outcome, on the index alone. */
const countUploads = (outcome: "quarantined" | "awaiting") =>
  sql`(SELECT count(*) FROM (SELECT 1 FROM uploads WHERE outcome = ${outcome} AND outcome <> 'stored' LIMIT ${MAX_COUNTED}))`;

function selectScalars(db: Db, now: number) {
  return db.all<ScalarValues>(sql`SELECT
    ${counterValue(COUNTER_SCOPES.all, "users")} AS accounts, ${counterValue(COUNTER_SCOPES.all, "hospitals")} AS hospitals,
    ${counterValue(COUNTER_SCOPES.all, "patients")} AS patients, ${counterValue(COUNTER_SCOPES.all, "devices")} AS devices,
    (SELECT count(*) FROM (SELECT revoked_at, expires_at, idle_expires_at FROM sessions ORDER BY id DESC LIMIT ${MAX_COUNTED})
      WHERE revoked_at IS NULL AND expires_at > ${now} AND idle_expires_at > ${now}) AS sessions_live,
    (SELECT count(*) FROM (SELECT state FROM login_attempts WHERE expires_at > ${now} LIMIT ${MAX_COUNTED})
      WHERE state = 'failed') AS login_failures,
    ${countUploads("quarantined")} AS uploads_quarantined, ${countUploads("awaiting")} AS uploads_awaiting,
    waiting.depth AS outbox_depth, waiting.parked AS outbox_parked,
    max(0, ${now} - coalesce((SELECT min(due_at) FROM outbox WHERE done_at IS NULL), ${now})) / 1000.0
      AS outbox_oldest_due_age_seconds,
    coalesce((SELECT sum(n) FROM counters WHERE scope = ${PARKED_SCOPE} AND day = 0), 0) AS monitor_outbox_parked,
    staged.n AS audit_staged, staged.parked AS audit_parked,
    max(0, ${now} - coalesce((SELECT iif(json_valid(event), event->>'recorded', NULL) FROM audit_staged ORDER BY id LIMIT 1), ${now})) / 1000.0
      AS audit_staged_oldest_age_seconds,
    (SELECT count(*) FROM d1_migrations) AS schema_migrations
    FROM (SELECT count(*) AS depth, coalesce(sum(attempts >= ${MAX_ATTEMPTS}), 0) AS parked
      FROM (SELECT attempts FROM outbox NOT INDEXED WHERE done_at IS NULL LIMIT ${MAX_COUNTED})) AS waiting,
    (SELECT count(*) AS n, count(parked_at) AS parked FROM (SELECT parked_at FROM audit_staged LIMIT ${MAX_COUNTED})) AS staged`);
}

/** Renders the gauges in text format. Labels contain fixed codes, never ids or names. */
export async function renderMetrics({ db, now }: Pick<Call, "db" | "now">): Promise<string> {
  const [[scalars], reports, uploadOutcomes] = await batch(db, [
    selectScalars(db, now),
    db.all<{ name: string; n: number }>(sql`SELECT name, n FROM counters
      WHERE scope = ${COUNTER_SCOPES.all} AND day = 0 AND name >= 'report|' AND name < 'report}' AND n > 0`),
    db.all<{ outcome: string; n: number }>(sql`SELECT outcome, count(*) AS n FROM
      (SELECT outcome FROM uploads WHERE created_at > ${now - HOUR_MS} ORDER BY created_at DESC LIMIT ${MAX_COUNTED}) GROUP BY outcome`),
  ]);
  const scalarGauges = SCALAR_GAUGES.map(
    ([name, help]): Gauge => ({ name: `edgecare_${name}`, help, samples: [{ labels: {}, value: scalars?.[name] ?? 0 }] }),
  );
  return formatGauges([
    ...scalarGauges,
    {
      name: "edgecare_reports",
      help: "Reports by kind and status",
      samples: reports.map(({ name, n }) => {
        const [, kind = "", status = ""] = name.split("|");
        return { labels: { kind, status }, value: n };
      }),
    },
    {
      name: "edgecare_uploads_last_hour",
      help: "Upload attempts of the last hour by outcome, among the newest 10,001",
      samples: uploadOutcomes.map(({ outcome, n }) => ({ labels: { outcome }, value: n })),
    },
  ]);
}
