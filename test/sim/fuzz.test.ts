/** Random packets of every protocol. Ten million of them: `npm run soak -- --fuzz 10000000`. */
import { playFuzz } from './fuzz.ts';
import { playDns } from './fuzz-dns.ts';

const SEEDS = 30;
const PACKETS = 2000;
const LOOKUPS = 300;

describe('packets of every protocol, well formed or not, whole or in fragments, answers and errors', () => {
  it(`${SEEDS * PACKETS}: nothing throws, tables keep their bounds, nothing is left`, async function () {
    this.timeout(60_000);
    for (let seed = 0; seed < SEEDS; seed++) await playFuzz(String(seed), PACKETS);
  });

  it(`answers to ${LOOKUPS} DNS lookups: each ends, with what was asked for or an error of the resolver`, async function () {
    this.timeout(60_000);
    await playDns('0', LOOKUPS);
  });
});
