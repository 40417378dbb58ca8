// Faults in the clinic day, calendar addresses, video and payments.
import type { FaultCase } from "./faults-world.ts";

export const careC: FaultCase[] = [];
