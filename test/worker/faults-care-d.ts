// Faults in encounters, the timeline and the dashboard.
import type { FaultCase } from "./faults-world.ts";

export const careD: FaultCase[] = [];
