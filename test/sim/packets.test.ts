/** Random packets with every option there is, in any state, with any settings. Two million of them: `npm run soak -- --packets 2000000`. */
import { playPackets } from './packets.ts';

const RUNS = 60;
const PACKETS = 100;

describe('RFC 9293 3.10.7: packets with any options, in any state, with any settings', () => {
  it(`${RUNS * PACKETS} packets: nothing throws, every drop is counted, nothing is left`, async function () {
    this.timeout(60_000);
    for (let seed = 0; seed < RUNS; seed++) await playPackets(String(seed), PACKETS);
  });
});
