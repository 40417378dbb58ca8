// A key for each content that is sent: the same after silence, so that nothing is made twice; another for another content.
import { useRef } from "react";

export function useIdempotencyKey(): (content: unknown) => string {
  const lastSent = useRef({ content: "", key: "" });
  return (content) => {
    const serialized = JSON.stringify(content);
    if (lastSent.current.content !== serialized) lastSent.current = { content: serialized, key: crypto.randomUUID() };
    return lastSent.current.key;
  };
}
