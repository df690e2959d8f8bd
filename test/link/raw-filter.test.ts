import { expect } from 'chai';
import { errorFilter, portFilter } from '../../src/link/raw-filter.ts';
import { readPorts } from '../../src/link/raw-ports.ts';
import { IpAddress } from '../../src/wire/address.ts';

const SKF_NET_OFF = -0x100000;

/** Runs a program of classic BPF, of the instructions that the filters use, as bpf(4) has it. @returns whether it accepts */
function accepts(program: Uint8Array, packet: Uint8Array, transport: number): boolean {
  const code = new DataView(program.buffer, program.byteOffset, program.length);
  let a = 0;
  let x = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const opcode = code.getUint16(8 * at, true);
    const k = code.getUint32(8 * at + 4, true);
    const jump = (taken: boolean) => (at += code.getUint8(8 * at + (taken ? 2 : 3)));
    const load = (offset: number, length: number): boolean => {
      const from = offset < 0 ? offset - SKF_NET_OFF : offset + transport;
      if (from < 0 || from + length > packet.length) return false;
      a = 0;
      for (let i = 0; i < length; i++) a = a * 256 + (packet[from + i] as number);
      return true;
    };
    switch (opcode) {
      case 0x20:
      case 0x28:
      case 0x30:
        if (!load(k | 0, opcode === 0x20 ? 4 : opcode === 0x28 ? 2 : 1)) return false;
        break;
      case 0x40:
      case 0x48:
      case 0x50:
        if (!load(k + x, opcode === 0x40 ? 4 : opcode === 0x48 ? 2 : 1)) return false;
        break;
      case 0xb1:
        x = ((packet[transport + k] as number) & 0xf) * 4;
        break;
      case 0x54:
        a &= k;
        break;
      case 0x64:
        a <<= k;
        break;
      case 0x0c:
        a += x;
        break;
      case 0x07:
        x = a;
        break;
      case 0x15:
        jump(a === k);
        break;
      case 0x25:
        jump(a > k);
        break;
      case 0x35:
        jump(a >= k);
        break;
      case 0x06:
        return k > 0;
      default:
        throw new Error(`instruction ${opcode.toString(16)}`);
    }
  }
  throw new Error('the program ends without a return');
}

function bytesOf(address: IpAddress): number[] {
  const words = address.family === 4 ? [address.w3] : [address.w0, address.w1, address.w2, address.w3];
  return words.flatMap((word) => [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]);
}

function packet(source: IpAddress, destination: IpAddress, protocol: number, payload: number[], options = 0): number[] {
  const addresses = [...bytesOf(source), ...bytesOf(destination)];
  if (source.family === 6) return [0x60, 0, 0, 0, 0, payload.length, protocol, 64, ...addresses, ...payload];
  const fixed = [0x45 + options, 0, 0, 20 + 4 * options + payload.length, 0, 0, 0, 0, 64, protocol, 0, 0];
  return [...fixed, ...addresses, ...new Array<number>(4 * options).fill(1), ...payload];
}

const ports = (source: number, destination: number) => [
  source >> 8,
  source & 0xff,
  destination >> 8,
  destination & 0xff,
];

const FAMILIES = [
  {
    title: 'IPv4',
    ours: '10.9.0.2',
    neighbour: '10.9.0.3',
    peer: '10.9.0.1',
    transport: 0,
    icmp: 1,
    errors: [3, 11, 12],
  },
  {
    title: 'IPv6',
    ours: 'fd09::2',
    neighbour: 'fd09::3',
    peer: 'fd09::1',
    transport: 40,
    icmp: 58,
    errors: [1, 2, 3, 4],
  },
].map((one) => ({
  ...one,
  ours: IpAddress.parse(one.ours) as IpAddress,
  neighbour: IpAddress.parse(one.neighbour) as IpAddress,
  peer: IpAddress.parse(one.peer) as IpAddress,
}));
const RANGES = readPorts([7, '61000-61999']);

for (const { title, ours, neighbour, peer, transport, icmp, errors } of FAMILIES) {
  describe(`what a raw socket is given to read, ${title}`, () => {
    const transports = portFilter(ours, RANGES);
    const told = errorFilter(ours, RANGES);
    const isGiven = (bytes: number[]) => accepts(transports, new Uint8Array(bytes), transport);
    const isTold = (bytes: number[]) => accepts(told, new Uint8Array(bytes), transport);

    it('is what comes to its ports', () => {
      const given = [6, 7, 8, 60_999, 61_000, 61_500, 61_999, 62_000, 65_535].filter((port) =>
        isGiven(packet(peer, ours, 6, ports(7, port))),
      );
      expect(given).to.deep.equal([7, 61_000, 61_500, 61_999]);
    });

    it('is for its address', () => {
      expect(isGiven(packet(peer, neighbour, 6, ports(7, 7)))).to.equal(false);
    });

    if (title === 'IPv4') {
      it('is found behind options', () => {
        expect(isGiven(packet(peer, ours, 6, ports(9, 7), 3))).to.equal(true);
        expect(isGiven(packet(peer, ours, 6, ports(7, 9), 3))).to.equal(false);
      });
    }

    const quote = (type: number, quoted: number[], options = 0) =>
      packet(peer, ours, icmp, [type, 0, 0, 0, 0, 0, 0, 0, ...quoted], options);
    const ourSegment = (source: number, protocol = 6, options = 0) =>
      packet(ours, peer, protocol, ports(source, 80), options);

    it('are errors about what it sent', () => {
      const types = Array.from({ length: 256 }, (_, type) => type);
      expect(types.filter((type) => isTold(quote(type, ourSegment(61_007))) && type !== 0)).to.deep.equal(errors);
      expect(isTold(quote(3, ourSegment(61_007, 17)))).to.equal(true);
      if (title === 'IPv4') expect(isTold(quote(3, ourSegment(61_007, 6, 2), 1))).to.equal(true);
    });

    it('are not errors about the kernel’s segments, other protocols, or what somebody else sent', () => {
      expect(isTold(quote(3, ourSegment(50_000)))).to.equal(false);
      expect(isTold(quote(3, ourSegment(61_007, 132)))).to.equal(false);
      expect(isTold(quote(3, packet(neighbour, peer, 6, ports(61_007, 80))))).to.equal(false);
      expect(isTold(quote(3, ourSegment(61_007).slice(0, 21)))).to.equal(false);
    });
  });
}
