// Budgets of the clinic day, calendar addresses, video and payments.
import type { BudgetCase } from "./budgets-world.ts";

export const careC: BudgetCase[] = [];
