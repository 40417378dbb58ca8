// Fonts of the render Worker as TrueType files: the packages have them as WOFF, whose tables an isolate would inflate per document.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { FAMILIES, fontAsset, packagedFont } from "../../render/src/font-files.ts";

/** @param {string} folder where the files go; those that are there stay */
export function writeFonts(folder) {
  for (const { name } of FAMILIES) {
    for (const weight of /** @type {const} */ ([400, 600])) {
      const file = `${folder}/${fontAsset(name, weight).split("/").at(-1)}`;
      if (!existsSync(file)) writeFileSync(file, toTrueType(readFileSync(`node_modules/${packagedFont(name, weight)}`)));
    }
  }
}

/**
 * https://www.w3.org/TR/WOFF/: a header of 44 bytes, a directory of 20 bytes per table, and tables that may be deflated.
 * @param {Buffer} woff
 */
export function toTrueType(woff) {
  if (woff.readUInt32BE(0) !== 0x774f4646) throw new Error("not a WOFF file");
  const count = woff.readUInt16BE(12);
  const tables = Array.from({ length: count }, (_, i) => readTable(woff, 44 + 20 * i));
  const header = Buffer.alloc(12 + 16 * count);
  const power = Math.floor(Math.log2(count));
  header.writeUInt32BE(woff.readUInt32BE(4), 0);
  [count, 16 * 2 ** power, power, 16 * (count - 2 ** power)].forEach((value, i) => {
    header.writeUInt16BE(value, 4 + 2 * i);
  });
  let offset = header.length;
  const bodies = tables.map(({ tag, checksum, data }, i) => {
    const at = 12 + 16 * i;
    header.write(tag, at, "latin1");
    [checksum, offset, data.length].forEach((value, k) => {
      header.writeUInt32BE(value, at + 4 + 4 * k);
    });
    const padded = Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
    offset += padded.length;
    return padded;
  });
  return Buffer.concat([header, ...bodies]);
}

function readTable(woff, at) {
  const [offset = 0, packed = 0, length = 0, checksum = 0] = [4, 8, 12, 16].map((add) => woff.readUInt32BE(at + add));
  const stored = woff.subarray(offset, offset + packed);
  return { tag: woff.toString("latin1", at, at + 4), checksum, data: packed < length ? inflateSync(stored) : stored };
}
