// What vitest.config.ts hands to tests that run where there are no files.
import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** PDFs of ../shared/data/{ecg,hostile}/pdf, or none where that folder is absent. */
    pdfs: { path: string; base64: string }[];
    /** JSONTestSuite of ../shared/data/hostile/json. */
    jsonBodies: { name: string; base64: string }[];
    /** The big list of naughty strings. */
    naughtyStrings: string[];
    /** Published cases of numbers. */
    vectors: {
      aadhaar: { number: string; aadhaar_valid: boolean }[];
      verhoeff: { number?: string; payload?: string; check_digit?: number; valid?: boolean }[];
    };
    /** Which version of the objects' storage scripts/record-objects.mjs records. */
    recording: string;
  }
}
