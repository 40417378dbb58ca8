// Operation counts in the platform's units; counted in the Worker, read by the driver.

/** Sums since the start, except `d1Bytes`: the size of the database at its last read or write. */
export const ZERO_COUNTS = {
  /** Requests to the Worker and runs of its cron trigger. */
  requests: 0,
  /** Lines at production's LOG_LEVEL. */
  logLines: 0,
  d1Trips: 0,
  d1Read: 0,
  d1Written: 0,
  d1Bytes: 0,
  kvRead: 0,
  kvWritten: 0,
  kvDeleted: 0,
  kvListed: 0,
  /** Calls of the Cache API, which are free. */
  cacheCalls: 0,
  /** Rate limit calls, which are free. */
  limitCalls: 0,
  /** R2 operations of class A (put, list) and B (get, head); deleting is free. */
  r2A: 0,
  r2B: 0,
  /** RPC calls and fetches of objects. */
  objectCalls: 0,
  alarms: 0,
  socketMessages: 0,
  /** Each setAlarm is one row written. */
  objectRead: 0,
  objectWritten: 0,
  /** While an object works, or a timer or a pending call keeps it from hibernating. */
  objectAwakeMs: 0,
};

export type Counts = typeof ZERO_COUNTS;
export type CountName = keyof Counts;

function combineCounts(a: Counts, b: Counts, join: (a: number, b: number) => number): Counts {
  const sum = { ...a };
  for (const name of Object.keys(ZERO_COUNTS) as CountName[]) sum[name] = join(a[name], b[name]);
  return sum;
}

export const addCounts = (a: Counts, b: Counts): Counts => combineCounts(a, b, (x, y) => x + y);
export const subtractCounts = (a: Counts, b: Counts): Counts => combineCounts(a, b, (x, y) => x - y);
export const scaleCounts = (a: Counts, factor: number): Counts => combineCounts(a, a, (x) => x * factor);
