// Where the focus was before a dialog came is where it goes when the dialog has gone.
import { useEffect, useState } from "react";

let leaving: { to: Element | null; timer: ReturnType<typeof setTimeout> } | null = null;

/** For a dialog that is there only while it is open. A dialog that follows another at once gives back what that one would have. */
export function useFocusBack(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(() => {
    const to = leaving?.to ?? before;
    clearTimeout(leaving?.timer);
    leaving = null;
    return () => {
      leaving = { to, timer: setTimeout(giveBack) };
    };
  }, [before]);
}

/** Unless something else has taken it by then, as the heading of another page does. */
function giveBack(): void {
  const to = leaving?.to;
  leaving = null;
  if (to instanceof HTMLElement && (document.activeElement ?? document.body) === document.body) to.focus();
}
