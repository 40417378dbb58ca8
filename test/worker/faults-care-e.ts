// Faults in written and signed reports.
import type { FaultCase } from "./faults-world.ts";

export const careE: FaultCase[] = [];
