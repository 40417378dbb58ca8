// Length of random runs: short in `npm test`, long in `npm run verify`, which sets VERIFY=1.
//
// VERIFY=1 changes:
// - alarm-figures: how long 100 alarms at once take, which `npm test` does not measure, and prints it
// - alerts-random: 10,000 random alarm histories instead of 2,000
// - alerts-synthetic: 60 patients of two normal days instead of 25, 30 breaches of each limit instead of 6, 10,000 crossings
//   instead of 2,000
// - answers: every bad input on every operation instead of each fifth
// - audit-lists: two logs of 1,500 events each instead of 500; ten years of a hospital with 8,000 events in each month, and prints
//   how long a patient's log of three years ago takes
// - audit-log-crashes: a crash at every operation of closing and merging instead of each ninth or eighteenth
// - audit-log-decade: twelve days of each month instead of two of each third month
// - audit-segments: 600 random filters instead of 60, 600 changed bytes instead of 60
// - audit-tampering: 1,000 changes of the raw stores instead of 35
// - audit-verifier: 20,000 random leaves instead of 500; prints events per second
// - authz: every denial instead of each twelfth, every permission instead of each fourth
// - consent-model: 150 random histories of a consent instead of 12
// - crypto: 100,000 seals of one value instead of 10,000
// - delivery-torture: 10,000 deliveries with failures instead of 1,000
// - dev-commands: `npm run reset` loads the demo data, which otherwise only the served product does
// - erasure-kill: a kill at every store call of an erasure instead of each 41st
// - faults-audit: every read with each fault of its audit log instead of each third
// - faults: every call of a route's request fails in turn instead of each third, at least one before and one after it happens
// - fernet: every character of a token changed instead of each seventh
// - document-request-states: 200 random histories of a request instead of 12
// - forgotten-password: 200 pairs of requests for known and unknown addresses instead of 20
// - fuzz: 3,000 requests instead of 600
// - hostile-text: every published string in each field of a resource instead of each sixth, as a path and as a login instead of
//   each sixteenth, as a search and as two filters instead of one of these; 24 requests per other operation instead of 5
// - limits-over: 3,000 random histories of limits instead of 300
// - links: each change of a link's characters instead of each third
// - news2-chart: a million random patients from a random seed instead of 100,000 from a fixed one
// - packed-hours: 100 random ranges over packed hours instead of 10
// - product: `npm start` in a new folder must respond within a minute, which needs an idle machine
// - product-live: 30 seconds at fifty rows a second instead of 10, four recordings instead of two
// - python-client: 40 reports instead of 6, and a server of its own that is killed half-way
// - sealing-again-races: 300 kills instead of 25, 100 rounds of load instead of 5
// - storage-quotas: each writing route with the quotas of account and hospital instead of one of them
// - trust-story: the rotation of the keys of all demo data as well
// - upload-formats: every published hostile file instead of each third
// - upload-hostile: every published hostile file by a person and by a device instead of by one of them
// The end of the run then prints no budget.
export const VERIFY = Boolean(process.env["VERIFY"]);

/** Number of repetitions of a random run. */
export const times = (short: number, long: number): number => (VERIFY ? long : short);

/** Chooses the sampled cases: the day, or SAMPLE_SEED (vitest.config.ts). The end of a run prints it. */
export const SAMPLE_SEED = Number(process.env["SAMPLE_SEED"] ?? 0);

/**
 * Whether a pair of two lists is in a run of each `every`-th pair: every row and every column is in some. Consecutive days have
 * other pairs, and `every` days have all.
 */
export const isSampled = (row: number, column: number, every: number): boolean =>
  VERIFY || (row + column + SAMPLE_SEED) % every === 0;
