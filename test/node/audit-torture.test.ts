// The torture test of the audit log in its short form: `npm run bench:torture:audit` kills fifty times.
import { beforeAll, describe, expect, it } from "vitest";
import { buildBundle } from "../../bench/server.ts";
import { compare } from "../../bench/torture/audit-check.ts";
import { Ledger } from "../../bench/torture/audit-client.ts";
import { tortureAuditLog } from "../../bench/torture/audit-run.ts";

const SEED = 15;

describe.concurrent("the audit log of a server that is killed while clients read and write", () => {
  let bundle = "";
  beforeAll(() => {
    bundle = buildBundle(undefined, ".", true);
  });

  it("has the event of every answered read and of every change once, in logs that the verifier finds intact", async () => {
    const result = await tortureAuditLog(bundle, { kills: 3, seed: SEED, isTwin: false });
    expect(result.faults).toEqual([]);
    expect(result.answeredReads).toBeGreaterThan(80);
    expect(result.answeredWrites).toBeGreaterThan(20);
    expect(result.segments).toBeGreaterThan(0);
  });

  it("lacks events of reads if a read is answered before its event is durable", async () => {
    const result = await tortureAuditLog(bundle, { kills: 1, seed: SEED, isTwin: true });
    expect(result.lostReads).toBeGreaterThan(0);
    expect(result.problems).toEqual([]);
  });
});

describe("the comparison names", () => {
  const event = (request_id: string, name: string, outcome = "success") => ({
    ...{ id: `${request_id} ${name} ${outcome}`, event: name, outcome, request_id },
  });
  const faultsOf = (ledger: Ledger, events: ReturnType<typeof event>[], changes: string[] = []) =>
    compare(ledger, { events }, new Set(changes)).faults;
  const one = (...entry: [kind: "patient.list" | "patient.create", outcome: "answered" | "refused" | "unanswered"]) =>
    new Ledger([["r", { kind: entry[0], outcome: entry[1] }]]);
  const [listed, created] = [event("r", "patient.list"), event("r", "patient.create")];

  it("an answered read without its event, and a read with two", () => {
    expect(faultsOf(one("patient.list", "answered"), [listed])).toEqual([]);
    expect(faultsOf(one("patient.list", "answered"), [])).toEqual(["r: answered patient.list has 0 events"]);
    expect(faultsOf(one("patient.list", "unanswered"), [])).toEqual([]);
    const twice = [listed, { ...listed, id: "other" }];
    expect(faultsOf(one("patient.list", "answered"), twice)).toEqual(["r: answered patient.list has 2 events"]);
    expect(faultsOf(one("patient.list", "unanswered"), twice)).toEqual(["r: unanswered patient.list has 2 events"]);
    expect(faultsOf(one("patient.list", "answered"), [listed, listed])).toContain("an event is in its log twice");
  });

  it("a change without its event, and an event without its change", () => {
    expect(faultsOf(one("patient.create", "unanswered"), [created], ["r"])).toEqual([]);
    expect(faultsOf(one("patient.create", "unanswered"), [])).toEqual([]);
    for (const outcome of ["answered", "refused", "unanswered"] as const) {
      const ledger = one("patient.create", outcome);
      expect(faultsOf(ledger, [], ["r"])).toEqual([`r: ${outcome} patient.create, in the database, has 0 events`]);
      expect(faultsOf(ledger, [created])).toContain(`r: ${outcome} patient.create, not in the database, has 1 events`);
    }
    expect(faultsOf(one("patient.create", "answered"), [])).toEqual(["r: answered patient.create is not in the database"]);
  });

  it("an event of another name, and a change that nobody has sent", () => {
    expect(faultsOf(one("patient.list", "answered"), [created])).toEqual(["r: patient.list has an event patient.create"]);
    expect(faultsOf(one("patient.create", "refused"), [event("r", "access.denied", "denied")])).toEqual([]);
    expect(faultsOf(new Ledger(), [], ["r"])).toEqual(["r: was never sent"]);
  });
});
