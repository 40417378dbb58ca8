import { median, sum } from "./cpu/profile.ts";
import { start } from "./cpu/runner.ts";
import { buildBundle } from "./server.ts";
const only = process.argv[2] ?? "";
const N = Number(process.argv[3] ?? 200);
const r = await start({ name: "head", root: ".", main: buildBundle(undefined, ".") } as never, only);
for (const kind of r.kinds) {
  const t = []; for (let i = 0; i < 4; i++) t.push(await r.measure(kind, N));
  const { ms, functions } = sum(t);
  console.log(`\n## ${kind}: ${(ms / (4 * N)).toFixed(3)} ms; rounds ${t.map((x) => (x.ms / N).toFixed(2))}`);
  const by = (f: (name: string) => string) => { const m = new Map<string, number>(); for (const [frame, own] of functions) { const n = f(r.nameOf(frame)); m.set(n, (m.get(n) ?? 0) + own); } return [...m].sort(([, a], [, b]) => b - a); };
  for (const [n, o] of by((s) => (/\((.*)\)$/.exec(s)?.[1] ?? s).replace(/^([^/]+\/[^/]+).*?$/, (x) => x)).slice(0, 45)) console.log(`  F ${((100 * o) / ms).toFixed(1).padStart(5)} ${n}`);
  for (const [n, o] of by((s) => s).slice(0, 50)) console.log(`  f ${((100 * o) / ms).toFixed(1).padStart(5)} ${n}`);
}
await r.close(); process.exit(0);
