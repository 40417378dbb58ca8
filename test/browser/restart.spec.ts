// The server is killed under an open board and comes back: numbers are not taken for live meanwhile, and nobody loads the page again.

import { freePort } from "../../bench/free-port.ts";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { dropState, newState, startServer } from "../node/server.ts";
import { isLive, lostBar, watchForLoss } from "./board.ts";
import { patiently } from "./extent.ts";
import { expect, settled, signIn, test } from "./portal.ts";
import { probe } from "./probe.ts";

test("a server that is killed and comes back", async ({ browser }) => {
  test.setTimeout(patiently(300_000));
  const state = newState();
  const port = await freePort();
  const before = await startServer(state, { demo: true, port });
  try {
    const context = await browser.newContext({ baseURL: before.url });
    await signIn(context.request, { email: "nurse@demo.com", password: DEMO_PASSWORD });
    const page = await context.newPage();
    await probe(page);
    await page.goto("/ward");
    await settled(page);
    await isLive(page);
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));
    const isLostInTime = await watchForLoss(page);
    await before.kill();
    await isLostInTime();
    const after = await startServer(state, { demo: false, port });
    try {
      await expect(lostBar(page)).toHaveCount(0, { timeout: 30_000 });
      await isLive(page);
      expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);
      await expect(page).toHaveURL(/\/ward$/);
    } finally {
      await context.close();
      await after.kill();
    }
  } finally {
    await before.kill();
    dropState(state);
  }
});
