import type { Case } from "./row-limit-cases.ts";

export const LIMIT_CASES: readonly Case[] = [];
