// Draws the portal's icons as PNG from the shape of portal/public/portal/icon.svg: node scripts/draw-icons.mjs
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

/** The line of icon.svg, in units of its 32 × 32 view box. */
const LINE = [
  [4, 17],
  [10, 17],
  [13, 9],
  [18, 24],
  [22, 13],
  [24, 17],
  [28, 17],
];
const HALF_WIDTH = 1.25;
const BLUE = [0x0b, 0x5c, 0xad];

function distanceToLine(x, y) {
  const distances = LINE.slice(1).map(([bx, by], i) => {
    const [ax, ay] = LINE[i];
    const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2);
    const at = Math.min(1, Math.max(0, along));
    return Math.hypot(x - ax - at * (bx - ax), y - ay - at * (by - ay));
  });
  return Math.min(...distances);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** @param background null: transparent, as for a badge @param zoom of the line about the centre */
function draw(size, background, zoom = 1) {
  const rows = Buffer.alloc(size * (1 + 4 * size));
  const unit = 32 / size;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [x, y] = [column, row].map((at) => ((at + 0.5) * unit - 16) / zoom + 16);
      const cover = Math.min(1, Math.max(0, (HALF_WIDTH - distanceToLine(x, y)) / (unit / zoom) + 0.5));
      const colour = background ? background.map((part) => Math.round(part + (255 - part) * cover)) : [255, 255, 255];
      rows.set([...colour, background ? 255 : Math.round(255 * cover)], row * (1 + 4 * size) + 1 + 4 * column);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const folder = new URL("../portal/public/portal/", import.meta.url);
writeFileSync(new URL("icon-192.png", folder), draw(192, BLUE));
// The line stays within the safe zone of a maskable icon, the inner 80 %.
writeFileSync(new URL("icon-512.png", folder), draw(512, BLUE, 0.85));
writeFileSync(new URL("icon-180.png", folder), draw(180, BLUE));
writeFileSync(new URL("badge-96.png", folder), draw(96, null, 1.1));
