// How many stored values a key rotation still has to seal again.

/** Numbers of values by the id of their key; null until they are counted. */
type Counted = { values: Readonly<Record<string, number>> | null };
type Rotation = { current_key_id: string; keys: readonly { values: number | null }[]; stores: readonly Counted[] };

/** Values of a store that are not under the current key; null until they are counted. */
export const countRemaining = ({ values }: Counted, currentKeyId: string): number | null =>
  values === null ? null : Object.entries(values).reduce((sum, [keyId, n]) => (keyId === currentKeyId ? sum : sum + n), 0);

/** Of all stores; null while one of them is not counted, also when the list has no row for it yet. */
export function countAllRemaining({ current_key_id, keys, stores }: Rotation): number | null {
  if (keys.length === 0 || keys.some(({ values }) => values === null)) return null;
  return stores.reduce<number | null>((sum, store) => {
    const remaining = countRemaining(store, current_key_id);
    return sum === null || remaining === null ? null : sum + remaining;
  }, 0);
}
