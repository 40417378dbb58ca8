// Entry points of the Worker: HTTP requests, scheduled jobs and the Durable Object classes.
import { app } from "./app.ts";
import { handOverInBackground } from "./audit-log/hand-over.ts";
import { runCleanup } from "./cron.ts";
import { deliverChanges } from "./monitoring/patient-object/context/change-delivery.ts";
import { reindexPatients } from "./patients/reindex.ts";

/** As in wrangler.toml; the other cron schedule runs the cleanup. */
const EVERY_MINUTE_CRON = "* * * * *";

export { AuditLog } from "./audit-log/audit-log.ts";
export { WardFeed } from "./monitoring/live/ward-feed.ts";
export { PatientMonitor } from "./monitoring/patient-object/patient-monitor.ts";

export default {
  fetch: app.fetch,
  scheduled: ({ cron }, env, ctx) => {
    if (cron !== EVERY_MINUTE_CRON) return ctx.waitUntil(runCleanup(env, Date.now()));
    ctx.waitUntil(deliverChanges(env));
    ctx.waitUntil(handOverInBackground(env));
    ctx.waitUntil(reindexPatients(env, Date.now()));
  },
} satisfies ExportedHandler<Env>;
