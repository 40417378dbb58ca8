// Order of test files: slow and waiting ones first, and files that share a worker one after another.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** A worker is reused if the next file is of the same project; tests of the served product mostly wait. */
const PROJECTS = ["served", "node", "worker"];
/** By name, since a fresh clone has no recorded durations. */
const LONG = ["product-live", "product", "cost", "simulate", "cli-keys", "faults", "authz", "hostile-text", "openapi"];

function rankOf({ project, moduleId }: TestSpecification): number {
  const long = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return PROJECTS.indexOf(project.name) * 100 + (long < 0 ? LONG.length : long);
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}
