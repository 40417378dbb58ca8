// Budgets of intake forms, matches and merges.
import type { BudgetCase } from "./budgets-world.ts";

export const careG: BudgetCase[] = [];
