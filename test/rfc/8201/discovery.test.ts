/** RFC 8201: path MTU discovery for IPv6, as TCP and UDP do it; the cases of RFC 1191 that are alike run here for IPv4, too. */
import { expect } from 'chai';
import type { OpError } from '../../../src/net/op-error.ts';
import {
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  IP_PMTUDISC_PROBE,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU,
  IPV6_MTU_DISCOVER,
} from '../../../src/socket/constants.ts';
import { pattern, readFully, rejection } from '../../support/pair.ts';
import { Told } from '../../support/told.ts';

for (const family of [4, 6] as const) {
  const rfc = family === 4 ? 'RFC 1191' : 'RFC 8201';
  const headers = family === 4 ? 40 : 60;
  // A socket's level and options for it.
  const [level, mtuOption, discover] =
    family === 4 ? [IPPROTO_IP, IP_MTU, IP_MTU_DISCOVER] : [IPPROTO_IPV6, IPV6_MTU, IPV6_MTU_DISCOVER];

  describe(`${rfc}: path MTU discovery over IPv${family}, TCP`, () => {
    let t: Told;
    afterEach(() => t.close());

    it('RFC 1191 3, 6.4, RFC 8201 4, 5.4: a packet too big reduces the estimate, and what was too large goes again at once, cut anew', async () => {
      t = new Told(family);
      const { dialled, accepted } = await t.connect();
      const done = Promise.all([dialled.write(pattern(5000)), readFully(accepted, 5000)]);
      await t.clock.advance(0);
      const large = t.last();
      expect(t.largest()).to.equal(1500);
      t.tooBig(large, 1300);
      await t.clock.advance(0);
      const again = t.sent();
      expect(again.length).to.be.greaterThan(3);
      expect(Math.max(...again.map(({ size }) => size))).to.equal(1300);
      expect(dialled.tcpInfo().tcpi_pmtu).to.equal(1300);
      // No congestion: RFC 8201 5.4.
      expect(dialled.tcpInfo().tcpi_snd_cwnd).to.equal(10);
      const [, got] = await t.run(done);
      expect(Buffer.compare(got, pattern(5000))).to.equal(0);
      expect(t.near.counters.TCPTimeouts).to.equal(0);
    });

    it('RFC 1191 3, RFC 8201 4: it must not raise the estimate', async () => {
      t = new Told(family);
      const { dialled } = await t.connect();
      const quoted = await largeSegment(t, dialled);
      for (const mtu of [1400, 1450, 1500, 9000]) t.tooBig(quoted, mtu);
      expect(dialled.tcpInfo().tcpi_pmtu).to.equal(1400);
    });

    it('RFC 5927 7.2, RFC 8201 4: what quotes nothing that is out is not believed', async () => {
      t = new Told(family);
      const { dialled } = await t.connect();
      const quoted = await largeSegment(t, dialled);
      t.tooBig(quoted, 1400, -100_000);
      t.tooBig(quoted, 1400, 100_000);
      const other = quoted.slice();
      other[headers - 20] = 9;
      t.tooBig(other, 1400);
      expect(dialled.tcpInfo().tcpi_pmtu).to.equal(1500);
    });

    it('RFC 1191 5.2, RFC 8201 5.2: all connections to the destination follow, those that are there and those to come', async () => {
      t = new Told(family);
      const one = await t.connect();
      const other = await t.connect();
      t.tooBig(await largeSegment(t, one.dialled), 1300);
      await t.clock.advance(20);
      t.sent();
      await other.dialled.write(pattern(3000));
      await t.clock.advance(0);
      expect(t.largest()).to.equal(1300);
      const later = await t.connect();
      expect(later.dialled.tcpInfo().tcpi_pmtu).to.equal(1300);
    });

    it('RFC 1191 6.3, RFC 8201 5.3: what is stale is forgotten, after mtu_expires (10 minutes)', async () => {
      t = new Told(family);
      const { dialled } = await t.connect();
      t.tooBig(await largeSegment(t, dialled), 1300);
      await t.clock.advance(599_000);
      expect(dialled.tcpInfo().tcpi_pmtu).to.equal(1300);
      await t.clock.advance(2000);
      // A connection looks when it sends.
      t.sent();
      await dialled.write(pattern(3000));
      await t.clock.advance(0);
      expect(t.largest()).to.equal(1500);
      expect(dialled.tcpInfo().tcpi_pmtu).to.equal(1500);
    });

    it('RFC 8201 5.2: what a datagram found out, TCP knows', async () => {
      t = new Told(family);
      const { near } = await t.datagrams();
      const { dialled } = await t.connect();
      await near.write(pattern(1400));
      await t.clock.advance(0);
      t.tooBig(t.last(), 1300);
      t.sent();
      await dialled.write(pattern(3000));
      await t.clock.advance(0);
      expect(t.largest()).to.equal(1300);
      expect(dialled.tcpInfo().tcpi_pmtu).to.equal(1300);
    });
  });

  describe(`${rfc}: path MTU discovery over IPv${family}, UDP`, () => {
    let t: Told;
    afterEach(() => t.close());

    it('RFC 8201 5.5: datagrams are cut to what the path takes, from then on', async () => {
      t = new Told(family);
      const { near, far } = await t.datagrams();
      const bytes = pattern(1400);
      await near.write(bytes);
      await t.clock.advance(0);
      expect(t.sent()).to.have.length(1);
      await near.write(bytes);
      await t.clock.advance(0);
      t.tooBig(t.last(), 1300);
      t.sent();
      // The error is told once to who is connected (Linux).
      const told = await t.run(rejection(near.write(bytes)));
      expect((told as OpError).code).to.equal('EMSGSIZE');
      await near.write(bytes);
      await t.clock.advance(10);
      const fragments = t.sent();
      expect(fragments).to.have.length(2);
      for (const { size } of fragments) expect(size).to.be.at.most(1300);
      for (let i = 0; i < 3; i++) {
        const { data } = (await t.run(far.readDatagram())) as unknown as { data: Uint8Array };
        expect(data.length).to.equal(1400);
      }
    });

    for (const [name, mode] of [
      ['DO', IP_PMTUDISC_DO],
      ['PROBE', IP_PMTUDISC_PROBE],
    ] as const)
      it(`PMTUDISC_${name}: ${name === 'DO' ? 'what is larger is EMSGSIZE' : 'what the link takes goes, whatever routers said (RFC 8899 probes so)'}`, async () => {
        t = new Told(family);
        const { near } = await t.datagrams({
          control: (_network, _address, socket) => void socket.setsockopt(level, discover, mode),
        });
        await near.write(pattern(1400));
        await t.clock.advance(0);
        t.tooBig(t.last(), 1300);
        t.sent();
        await t.run(rejection(near.write(pattern(1000))));
        const larger = await Promise.race([near.write(pattern(1400)).catch((error: OpError) => error.code), 0]);
        await t.clock.advance(0);
        if (name === 'DO') {
          expect(await t.run(near.write(pattern(1400)).catch((error: OpError) => error.code))).to.equal('EMSGSIZE');
          await near.write(pattern(1300 - headers + 20 - 8));
          await t.clock.advance(0);
          expect(t.largest()).to.equal(1300);
        } else {
          expect(larger).to.not.equal('EMSGSIZE');
          expect(t.largest()).to.equal(1400 + 8 + headers - 20);
        }
      });

    it('a socket is told what is known', async () => {
      t = new Told(family);
      let known: unknown;
      const { near } = await t.datagrams();
      await near.write(pattern(1400));
      await t.clock.advance(0);
      t.tooBig(t.last(), 1300);
      const { near: other } = await t.datagrams({
        control: (_network, _address, socket) => {
          known = () => socket.getsockopt(level, mtuOption);
        },
      });
      expect((known as () => unknown)()).to.equal(1300);
      other.close();
    });
  });
}

describe('path MTU discovery: what is not so with IPv4', () => {
  let t: Told;
  afterEach(() => t.close());

  it('RFC 8201 4: less than 1280 is not believed', async () => {
    t = new Told(6);
    const { dialled } = await t.connect();
    const quoted = await largeSegment(t, dialled);
    for (const mtu of [0, 68, 1279]) t.tooBig(quoted, mtu);
    expect(dialled.tcpInfo().tcpi_pmtu).to.equal(1500);
    t.tooBig(quoted, 1280);
    expect(dialled.tcpInfo().tcpi_pmtu).to.equal(1280);
  });

  it('RFC 1191 5 (and RFC 5927 7.3): an IPv4 router that says less than min_pmtu, or nothing, gets packets without DF', async () => {
    t = new Told(4);
    const { dialled } = await t.connect();
    const quoted = await largeSegment(t, dialled);
    t.sent();
    t.tooBig(quoted, 0);
    await t.clock.advance(0);
    expect(dialled.tcpInfo().tcpi_pmtu).to.equal(552);
    const [again] = t.sent();
    expect(again?.dontFragment).to.equal(false);
  });
});

/** A segment of the largest size goes out; it is what the last call of `last` gives. */
async function largeSegment(t: Told, conn: { write(bytes: Uint8Array): Promise<number> }): Promise<Uint8Array> {
  t.sent();
  await conn.write(pattern(1500 - (t.family === 4 ? 52 : 72)));
  await t.clock.advance(0);
  return t.last();
}
