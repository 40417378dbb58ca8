// What an action has changed, said on the page. It takes the focus, which was on a button that is gone.
import { useEffect, useRef } from "react";
import classes from "./notice.module.css";

export function Notice({ text }: { text: string }) {
  const notice = useRef<HTMLParagraphElement>(null);
  useEffect(() => notice.current?.focus(), []);
  return (
    <p ref={notice} tabIndex={-1} role="status" className={classes.notice}>
      {text}
    </p>
  );
}
