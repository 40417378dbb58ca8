// The portal's choice of a transport, the delays of its attempts, and its parser of server-sent events.
import fc from "fast-check";
import { expect, it } from "vitest";
import { createEventParser, type StreamEvent } from "../../portal/src/monitoring/live/event-stream.ts";
import { isStateKnown } from "../../portal/src/monitoring/live/patient-state.ts";
import {
  chooseAfterFailure,
  FIRST_CHOICE,
  probeDelayMs,
  retryDelayMs,
} from "../../portal/src/monitoring/live/transport-choice.ts";

it("tries each transport twice, in the order of preference, and then the first again", () => {
  let choice = FIRST_CHOICE;
  const kinds = Array.from({ length: 8 }, () => {
    const { kind } = choice;
    choice = chooseAfterFailure(choice);
    return kind;
  });
  expect(kinds).toEqual(["socket", "socket", "stream", "stream", "poll", "poll", "socket", "socket"]);
});

it("waits longer with each attempt, at random, and never longer than its bound", () => {
  expect([0, 1, 2, 5, 50].map((attempt) => retryDelayMs(attempt, 1))).toEqual([500, 1_000, 2_000, 10_000, 10_000]);
  expect(retryDelayMs(0, 0)).toBe(250);
  expect([0, 1, 9].map((probes) => probeDelayMs(probes, 1))).toEqual([30_000, 60_000, 300_000]);
  expect(probeDelayMs(0, 0)).toBe(15_000);
});

it("takes nothing for none only where the state is current", () => {
  for (const connection of ["off", "connecting", "catching_up", "lost", "stopped"] as const)
    expect(isStateKnown({}, connection)).toBe(false);
  expect(isStateKnown(undefined, "live")).toBe(false);
  expect(isStateKnown({}, "live")).toBe(true);
});

it("reads events whatever parts they arrive in", () => {
  const text =
    ': live\n\nid: 7\ndata: {"type":"view"}\n\n: pong\n\nid: 8\ndata: {"a":1}\n\nevent: end\ndata: {"code":4403,"reason":"x"}\n\n';
  const events: StreamEvent[] = [
    { event: "message", data: '{"type":"view"}' },
    { event: "message", data: '{"a":1}' },
    { event: "end", data: '{"code":4403,"reason":"x"}' },
  ];
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
      const parse = createEventParser();
      const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const read = edges.slice(1).flatMap((edge, i) => parse(text.slice(edges[i], edge)));
      expect(read).toEqual(events);
    }),
  );
});

it("gives up on a response that is no event stream", () => {
  const parse = createEventParser();
  expect(() => parse("x".repeat(5_000_000))).toThrow(RangeError);
});
