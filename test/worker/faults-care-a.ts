// Faults in availability.
import type { FaultCase } from "./faults-world.ts";

export const careA: FaultCase[] = [];
