// Early check of the daily file quota: a file beyond it is refused before it is stored. The batch that names the file decides.

import { ApiError } from "../platform/errors.ts";
import { quotaError, selectDayRoom } from "../platform/storage-quotas.ts";
import type { Call } from "./actor.ts";
import { findAccount } from "./storage-charges.ts";

/** Selects the bytes of files that the caller may still store today. @throws ApiError unauthenticated */
export function selectFileRoom({ db, actor, now }: Call) {
  const account = findAccount(actor);
  if (!account) throw new ApiError("unauthenticated");
  return selectDayRoom(db, account, "files", now);
}

/** @throws ApiError quota_exceeded */
export function checkQuota({ actor, now }: Call, room: number, more: number): void {
  if (!actor.via.importGrant && more > room) throw quotaError("account day", now);
}
