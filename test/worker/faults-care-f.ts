// Faults in exports.
import type { FaultCase } from "./faults-world.ts";

export const careF: FaultCase[] = [];
