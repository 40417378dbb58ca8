// An upload in a component: sent, stopped, sent again under the same key, and stopped when its page is left.
import { useEffect, useReducer, useRef } from "react";
import { readAgain } from "./api.ts";
import { type Draft, identityOf } from "./draft.ts";
import { send } from "./send.ts";
import { advance, isOver, type Keyed, keyFor } from "./sending.ts";

/** @param keyed the key of what was sent last, which `onKeyed` was told */
export function useSending(keyed: Keyed | null, onKeyed: (keyed: Keyed) => void) {
  const [state, dispatch] = useReducer(advance, { status: "ready" });
  const stop = useRef<() => void>(() => undefined);
  const over = isOver(state);
  useEffect(() => () => stop.current(), []);
  useEffect(() => {
    if (over) void readAgain();
  }, [over]);
  function start(draft: Draft): void {
    const next = keyFor(identityOf(draft), keyed, () => crypto.randomUUID());
    onKeyed(next);
    stop.current = send(draft, next.key, dispatch);
  }
  return { state, start, cancel: () => stop.current() };
}
