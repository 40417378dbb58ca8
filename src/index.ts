// What the Worker exports.
import { app } from "./app.ts";
import { cleanUp } from "./cron.ts";

export default {
  fetch: app.fetch,
  scheduled: (_controller, env, ctx) => ctx.waitUntil(cleanUp(env, Date.now())),
} satisfies ExportedHandler<Env>;
