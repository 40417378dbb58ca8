// LOINC codes of the vital signs.
export { CODES } from "../../../../src/monitoring/vitals/codes.ts";
