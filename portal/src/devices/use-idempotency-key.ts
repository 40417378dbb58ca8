// Idempotency key per request content: a retry reuses the key, changed content gets a new one.
import { useRef } from "react";

export function useIdempotencyKey(): (content: unknown) => string {
  const lastSent = useRef({ content: "", key: "" });
  return (content) => {
    const serialized = JSON.stringify(content);
    if (lastSent.current.content !== serialized) lastSent.current = { content: serialized, key: crypto.randomUUID() };
    return lastSent.current.key;
  };
}
