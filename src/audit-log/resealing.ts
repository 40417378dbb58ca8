// Seals the segments of a log again after the key ring was rotated, one per step.
import { getKeys } from "../platform/config.ts";
import { discardFile, listFrom, listWithin, REPLACED_MS, replaceFile } from "./segment-rows.ts";
import { resealSegment } from "./segments/reseal-segment.ts";
import { changeState, type LogContext, readState } from "./state.ts";

/** @returns false if no segment waits to be sealed again */
export async function resealNext({ storage, env }: LogContext, now: number): Promise<boolean> {
  const { sql } = storage;
  const { resealFrom } = readState(sql);
  if (resealFrom === null) return false;
  const [ref] = listFrom(sql, resealFrom, 1);
  const resealed = ref ? await resealSegment(env.FILES, (await getKeys(env)).audit, ref) : null;
  storage.transactionSync(() => {
    if (ref && resealed) {
      const isListed = listWithin(sql, ref.first, ref.end).some(({ key }) => key === ref.key);
      if (isListed) replaceFile(sql, resealed);
      // Pruned meanwhile: no list has either file.
      discardFile(sql, isListed ? ref.key : resealed.key, now + REPLACED_MS);
    }
    changeState(sql, { resealFrom: ref?.end ?? null });
  });
  return true;
}
