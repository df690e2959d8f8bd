import { expect } from 'chai';
import { ipPacket, mldQuery } from '../../support/ethernet-frames.ts';
import { type EthernetWire, ethernetWire } from '../../support/ethernet-wire.ts';

const ADDRESSES = ['10.0.0.1/24', 'fd00::1/64', 'fe80::1/64', 'fd00::2/64'];
const TO = 'us>33:33:00:00:00:16';
const WAY = 'fe80::1>ff02::16';
const ALL = '2 ff02::1:ff00:1, 2 ff02::1:ff00:2';

function wireOf(float = 0.5): EthernetWire {
  return ethernetWire({ addresses: ADDRESSES, random: { uint32: () => 1, float: () => float } });
}

/** What is reported within so many ms. */
async function reported(wire: EthernetWire, ms: number): Promise<string[]> {
  await wire.clock.advance(ms);
  wire.said();
  return wire.reported();
}

/** A wire on which all has been said. */
async function quiet(): Promise<EthernetWire> {
  const wire = wireOf();
  await reported(wire, 5000);
  return wire;
}

describe('RFC 3810: multicast listener reports', () => {
  it('6.1, RFC 4861 7.2.1: each group of an address is told when it is joined, and all once more within a second', async () => {
    const wire = wireOf();
    wire.said();
    expect(wire.reported()).to.deep.equal([
      `${TO} mld2 4 ff02::1:ff00:1 ${WAY}`,
      `${TO} mld2 4 ff02::1:ff00:1 ${WAY}`,
      `${TO} mld2 4 ff02::1:ff00:2 ${WAY}`,
    ]);
    expect(await reported(wire, 499)).to.deep.equal([]);
    // Addresses with the same end share a group.
    expect(await reported(wire, 1)).to.deep.equal([`${TO} mld2 4 ff02::1:ff00:1, 4 ff02::1:ff00:2 ${WAY}`]);
    expect(await reported(wire, 600_000)).to.deep.equal([]);
  });

  it('5.2.13, RFC 4862 5.4.2: before an address is tried out, from nobody while no link-local address is there', async () => {
    const random = { uint32: () => 1, float: () => 0.5 };
    const wire = ethernetWire({ addresses: ['fd00::1/64'], duplicateDetection: true, random });
    await wire.clock.advance(500);
    expect([wire.said(), wire.reported()]).to.deep.equal([
      ['us>33:33:ff:00:00:01 ns fd00::1 ::>ff02::1:ff00:1'],
      [`${TO} mld2 4 ff02::1:ff00:1 ::>ff02::16`],
    ]);
  });

  it('an IPv4 address has no group to tell of', async () => {
    const wire = ethernetWire({ addresses: ['10.0.0.1/24'] });
    wire.arrives(mldQuery());
    expect(await reported(wire, 5000)).to.deep.equal([]);
  });

  it('6.2: a question is answered after a random time within what it allows, with all groups', async () => {
    const wire = await quiet();
    wire.arrives(mldQuery({ delay: 1000 }));
    expect(await reported(wire, 499)).to.deep.equal([]);
    expect(await reported(wire, 1)).to.deep.equal([`${TO} mld2 ${ALL} ${WAY}`]);
    expect(wire.heard()).to.deep.equal([]);
  });

  it('6.2: several questions have one answer, at the earliest of their times', async () => {
    const wire = await quiet();
    wire.arrives(mldQuery({ delay: 4000 }), mldQuery({ delay: 200 }), mldQuery({ delay: 1000 }));
    expect((await reported(wire, 100)).length).to.equal(1);
    expect(await reported(wire, 10_000)).to.deep.equal([]);
  });

  it('5.1.3: a large code has an exponent', async () => {
    const wire = await quiet();
    // (0x1000 | 0) << (1 + 3) = 65,536 ms.
    wire.arrives(mldQuery({ delay: 0x9000 }));
    expect(await reported(wire, 32_767)).to.deep.equal([]);
    expect((await reported(wire, 1)).length).to.equal(1);
  });

  it('8.2.1: a querier of version 1 is answered in version 1, group by group, for 260 s', async () => {
    const wire = await quiet();
    wire.arrives(mldQuery({ length: 24, delay: 100 }));
    const old = [
      `us>33:33:ff:00:00:01 mld1 ff02::1:ff00:1 fe80::1>ff02::1:ff00:1`,
      `us>33:33:ff:00:00:02 mld1 ff02::1:ff00:2 fe80::1>ff02::1:ff00:2`,
    ];
    expect(await reported(wire, 100)).to.deep.equal(old);
    await wire.clock.advance(259_800);
    wire.arrives(mldQuery({ delay: 0 }));
    expect(await reported(wire, 0)).to.deep.equal(old);
    await wire.clock.advance(100);
    wire.arrives(mldQuery({ delay: 0 }));
    expect(await reported(wire, 0)).to.deep.equal([`${TO} mld2 ${ALL} ${WAY}`]);
  });

  for (const [what, query] of [
    ['5.1.14: from no link-local address', mldQuery({ source: 'fd00::2' })],
    ['6.2: with a hop limit of 2', mldQuery({ hops: 2 })],
    ['6.2: without a Router Alert', mldQuery({ alert: false })],
    ['a wrong checksum', mldQuery({ badChecksum: true })],
    ['8.1: of 26 bytes', mldQuery({ length: 26 })],
  ] as const) {
    it(`a question that is not believed: ${what}`, async () => {
      const wire = await quiet();
      wire.arrives(query);
      expect(await reported(wire, 5000)).to.deep.equal([]);
      expect(wire.link.statistics.dropped.get('mld-malformed')).to.equal(1);
    });
  }

  it('when the carrier comes back, or an address is added, it is told anew; closed, nothing is', async () => {
    const wire = await quiet();
    wire.frames.receiver?.up();
    expect((await reported(wire, 0)).length).to.equal(3);
    await reported(wire, 1000);
    wire.host.addresses.push({ ...(wire.host.addresses[3] as (typeof wire.host.addresses)[0]) });
    wire.down(ipPacket('fd00::1', 'ff02::1', 1));
    expect((await reported(wire, 0)).length).to.equal(1);
    wire.link.close();
    expect(await reported(wire, 5000)).to.deep.equal([]);
  });
});
