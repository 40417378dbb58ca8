// Budgets of availability.
import type { BudgetCase } from "./budgets-world.ts";

export const careA: BudgetCase[] = [];
