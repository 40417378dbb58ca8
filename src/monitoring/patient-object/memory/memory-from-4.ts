// The upgrade of the memory from format 4, whose newest measurement times were corrected by the sender's clock error.
import { mapValues } from "../../../platform/stored-document.ts";

const toRecord = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null ? { ...value } : {});

/** The correction that applied to most of the stored samples is the current one. */
export function memoryFrom4(memory: unknown): unknown {
  const statuses = toRecord(toRecord(memory)["deviceStatuses"]);
  return mapValues(memory, (part, key) =>
    key === "newestSampleAt"
      ? mapValues(part, (codes, by) => {
          const corrected = toRecord(statuses[by])["corrected"];
          return mapValues(codes, (at) => (typeof at === "number" && typeof corrected === "number" ? at + corrected : at));
        })
      : part,
  );
}
