// Budgets of encounters, the timeline and the dashboard.
import type { BudgetCase } from "./budgets-world.ts";

export const careD: BudgetCase[] = [];
