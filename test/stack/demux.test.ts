import { expect } from 'chai';
import fc from 'fast-check';
import { InboundPacket } from '../../src/ip/inbound.ts';
import { Demux } from '../../src/stack/demux.ts';
import { defaultConfig } from '../../src/tcp/config.ts';
import type { TableEntry } from '../../src/tcp/context.ts';
import type { Listener } from '../../src/tcp/listener.ts';
import { TcpSettings } from '../../src/tcp/settings.ts';
import { seededRandom } from '../../src/time/random.ts';
import { IPV4_ANY, IpAddress } from '../../src/wire/address.ts';

interface Ends {
  local: IpAddress;
  localPort: number;
  remote: IpAddress;
  remotePort: number;
}

/** Few addresses and ports: the same ends come again and again. */
const address = fc.oneof(
  fc.integer({ min: 0, max: 3 }).map((n) => IpAddress.v4((0x0a00_0001 + n) | 0)),
  fc.integer({ min: 0, max: 1 }).map((n) => IpAddress.v6(0x2001_0db8, 0, 0, n)),
);
const ends: fc.Arbitrary<Ends> = fc
  .tuple(address, fc.constantFrom(80, 443, 40_000), address, fc.integer({ min: 1, max: 40 }))
  .filter(([a, , b]) => a.family === b.family)
  .map(([local, localPort, remote, remotePort]) => ({ local, localPort, remote, remotePort }));
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('insert' as const), ends }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), ends }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('removeOld' as const), ends }) },
);

function nameOf({ local, localPort, remote, remotePort }: Ends): string {
  return `${local} ${localPort} ${remote} ${remotePort}`;
}

/** A packet to an entry, from the other end. */
function packetTo({ local, remote }: Ends): InboundPacket {
  const packet = new InboundPacket();
  packet.family = local.family;
  [packet.s0, packet.s1, packet.s2, packet.s3] = [remote.w0, remote.w1, remote.w2, remote.w3];
  [packet.d0, packet.d1, packet.d2, packet.d3] = [local.w0, local.w1, local.w2, local.w3];
  return packet;
}

describe('Demux', () => {
  it('finds what a map finds', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(step, { maxLength: 150 }),
        fc.array(ends, { maxLength: 10 }),
        (seed, steps, probes) => {
          const demux = new Demux(seededRandom(seed));
          const model = new Map<string, TableEntry>();
          for (const each of steps) {
            const name = nameOf(each.ends);
            if (each.do === 'insert') {
              // In place of what stood there.
              const entry = { ...each.ends } as unknown as TableEntry;
              demux.insert(entry);
              model.set(name, entry);
            } else if (each.do === 'remove') {
              const entry = model.get(name);
              if (entry !== undefined) demux.remove(entry);
              model.delete(name);
            } else {
              // Another that stood there before: what stands there now stays.
              demux.remove({ ...each.ends } as unknown as TableEntry);
            }
            expect(demux.size).to.equal(model.size);
          }
          for (const probe of [...probes, ...steps.map(({ ends: used }) => used)]) {
            const { local, localPort, remote, remotePort } = probe;
            const expected = model.get(nameOf(probe));
            expect(demux.find(packetTo(probe), localPort, remotePort)).to.equal(expected);
            expect(demux.get(local, localPort, remote, remotePort)).to.equal(expected);
            expect(demux.has(local, localPort, remote, remotePort)).to.equal(expected !== undefined);
          }
          const listed = [...demux.entries()];
          expect(listed).to.have.lengthOf(model.size);
          expect([...model.values()].every((entry) => listed.includes(entry))).to.equal(true);
          for (const port of [80, 443, 40_000, 1]) {
            expect(demux.portInUse(port)).to.equal([...model.values()].some(({ localPort }) => localPort === port));
          }
          for (const entry of listed) demux.remove(entry);
          expect(demux.size).to.equal(0);
          for (const port of [80, 443, 40_000]) expect(demux.portInUse(port)).to.equal(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('prefers the listener on the very address', () => {
    const demux = new Demux(seededRandom(1));
    const own = IpAddress.v4(0x0a00_0001);
    const listener = (local: IpAddress, localPort: number) =>
      ({ local, localPort, settings: new TcpSettings(defaultConfig()) }) as unknown as Listener;
    const [any, exact, other] = [listener(IPV4_ANY, 80), listener(own, 80), listener(IpAddress.v4(0x0a00_0009), 80)];
    const to = packetTo({ local: own, localPort: 80, remote: own, remotePort: 1 });
    demux.addListener(other);
    expect(demux.findListener(to, 80, 1, 2)).to.equal(undefined);
    demux.addListener(any);
    expect(demux.findListener(to, 80, 1, 2)).to.equal(any);
    demux.addListener(exact);
    expect(demux.findListener(to, 80, 1, 2)).to.equal(exact);
    expect(demux.findListener(to, 81, 1, 2)).to.equal(undefined);
    demux.removeListener(exact);
    expect(demux.findListener(to, 80, 1, 2)).to.equal(any);
    demux.removeListener(any);
    demux.removeListener(other);
    expect([...demux.listeners()]).to.deep.equal([]);
  });
});
