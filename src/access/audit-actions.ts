// What a permission does, in the words of the audit log.
import type { AuditAction } from "./audit.ts";
import type { Permission } from "./permissions.ts";

/** FHIR AuditEvent.action by the operation part of a permission. */
export const AUDIT_ACTION_BY_OPERATION: Readonly<Record<string, AuditAction>> = {
  read: "R",
  search: "R",
  create: "C",
  update: "U",
  manage: "U",
  write: "U",
  unlock: "U",
  apply: "D",
  assign: "U",
  correct: "U",
  request: "C",
  decide: "U",
  answer: "U",
  claim: "E",
  amend: "U",
  delete: "D",
  export: "R",
  verify: "R",
  reset: "U",
  include_data: "U",
  close: "U",
  overbook: "U",
  author: "U",
  sign: "U",
  review: "U",
  submit: "C",
  match: "R",
  merge: "U",
  join: "E",
};

export function auditAction(permission: Permission): AuditAction {
  return AUDIT_ACTION_BY_OPERATION[permission.split(":")[1] ?? ""] ?? "E";
}
