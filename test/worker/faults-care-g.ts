// Faults in intake forms, matches and merges.
import type { FaultCase } from "./faults-world.ts";

export const careG: FaultCase[] = [];
