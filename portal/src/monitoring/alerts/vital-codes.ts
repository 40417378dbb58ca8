// Vitals by their LOINC codes.
export { CODES } from "../../../../src/monitoring/vitals/codes.ts";
