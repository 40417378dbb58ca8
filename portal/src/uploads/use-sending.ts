// An upload in a component: sent, stopped, sent again under the same key, and stopped when its page is left.
import { useEffect, useReducer, useRef } from "react";
import { readAgain } from "./api.ts";
import { type Draft, identityOf } from "./draft.ts";
import { send } from "./send.ts";
import { advance, isOver, type Keyed, keyFor } from "./sending.ts";

export function useSending() {
  const [state, dispatch] = useReducer(advance, { status: "ready" });
  const keyed = useRef<Keyed | null>(null);
  const stop = useRef<() => void>(() => undefined);
  const over = isOver(state);
  useEffect(() => () => stop.current(), []);
  useEffect(() => {
    if (over) void readAgain();
  }, [over]);
  function start(draft: Draft): void {
    keyed.current = keyFor(identityOf(draft), keyed.current, () => crypto.randomUUID());
    stop.current = send(draft, keyed.current.key, dispatch);
  }
  return { state, start, cancel: () => stop.current() };
}
