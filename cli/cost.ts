// `edgecare cost`: monthly cost of the reference traffic, from operations counted on the production bundle.
import { parseArgs } from "node:util";
import { z } from "zod";

export const COST_USAGE = `  cost [--seconds 240] [--years 10]
         print the monthly cost of the reference traffic at Cloudflare's list prices: runs a part of the traffic
         against the production bundle, counts its operations and multiplies them
         --seconds   how long the bedside monitors send data
         --years     years of the curve of D1's size`;

const OK = 0;
const OVER_BUDGET = 1;
const USAGE = 2;

/** Gigabytes of D1 after ten years; a database holds ten. docs/cost.md says what the aim of three would take. */
const D1_BUDGET_GB = 9;
const YEARS = 10;

/** US dollars per month, including the plan. The aim with monitors is 18.50; docs/cost.md says what is missing. */
const BUDGETS = { without: 12.5, with: 19 } as const;

const NOTES = `Counted: requests, D1 round trips and rows, D1's growth, object calls, alarms, frames and rows, KV, cache and R2
operations, log lines. Estimated: CPU (local workerd after warm-up, minus the local cost of bare requests, of bare calls of stores, limits and
objects, and of an object's work on a sync; Linux only, otherwise 0),
duration (as measured, but at least 10 ms per call or frame and 100 ms per alarm), log events (one per line,
and one per request, call, alarm and frame if invocations are logged), storage (at the end of the first month).
Not included: patient alarms, live viewers, logins, the portal.`;

const OptionsSchema = z.strictObject({
  seconds: z.coerce.number().int().min(20).max(3_600).default(240),
  years: z.coerce.number().int().min(1).max(50).default(YEARS),
});

function parseOptions(args: string[]): z.output<typeof OptionsSchema> | null {
  try {
    const { values } = parseArgs({ args, options: { seconds: { type: "string" }, years: { type: "string" } } });
    return OptionsSchema.safeParse({ ...values }).data ?? null;
  } catch {
    return null;
  }
}

/** The logging settings of production in wrangler.toml. */
async function readProductionLogging() {
  const { unstable_readConfig } = await import("wrangler");
  const { observability } = unstable_readConfig({ config: "wrangler.toml" });
  const logs = observability?.logs;
  return {
    enabled: (logs?.enabled ?? observability?.enabled) === true,
    invocations: logs?.invocation_logs !== false,
    sampled: logs?.head_sampling_rate ?? observability?.head_sampling_rate ?? 1,
  };
}

/** @returns the exit code: 0 within both budgets, 1 over budget, 2 invalid usage */
export async function runCost(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (!options) {
    console.error(`usage: edgecare cost …\n\n${COST_USAGE}`);
    return USAGE;
  }
  // These import wrangler and the Worker, which an invalid usage does not need.
  const [
    { startMetered },
    { countTraffic },
    { computeUsage, SCENARIOS },
    { computeBill },
    { formatBill, formatCounts, formatCurve },
    { computeCurve },
  ] = await Promise.all([
    import("../bench/cost/world.ts"),
    import("../bench/cost/traffic.ts"),
    import("./cost/month.ts"),
    import("./cost/prices.ts"),
    import("./cost/report.ts"),
    import("./cost/curve.ts"),
  ]);
  const logging = await readProductionLogging();
  const server = await startMetered();
  try {
    const counted = await countTraffic(server, options.seconds, (line) => console.error(line));
    const usage = {
      without: computeUsage(counted, SCENARIOS.without, logging),
      with: computeUsage(counted, SCENARIOS.with, logging),
    };
    const bills = { without: computeBill(usage.without), with: computeBill(usage.with) };
    console.log(
      `${formatCounts(counted)}\n\n${formatBill(bills.without, bills.with)}\n\n${NOTES}\nEach further month adds ${usage.with.r2Gb.toFixed(1)} GB to R2.\n`,
    );
    const curve = computeCurve(counted.rowBytes, options.years);
    console.log(`${formatCurve(curve)}\n`);
    const gigabytes = (curve.at(-1)?.total ?? 0) / 1e9;
    let isWithinBudgets = gigabytes <= D1_BUDGET_GB;
    console.log(
      `D1 after ${options.years} years: ${gigabytes.toFixed(2)} GB, ${isWithinBudgets ? "within" : "OVER"} the budget of ${D1_BUDGET_GB} GB`,
    );
    for (const scenario of ["without", "with"] as const) {
      const { total } = bills[scenario];
      const isWithin = total <= BUDGETS[scenario];
      isWithinBudgets &&= isWithin;
      const verdict = isWithin ? "within" : "OVER";
      console.log(
        `${scenario} bedside monitors: $${total.toFixed(2)} including the plan, ${verdict} the budget of $${BUDGETS[scenario].toFixed(2)}`,
      );
    }
    return isWithinBudgets ? OK : OVER_BUDGET;
  } finally {
    await server.close();
  }
}
