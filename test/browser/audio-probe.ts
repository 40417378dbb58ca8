// Records the sound of a page: replaces its AudioContext by one that only records.
import type { BrowserContext, Page } from "@playwright/test";

type Heard = { at: number; frequency: number };
type Ear = { tones: Heard[]; blocked: boolean };

/** @param blocked like a browser before the first click: the context stays suspended until it is allowed */
export async function installAudioProbe(target: BrowserContext | Page, { blocked = false } = {}): Promise<void> {
  await target.addInitScript((blocked) => {
    const ear: Ear = { tones: [], blocked };
    Object.assign(window, { ear });
    const param = () => ({
      value: 0,
      setValueAtTime(value: number) {
        this.value = value;
        return this;
      },
      linearRampToValueAtTime() {
        return this;
      },
      exponentialRampToValueAtTime() {
        return this;
      },
      setTargetAtTime() {
        return this;
      },
      cancelScheduledValues() {
        return this;
      },
    });
    class Silent extends EventTarget {
      state = ear.blocked ? "suspended" : "running";
      destination = {};
      onstatechange: (() => void) | null = null;
      get currentTime() {
        return performance.now() / 1000;
      }
      async resume() {
        if (ear.blocked) return;
        this.state = "running";
        this.onstatechange?.();
        this.dispatchEvent(new Event("statechange"));
      }
      async suspend() {
        this.state = "suspended";
      }
      async close() {
        this.state = "closed";
      }
      createGain() {
        return { gain: param(), connect: (next: unknown) => next, disconnect() {} };
      }
      createOscillator() {
        const frequency = param();
        return Object.assign(new EventTarget(), {
          type: "sine",
          frequency,
          detune: param(),
          onended: null,
          connect: (next: unknown) => next,
          disconnect() {},
          start: (at = performance.now() / 1000) => ear.tones.push({ at: at * 1000, frequency: frequency.value }),
          stop() {},
        });
      }
      createBiquadFilter() {
        return { type: "", frequency: param(), Q: param(), gain: param(), connect: (next: unknown) => next, disconnect() {} };
      }
    }
    Object.assign(window, { AudioContext: Silent, webkitAudioContext: Silent });
  }, blocked);
}

/** Pulses started since the page opened. */
export const recordedTones = (page: Page): Promise<Heard[]> => page.evaluate(() => (window as unknown as { ear: Ear }).ear.tones);

/** From now on the browser allows sound, as after a click. */
export const unblockAudio = (page: Page): Promise<void> =>
  page.evaluate(() => {
    (window as unknown as { ear: Ear }).ear.blocked = false;
  });
