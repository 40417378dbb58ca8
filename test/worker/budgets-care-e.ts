// Budgets of written and signed reports.
import type { BudgetCase } from "./budgets-world.ts";

export const careE: BudgetCase[] = [];
