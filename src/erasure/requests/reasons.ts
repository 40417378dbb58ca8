// Reasons of erasures and holds: sealed, since they may name a person.
import type { Keys } from "../../platform/config.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";

type ReasonPlace = { table: "erasures" | "patient_holds"; column: string; id: string };

export const sealReason = ({ fields }: Pick<Keys, "fields">, place: ReasonPlace, reason: string): Promise<string> =>
  sealValue(fields, place, reason);

export async function unsealReason(
  { fields }: Pick<Keys, "fields">,
  place: ReasonPlace,
  sealed: string | null,
): Promise<string | null> {
  return sealed === null ? null : String(await unsealValue(fields, place, sealed));
}
