// Beats once a second, also in a tab that is not looked at, where a page's own timers sleep.
setInterval(() => postMessage(null), 1_000);
