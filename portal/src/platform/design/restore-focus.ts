// Returns the focus to where it was before a dialog opened.
import { useEffect, useState } from "react";

let pendingRestore: { target: Element | null; timer: ReturnType<typeof setTimeout> } | null = null;

/** For a dialog that is mounted only while open. A dialog that directly follows another restores the focus of the first. */
export function useRestoreFocus(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(() => {
    const target = pendingRestore?.target ?? before;
    clearTimeout(pendingRestore?.timer);
    pendingRestore = null;
    return () => {
      pendingRestore = { target, timer: setTimeout(restoreFocus) };
    };
  }, [before]);
}

/** Skipped when another element has taken the focus, such as the heading of a new page. */
function restoreFocus(): void {
  const target = pendingRestore?.target;
  pendingRestore = null;
  if (target instanceof HTMLElement && (document.activeElement ?? document.body) === document.body) target.focus();
}
