/** How much of a link a bulk transfer makes use of, in virtual time: silly behaviour shows as a rate, not as a wrong byte. */
import { expect } from 'chai';
import type { Impairment } from '../../src/link/impaired.ts';
import type { TcpConfig } from '../../src/tcp/config.ts';
import { play } from './play.ts';
import { bulk, type PairScript } from './scenario.ts';

const RATE = 50e6;
const RTT = 20;
const SIZE = 4_000_000;
const PAYLOAD = 1448;

interface Measured {
  /** Bits per second, of three seeds. */
  readonly goodput: number;
  readonly retransmissions: number;
  readonly timeouts: number;
}

async function measure(loss: number, set: Partial<TcpConfig>, more: Impairment = {}): Promise<Measured> {
  const sysctl = { tcp_congestion_control: 'reno', ...set };
  let [took, retransmissions, timeouts] = [0, 0, 0];
  for (const seed of [1, 2, 3]) {
    const out = { loss, rate: RATE, queue: 200, ...more };
    const result = await play(bulk(`goodput ${seed}`, { up: SIZE, latency: RTT / 2, sysctl, out }));
    took += result.took;
    retransmissions += result.counters.client.RetransSegs;
    timeouts += result.counters.client.TCPTimeouts;
  }
  return { goodput: (3 * SIZE * 8000) / took, retransmissions, timeouts };
}

/** M. Mathis et al., 1997: what Reno reaches at a random loss of `p`: MSS / RTT * sqrt(3 / 2p), bits per second. */
function mathis(p: number): number {
  return ((PAYLOAD * 8000) / RTT) * Math.sqrt(1.5 / p);
}

describe('goodput', function () {
  this.timeout(60_000);

  it('without loss: most of the link, and what the queue drops is sent again once', async () => {
    const { goodput, timeouts } = await measure(0, {});
    expect(goodput / RATE).to.be.within(0.75, 1);
    expect(timeouts).to.equal(0);
  });

  for (const sack of [true, false]) {
    it(`at 1 % loss, ${sack ? 'with' : 'without'} SACK: what Reno reaches; a segment is sent again for each that is lost`, async () => {
      const { goodput, retransmissions, timeouts } = await measure(0.01, { tcp_sack: sack });
      expect(goodput / mathis(0.01)).to.be.within(0.7, 1.3);
      const lost = ((3 * SIZE) / PAYLOAD) * 0.01;
      expect(retransmissions / lost).to.be.within(0.7, 1.3);
      expect(timeouts).to.be.below(6);
    });

    it(`at 5 % loss, ${sack ? 'with' : 'without'} SACK: half of it, and most losses are repaired without a timeout`, async () => {
      const { goodput, retransmissions, timeouts } = await measure(0.05, { tcp_sack: sack });
      expect(goodput / mathis(0.05)).to.be.within(0.5, 1.3);
      const lost = ((3 * SIZE) / PAYLOAD) * 0.05;
      expect(retransmissions / lost).to.be.within(0.7, 1.6);
      expect(timeouts / lost).to.be.below(0.15);
    });
  }

  it('a slow reader over a fast link: no retransmission, and no more than an RTO of waiting for each window', async () => {
    const scenario = bulk('slow reader', { up: 400_000, latency: RTT / 2 });
    const [pair] = scenario.pairs as [PairScript];
    const server = {
      ...pair.server,
      readChunk: 20_000,
      readPause: [0.5, 30] as const,
      options: [[1, 8, 16_384]] as const,
    };
    const result = await play({ ...scenario, pairs: [{ ...pair, server }] });
    expect(result.counters.client.RetransSegs).to.equal(0);
    // 400 KB in reads of 10 KB on average, half of them followed by 30 ms: 0.6 s, and a round trip per window.
    expect(result.took).to.be.below(2500);
  });
});
