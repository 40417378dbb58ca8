// Prometheus text exposition format 0.0.4: HELP and TYPE precede a metric's samples, and every line ends with a newline.

export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Gauge = { name: string; help: string; samples: { labels: Record<string, string>; value: number }[] };

const escapeHelp = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeLabel = (text: string) => escapeHelp(text).replaceAll('"', '\\"');

export function formatGauges(gauges: readonly Gauge[]): string {
  return gauges
    .flatMap(({ name, help, samples }) => [
      `# HELP ${name} ${escapeHelp(help)}\n`,
      `# TYPE ${name} gauge\n`,
      ...samples.map(({ labels, value }) => `${name}${formatLabels(labels)} ${value}\n`),
    ])
    .join("");
}

function formatLabels(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}
