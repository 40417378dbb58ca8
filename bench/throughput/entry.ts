// The product, and beside it on the same workerd one bare read of D1: the rows of the same page, as they are.
import worker from "../../src/index.ts";

export { AuditLog, PatientMonitor, WardFeed } from "../../src/index.ts";

export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    if (url.pathname !== "/bare") return worker.fetch(request, env, ctx);
    const { results } = await env.DB.prepare("SELECT * FROM patients WHERE hospital_id = ? ORDER BY id DESC LIMIT 20")
      .bind(url.searchParams.get("hospital"))
      .all();
    return Response.json({ data: results });
  },
} satisfies ExportedHandler<Env>;
