// A QR code as SVG.
import { encode } from "uqr";
import classes from "./qr-code.module.css";

export function QrCode({ text, label }: { text: string; label: string }) {
  // A QR code needs a quiet zone of four modules.
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  return (
    <svg className={classes.qr} viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      {data.flatMap((row, y) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the index is the position of the module
        row.map((dark, x) => dark && <rect key={`${x} ${y}`} x={x} y={y} width={1} height={1} />),
      )}
    </svg>
  );
}
