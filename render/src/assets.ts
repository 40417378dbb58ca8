// Fonts of a document, read from the static assets once per isolate.
import { familiesOf, fontAsset, type Weight } from "./font-files.ts";

/** Bytes of each font by `name-weight`. */
export type Fonts = ReadonlyMap<string, Uint8Array>;
/** Reads a static asset by its path. */
export type ReadAsset = (path: string) => Promise<Uint8Array>;

const WEIGHTS: readonly Weight[] = [400, 600];
/** As many entries as there are files: some 40, together 2 MB. */
const loaded = new Map<string, Promise<Uint8Array>>();

export function fontKey(name: string, weight: Weight): string {
  return `${name}-${weight}`;
}

/** Fonts of all scripts of the text, in both weights. */
export async function loadFonts(text: string, read: ReadAsset): Promise<Fonts> {
  const wanted = familiesOf(text).flatMap(({ name }) => WEIGHTS.map((weight) => ({ name, weight })));
  const entries = wanted.map(async ({ name, weight }) => {
    const bytes = await loadOnce(fontAsset(name, weight), read);
    return [fontKey(name, weight), bytes] as const;
  });
  return new Map(await Promise.all(entries));
}

function loadOnce(path: string, read: ReadAsset): Promise<Uint8Array> {
  const known = loaded.get(path);
  if (known) return known;
  const reading = read(path);
  loaded.set(path, reading);
  // The next document tries again.
  reading.catch(() => loaded.delete(path));
  return reading;
}
