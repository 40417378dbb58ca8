// What each request may cost: D1 round trips, rows read and written, R2 and KV operations, calls of objects. Any read 2 round
// trips, any write 3, and one that tells objects first what that takes; samples of a device none.
import { beforeAll, describe, expect, it } from "vitest";
import { cleanUp } from "../../src/cron.ts";
import { deliverChanges } from "../../src/monitoring/patient-object/context/changes.ts";
import { type Counts, counting } from "../stores.ts";
import { API, ask, env, newDevice, read } from "../world.ts";
import { accountReads, accountWrites } from "./budgets-accounts.ts";
import { hospitalReads, hospitalWrites } from "./budgets-hospital.ts";
import { reports, uploads } from "./budgets-reports.ts";
import { vitals } from "./budgets-vitals.ts";
import { type Budget, budget, type Line, live, MOST, openWorld, sample, watched, world } from "./budgets-world.ts";

/** In this order: some lines go on from what an earlier one made. */
const lines: Line[] = [...reports, ...hospitalReads, ...accountReads, ...vitals, ...uploads, ...hospitalWrites, ...accountWrites];

beforeAll(openWorld);

const table: string[] = [];
const cells = (...texts: (string | number)[]) => `| ${texts.join(" | ")} |`;
const note = (name: string, counts: Counts) => {
  const { d1, rowsRead, rowsWritten, r2, kv, objects } = counts;
  const lists = [r2, kv, objects].map((list) => list.join(" ") || "-");
  table.push(cells(name.padEnd(32), d1, rowsRead, rowsWritten, ...lists));
};

/** Where a count is above its budget. */
function over(counts: Counts, may: Budget): string[] {
  return [
    ...(counts.d1 > may.d1 ? [`${counts.d1} round trips`] : []),
    ...(counts.rowsRead > may.read ? [`${counts.rowsRead} rows read`] : []),
    ...(counts.rowsWritten > may.written ? [`${counts.rowsWritten} rows written`] : []),
    ...(counts.r2.join(" ") !== may.r2 ? [`R2 ${counts.r2.join(" ")}`] : []),
    ...(counts.kv.length > may.kv ? [`KV ${counts.kv.join(" ")}`] : []),
    ...(counts.objects.join(" ") !== may.objects ? [`objects ${counts.objects.join(" ")}`] : []),
  ];
}

describe("the budget of", () => {
  it.each(lines)("%s", async (name, kind, status, may, run) => {
    expect(may.d1).toBeLessThanOrEqual(MOST[kind]);
    // What earlier lines changed is not this one's to tell.
    while ((await deliverChanges(env)) > 0);
    const { env: counted, counts } = counting(env);
    const response = await run(counted);
    expect(response.status).toBe(status);
    await response.arrayBuffer();
    note(name, counts);
    expect(over(counts, may)).toEqual([]);
    expect(counts.d1).toBeGreaterThan(0);
  });

  it("samples of a device: no D1, one object; KV is asked where to send them once a minute, and knows when the object does", async () => {
    const bedside = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
    const send = async (value: number) => {
      const { env: counted, counts } = counting(env);
      const response = await ask(`${API}/observations`, { as: bedside, json: { samples: [sample(value)] }, env: counted });
      expect((await read(response)).data.stored).toBe(1);
      return counts;
    };
    const first = await send(70);
    note("POST /observations, device, first", first);
    expect(over(first, { ...live(3, 50, 2, "record", "configure", "record"), kv: 3 })).toEqual([]);
    const second = await send(71);
    note("POST /observations, device", second);
    expect(over(second, live(0, 0, 0, "record"))).toEqual([]);
    expect(second.objects).toHaveLength(1);
  });

  it("what is told behind an answer: one read, each change's facts, one write", async () => {
    while ((await deliverChanges(env)) > 0);
    const { env: counted, counts } = counting(env);
    await env.DB.prepare("UPDATE patients SET ward_id = NULL WHERE id = ?").bind(watched.id).run();
    expect(await deliverChanges(counted)).toBe(2);
    note("behind an answer: a patient moved", counts);
    expect(counts.d1).toBe(3);
    expect(counts.objects.toSorted()).toEqual(["feed.recheck", "monitor.configure"]);
    const { env: idle, counts: nothing } = counting(env);
    expect(await deliverChanges(idle)).toBe(0);
    note("behind an answer: nothing changed", nothing);
    expect(nothing).toMatchObject({ d1: 1, rowsWritten: 0, objects: [] });
  });

  it("a sweep of a day: one list for each hour, and one for what lies in clear", async () => {
    await cleanUp(env, Date.now() + 2 * 3_600_000);
    const { env: counted, counts } = counting(env);
    await cleanUp(counted, Date.now() + 2 * 3_600_000);
    note("cron, nothing to sweep", counts);
    expect(counts.d1).toBeLessThanOrEqual(3);
    expect(counts.r2.every((op) => op === "list")).toBe(true);
    expect(counts.r2.length).toBeLessThanOrEqual(27);
  });

  it("a spendthrift is exceeded: the table has teeth", async () => {
    const { env: counted, counts } = counting(env);
    for (let i = 0; i < 3; i++) await counted.DB.prepare("SELECT * FROM reports").all();
    await counted.FILES.head("x");
    await counted.KV.get("x");
    await counted.KV.get("x");
    await counted.PATIENT_MONITOR.getByName("nobody").snapshot();
    expect(over(counts, budget(2, 100, 0))).toEqual([
      "3 round trips",
      expect.stringMatching(/rows read$/),
      "R2 head",
      "KV get get",
      "objects monitor.snapshot",
    ]);
  });

  it("all, as counted", async ({ annotate }) => {
    expect(table).toHaveLength(lines.length + 5);
    const head = cells("request".padEnd(32), "D1 round trips", "rows read", "rows written", "R2", "KV", "objects");
    await annotate([head, "|---|---|---|---|---|---|---|", ...table].join("\n"));
  });
});
