// Torture test of the audit log: kill -9 of the server while clients read and write. Whatever was answered has its event, once.
import { parseArgs } from "node:util";
import { buildBundle } from "../server.ts";
import { tortureAuditLog } from "./audit-run.ts";

const { values: options } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    twin: { type: "boolean", default: false },
  },
});
const MAX_PRINTED = 20;

const kills = Number(options.kills);
console.log(`seed ${options.seed}`);
const result = await tortureAuditLog(buildBundle(undefined, ".", true), {
  kills,
  seed: Number(options.seed),
  isTwin: options.twin,
  onKill: (k, requests) => k % 10 === 0 && console.log(`${k} kills, ${requests} requests`),
});
const { faults, ...counts } = result;
for (const fault of faults.slice(0, MAX_PRINTED)) console.log(fault);
console.log(
  `answered: ${counts.answeredReads} reads, ${counts.answeredWrites} writes; refused: ${counts.refused}; ` +
    `without an answer: ${counts.unansweredReads} reads, ${counts.recordedReads} with their event, ` +
    `and ${counts.unansweredWrites} writes, ${counts.storedWrites} in the database`,
);
console.log(
  `${kills} kills, ${counts.events} events in ${counts.segments} segments and ${counts.openEvents} open rows: ` +
    `${counts.lostReads} answered reads without an event, ${faults.length} faults, ${counts.problems.length} logs not intact`,
);
// The test must detect the twin: otherwise it would not detect a real fault.
process.exitCode = (options.twin ? counts.lostReads > 0 : faults.length === 0) ? 0 : 1;
