// Consents that were revoked since the object started: a query of D1 that began before may still name them.
import type { VisiblePatient } from "./visibility.ts";

/** More than end while a query runs. */
const MAX_ENDED_CONSENTS = 1_000;

export class EndedConsents {
  readonly #ids = new Set<string>();

  add(consentId: string): void {
    this.#ids.add(consentId);
    const [oldest] = this.#ids;
    if (oldest !== undefined && this.#ids.size > MAX_ENDED_CONSENTS) this.#ids.delete(oldest);
  }

  withoutEnded(patients: readonly VisiblePatient[]): VisiblePatient[] {
    return patients.filter(({ grant }) => !grant || !this.#ids.has(grant.consentId));
  }
}
