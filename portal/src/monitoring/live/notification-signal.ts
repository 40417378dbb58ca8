// Passes on that the live connection has announced new notifications.
const listeners = new Set<() => void>();

export function subscribeNotificationSignal(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function signalNotifications(): void {
  for (const listener of listeners) listener();
}
