/** The send buffer: it grows with the window, so that a writer that is always ahead fills that. The round trip is 100 ms. */
import { expect } from 'chai';
import { SO_SNDBUF, SOL_SOCKET } from '../../src/socket/constants.ts';
import { establishedAfter, info } from '../support/wire-info.ts';
import { at, MSS } from '../support/wire-out.ts';

describe('auto-tuning of the send buffer', () => {
  it('SO_SNDBUF follows cwnd: two windows of segments, with what Linux charges for each', async () => {
    const t = await establishedAfter(100, {
      options: { mss: MSS, wscale: 7 },
      win: 20_000,
      sysctl: { tcp_wmem: [4096, 16_384, 4_194_304] },
    });
    const size = () => t.socket.getsockopt(SOL_SOCKET, SO_SNDBUF) as number;
    const first = size();
    for (let round = 0, done = 0; round < 5; round++) {
      while (t.write(10 * MSS) > 0);
      done += t.drain().length;
      await t.advance(100);
      t.inject({ ack: at(done) });
    }
    t.drain();
    expect(size()).to.be.greaterThan(2 * first);
    expect(info(t).tcpi_snd_cwnd).to.be.greaterThan(20);
  });
});
