// Keeps the screen on while the board is visible.
import { useEffect } from "react";

export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let isUnmounted = false;
    const requestLock = async () => {
      if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
      // Refused on low battery: the screen may then turn off.
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
