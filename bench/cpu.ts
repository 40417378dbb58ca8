// CPU time per request: this checkout compared with an earlier commit and with a bare Hono route, by CPU profiles of
// EdgeCare's own isolate. The bundles take turns, so that a busy machine slows both.
import { parseArgs } from "node:util";
import { buildBundles } from "./cpu/bundles.ts";
import { type CpuTime, median, sum } from "./cpu/profile.ts";
import { BARE, type Runner, start } from "./cpu/runner.ts";
import { buildBundle } from "./server.ts";

const { values: options } = parseArgs({
  options: {
    base: { type: "string", default: "6dae383" },
    rounds: { type: "string", default: "6" },
    requests: { type: "string", default: "120" },
    only: { type: "string" },
    top: { type: "string", default: "10" },
  },
});
const ROUNDS = Number(options.rounds);
const REQUESTS = Number(options.requests);

/** Maximum share of the base commit's cost, with commit 6dae383 as the base. */
const TARGETS: Record<string, number> = {
  "auth/me": 0.5,
  "patient detail": 0.55,
  "patients list of 20": 0.45,
  "reports list of 20": 0.45,
  "one sample": 0.6,
  "50 rows of six vitals": 0.5,
};

type Measured = { head: CpuTime[]; base: CpuTime[] };

const perRequest = (times: readonly CpuTime[]) => sum(times).ms / (ROUNDS * REQUESTS);
const perHundred = (time: CpuTime | undefined) => time?.ms ?? Number.NaN;

/** @returns whether every target holds */
function report(measured: ReadonlyMap<string, Measured>, bare: readonly CpuTime[], head: Runner): boolean {
  const isTarget = options.base === "6dae383";
  const floor = perRequest(bare);
  console.log(`\nA bare Hono route: ${floor.toFixed(3)} ms of CPU per request; ${ROUNDS} rounds of ${REQUESTS} requests.

| request | CPU, ms | at ${options.base}, ms | ratio | rounds | target | × bare route |
|---|---|---|---|---|---|---|`);
  let held = true;
  for (const [kind, { head: ours, base }] of measured) {
    const rounds = ours.map((time, i) => perHundred(time) / perHundred(base[i]));
    const ratio = perRequest(ours) / perRequest(base);
    const target = TARGETS[kind];
    held &&= target === undefined || ratio <= target;
    const spread = `${Math.min(...rounds).toFixed(2)}–${Math.max(...rounds).toFixed(2)}, median ${median(rounds).toFixed(2)}`;
    const figures = [perRequest(ours).toFixed(2), perRequest(base).toFixed(2), ratio.toFixed(2), spread];
    console.log(
      `| ${kind} | ${figures.join(" | ")} | ${isTarget ? `≤ ${target}` : "-"} | ${(perRequest(ours) / floor).toFixed(1)} |`,
    );
  }
  for (const [kind, { head: ours }] of measured) {
    const { ms, functions } = sum(ours);
    const named = new Map<string, number>();
    for (const [frame, own] of functions) named.set(head.nameOf(frame), (named.get(head.nameOf(frame)) ?? 0) + own);
    const top = [...named].sort(([, a], [, b]) => b - a).slice(0, Number(options.top));
    console.log(`\n${kind}: functions by their own time\n`);
    for (const [name, own] of top) console.log(`  ${((100 * own) / ms).toFixed(1).padStart(5)} %  ${name}`);
  }
  return held || !isTarget;
}

async function main(): Promise<void> {
  const { head: ours, base: theirs, remove } = buildBundles(options.base);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      remove();
      process.exit(1);
    });
  }
  const runners: Runner[] = [];
  try {
    const head = await start(ours, options.only);
    runners.push(head);
    const base = await start(theirs, options.only);
    runners.push(base);
    const bare = await start({ name: "bare", root: BARE, main: buildBundle(undefined, BARE) });
    runners.push(bare);
    const measured = new Map<string, Measured>();
    const floor: CpuTime[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      console.log(`Round ${round + 1} of ${ROUNDS}`);
      floor.push(await bare.measure("bare", REQUESTS));
      for (const kind of head.kinds) {
        const times = measured.get(kind) ?? { head: [], base: [] };
        measured.set(kind, times);
        // The order alternates between rounds.
        for (const isHead of round % 2 === 0 ? [true, false] : [false, true]) {
          if (isHead) times.head.push(await head.measure(kind, REQUESTS));
          else times.base.push(await base.measure(kind, REQUESTS));
        }
      }
    }
    process.exitCode = report(measured, floor, head) ? 0 : 1;
  } finally {
    for (const runner of runners) await runner.close();
    remove();
  }
}

await main();
