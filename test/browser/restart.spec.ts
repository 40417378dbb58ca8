// The server is killed and restarted under an open board: no value is shown as live meanwhile, and no reload is needed.

import { findFreePort } from "../../bench/free-port.ts";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { deleteStateFolder, newDemoState, startServer } from "../node/server.ts";
import { connectionLostBanner, expectLive, watchForLoss } from "./board.ts";
import { patiently } from "./extent.ts";
import { expect, signIn, test, waitForPage } from "./portal.ts";
import { probe } from "./probe.ts";
import { demoState } from "./product.ts";

test("a server that is killed and comes back", async ({ browser }) => {
  test.setTimeout(patiently(300_000));
  const state = newDemoState(demoState());
  const port = await findFreePort();
  // No build: it would reload the server of the other tests.
  const before = await startServer(state, { demo: false, build: false, port });
  try {
    const context = await browser.newContext({ baseURL: before.url });
    await signIn(context.request, { email: "nurse@demo.com", password: DEMO_PASSWORD });
    const page = await context.newPage();
    await probe(page);
    await page.goto("/ward");
    await waitForPage(page);
    await expectLive(page);
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));
    const isLostInTime = await watchForLoss(page);
    await before.kill();
    await isLostInTime();
    const after = await startServer(state, { demo: false, build: false, port });
    try {
      await expect(connectionLostBanner(page)).toHaveCount(0, { timeout: 30_000 });
      await expectLive(page);
      expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);
      await expect(page).toHaveURL(/\/ward$/);
    } finally {
      await context.close();
      await after.kill();
    }
  } finally {
    await before.kill();
    deleteStateFolder(state);
  }
});
