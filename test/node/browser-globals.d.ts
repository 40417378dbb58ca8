// What portal modules that tests on Node import name of a browser; the portal itself is compiled with all of the DOM.
declare const document: { documentElement: { lang: string } };
declare function requestAnimationFrame(callback: () => void): number;
