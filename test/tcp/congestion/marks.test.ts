/** Congestion control over a bottleneck that marks in place of losing (RFC 3168), on virtual time. 100 Mbit/s, 4 ms. */
import { expect } from 'chai';
import type { TcpConfig } from '../../../src/tcp/config.ts';
import type { Flow } from '../../experiments/network.ts';
import { Network } from '../../experiments/network.ts';

const RATE = 100e6;
const RTT = 4;
/** A packet of 1500 bytes takes so long, ms. */
const PACKET = (1500 * 8000) / RATE;
const FROM = 1000;
const TO = 4000;

/** One flow for some seconds. @param above packets in the queue beyond which those that come are marked */
function run(control: string, above: number, sysctl: Partial<TcpConfig>) {
  const forward = { rate: RATE, queue: 1000, markAbove: above };
  const network = new Network({
    rtt: RTT,
    controls: [control],
    forward,
    sysctl: { tcp_congestion_control: control, ...sysctl },
  });
  const flow = network.flows[0] as Flow;
  network.clock.runUntil(FROM);
  const before = flow.received;
  let longest = 0;
  for (let at = FROM; at < TO; at += 10) {
    network.clock.runUntil(at);
    longest = Math.max(longest, flow.connection.srttUs / 1000);
  }
  const share = ((flow.received - before) * (1500 / 1448) * 8) / (RATE * ((TO - FROM) / 1000));
  const { marked, queueDropped } = network.link.statistics.out;
  const { RetransSegs, TCPDeliveredCE } = network.sender.counters;
  network.close();
  return { share, longest, marked, queueDropped, RetransSegs, TCPDeliveredCE };
}

describe('a bottleneck that marks', function () {
  this.timeout(30_000);

  // RFC 8257 3.3: alpha follows the share of marks: the link is full, and the queue stays where it marks.
  for (const tcp_ecn of [1, 3]) {
    it(`DCTCP fills the link with a short queue, tcp_ecn ${tcp_ecn}`, () => {
      const K = 10;
      const { share, longest, marked, queueDropped, RetransSegs, TCPDeliveredCE } = run('dctcp', K, { tcp_ecn });
      expect(share).to.be.above(0.95);
      expect(longest).to.be.below(RTT + 3 * K * PACKET);
      expect(marked).to.be.above(100);
      expect(TCPDeliveredCE / marked).to.be.within(0.9, 1.1);
      expect([queueDropped, RetransSegs]).to.deep.equal([0, 0]);
    });
  }

  for (const control of ['cubic', 'reno']) {
    for (const tcp_ecn of [1, 3]) {
      it(`${control} loses nothing, tcp_ecn ${tcp_ecn}`, () => {
        const { share, marked, queueDropped, RetransSegs } = run(control, 60, { tcp_ecn });
        expect(share).to.be.above(0.9);
        expect(marked).to.be.above(5);
        expect([queueDropped, RetransSegs]).to.deep.equal([0, 0]);
      });
    }
  }

  it('without ECN nothing is marked, and the queue fills', () => {
    const { marked, queueDropped } = run('cubic', 60, { tcp_ecn: 0 });
    expect(marked).to.equal(0);
    expect(queueDropped).to.be.above(0);
  });
});
