// `edgecare keys status`: what is sealed under which key of FIELD_KEYS, from the service.
import { z } from "zod";
import { fetchJson, openService } from "./service.ts";

const Status = z.object({
  data: z.object({
    current_key_id: z.string(),
    keys: z.array(
      z.object({ key_id: z.string(), in_ring: z.boolean(), values: z.number().nullable(), can_be_dropped: z.boolean() }),
    ),
    stores: z.array(
      z.object({
        store: z.string(),
        phase: z.string(),
        values: z.record(z.string(), z.number()).nullable(),
        unreadable: z.number(),
      }),
    ),
  }),
});
export type KeyStatus = z.output<typeof Status>["data"];

/** @throws ServiceError */
export const fetchKeyStatus = async (url: string): Promise<KeyStatus> =>
  (await fetchJson(openService(url), "/admin/keys", Status)).data;

/** A line per key, then a line per store that is not done. */
export function formatKeyStatus({ current_key_id, keys, stores }: KeyStatus): string[] {
  const noteOf = ({ key_id, in_ring, can_be_dropped }: KeyStatus["keys"][number]) =>
    key_id === current_key_id ? "current" : can_be_dropped ? "can be dropped" : in_ring ? "in use" : "not in the ring";
  const keyLines = keys.map((key) => `${key.key_id}\t${key.values ?? "not counted yet"}\t${noteOf(key)}`);
  const others = (values: Record<string, number> | null) =>
    values === null ? "?" : Object.entries(values).reduce((sum, [keyId, n]) => sum + (keyId === current_key_id ? 0 : n), 0);
  const storeLines = stores
    .filter(({ phase, unreadable }) => phase !== "done" || unreadable > 0)
    .map(({ store, phase, values, unreadable }) => `${store}\t${phase}\t${others(values)} left\t${unreadable} unreadable`);
  return [...keyLines, ...storeLines];
}
