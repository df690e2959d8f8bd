/** RFC 792, RFC 1122 3.2.2: ICMP that the host answers and sends. */
import { expect } from 'chai';
import { IpAddress } from '../../../src/wire/address.ts';
import { buildUdp } from '../../support/wire-datagram.ts';
import { describeIpv4 } from '../../support/wire-family.ts';
import { bytesOf, DUT, established, filler, PEER, textOf, WirePeer } from '../../support/wire-peer.ts';
import { buildIcmp, buildIp } from '../../support/wire-segment.ts';

function udp(length: number, source = PEER, destination = DUT): Uint8Array {
  return buildUdp({ source, destination, data: filler(length) });
}

describeIpv4('RFC 792: echo', () => {
  for (const length of [0, 1, 56, 57, 1472]) {
    it(`RFC 1122 3.2.2.6: a request with ${length} bytes is answered with the same`, () => {
      const t = new WirePeer();
      t.injectIcmp({ type: 8, rest: 0x12345678, body: filler(length) });
      const { body } = t.expectIcmp({ type: 0, code: 0 });
      expect(textOf(body)).to.equal(textOf(filler(length)));
      expect(t.counters.IcmpInEchos).to.equal(1);
      expect(t.counters.IcmpOutEchoReps).to.equal(1);
    });
  }

  it('identifier and sequence number come back, and the checksum is right', () => {
    const t = new WirePeer();
    t.injectIcmp({ type: 8, rest: 0x12345678, body: bytesOf('odd') });
    t.expectIcmp({ type: 0, code: 0 });
    expect(t.ladder()).to.match(/echo reply/i);
  });

  it('a wrong checksum is dropped and counted', () => {
    const t = new WirePeer();
    const bytes = buildIcmp(PEER.w3, DUT.w3, 8, 0, 1, bytesOf('ping'));
    bytes[22] = (bytes[22] as number) ^ 1;
    t.injectBytes(bytes);
    t.expectNothing();
    expect(t.counters.IcmpInErrors).to.equal(1);
  });

  it('icmp_echo_ignore_all', () => {
    const t = new WirePeer({ sysctl: { icmp_echo_ignore_all: true } });
    t.injectIcmp({ type: 8, body: bytesOf('ping') });
    t.expectNothing();
  });

  it('a request from a broadcast address is not answered', () => {
    const t = new WirePeer();
    for (const source of ['255.255.255.255', '10.0.0.255', '224.0.0.1', '0.0.0.0']) {
      t.injectBytes(buildIcmp((IpAddress.parse(source) as IpAddress).w3, DUT.w3, 8, 0, 1, bytesOf('smurf')));
    }
    t.expectNothing();
  });
});

describeIpv4('RFC 1122 3.2.2.1: destination unreachable', () => {
  it('a datagram for a port that nobody has: port unreachable, quoting it', () => {
    const t = new WirePeer();
    const bytes = udp(100);
    t.injectBytes(bytes);
    const { body } = t.expectIcmp({ type: 3, code: 3 });
    expect(textOf(body)).to.equal(textOf(bytes));
  });

  it('of a long one 548 bytes are quoted: the message stays within 576 (RFC 1812 4.3.2.3)', () => {
    const t = new WirePeer();
    const bytes = udp(1400);
    t.injectBytes(bytes);
    const { body } = t.expectIcmp({ type: 3, code: 3 });
    expect(textOf(body)).to.equal(textOf(bytes.subarray(0, 548)));
  });

  it('a protocol that is not there: protocol unreachable', () => {
    const t = new WirePeer();
    t.injectBytes(buildIp(PEER.w3, DUT.w3, 99, 30));
    t.expectIcmp({ type: 3, code: 2 });
    expect(t.counters.InUnknownProtos).to.equal(1);
  });

  it('RFC 1122 3.2.2: no error about an ICMP error, nor to a source that is no host', () => {
    const t = new WirePeer();
    t.injectIcmp({ type: 3, code: 3, body: udp(10) });
    t.injectIcmp({ type: 11, code: 0, body: udp(10) });
    t.injectIcmp({ type: 250, body: udp(10) });
    t.injectBytes(udp(10, IpAddress.parse('255.255.255.255')));
    t.injectBytes(udp(10, IpAddress.parse('10.0.0.255')));
    t.injectBytes(udp(10, PEER, IpAddress.parse('10.0.0.255')));
    t.expectNothing();
  });

  it('RFC 1812 4.3.2.8: errors are limited: a burst of 6 to one destination, then one a second', async () => {
    const t = new WirePeer();
    const count = () => {
      let seen = 0;
      for (;;) {
        try {
          t.expectIcmp({ type: 3, code: 3 });
          seen++;
        } catch {
          return seen;
        }
      }
    };
    for (let i = 0; i < 50; i++) t.injectBytes(udp(10));
    expect(count()).to.equal(6);
    expect(t.counters.IcmpOutRateLimitHost).to.equal(44);
    await t.advance(3000);
    for (let i = 0; i < 50; i++) t.injectBytes(udp(10));
    expect(count()).to.equal(3);
  });

  it('echo replies are not limited', () => {
    const t = new WirePeer();
    for (let i = 0; i < 100; i++) t.injectIcmp({ type: 8, body: bytesOf('ping') });
    for (let i = 0; i < 100; i++) t.expectIcmp({ type: 0, code: 0 });
  });
});

describeIpv4('RFC 791, RFC 1122 3.2.1: what IP drops', () => {
  it('a wrong header checksum, version, or length', async () => {
    const t = await established();
    const good = () => buildIp(PEER.w3, DUT.w3, 6, 20);
    for (const [at, value] of [
      [10, 0],
      [0, 0x75],
      [0, 0x44],
      [0, 0x4f],
      [3, 200],
      [3, 10],
    ] as const) {
      const bytes = good();
      bytes[at] = value;
      t.injectBytes(bytes);
    }
    t.injectBytes(good().subarray(0, 12));
    t.expectNothing();
    expect(t.counters.InHdrErrors).to.equal(7);
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('what is for another host, or from inside this one', () => {
    const t = new WirePeer();
    for (const destination of ['10.0.0.7', '192.0.2.1', '127.0.0.1']) {
      t.injectBytes(udp(10, PEER, IpAddress.parse(destination)));
    }
    t.expectNothing();
    expect(t.counters.InAddrErrors).to.equal(3);
  });

  it('RFC 1122 3.2.1.3: a source in 127/8 comes from nobody', () => {
    const t = new WirePeer();
    t.injectBytes(udp(10, IpAddress.parse('127.0.0.1')));
    t.injectBytes(udp(10, DUT));
    t.expectNothing();
  });
});
