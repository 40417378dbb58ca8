// Entry points of the Worker: HTTP requests, queues, scheduled jobs and the Durable Object classes.
import { app } from "./app.ts";
import { moveOldEvents } from "./audit/move-old-events.ts";
import { pruneAuditLogs } from "./audit/retention.ts";
import { handOverInBackground } from "./audit-log/hand-over.ts";
import { runCareJobs } from "./care-jobs.ts";
import { expireGuardianships } from "./consents/end-guardian.ts";
import { expireConsents } from "./consents/expire-consents.ts";
import { runCleanup } from "./cron.ts";
import { sendDelayedNotices } from "./emergency-access/notices.ts";
import { runErasures } from "./erasure/run/run-erasures.ts";
import { packOldHours } from "./monitoring/packed-hours/pack-hours.ts";
import { deliverChanges } from "./monitoring/patient-object/context/change-delivery.ts";
import { consume } from "./notifications/delivery/consume.ts";
import { requeueInBackground } from "./notifications/delivery/requeue.ts";
import { reindexPatients } from "./patients/reindex.ts";
import { sealAgain } from "./service/keys/seal-again.ts";

/** As in wrangler.toml; the other cron schedule, every 15 minutes, runs the cleanup and packs hours. */
const EVERY_MINUTE_CRON = "* * * * *";

export { AuditLog } from "./audit-log/audit-log.ts";
export { WardFeed } from "./monitoring/live/ward-feed.ts";
export { PatientMonitor } from "./monitoring/patient-object/patient-monitor.ts";

export default {
  fetch: app.fetch,
  queue: (batch, env, ctx) => consume(env, batch, { waitUntil: (work) => ctx.waitUntil(work) }),
  scheduled: ({ cron }, env, ctx) => {
    if (cron !== EVERY_MINUTE_CRON) {
      ctx.waitUntil(runCleanup(env, Date.now()));
      ctx.waitUntil(packOldHours(env, Date.now()));
      ctx.waitUntil(pruneAuditLogs(env, Date.now()));
      return;
    }
    ctx.waitUntil(deliverChanges(env));
    ctx.waitUntil(requeueInBackground(env, Date.now()));
    ctx.waitUntil(handOverInBackground(env));
    ctx.waitUntil(moveOldEvents(env, Date.now()));
    ctx.waitUntil(reindexPatients(env, Date.now()));
    ctx.waitUntil(expireConsents(env, Date.now()));
    ctx.waitUntil(expireGuardianships(env, Date.now()));
    ctx.waitUntil(runErasures(env, Date.now()));
    ctx.waitUntil(sealAgain(env, Date.now()));
    ctx.waitUntil(sendDelayedNotices(env, Date.now()));
    ctx.waitUntil(runCareJobs(env, Date.now()));
  },
} satisfies ExportedHandler<Env>;
