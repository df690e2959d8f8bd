import { expect } from 'chai';
import { PacketCopier } from '../../src/link/linear.ts';
import { CHECKSUM_NONE, CHECKSUM_VALIDATED, Packet } from '../../src/link/packet.ts';
import { Inbox } from '../../src/link/raw-inbox.ts';
import type { RawSocket } from '../../src/link/raw-package.ts';
import { Slab } from '../../src/link/slab.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { checksum, fold, pseudoHeaderSum4, sum } from '../../src/wire/checksum.ts';

const SOURCE = 0x0a090001;
const OURS = 0x0a090002;
const SYN = 0x02;
const ACK = 0x10;
const ECE_CWR = 0xc0;

/** A segment of TCP with `length` bytes of data; its checksum is right for IPv4, or the pseudo-header's sum alone. */
function segment(length: number, { partial = false, flags = ACK } = {}): Uint8Array {
  const bytes = new Uint8Array(20 + length).fill(0x61, 20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 80);
  view.setUint16(2, 61_007);
  view.setUint8(12, 0x51);
  view.setUint8(13, flags);
  const pseudo = pseudoHeaderSum4(SOURCE, OURS, 6) + bytes.length;
  view.setUint16(16, partial ? fold(pseudo) : checksum(sum(view, 0, bytes.length) + pseudo));
  return bytes;
}

function ipv4(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(20 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, bytes.length);
  view.setUint8(9, 6);
  view.setInt32(12, SOURCE);
  view.setInt32(16, OURS);
  bytes.set(payload, 20);
  return bytes;
}

/** Reads it as the link does. */
function take(bytes: Uint8Array, address: string, mtu = 1500) {
  const socket = {
    protocol: 6,
    source: 'fd09::1',
    receive: (buffer: Buffer) => {
      buffer.set(bytes);
      return bytes.length;
    },
  } as unknown as RawSocket;
  const slab = new Slab();
  const copier = new PacketCopier(slab);
  const packet = new Packet(slab.take(), 0);
  new Inbox(IpAddress.parse(address) as IpAddress, () => mtu).read(socket, copier, packet);
  return { packet, bytes: packet.chunk.bytes.slice(packet.offset, packet.offset + packet.length) };
}

describe('packets of raw sockets', () => {
  it('IPv4: are what the kernel gave, their checksums not looked at', () => {
    const whole = ipv4(segment(100));
    const { packet, bytes } = take(whole, '10.9.0.2');
    expect(bytes).to.deep.equal(whole);
    expect([packet.checksum, packet.segmentSize]).to.deep.equal([CHECKSUM_NONE, 0]);
  });

  it('IPv4: of this machine have a sum of the pseudo-header alone, and are vouched for', () => {
    expect(take(ipv4(segment(100, { partial: true })), '10.9.0.2').packet.checksum).to.equal(CHECKSUM_VALIDATED);
    const damaged = segment(100, { partial: true });
    damaged[17] = (damaged[17] as number) ^ 1;
    expect(take(ipv4(damaged), '10.9.0.2').packet.checksum).to.equal(CHECKSUM_NONE);
  });

  it('longer than the mtu were put together: they tell the size of their pieces', () => {
    expect(take(ipv4(segment(2920, { partial: true })), '10.9.0.2').packet).to.include({
      segmentSize: 1460,
      transportOffset: 20,
      checksumOffset: 16,
    });
    expect(take(segment(2880), 'fd09::2').packet).to.include({ segmentSize: 1440, transportOffset: 40 });
  });

  it('IPv6: get a header again', () => {
    const { packet, bytes } = take(segment(3), 'fd09::2');
    const address = (last: number) => [0xfd, 9, ...new Array<number>(13).fill(0), last];
    expect([...bytes.subarray(0, 40)]).to.deep.equal([0x60, 0, 0, 0, 0, 23, 6, 64, ...address(1), ...address(2)]);
    expect(bytes.subarray(40)).to.deep.equal(segment(3));
    expect(packet.checksum).to.equal(CHECKSUM_VALIDATED);
  });

  it('IPv6: nobody agrees on ECN, whose marks would not be seen', () => {
    const flagsOf = (bytes: Uint8Array) => [(bytes[52] as number) & 1, bytes[53]];
    expect(flagsOf(take(segment(0, { flags: SYN | ECE_CWR }), 'fd09::2').bytes)).to.deep.equal([0, SYN]);
    expect(flagsOf(take(segment(0, { flags: SYN | ACK | ECE_CWR }), 'fd09::2').bytes)).to.deep.equal([0, SYN | ACK]);
    expect(flagsOf(take(segment(0, { flags: ACK | ECE_CWR }), 'fd09::2').bytes)).to.deep.equal([1, ACK | ECE_CWR]);
  });
});
