// Faults in appointments.
import type { FaultCase } from "./faults-world.ts";

export const careB: FaultCase[] = [];
