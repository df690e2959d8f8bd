import { expect } from 'chai';
import fc from 'fast-check';
import { ArpPacket, parseArp } from '../../src/wire/arp.ts';
import {
  EthernetHeader,
  hardwareAddressText,
  ipv4GroupLow,
  parseHardwareAddress,
  readEthernet,
  writeEthernet,
} from '../../src/wire/ethernet.ts';
import { isSolicitedNode, NdMessage, parseNd } from '../../src/wire/neighbour-discovery.ts';
import { OK } from '../../src/wire/reasons.ts';
import { arpFrame, ndFrame, PEER } from '../support/ethernet-frames.ts';
import { everywhere, fromHex, viewOf } from './everywhere.ts';

describe('wire/ethernet', () => {
  it('reads and writes a header of the wild', () => {
    const bytes = fromHex('ffff ffff ffff 0242 ac11 0002 0806');
    const header = new EthernetHeader();
    readEthernet(viewOf(bytes), 0, header);
    expect({ ...header }).to.deep.equal({
      destinationHigh: 0xffff,
      destinationLow: -1,
      sourceHigh: 0x0242,
      sourceLow: 0xac110002 | 0,
      type: 0x0806,
    });
    const copy = new Uint8Array(14);
    writeEthernet(viewOf(copy), 0, 0xffff, -1, 0x0242, 0xac110002 | 0, 0x0806);
    expect(copy).to.deep.equal(bytes);
  });

  it('reads hardware addresses as people write them, and nothing else', () => {
    expect([...(parseHardwareAddress('02:00:5E:10-ff:01') ?? [])]).to.deep.equal([2, 0, 0x5e, 0x10, 0xff, 1]);
    for (const text of [
      '',
      '02:00:5e:10:00',
      '02:00:5e:10:00:01:02',
      '2:0:5e:10:0:1',
      '02005e100001',
      '02:00:5e:10:00:0g',
    ])
      expect(parseHardwareAddress(text)).to.equal(undefined);
    expect(hardwareAddressText(0x02ff, 0x80000001 | 0)).to.equal('02:ff:80:00:00:01');
  });

  it('RFC 1112 6.4: 32 groups share a hardware address', () => {
    expect(ipv4GroupLow(0xe0800001 | 0)).to.equal(0x5e000001);
    expect(ipv4GroupLow(0xefff0102 | 0)).to.equal(0x5e7f0102);
  });
});

describe('wire/arp', () => {
  it('reads a question of the wild', () => {
    const bytes = fromHex('0001 0800 06 04 0001 0242ac110002 0a090002 000000000000 0a090001');
    const packet = new ArpPacket();
    expect(parseArp(viewOf(bytes), 0, bytes.length, packet)).to.equal(OK);
    expect({ ...packet }).to.deep.equal({
      operation: 1,
      senderHigh: 0x0242,
      senderLow: 0xac110002 | 0,
      senderAddress: 0x0a090002,
      targetAddress: 0x0a090001,
    });
  });

  it('reads whatever comes within its bounds', () => {
    const base = [...arpFrame({ sender: '10.0.0.2', target: '10.0.0.1' }).subarray(14)];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(27), fc.nat(255)), { maxLength: 3 }), fc.nat(40), (changes, length) => {
        const bytes = Uint8Array.from([...base, ...new Array<number>(20).fill(0)].slice(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        everywhere(bytes, (view, offset) => {
          const packet = new ArpPacket();
          const reason = parseArp(view, offset, bytes.length, packet);
          return reason === OK ? { ...packet } : reason;
        });
      }),
      { numRuns: 300 },
    );
  });
});

describe('wire/neighbour-discovery', () => {
  const bases = [
    ndFrame({ type: 'ns', source: 'fd00::2', destination: 'ff02::1:ff00:1', target: 'fd00::1', option: [1, PEER] }),
    ndFrame({
      type: 'na',
      source: 'fd00::2',
      destination: 'fd00::1',
      target: 'fd00::2',
      flags: 'RSO',
      option: [2, PEER],
    }),
    ndFrame({ type: 'ra', source: 'fe80::2', destination: 'ff02::1', option: [1, PEER] }),
    ndFrame({ type: 'rs', source: 'fe80::2', destination: 'ff02::2', option: [1, PEER] }),
    ndFrame({ type: 'redirect', source: 'fe80::2', destination: 'fd00::1', target: 'fe80::3', option: [2, PEER] }),
  ].map((bytes) => bytes.subarray(14));

  it('reads the one address that a message is to have, and its flags', () => {
    for (const [i, bytes] of bases.entries()) {
      const message = new NdMessage();
      expect(parseNd(viewOf(bytes), 0, 40, bytes.length - 40, message)).to.equal(OK);
      expect([message.hasAddress, message.addressHigh, message.addressLow]).to.deep.equal([true, 0x0200, 2]);
      expect([message.type, message.router, message.solicited, message.override]).to.deep.equal([
        [135, 136, 134, 133, 137][i],
        ...new Array<boolean>(3).fill(i === 1),
      ]);
    }
  });

  it('reads whatever comes within its bounds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...bases),
        fc.array(fc.tuple(fc.nat(71), fc.nat(255)), { maxLength: 3 }),
        fc.nat(80),
        (base, changes, length) => {
          const bytes = base.slice(0, 40 + Math.min(length, base.length - 40));
          for (const [at, value] of changes) if (40 + at < bytes.length) bytes[40 + at] = value;
          everywhere(bytes, (view, offset) => {
            const message = new NdMessage();
            const reason = parseNd(view, offset, offset + 40, bytes.length - 40, message);
            return reason === OK ? { ...message } : reason;
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('RFC 4291 2.7.1: knows solicited-node addresses', () => {
    expect(isSolicitedNode(0xff020000 | 0, 0, 1, 0xff123456 | 0)).to.equal(true);
    for (const words of [
      [0xff050000 | 0, 0, 1, 0xff123456 | 0],
      [0xff020001 | 0, 0, 1, 0xff123456 | 0],
      [0xff020000 | 0, 1, 1, 0xff123456 | 0],
      [0xff020000 | 0, 0, 0, 0xff123456 | 0],
      [0xff020000 | 0, 0, 1, 0xfe123456 | 0],
    ] as [number, number, number, number][])
      expect(isSolicitedNode(...words)).to.equal(false);
  });
});
