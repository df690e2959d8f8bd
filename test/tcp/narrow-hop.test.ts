/** A path that is narrower in its middle than at its ends: with a router that says so (RFC 1191), and without (RFC 4821). */
import { expect } from 'chai';
import { NarrowHop, type NarrowOptions } from '../support/narrow-hop.ts';
import { pattern, readFully } from '../support/pair.ts';

const SIZE = 300_000;

/** Sends in both directions at once. @returns how long it took, ms; Infinity: after `limit` it was not there */
async function exchange(hop: NarrowHop, limit = 60_000): Promise<{ took: number; mss: number; timeouts: number }> {
  const { dialled, accepted } = await hop.connect();
  const started = hop.clock.now();
  const bytes = pattern(SIZE);
  const all = Promise.all([
    dialled.write(bytes),
    accepted.write(bytes),
    readFully(dialled, SIZE),
    readFully(accepted, SIZE),
  ]);
  all.catch(() => {});
  const done = all.then(([, , back, there]) => {
    expect(Buffer.compare(back, bytes)).to.equal(0);
    expect(Buffer.compare(there, bytes)).to.equal(0);
    return hop.clock.now() - started;
  });
  let took = Infinity;
  void done.then((ms) => {
    took = ms;
  });
  for (let waited = 0; waited < limit && took === Infinity; waited += 100) await hop.clock.advance(100);
  if (took !== Infinity) await done;
  const { tcpi_snd_mss: mss } = dialled.tcpInfo();
  return { took, mss, timeouts: hop.near.counters.TCPTimeouts + hop.far.counters.TCPTimeouts };
}

async function over<T>(options: NarrowOptions, use: (hop: NarrowHop) => Promise<T>): Promise<T> {
  const hop = new NarrowHop(options);
  try {
    return await use(hop);
  } finally {
    await hop.close();
  }
}

for (const family of [4, 6] as const) {
  const rfc = family === 4 ? 'RFC 1191' : 'RFC 8201';
  const headers = family === 4 ? 40 : 60;
  describe(`a narrow hop in the middle of an IPv${family} path, between two routers`, () => {
    it(`${rfc}: the router says so: both sides adapt without a timeout`, () =>
      over({ family, mtu: 1280 }, async (hop) => {
        const { took, mss, timeouts } = await exchange(hop);
        expect(took).to.be.lessThan(3000);
        expect(mss).to.equal(1280 - headers - 12);
        expect(timeouts).to.equal(0);
        expect(hop.largest).to.equal(1280);
      }));

    it(`${rfc} 5.2: the next connection knows from the start`, () =>
      over({ family, mtu: 1280 }, async (hop) => {
        await exchange(hop);
        const before = hop.dropped;
        expect(before).to.be.greaterThan(0);
        await exchange(hop);
        expect(hop.dropped).to.equal(before);
      }));

    it('a silent router is a black hole', () =>
      over({ family, mtu: 1280, silent: true }, async (hop) => {
        const { took, timeouts } = await exchange(hop);
        expect(took).to.equal(Infinity);
        expect(timeouts).to.be.greaterThan(4);
      }));

    it('RFC 4821 7.7: tcp_mtu_probing 1 gets out of it', () =>
      over({ family, mtu: 1280, silent: true, sysctl: { tcp_mtu_probing: 1 } }, async (hop) => {
        const { took, mss } = await exchange(hop);
        expect(took).to.be.lessThan(20_000);
        expect(mss).to.be.within(1000, 1228);
      }));

    it('RFC 4821: tcp_mtu_probing 2 finds what gets through, without a timeout', () =>
      over({ family, mtu: 1280, silent: true, sysctl: { tcp_mtu_probing: 2, tcp_base_mss: 512 } }, async (hop) => {
        // The passive side begins with what its peer's MSS allows (Linux): it gets out of the hole as with 1.
        const { dialled, accepted } = await hop.connect();
        const bytes = pattern(SIZE);
        const sent = Promise.all([dialled.write(bytes), readFully(accepted, SIZE)]);
        const [, got] = await hop.clock.run({ until: sent });
        expect(Buffer.compare(got, bytes)).to.equal(0);
        expect(dialled.tcpInfo().tcpi_snd_mss).to.be.within(1240 - headers, 1268 - headers);
        expect(hop.near.counters.TCPTimeouts).to.equal(0);
        expect(hop.near.counters.TCPMTUPSuccess).to.be.greaterThan(1);
        expect(hop.near.counters.TCPMTUPFail).to.be.greaterThan(0);
      }));

    for (const offload of [
      [true, false],
      [false, true],
      [true, true],
    ] as const)
      it(`${rfc}: super-segments ${offload[0] ? '' : 'do not '}come, and ${offload[1] ? '' : 'do not '}pass the hop`, () =>
        over({ family, mtu: 1280, offload }, async (hop) => {
          const { took, mss, timeouts } = await exchange(hop);
          expect(took).to.be.lessThan(3000);
          expect(mss).to.equal(1280 - headers - 12);
          expect(timeouts).to.equal(0);
          expect(hop.largest).to.equal(1280);
          const sum = { ForwDatagrams: 0, Ip6OutForwDatagrams: 0 };
          for (const { counters } of hop.routers) {
            sum.ForwDatagrams += counters.ForwDatagrams;
            sum.Ip6OutForwDatagrams += counters.Ip6OutForwDatagrams;
          }
          const passed = family === 4 ? sum.ForwDatagrams : sum.Ip6OutForwDatagrams;
          // Both ways, past two routers: whole super-segments count as one.
          console.log(offload, passed);
          if (offload[0] && offload[1]) expect(passed).to.be.lessThan(150);
          else expect(passed).to.be.greaterThan(500);
        }));
  });
}
