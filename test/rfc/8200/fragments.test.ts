/** RFC 8200 4.5: the Fragment header. Timeouts: test/rfc/1122; order: test/rfc/815; overlaps: test/rfc/5722. */
import { expect } from 'chai';
import { AF_INET6, SOCK_DGRAM } from '../../../src/socket/constants.ts';
import { createSocket } from '../../../src/socket/create-socket.ts';
import type { DatagramSocket } from '../../../src/socket/datagram-socket.ts';
import type { IpAddress } from '../../../src/wire/address.ts';
import { checksum, sum } from '../../../src/wire/checksum.ts';
import { buildIp6, FragmentBench, fragmentHeader, pseudoSum6, readIp } from '../../support/wire-fragment.ts';

const FRAGMENT = 44;
const HOP_BY_HOP = 0;
const DESTINATION = 60;
const TCP = 6;
const UDP = 17;
const PING = 58;
const PARAMETER_PROBLEM = 4;

/** An options header of 8 bytes: PadN. */
const padding = (next: number) => Uint8Array.of(next, 0, 1, 4, 0, 0, 0, 0);

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe('RFC 8200 4.5: reassembly', () => {
  it('fragments with the same source, destination and identification are a packet', () => {
    const t = new FragmentBench(6);
    const ping = t.ping(3000);
    t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000, 2000), t.piece(ping, 2000));
    t.expectEcho(ping);
    expect(t.stack.counters).to.include({ Ip6ReasmReqds: 3, Ip6ReasmOKs: 1, Ip6ReasmFails: 0, ReasmReqds: 0 });
    expect(t.stack.counters).to.include({ Ip6InReceives: 3, Ip6InDelivers: 1 });
    t.close();
  });

  for (const [what, spec] of [
    ['identification', { identification: 0x01000064 }],
    ['source', { source: 'fd00::3' }],
    ['source, by the first word', { source: 'fd01::2' }],
  ] as const) {
    it(`they are not, when one has another ${what}`, () => {
      const t = new FragmentBench(6);
      const ping = t.ping(2000);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000, 2000, spec));
      t.expectNothing();
      expect(t.stack.reassembly.size).to.equal(2);
      t.send(t.piece(ping, 1000));
      t.expectEcho(ping);
      t.close();
    });
  }

  it('the Next Header values of the fragments may differ: that of the first one counts', () => {
    const t = new FragmentBench(6);
    const ping = t.ping(3000);
    t.send(
      t.piece(ping, 1000, 2000, { protocol: UDP }),
      t.piece(ping, 2000, 3000, { protocol: TCP }),
      t.piece(ping, 0, 1000),
    );
    t.expectEcho(ping);
    t.close();
  });

  it('headers before the Fragment header are those of the first fragment; the last one names what the Fragment header named', () => {
    const t = new FragmentBench(6);
    const ping = t.ping(2000);
    const two = { options: joined(padding(DESTINATION), padding(FRAGMENT)), before: HOP_BY_HOP };
    t.send(t.piece(ping, 0, 1000, two), t.piece(ping, 1000));
    t.expectEcho(ping);
    const other = t.ping(2000);
    t.send(t.piece(other, 1000, 2000, two), t.piece(other, 0, 1000));
    t.expectEcho(other);
    t.close();
  });

  it('headers behind it belong to the whole', () => {
    const t = new FragmentBench(6);
    const { bytes, identification } = t.ping(2000);
    const whole = { bytes: joined(padding(PING), bytes), identification };
    const spec = { protocol: DESTINATION };
    t.send(t.piece(whole, 0, 1000, spec), t.piece(whole, 1000, 2008, spec));
    t.expectEcho({ bytes, identification });
    t.close();
  });

  it('what they say that is wrong is reported with a pointer into the whole', () => {
    const t = new FragmentBench(6);
    const { bytes, identification } = t.ping(2000);
    const unknown = Uint8Array.of(PING, 0, 0x81, 4, 0, 0, 0, 0);
    const whole = { bytes: joined(unknown, bytes), identification };
    t.send(t.piece(whole, 0, 1000, { protocol: DESTINATION }), t.piece(whole, 1000, 2008, { protocol: DESTINATION }));
    t.expectError(PARAMETER_PROBLEM, 2, 42);
    t.close();
  });

  it('a fragment in fragments is nothing that a host makes', () => {
    const t = new FragmentBench(6);
    const ping = t.ping(400);
    const inner = joined(Uint8Array.from(fragmentHeader(PING, 0, true, 5)), ping.bytes);
    const spec = { protocol: FRAGMENT };
    const whole = { bytes: inner, identification: 9 };
    t.send(t.piece(whole, 0, 200, spec), t.piece(whole, 200, 408, spec));
    t.expectError(PARAMETER_PROBLEM, 0, 40);
    t.close();
  });

  it('nor is one behind an atomic fragment, or behind fragments', () => {
    for (const offset of [0, 1]) {
      const t = new FragmentBench(6);
      const ping = t.ping(200);
      const inner = joined(Uint8Array.from(fragmentHeader(PING, 0, offset === 1, 5)), ping.bytes);
      t.send(buildIp6(inner, { protocol: FRAGMENT }));
      t.expectError(PARAMETER_PROBLEM, 0, 48);
      t.send(
        ...[0, 104].map((at) =>
          buildIp6(inner.subarray(at, at + 104), { protocol: FRAGMENT, offset: at, more: at === 0 }),
        ),
      );
      t.expectError(PARAMETER_PROBLEM, 0, 40);
      t.expectEmpty();
    }
  });

  it('4.1: hop-by-hop options are not fragmented: parameter problem, code 1, at what names them', () => {
    const t = new FragmentBench(6);
    const { bytes, identification } = t.ping(400);
    const whole = { bytes: joined(padding(PING), bytes), identification };
    t.send(t.piece(whole, 0, 200, { protocol: HOP_BY_HOP }));
    t.expectError(PARAMETER_PROBLEM, 1, 40);
    t.expectEmpty();
  });

  it('a length that is no multiple of 8, and not the last: parameter problem, code 0, at the Payload Length', () => {
    const t = new FragmentBench(6);
    const ping = t.ping(2000);
    const uneven = t.piece(ping, 0, 1004);
    t.send(uneven);
    const quoted = t.expectError(PARAMETER_PROBLEM, 0, 4);
    expect(Buffer.from(quoted).equals(uneven)).to.equal(true);
    expect(t.stack.counters).to.include({ Ip6InHdrErrors: 1, Icmp6OutParmProblems: 1 });
    t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000));
    t.expectEcho(ping);
    t.close();
  });

  it('a packet that would be longer than 65,535: parameter problem, code 0, at the Fragment Offset', () => {
    const t = new FragmentBench(6);
    const beyond = { offset: 65_528, identification: 5 };
    t.send(buildIp6(new Uint8Array(8), beyond));
    t.expectError(PARAMETER_PROBLEM, 0, 42);
    t.send(buildIp6(new Uint8Array(7), { ...beyond, options: padding(FRAGMENT), before: DESTINATION }));
    t.expectError(PARAMETER_PROBLEM, 0, 50);
    expect(t.stack.counters.Ip6InHdrErrors).to.equal(2);
    t.expectEmpty();
    t.send(buildIp6(new Uint8Array(7), beyond));
    t.expectNothing();
    expect(t.stack.reassembly.size).to.equal(1);
    t.close();
  });

  it('the largest: 65,535 bytes behind the IPv6 header', () => {
    const t = new FragmentBench(6);
    const ping = t.ping(65_535);
    t.send(t.piece(ping, 0, 32_000), t.piece(ping, 32_000));
    const packets = t.link.drain();
    // With its Fragment headers the answer takes two packets of the link's MTU.
    expect(packets.map((bytes) => readIp(bytes).payload.length)).to.deep.equal([65_480, 55]);
    t.close();
  });

  it('headers of the first fragment that make it longer than that: dropped', () => {
    const t = new FragmentBench(6);
    const ping = t.ping(65_535);
    t.send(t.piece(ping, 32_000), t.piece(ping, 0, 32_000, { options: padding(FRAGMENT), before: DESTINATION }));
    t.expectNothing();
    expect(t.stack.counters).to.include({ Ip6ReasmFails: 1, Ip6ReasmOKs: 0 });
    t.close();
  });

  it('between link-local addresses the zone is kept', () => {
    const t = new FragmentBench(6);
    const own = t.stack.interfaces[0]?.addresses.find(({ address }) => address.isLinkLocal)?.address as IpAddress;
    const socket = createSocket(t.stack, AF_INET6, SOCK_DGRAM, 0) as DatagramSocket;
    socket.bind({ address: own, port: 7 });
    const spec = { source: 'fe80::2', destination: own.withZone(0).toString(), protocol: UDP };
    const payload = new Uint8Array(2000);
    new DataView(payload.buffer).setUint32(0, 0x00070007);
    new DataView(payload.buffer).setUint16(4, payload.length);
    const total = sum(new DataView(payload.buffer), 0, 2000) + pseudoSum6(spec.source, spec.destination, UDP, 2000);
    new DataView(payload.buffer).setUint16(6, checksum(total));
    const datagram = { bytes: payload, identification: 3 };
    t.send(t.piece(datagram, 0, 1000, spec), t.piece(datagram, 1000, 2000, spec));
    const message = socket.recvfrom(new Uint8Array(3000));
    expect(message).to.be.an('object').with.property('length', 1992);
    expect(typeof message === 'object' && message.from.address.zone)
      .to.equal(own.zone)
      .and.to.be.greaterThan(0);
    socket.close();
    t.close();
  });
});

describe('RFC 8200 4.5, 5: fragmentation', () => {
  for (const mtu of [1280, 1500, 9000]) {
    it(`an answer that is too large for MTU ${mtu} goes in fragments that are not`, () => {
      const t = new FragmentBench(6, { mtu });
      const ping = t.ping(30_003);
      t.send(t.piece(ping, 0));
      const packets = [...t.link.sent];
      expect(packets.every((bytes) => readIp(bytes).isFragment)).to.equal(true);
      t.expectEcho(ping);
      const most = 48 + ((mtu - 48) & ~7);
      expect(packets.slice(0, -1).every(({ length }) => length === most)).to.equal(true);
      expect(packets.at(-1)?.length).to.be.at.most(mtu);
      const count = Math.ceil(30_003 / (most - 48));
      expect(t.stack.counters).to.include({ Ip6FragOKs: 1, Ip6FragCreates: count, Ip6FragFails: 0 });
      t.close();
    });
  }

  it('what fits has no Fragment header', () => {
    const t = new FragmentBench(6, { mtu: 1280 });
    const ping = t.ping(1240);
    t.send(t.piece(ping, 0));
    expect(t.link.sent).to.have.length(1);
    expect(t.expectEcho(ping).isFragment).to.equal(false);
    t.close();
  });
});
