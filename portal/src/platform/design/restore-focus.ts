// Where the focus was before a dialog came is where it goes when the dialog has gone.
import { useEffect, useState } from "react";

let pendingRestore: { target: Element | null; timer: ReturnType<typeof setTimeout> } | null = null;

/** For a dialog that is there only while it is open. A dialog that follows another at once gives back what that one would have. */
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

/** Unless something else has taken it by then, as the heading of another page does. */
function restoreFocus(): void {
  const target = pendingRestore?.target;
  pendingRestore = null;
  if (target instanceof HTMLElement && (document.activeElement ?? document.body) === document.body) target.focus();
}
