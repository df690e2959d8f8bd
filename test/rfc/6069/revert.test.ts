/** RFC 6069: long connectivity disruptions: what ICMP says of a retransmission undoes its back-off. */
import { expect } from 'chai';
import { FAMILY } from '../../support/wire-family.ts';
import { establishedAfter, info } from '../../support/wire-info.ts';
import type { Seen, WirePeer } from '../../support/wire-peer.ts';

/** RTO 300 ms, no probe at the tail; 100 bytes have been sent again `times` times. */
async function backedOff(times: number): Promise<{ t: WirePeer; last: Seen }> {
  const t = await establishedAfter(100);
  t.write(100);
  let last = t.expect({ seq: 1 });
  for (let i = 0; i < times; i++) {
    await t.advance(300 * 2 ** i);
    last = t.expect({ seq: 1 });
  }
  return { t, last };
}

function unreachable(t: WirePeer, { bytes }: Seen, code: number, shift = 0): void {
  const body = bytes.slice(0, 28);
  const view = new DataView(body.buffer);
  view.setInt32(24, (view.getInt32(24) + shift) | 0);
  t.injectIcmp({ type: 3, code, body });
}

describe('RFC 6069: reversion of the back-off', () => {
  // Linux: of ICMPv6 it is "no route" alone.
  for (const code of FAMILY === '6' ? [0] : [0, 1]) {
    it(`4.1: code ${code} about a retransmission takes one doubling back`, async () => {
      const { t, last } = await backedOff(2);
      expect(info(t)).to.include({ tcpi_backoff: 2, tcpi_rto: 1_200_000 });
      await t.advance(100);
      unreachable(t, last, code);
      expect(info(t)).to.include({ tcpi_backoff: 1, tcpi_rto: 600_000 });
      // 100 of the 600 ms have passed.
      await t.advance(499);
      t.expectNothing();
      await t.advance(2);
      t.expect({ seq: 1 });
    });
  }

  it('4.1 step (7): when the shorter timeout is over already, the retransmission goes at once', async () => {
    const { t, last } = await backedOff(2);
    await t.advance(800);
    t.expectNothing();
    unreachable(t, last, 0);
    await t.advance(0);
    t.expect({ seq: 1 });
  });

  it('4.2: other codes take nothing back, nor does a number that is not the oldest', async () => {
    const { t, last } = await backedOff(2);
    for (const code of [2, 3, 5, 6, 7, 9, 10, 13]) unreachable(t, last, code);
    unreachable(t, last, 0, 1);
    expect(info(t).tcpi_backoff).to.equal(2);
  });

  it('4.1: without a back-off there is nothing to take back', async () => {
    const t = await establishedAfter(100);
    t.write(100);
    const first = t.expect({ seq: 1 });
    await t.advance(100);
    unreachable(t, first, 1);
    expect(info(t).tcpi_backoff).to.equal(0);
    await t.advance(199);
    t.expectNothing();
    await t.advance(2);
    t.expect({ seq: 1 });
  });
});
