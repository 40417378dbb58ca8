// Vitals by their LOINC codes.
export { CODES } from "../../../src/vitals/codes.ts";
