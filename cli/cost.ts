// `edgecare cost`: the month's bill of the reference traffic, from operations that are counted on the production bundle.
import { parseArgs } from "node:util";
import { z } from "zod";
import { SCENARIOS, usageOf } from "./cost/month.ts";
import { billOf, type Usage } from "./cost/prices.ts";
import { billTable, countsTable } from "./cost/report.ts";

export const COST_USAGE = `  cost [--seconds 60]
         prints the month's bill of the reference traffic on Cloudflare's list prices: a part of the traffic runs
         against the production bundle here, its operations are counted and multiplied
         --seconds   how long the bedside monitors send`;

const OK = 0;
const MISSED = 1;
const USAGE = 2;

/** Dollars a month, the plan among them. */
const BUDGETS = { without: 10, with: 40 } as const;

const NOTES = `Counted: requests, D1 round trips and rows, D1's growth, object calls, alarms, frames and rows, KV, cache and R2
operations, log lines. Estimated: CPU (of the local workerd, warm, less bare requests, bare calls of stores, limits and objects, and
what an object does with a sync, as they cost here; Linux only, else 0),
duration (what was measured, and at least 10 ms for a call or frame, 100 ms for an alarm), log events (one for each line,
and where invocations are logged for each request, call, alarm and frame), storage (the end of the first month).
Not in it: alarms of patients, people who watch live, logins, the portal.`;

const Wanted = z.strictObject({ seconds: z.coerce.number().int().min(20).max(3_600).default(60) });

function wanted(args: string[]): z.output<typeof Wanted> | null {
  try {
    const { values } = parseArgs({ args, options: { seconds: { type: "string" } } });
    return Wanted.safeParse({ ...values }).data ?? null;
  } catch {
    return null;
  }
}

/** How production logs: what wrangler.toml says. */
async function productionLogging() {
  const { unstable_readConfig } = await import("wrangler");
  const { observability } = unstable_readConfig({ config: "wrangler.toml" });
  const logs = observability?.logs;
  return {
    enabled: (logs?.enabled ?? observability?.enabled) === true,
    invocations: logs?.invocation_logs !== false,
    sampled: logs?.head_sampling_rate ?? observability?.head_sampling_rate ?? 1,
  };
}

/** What D1 holds grows; one database is at most 10 GB. */
function growth({ d1Gb, r2Gb }: Usage): string {
  return `Each further month adds ${d1Gb.toFixed(1)} GB to D1 (10 GB are the most: ${(10 / d1Gb).toFixed(1)} months) and ${r2Gb.toFixed(1)} GB to R2.`;
}

/** @returns the exit code: 0 within both budgets, 1 not, 2 wrong usage */
export async function cost(args: string[]): Promise<number> {
  const options = wanted(args);
  if (!options) {
    console.error(`usage: edgecare cost …\n\n${COST_USAGE}`);
    return USAGE;
  }
  const [{ startMetered }, { countTraffic }] = await Promise.all([
    import("../bench/cost/world.ts"),
    import("../bench/cost/traffic.ts"),
  ]);
  const logging = await productionLogging();
  const server = await startMetered();
  try {
    const counted = await countTraffic(server, options.seconds, (line) => console.error(line));
    const usage = { without: usageOf(counted, SCENARIOS.without, logging), with: usageOf(counted, SCENARIOS.with, logging) };
    const bills = { without: billOf(usage.without), with: billOf(usage.with) };
    console.log(`${countsTable(counted)}\n\n${billTable(bills.without, bills.with)}\n\n${NOTES}\n${growth(usage.with)}\n`);
    let held = true;
    for (const scenario of ["without", "with"] as const) {
      const { total } = bills[scenario];
      const within = total <= BUDGETS[scenario];
      held &&= within;
      const verdict = within ? "within" : "MISSES";
      console.log(
        `${scenario} bedside monitors: $${total.toFixed(2)} with the plan, ${verdict} the budget of $${BUDGETS[scenario]}`,
      );
    }
    return held ? OK : MISSED;
  } finally {
    await server.close();
  }
}
