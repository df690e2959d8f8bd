import { expect } from 'chai';
import fc from 'fast-check';
import { Demux } from '../../src/stack/demux.ts';
import { type Binding, type Claim, Ports } from '../../src/stack/ports.ts';
import { defaultConfig } from '../../src/tcp/config.ts';
import type { TableEntry } from '../../src/tcp/context.ts';
import { seededRandom } from '../../src/time/random.ts';
import { IPV4_ANY, IpAddress } from '../../src/wire/address.ts';

const ONE = IpAddress.v4(0x0a00_0001);
const TWO = IpAddress.v4(0x0a00_0002);
const PEER = IpAddress.v4(0x0a00_0009);
const [LOW, HIGH] = [100, 107];
const CLAIM: Claim = { address: ONE, v6Only: false, device: 0, reuseAddress: false, reusePort: false };

const binding: fc.Arbitrary<Binding> = fc.record({
  address: fc.constantFrom(IPV4_ANY, ONE, TWO),
  port: fc.integer({ min: LOW, max: HIGH }),
  reuseAddress: fc.boolean(),
  reusePort: fc.constant(false),
  v6Only: fc.constant(false),
  device: fc.constant(0),
  listening: fc.boolean(),
});

function portsWith(seed = 1): { ports: Ports; demux: Demux } {
  const random = seededRandom(seed);
  const demux = new Demux(random);
  return { ports: new Ports({ ...defaultConfig(), ip_local_port_range: [LOW, HIGH] }, demux, random), demux };
}

function overlap(a: Binding, b: Binding): boolean {
  return a.port === b.port && (a.address.isUnspecified || b.address.isUnspecified || a.address.equals(b.address));
}

describe('Ports', () => {
  it('lets bind what Linux lets bind: both with SO_REUSEADDR, and no listener', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(binding, fc.boolean()), { maxLength: 40 }), (steps) => {
        const { ports } = portsWith();
        const held: Binding[] = [];
        for (const [wanted, releases] of steps) {
          if (releases) {
            const gone = held.pop();
            if (gone !== undefined) ports.remove(gone);
          }
          const inTheWay = held.some(
            (other) => overlap(other, wanted) && (other.listening || !(other.reuseAddress && wanted.reuseAddress)),
          );
          expect(ports.conflicts(wanted, wanted.port)).to.equal(inTheWay);
          const listens = held.some((other) => overlap(other, wanted) && other.listening);
          expect(ports.mayListen(wanted)).to.equal(!listens);
          if (!inTheWay) {
            ports.add(wanted);
            held.push(wanted);
          }
          expect(ports.size).to.equal(new Set(held.map(({ port }) => port)).size);
        }
        for (const each of held) ports.remove(each);
        expect(ports.size).to.equal(0);
      }),
      { numRuns: 300 },
    );
  });

  it('RFC 6056 3.3.1: gives every ephemeral port once, from a start that nobody knows, and then none', () => {
    const starts = new Set<number>();
    for (let seed = 1; seed <= 30; seed++) {
      const { ports } = portsWith(seed);
      const given: number[] = [];
      for (let port = ports.ephemeral(CLAIM); port !== 0; port = ports.ephemeral(CLAIM)) {
        given.push(port);
        ports.add({ ...CLAIM, port, listening: false });
      }
      expect(given.toSorted((a, b) => a - b)).to.deep.equal([100, 101, 102, 103, 104, 105, 106, 107]);
      starts.add(given[0] as number);
    }
    expect(starts.size).to.be.above(4);
  });

  it('a port may serve connections to several peers, but one to each', () => {
    const { ports, demux } = portsWith();
    for (let i = LOW; i <= HIGH; i++) {
      const localPort = ports.ephemeralFor(ONE, PEER, 80, 0);
      expect(demux.has(ONE, localPort, PEER, 80)).to.equal(false);
      demux.insert({ local: ONE, localPort, remote: PEER, remotePort: 80 } as unknown as TableEntry);
    }
    expect(ports.ephemeralFor(ONE, PEER, 80, 0)).to.equal(0);
    expect(ports.ephemeralFor(ONE, PEER, 81, 0)).to.be.within(LOW, HIGH);
  });

  it('a connection without a socket (TIME-WAIT) holds its port, unless it may be reused', () => {
    const { ports, demux } = portsWith();
    demux.insert({ local: ONE, localPort: 100, remote: PEER, remotePort: 80 } as unknown as TableEntry);
    expect(ports.conflicts(CLAIM, 100)).to.equal(true);
    expect(ports.conflicts({ ...CLAIM, reuseAddress: true }, 100)).to.equal(false);
  });

  it("SO_BINDTODEVICE: sockets of different interfaces are not in each other's way", () => {
    const { ports } = portsWith();
    ports.add({ ...CLAIM, device: 2, port: 100, listening: true });
    expect(ports.conflicts({ ...CLAIM, device: 3 }, 100)).to.equal(false);
    expect(ports.conflicts({ ...CLAIM, device: 2 }, 100)).to.equal(true);
    expect(ports.conflicts(CLAIM, 100)).to.equal(true);
    expect(ports.mayListen({ ...CLAIM, device: 3, port: 100, listening: false })).to.equal(true);
  });
});
