import { it } from "vitest";
import { app } from "../../src/app.ts";
import { deliverAfterResponse } from "../../src/monitoring/patient-object/context/change-delivery.ts";
const out: string[] = [];
it("lists", () => {
  const covered = app.routes.filter((r) => r.handler === deliverAfterResponse).map((r) => r.path);
  out.push(JSON.stringify(covered));
  const m = new Set(app.routes.filter((r) => ["POST", "PUT", "PATCH", "DELETE"].includes(r.method)).map((r) => `${r.method} ${r.path}`));
  out.push([...m].filter((x) => !covered.some((c) => (x.split(" ")[1] + "/").startsWith(c.slice(0, -1)))).join("\n"));
  throw new Error(out.join("\n"));
});
