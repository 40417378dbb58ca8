// Consents and emergency accesses that were ended since the object started: a query of D1 that began before may still name them.
import { toGrantId } from "./live-grant.ts";
import type { VisiblePatient } from "./visibility.ts";

/** More than end while a query runs. */
const MAX_ENDED_GRANTS = 1_000;

export class EndedGrants {
  readonly #ids = new Set<string>();

  add(grantId: string): void {
    this.#ids.add(grantId);
    const [oldest] = this.#ids;
    if (oldest !== undefined && this.#ids.size > MAX_ENDED_GRANTS) this.#ids.delete(oldest);
  }

  withoutEnded(patients: readonly VisiblePatient[]): VisiblePatient[] {
    return patients.filter(({ grant }) => !grant || !this.#ids.has(toGrantId(grant)));
  }
}
