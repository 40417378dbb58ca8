// Budgets of exports.
import { type BudgetCase, budget, doctor, getAs, reportId } from "./budgets-world.ts";

export const careF: BudgetCase[] = [
  [
    "GET /reports/{id}/export",
    "read",
    200,
    budget(2, 20, 0, "get"),
    (counted) => getAs(`/reports/${reportId}/export?format=pdf`, doctor)(counted),
  ],
];
