// Ticks once per second, also in a hidden tab, where page timers are throttled.
setInterval(() => postMessage(null), 1_000);
