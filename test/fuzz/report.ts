// The printed result of a run, and whether it is clean.
import type { FuzzReport } from "./run.ts";

export type Growth = {
  /** Heap of the Worker's own isolate after a garbage collection, in bytes, and its growth since the first requests; null if another process serves the product. */
  heap: number | null;
  heapGrowth: number | null;
  /** Resident memory of workerd in MB, with the emulators of the stores and what no collection was forced on. */
  residentMb: number | null;
  /** Bytes of the stores. */
  stored: number | null;
  maxHeapGrowth: number;
  maxStored: number;
};

/** A larger share of 429 would mean that the run did not reach the handlers. */
export const MAX_LIMITED_SHARE = 0.05;
/** Share of valid requests that must succeed; the others meet rights and states that forbid them. */
export const MIN_VALID_SUCCESS = 0.3;

const mostOf = (counts: Record<string, number>, n: number) =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, n)
    .map(([name, count]) => `${name} × ${count}`)
    .join(", ");
/** One request that blocks the others makes many of them slow, but not so many as to hide it. */
const MAX_WAITED = 0.001;

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Principals that the run has lost would make it smaller than it looks. */
const MAX_FAILED_RENEWALS = 0.01;

/** Reasons why a run is not clean; empty if it is. */
export function findViolations(report: FuzzReport, growth?: Growth): string[] {
  const limited = (report.rateLimited + report.overQuota) / report.sent;
  const valid = report.validSucceeded / Math.max(1, report.validSent);
  return [
    ...(report.faults.length > 0 ? [`${report.faults.length} kinds of faults`] : []),
    ...(limited > MAX_LIMITED_SHARE ? [`${percent(limited)} answered 429, above ${percent(MAX_LIMITED_SHARE)}`] : []),
    ...(valid < MIN_VALID_SUCCESS ? [`${percent(valid)} of valid requests succeeded, below ${percent(MIN_VALID_SUCCESS)}`] : []),
    ...(report.failedRenewals.length > report.sent * MAX_FAILED_RENEWALS
      ? [`${report.failedRenewals.length} principals could not be renewed`]
      : []),
    ...(report.waited > report.sent * MAX_WAITED ? [`${report.waited} slow answers that were fast when repeated`] : []),
    ...((growth?.heapGrowth ?? 0) > (growth?.maxHeapGrowth ?? 0)
      ? [`the heap grew by ${megabytes(growth?.heapGrowth ?? 0)}`]
      : []),
    ...((growth?.stored ?? 0) > (growth?.maxStored ?? 0) ? [`stores grew by ${megabytes(growth?.stored ?? 0)}`] : []),
  ];
}

export function printFaults(report: FuzzReport, seed: number): void {
  for (const fault of report.faults.toSorted((a, b) => a.kind.localeCompare(b.kind))) {
    const changes = fault.changes.join(", ") || "a valid request";
    console.log(`\n${fault.operationId}: ${fault.kind} (${fault.count} times)`);
    console.log(`  seed ${seed}, request ${fault.index}, as ${fault.principal}: ${changes}\n  ${fault.curl}\n  ${fault.detail}`);
  }
}

/** @returns whether the run is clean */
export function printReport(report: FuzzReport, seed: number, seconds: number, growth: Growth): boolean {
  printFaults(report, seed);
  const { sent, statuses, rateLimited, overQuota, succeeded, validSent, validSucceeded, slowest, known } = report;
  const never = [...succeeded].filter(([, { sent: tried, succeeded: n }]) => tried >= 20 && n === 0).map(([id]) => id);
  const violations = findViolations(report, growth);
  console.log(`
seed ${seed}: ${sent} requests in ${Math.round(seconds)} s (${Math.round(sent / seconds)} per second)
statuses: ${mostOf(statuses, 40)}
valid requests that succeeded: ${percent(validSucceeded / Math.max(1, validSent))}; operations that never did: ${never.join(", ") || "none"}
valid requests that failed: ${mostOf(report.validFailed, 25)}
429: ${rateLimited} rate limit, ${overQuota} quota (${percent((rateLimited + overQuota) / sent)})
slowest: ${Math.round(slowest.ms)} ms, ${slowest.operationId}; ${report.waited} slow answers that were fast when repeated
principals: ${mostOf(report.principals, 40)}; ${report.renewals} renewed, ${report.failedRenewals.length} could not be${report.failedRenewals[0] ? `: ${report.failedRenewals[0].slice(0, 200)}` : ""}
heap of the Worker: ${growth.heap === null ? "not measured" : `${megabytes(growth.heap)}, ${megabytes(growth.heapGrowth ?? 0)} more than after the first requests`}; resident memory of workerd: ${growth.residentMb?.toFixed(0) ?? "?"} MB
stores: ${growth.stored === null ? "not measured" : `${megabytes(growth.stored)} more, ${Math.round(growth.stored / sent)} bytes per request`}
${Object.entries(known)
  .map(([reason, n]) => `right, ${n} times: ${reason}\n`)
  .join("")}seed ${seed}: ${sent} requests, ${report.faults.length} kinds of faults: ${violations.join("; ") || "clean"}`);
  return violations.length === 0;
}
