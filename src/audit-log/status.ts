// What the object of a log tells about it.
import type { LogStatus } from "./contract.ts";
import { sizeOf } from "./proofs.ts";
import { countToReseal } from "./resealing.ts";
import { readState } from "./state.ts";

export const EMPTY_LOG: LogStatus = {
  ...{ size: 0, closedEnd: 0, checkpointSize: 0, checkpoint: null, prunedUpTo: 0, movedSeq: 0 },
  ...{ heldFrom: null, toReseal: 0 },
};

export function readStatus(sql: SqlStorage, env: Env): LogStatus {
  const { closedEnd, checkpoint, prunedEnd, heldFrom, movedSeq } = readState(sql);
  return {
    size: sizeOf(sql),
    closedEnd,
    checkpointSize: checkpoint?.size ?? 0,
    checkpoint: checkpoint?.text ?? null,
    prunedUpTo: prunedEnd,
    heldFrom,
    movedSeq,
    toReseal: countToReseal(sql, env),
  };
}
