// Seals the segments of a log again after the key ring was rotated: all that are not under the current key, one per step.
import { getKeys } from "../platform/config.ts";
import type { KeyRing } from "../platform/crypto.ts";
import { ApiError } from "../platform/errors.ts";
import type { ErrorReport } from "../platform/object-log.ts";
import type { SegmentRef } from "./contract.ts";
import { parseEntryKeys } from "./entry-chain.ts";
import { discardFile, listFrom, listOtherKeys, listWithin, REPLACED_MS, replaceFile } from "./segment-rows.ts";
import { resealSegment } from "./segments/reseal-segment.ts";
import type { LogContext } from "./state.ts";

const currentKid = (env: Pick<Env, "AUDIT_KEYS">): string => parseEntryKeys(env.AUDIT_KEYS).currentKid;

/** Segments that are not known to be sealed under the current key. */
export const countToReseal = (sql: SqlStorage, env: Env): number => listOtherKeys(sql, currentKid(env)).length;

export class Resealing {
  readonly #report: ErrorReport;
  /** Files that did not open, as they, a key or some bytes are missing: tried again when the object starts anew, as with other keys. */
  readonly #unreadable = new Set<string>();

  constructor(report: ErrorReport) {
    this.#report = report;
  }

  isDue({ storage, env }: Pick<LogContext, "storage" | "env">): boolean {
    return this.#findNext(storage.sql, currentKid(env)) !== null;
  }

  /**
   * Repeating it after a crash finds or writes the same file; the list changes in one transaction after the file is stored. A file that
   * does not open is reported and left out.
   * @returns false if no segment waits  @throws what R2 throws
   */
  async next({ storage, env }: LogContext, now: number): Promise<boolean> {
    const { sql } = storage;
    const ring = (await getKeys(env)).audit;
    for (let ref = this.#findNext(sql, ring.currentKid); ref; ref = this.#findNext(sql, ring.currentKid)) {
      const resealed = await this.#reseal(env, ring, ref);
      if (resealed === "unreadable") continue;
      replaceListed(storage, ref, resealed, ring.currentKid, now);
      return true;
    }
    return false;
  }

  async #reseal(env: Env, ring: KeyRing, ref: SegmentRef): Promise<SegmentRef | null | "unreadable"> {
    try {
      return await resealSegment(env.FILES, ring, ref);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#unreadable.add(ref.key);
      this.#report("reseal", error);
      return "unreadable";
    }
  }

  #findNext(sql: SqlStorage, kid: string): SegmentRef | null {
    for (const first of listOtherKeys(sql, kid).sort((a, b) => a - b)) {
      const [ref] = listFrom(sql, first, 1);
      if (ref && !this.#unreadable.has(ref.key)) return ref;
    }
    return null;
  }
}

/** @param resealed null: the file was under the current key already */
function replaceListed(
  storage: DurableObjectStorage,
  ref: SegmentRef,
  resealed: SegmentRef | null,
  kid: string,
  now: number,
): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    const isListed = listWithin(sql, ref.first, ref.end).some(({ key }) => key === ref.key);
    if (isListed) replaceFile(sql, resealed ?? ref, kid);
    // Pruned meanwhile: no list has either file.
    if (resealed) discardFile(sql, isListed ? ref.key : resealed.key, now + REPLACED_MS);
  });
}
