// Searches raw state files for words that must not be there: in plain bytes, base64, and inflated PDF streams.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";

function* filesUnder(dir: string): Iterable<string> {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

/** The text that pdfkit draws: hexadecimal strings of its TJ arrays, concatenated. */
function drawnText(stream: string): string {
  return stream.replace(/<([0-9a-fA-F]+)>(?:\s*-?[\d.]+\s*)?/g, (_, hex: string) => Buffer.from(hex, "hex").toString("latin1"));
}

/** Every deflated stream of a PDF inside these bytes, inflated. */
export function inflatedStreams(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = bytes.indexOf("stream\n"); at >= 0; at = bytes.indexOf("stream\n", at + 7)) {
    const end = bytes.indexOf("\nendstream", at);
    if (end < 0) continue;
    try {
      found.push(drawnText(inflateSync(bytes.subarray(at + 7, end)).toString("latin1")));
    } catch {
      // Not a deflated stream.
    }
  }
  return found;
}

/** The words found in files under `dir`, with their files. */
export function findWords(dir: string, words: readonly string[]): { word: string; file: string }[] {
  const hits: { word: string; file: string }[] = [];
  let files = 0;
  for (const file of filesUnder(dir)) {
    files++;
    const bytes = readFileSync(file);
    const texts = inflatedStreams(bytes);
    for (const word of words) {
      const base64 = Buffer.from(word).toString("base64").replace(/=+$/, "").slice(0, -1);
      const there = bytes.includes(word) || bytes.includes(Buffer.from(word, "utf16le")) || bytes.includes(base64);
      if (there || texts.some((text) => text.includes(word))) hits.push({ word, file });
    }
  }
  if (files === 0) throw new Error(`nothing to search under ${dir}`);
  return hits;
}
