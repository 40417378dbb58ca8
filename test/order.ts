// Order of test files: files that share a worker one after another, slow and waiting ones first.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By name, since a fresh clone has no recorded durations. They keep both cores busy until the served product is there. */
const FIRST = ["dev-commands", "cli-keys", "simulate", "limits-over", "alerts-synthetic", "product-live"];
/** A worker is reused if the next file is of the same project. */
const PROJECTS = ["node", "served", "worker"];
const LONG = ["product", "cost", "audit-torture", "direct", "authz", "faults", "hostile-text", "openapi", "users"];

function rankOf({ project, moduleId }: TestSpecification): number {
  const rankIn = (names: string[]) => {
    const rank = names.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
    return rank < 0 ? names.length : rank;
  };
  const first = rankIn(FIRST);
  return first < FIRST.length ? first : (PROJECTS.indexOf(project.name) + 1) * 100 + rankIn(LONG);
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}
