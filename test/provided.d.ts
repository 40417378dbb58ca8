// Values that vitest.config.ts provides to tests in workerd, which has no file system, and test/node/served.ts to its project.
import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** PDFs of ../shared/data/{ecg,hostile}/pdf; empty if that folder is absent. */
    pdfs: { path: string; base64: string }[];
    /** JSONTestSuite of ../shared/data/hostile/json. */
    jsonBodies: { name: string; base64: string }[];
    /** The first 20,000 characters of each file of ../shared/data/wearables. */
    wearables: { path: string; text: string }[];
    /** The big list of naughty strings. */
    naughtyStrings: string[];
    /** Published cases of numbers. */
    vectors: {
      aadhaar: { number: string; aadhaar_valid: boolean }[];
      verhoeff: { number?: string; payload?: string; check_digit?: number; valid?: boolean }[];
    };
    /** Origin of test/provider-stand-in.ts. */
    provider: string;
    /** File that holds the outcome of test/node/served.ts once there is one. */
    servedOutcome: string;
    /** The version of the objects' storage that scripts/record-objects.mjs records. */
    recording: string;
  }
}
