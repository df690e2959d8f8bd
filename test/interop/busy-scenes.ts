/** What busy.test.ts plays in a network namespace of its own: a process that is away from its event loop for a while. */
import { onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

/** Bytes that fit into the initial window, and the next write's. */
const SOME = 10_000;

/** We send; the kernel acknowledges at once; we are away for `ms`, and find the acknowledgment afterwards. */
export function awayAfterWrite(ms: number) {
  return onGround({}, async (ground) => {
    const port = await ground.kernel.listen('echo');
    const conn = await ground.host.dial('tcp', `10.9.0.1:${port}`);
    for (let i = 0; i < 3; i++) {
      await conn.write(new Uint8Array(SOME));
      // What was written leaves at the end of this turn.
      await new Promise((resolve) => setImmediate(resolve));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      let received = 0;
      while (received < SOME) {
        const chunk = await ground.within(2000, 'the echo', conn.readChunk());
        received += chunk?.length ?? SOME;
      }
    }
    conn.close();
    return {};
  });
}
