// Parser of a `text/event-stream` (WHATWG HTML, server-sent events), for the fields that the service sends.

export type StreamEvent = { event: string; data: string };

/** More than the service leaves unacknowledged, so that a response that is no event stream does not fill the memory. */
const MAX_PENDING_CHARS = 4_000_000;

/** @returns a function that takes the next part of the text and returns the events that it completes @throws RangeError without an end */
export function createEventParser(): (part: string) => StreamEvent[] {
  let pending = "";
  return (part) => {
    pending += part;
    if (pending.length > MAX_PENDING_CHARS) throw new RangeError("an event has no end");
    const blocks = pending.replaceAll("\r\n", "\n").split("\n\n");
    pending = blocks.pop() ?? "";
    return blocks.flatMap((block) => parseEvent(block) ?? []);
  };
}

function parseEvent(block: string): StreamEvent | null {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return data.length === 0 ? null : { event, data: data.join("\n") };
}
