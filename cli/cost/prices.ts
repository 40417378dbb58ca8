// Cloudflare's list prices of the Workers Paid plan (November 2026), and the cost of a month's usage.

/** US dollars per month for the plan itself. */
export const PLAN_DOLLARS = 5;

type Price = { label: string; included: number; dollars: number; per: number };

const MILLION = 1e6;

/** `included`: units in the plan per month; `dollars` for each further `per` units. D1 and objects have their own allowances. */
export const PRICES = {
  requests: { label: "Worker requests", included: 10 * MILLION, dollars: 0.3, per: MILLION },
  cpuMs: { label: "Worker CPU, ms", included: 30 * MILLION, dollars: 0.02, per: MILLION },
  d1Read: { label: "D1 rows read", included: 25_000 * MILLION, dollars: 0.001, per: MILLION },
  d1Written: { label: "D1 rows written", included: 50 * MILLION, dollars: 1, per: MILLION },
  d1Gb: { label: "D1 storage, GB", included: 5, dollars: 0.75, per: 1 },
  objectRequests: { label: "object requests", included: MILLION, dollars: 0.15, per: MILLION },
  objectGbS: { label: "object duration, GB-s", included: 0.4 * MILLION, dollars: 12.5, per: MILLION },
  objectRead: { label: "object rows read", included: 25_000 * MILLION, dollars: 0.001, per: MILLION },
  objectWritten: { label: "object rows written", included: 50 * MILLION, dollars: 1, per: MILLION },
  objectGb: { label: "object storage, GB", included: 5, dollars: 0.2, per: 1 },
  kvRead: { label: "KV reads", included: 10 * MILLION, dollars: 0.5, per: MILLION },
  kvWritten: { label: "KV writes", included: MILLION, dollars: 5, per: MILLION },
  kvDeleted: { label: "KV deletes", included: MILLION, dollars: 5, per: MILLION },
  kvListed: { label: "KV lists", included: MILLION, dollars: 5, per: MILLION },
  r2A: { label: "R2 class A", included: MILLION, dollars: 4.5, per: MILLION },
  r2B: { label: "R2 class B", included: 10 * MILLION, dollars: 0.36, per: MILLION },
  r2Gb: { label: "R2 storage, GB", included: 10, dollars: 0.015, per: 1 },
  logEvents: { label: "log events", included: 20 * MILLION, dollars: 0.6, per: MILLION },
} as const satisfies Record<string, Price>;

export type BillItem = keyof typeof PRICES;
export type Usage = Record<BillItem, number>;
export const BILL_ITEMS = Object.keys(PRICES) as BillItem[];

export type BillLine = { item: BillItem; used: number; list: number; billed: number };
/** US dollars per month. `list`: without the plan's allowances; `total`: billed, including the plan. */
export type Bill = { lines: BillLine[]; list: number; total: number };

/** @param usage per month, in the units of PRICES */
export function computeBill(usage: Usage): Bill {
  const lines = BILL_ITEMS.map((item): BillLine => {
    const { included, dollars, per } = PRICES[item];
    const used = usage[item];
    return { item, used, list: (used * dollars) / per, billed: (Math.max(0, used - included) * dollars) / per };
  });
  return {
    lines,
    list: lines.reduce((sum, { list }) => sum + list, 0),
    total: PLAN_DOLLARS + lines.reduce((sum, { billed }) => sum + billed, 0),
  };
}
