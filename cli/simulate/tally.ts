// Counts and delays of a run, and the lines that report them.

export const OUTCOMES = ["stored", "duplicate", "quarantined", "rejected"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * Each sample counts once, by the last response about it: `sent` is the sum of the outcomes, `acknowledged` (over a socket,
 * which reports nothing else) and what is still pending.
 */
export type Tally = Record<Outcome, number> & {
  rows: number;
  sent: number;
  acknowledged: number;
  /** Requests and frames that were retried. */
  retried: number;
  /** Rows not measured because the queue of the monitor was full. */
  skipped: number;
  /** Samples that were not stored, counted per reason. */
  reasons: Map<string, number>;
  lag: Lag;
};

/** Milliseconds from measurement to response, in bins that grow by 10 %: bounded size, quantiles within 10 %. */
export type Lag = { bins: number[]; n: number; max: number; latest: number };

const BIN_GROWTH = Math.log(1.1);

export function newTally(): Tally {
  const lag = { bins: [], n: 0, max: 0, latest: 0 };
  const outcomes = { stored: 0, duplicate: 0, quarantined: 0, rejected: 0 };
  return { ...outcomes, rows: 0, sent: 0, acknowledged: 0, retried: 0, skipped: 0, reasons: new Map(), lag };
}

export function addLag(lag: Lag, ms: number): void {
  const bin = Math.round(Math.log(Math.max(1, ms)) / BIN_GROWTH);
  lag.bins[bin] = (lag.bins[bin] ?? 0) + 1;
  lag.n++;
  lag.max = Math.max(lag.max, ms);
  lag.latest = ms;
}

/** Within 10 % of the true quantile. */
export function lagQuantile(lag: Lag, share: number): number {
  let below = 0;
  for (const [bin, n = 0] of lag.bins.entries()) {
    below += n;
    if (below >= share * lag.n) return Math.min(lag.max, Math.exp(bin * BIN_GROWTH));
  }
  return lag.max;
}

export function addReason(tally: Tally, reason: string, n = 1): void {
  tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + n);
}

export function countWaiting(tally: Tally): number {
  return tally.sent - tally.acknowledged - OUTCOMES.reduce((sum, outcome) => sum + tally[outcome], 0);
}

export const countStored = ({ stored, duplicate, acknowledged }: Tally): number => stored + duplicate + acknowledged;

/** Of the samples that got an answer; 1 if none did. */
export function storedShare(tally: Tally): number {
  const answered = tally.sent - countWaiting(tally);
  return answered === 0 ? 1 : countStored(tally) / answered;
}

function formatOutcomes(tally: Tally): string {
  const { acknowledged } = tally;
  const outcomes = OUTCOMES.map((outcome) => `${outcome} ${tally[outcome]}`).join("  ");
  return acknowledged > 0 ? `acknowledged ${acknowledged}  ${outcomes}` : outcomes;
}

const ms = (value: number) => `${Math.round(value)} ms`;

/** @param perSecond rows in the last second */
export function formatProgress(tally: Tally, seconds: number, perSecond: number): string {
  // A timer may fire slightly before its second.
  const whole = Math.round(seconds);
  const time = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  const waits = `waiting ${countWaiting(tally)}  retried ${tally.retried}  lag ${ms(tally.lag.latest)}`;
  return `${time}  rows ${tally.rows} (${perSecond.toFixed(1)}/s)  ${formatOutcomes(tally)}  ${waits}`;
}

export function formatSummary(tally: Tally, seconds: number): string {
  const { lag, rows, sent, retried, skipped, reasons } = tally;
  const rate = seconds > 0 ? rows / seconds : 0;
  const lines = [
    `${rows} rows, ${sent} samples in ${seconds.toFixed(1)} s (${rate.toFixed(1)} rows/s)`,
    `${formatOutcomes(tally)}  unanswered ${countWaiting(tally)}  retried ${retried}`,
    `lag: median ${ms(lagQuantile(lag, 0.5))}, p95 ${ms(lagQuantile(lag, 0.95))}, longest ${ms(lag.max)}`,
  ];
  if (skipped > 0) lines.push(`${skipped} rows were not measured: the monitor's queue was full`);
  for (const [reason, n] of reasons) lines.push(`${n} × ${reason}`);
  return lines.join("\n");
}
