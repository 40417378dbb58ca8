// What the cases of row limits are made of.
import type { ROW_LIMITS } from "../../src/platform/db/row-limits.ts";
import { API, env, type Person, sendRequest } from "../world.ts";

export const countRows = async (from: string, ...values: string[]) =>
  // biome-ignore lint/plugin: a constant of this file with placeholders.
  (await env.DB.prepare(`SELECT count(*) AS n FROM ${from}`)
    .bind(...values)
    .first<number>("n")) ?? 0;

/** Inserts `n` rows of a SELECT over the numbers `k.n` from 1. */
export async function seed(n: number, insert: string, ...values: (string | number)[]): Promise<void> {
  const numbers = "WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < CAST(? AS INTEGER))";
  if (n <= 0) return;
  // biome-ignore lint/plugin: a constant of this file with placeholders.
  const statement = env.DB.prepare(`${numbers} ${insert}`);
  await statement.bind(n, ...values).run();
}

export const NEW_ID = "lower(hex(randomblob(16)))";

export type Case = {
  name: string;
  limit: keyof typeof ROW_LIMITS;
  status: number;
  /** Prepares a parent whose rows are one below the limit, and returns a request that adds one, and what it counts. */
  arrange: (max: number) => Promise<{ add: (env?: Env) => Promise<Response>; count: () => Promise<number> }>;
};

export const post = (path: string, as: Person, json: object, more: object = {}) => sendRequest(API + path, { as, json, ...more });
export const withEnv = (over?: Env) => (over ? { env: over } : {});
