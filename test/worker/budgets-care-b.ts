// Budgets of appointments.
import type { BudgetCase } from "./budgets-world.ts";

export const careB: BudgetCase[] = [];
