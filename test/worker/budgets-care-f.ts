// Budgets of exports.
import type { BudgetCase } from "./budgets-world.ts";

export const careF: BudgetCase[] = [];
