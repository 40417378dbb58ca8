// Keeps the screen on while the board is looked at.
import { useEffect } from "react";

export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let isUnmounted = false;
    const requestLock = async () => {
      if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
      // Refused on a low battery: the screen may sleep then, and says so by being dark.
      const acquired = await navigator.wakeLock.request("screen").catch(() => null);
      if (isUnmounted) void acquired?.release();
      else lock = acquired;
    };
    const handleVisibilityChange = () => void requestLock();
    handleVisibilityChange();
    document.addEventListener("visibilitychange", handleVisibilityChange);
    return () => {
      isUnmounted = true;
      document.removeEventListener("visibilitychange", handleVisibilityChange);
      void lock?.release();
    };
  }, []);
}
