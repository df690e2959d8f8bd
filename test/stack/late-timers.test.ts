import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { RealClock } from '../../src/time/real-clock.ts';

/** The process does nothing for `ms`. */
function away(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('A stack whose process was away from its event loop', () => {
  it('reads what came meanwhile before it serves the timers that passed', async () => {
    const clock = new RealClock();
    const [near, far] = createPipe();
    const client = createHost({ link: near, address: '10.9.0.1/24', clock });
    const server = createHost({ link: far, address: '10.9.0.2/24', clock });
    const listener = await server.listen('tcp', ':7');
    const [dialled, accepted] = await Promise.all([client.dial('tcp', '10.9.0.2:7'), listener.accept()]);
    await dialled.write(new Uint8Array(10_000));
    // What was written leaves at the end of this turn; its retransmission timeout is 200 ms and a round trip.
    await new Promise((resolve) => setImmediate(resolve));
    away(300);
    let received = 0;
    while (received < 10_000) received += (await accepted.readChunk())?.length ?? 10_000;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { TCPTimeouts, RetransSegs } = client.counters;
    await Promise.all([client.close({ timeout: 0 }), server.close({ timeout: 0 })]);
    expect({ TCPTimeouts, RetransSegs }).to.deep.equal({ TCPTimeouts: 0, RetransSegs: 0 });
  });

  it('serves them then', async () => {
    const clock = new RealClock();
    const [near] = createPipe();
    const client = createHost({ link: near, address: '10.9.0.1/24', clock });
    const refused = client.dial('tcp', '10.9.0.2:7', { timeout: 2000 }).catch((error: Error) => error.message);
    await new Promise((resolve) => setImmediate(resolve));
    away(1100);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { TCPSynRetrans } = client.counters;
    await client.close({ timeout: 0 });
    await refused;
    expect(TCPSynRetrans).to.equal(1);
  });
});
