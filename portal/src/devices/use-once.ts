// A key for each content that is sent: the same after silence, so that nothing is made twice; another for another content.
import { useRef } from "react";

export function useOnce(): (content: unknown) => string {
  const sent = useRef({ content: "", key: "" });
  return (content) => {
    const text = JSON.stringify(content);
    if (sent.current.content !== text) sent.current = { content: text, key: crypto.randomUUID() };
    return sent.current.key;
  };
}
