/** RFC 1191: path MTU discovery, as a host that sends TCP does it. */
import { expect } from 'chai';
import {
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  IP_PMTUDISC_DONT,
  IP_PMTUDISC_INTERFACE,
  IP_PMTUDISC_OMIT,
  IP_PMTUDISC_PROBE,
  IP_PMTUDISC_WANT,
  IPPROTO_IP,
  IPPROTO_TCP,
  TCP_MAXSEG,
} from '../../../src/socket/constants.ts';
import { EINVAL, EMSGSIZE, ENOTCONN } from '../../../src/socket/errno.ts';
import { IpAddress } from '../../../src/wire/address.ts';
import { describeIpv4 } from '../../support/wire-family.ts';
import { info } from '../../support/wire-info.ts';
import { discovering, dontFragment, identification, pathMtu, tooLarge } from '../../support/wire-mtu.ts';
import { established, listening, WirePeer } from '../../support/wire-peer.ts';

describeIpv4('RFC 1191: path MTU discovery', () => {
  it('3: packets are as large as the first hop takes, and have DF set', async () => {
    const t = await established();
    t.write(3000);
    for (const segment of t.drain()) expect(dontFragment(segment)).to.equal(true);
    expect(pathMtu(t)).to.equal(1500);
  });

  it('3: told of a smaller hop, it reduces its estimate; 6.4: what was too large goes again at once, cut anew', async () => {
    const t = await established();
    t.write(4380);
    const [first] = t.drain();
    tooLarge(t, first as never, 1400);
    expect(pathMtu(t)).to.equal(1400);
    expect(t.drain().map(({ seq, length }) => [seq, length])).to.deep.equal([
      [1, 1360],
      [1361, 1360],
      [2721, 1360],
      [4081, 300],
    ]);
    t.inject({ ack: 4381 });
    t.write(1460);
    t.expect({ seq: 4381, length: 1360 });
  });

  it('6.4: that is no congestion: cwnd and ssthresh stay, and recovery ends with what was out', async () => {
    const t = await established({ options: { mss: 1460, sackOk: true } });
    t.write(4380);
    const [first] = t.drain();
    tooLarge(t, first as never, 1400);
    expect(info(t)).to.include({ tcpi_ca_state: 4, tcpi_snd_cwnd: 10, tcpi_snd_ssthresh: 0x7fffffff, tcpi_lost: 4 });
    t.drain();
    t.inject({ ack: 4381 });
    expect(info(t).tcpi_ca_state).to.equal(0);
    expect(info(t).tcpi_snd_cwnd).to.be.at.least(10);
  });

  it('6.4: what still fits does not go again', async () => {
    const t = await established();
    t.write(100);
    const small = t.expect({ length: 100 });
    tooLarge(t, small, 1400);
    expect(pathMtu(t)).to.equal(1400);
    t.expectNothing();
    expect(info(t).tcpi_ca_state).to.equal(0);
  });

  it('6.4: segments above SACKs go again, those that were SACKed do not', async () => {
    const t = await established({ options: { mss: 1460, sackOk: true } });
    t.write(4380);
    const [first] = t.drain();
    t.inject({ ack: 1, options: { sack: [[1461, 2921]] } });
    tooLarge(t, first as never, 1000);
    expect(t.drain().map(({ seq, length }) => [seq, length])).to.deep.equal([
      [1, 960],
      [961, 500],
      [2921, 960],
      [3881, 500],
    ]);
  });

  it('6.4: a SYN that is out is not retransmitted for it; it and the data that follow keep to the MTU', async () => {
    const other = new WirePeer();
    other.connect();
    const sent = other.expect({ flags: 'S' });
    expect(sent.options.mss).to.equal(1460);
    tooLarge(other, sent, 1200);
    other.expectNothing();
    await other.advance(1000);
    // Linux: the SYN that goes again advertises what the path takes.
    expect(other.expect({ flags: 'S' }).options.mss).to.equal(1160);
    other.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
    other.expect({ flags: 'A' });
    expect(other.socket.getsockopt(IPPROTO_TCP, TCP_MAXSEG)).to.equal(1160);
    other.write(2000);
    other.expect({ length: 1160 });
  });

  it('5.2: what one connection learns, others to the same host know: those that are open, and new ones', async () => {
    const t = listening();
    t.handshake(40_000);
    const one = t.accept();
    t.write(1460);
    const large = t.expect({ length: 1460 });
    tooLarge(t, large, 1300);
    t.expect({ length: 1260 });
    t.expect({ length: 200 });
    const answer = t.handshake(40_001);
    expect(answer.options.mss).to.equal(1260);
    t.accept();
    expect(pathMtu(t)).to.equal(1300);
    t.write(1460);
    t.expect({ length: 1260, to: 40_001 });
    expect(one.getsockopt(IPPROTO_IP, IP_MTU)).to.equal(1300);
  });

  it('6.3: after mtu_expires the estimate is the first hop again', async () => {
    const t = await established({ sysctl: { mtu_expires: 60 } });
    t.write(1460);
    tooLarge(t, t.expect({ length: 1460 }), 1300);
    t.drain();
    t.inject({ ack: 1461 });
    await t.advance(59_999);
    expect(pathMtu(t)).to.equal(1300);
    await t.advance(2);
    expect(pathMtu(t)).to.equal(1500);
    t.write(1460);
    t.expect({ length: 1460 });
  });

  it('6.3: what is said again lives on', async () => {
    const t = await established({ sysctl: { mtu_expires: 60 } });
    t.write(1460);
    const large = t.expect({ length: 1460 });
    tooLarge(t, large, 1300);
    t.drain();
    await t.advance(150);
    tooLarge(t, large, 1300);
    await t.advance(59_900);
    expect(pathMtu(t)).to.equal(1300);
    await t.advance(200);
    expect(pathMtu(t)).to.equal(1500);
  });

  it('6.3: one that is told again does not make another live longer', async () => {
    const t = await established({ sysctl: { mtu_expires: 60 } });
    const { mtus } = t.stack.network;
    const [one, other] = [IpAddress.v4(0x0b000001), IpAddress.v4(0x0b000002)];
    mtus.learn(one, 1000, 1500);
    await t.advance(10_000);
    mtus.learn(other, 1000, 1500);
    await t.advance(10_000);
    mtus.learn(one, 900, 1000);
    await t.advance(50_001);
    expect(mtus.of(other)).to.equal(undefined);
    expect(mtus.of(one)?.mtu).to.equal(900);
    await t.advance(10_001);
    expect(mtus.size).to.equal(0);
  });

  it('5: a router that says no MTU: min_pmtu, and without DF (Linux); the identification counts then', async () => {
    const t = await established();
    t.write(1460);
    const large = t.expect({ length: 1460 });
    expect(identification(large)).to.equal(0);
    tooLarge(t, large, 0);
    expect(pathMtu(t)).to.equal(552);
    const [first, second, third] = t.drain();
    expect([first?.length, second?.length, third?.length]).to.deep.equal([512, 512, 436]);
    for (const segment of [first, second, third]) expect(dontFragment(segment as never)).to.equal(false);
    const ids = [first, second, third].map((segment) => identification(segment as never));
    expect(ids[1]).to.equal(((ids[0] as number) + 1) & 0xffff);
    expect(ids[2]).to.equal(((ids[0] as number) + 2) & 0xffff);
  });

  it('5: super-segments take an identification for each piece', async () => {
    const t = await established({ offload: true, setup: discovering(IP_PMTUDISC_DONT) });
    t.write(4380);
    const large = t.expect({ length: 4380 });
    t.inject({ ack: 4381 });
    t.write(10);
    const next = t.expect({ length: 10 });
    expect((identification(next) - identification(large)) & 0xffff).to.equal(4);
  });

  it('ip_no_pmtu_disc 1: sockets send without DF; 2: what routers say is ignored', async () => {
    const off = await established({ sysctl: { ip_no_pmtu_disc: 1 } });
    off.write(1460);
    expect(dontFragment(off.expect())).to.equal(false);
    const deaf = await established({ sysctl: { ip_no_pmtu_disc: 2 } });
    deaf.write(1460);
    tooLarge(deaf, deaf.expect(), 1000);
    deaf.expectNothing();
    expect(pathMtu(deaf)).to.equal(1500);
  });

  it('ip_no_pmtu_disc 1: the MTU that a router names counts as min_pmtu (Linux)', async () => {
    const t = await established({ sysctl: { ip_no_pmtu_disc: 1 } });
    t.write(1460);
    tooLarge(t, t.expect(), 1400);
    expect(pathMtu(t)).to.equal(552);
  });

  for (const [name, mode, df] of [
    ['DONT', IP_PMTUDISC_DONT, false],
    ['WANT', IP_PMTUDISC_WANT, true],
    ['DO', IP_PMTUDISC_DO, true],
    ['PROBE', IP_PMTUDISC_PROBE, false],
    ['INTERFACE', IP_PMTUDISC_INTERFACE, false],
    ['OMIT', IP_PMTUDISC_OMIT, false],
  ] as const) {
    const again = mode === IP_PMTUDISC_WANT || mode === IP_PMTUDISC_DO || mode === IP_PMTUDISC_PROBE;
    it(`IP_PMTUDISC_${name}: ${df ? 'with' : 'without'} DF, ${again ? 'cuts anew and sends again' : 'waits for its timer'}`, async () => {
      const t = await established({ setup: discovering(mode) });
      expect(t.socket.getsockopt(IPPROTO_IP, IP_MTU_DISCOVER)).to.equal(mode);
      t.write(1460);
      const large = t.expect({ length: 1460 });
      expect(dontFragment(large)).to.equal(df);
      tooLarge(t, large, 1000);
      if (again) {
        t.expect({ seq: 1, length: 960 });
        t.expect({ seq: 961, length: 500 });
      } else {
        t.expectNothing();
        // Linux: what is sent next keeps to it all the same.
        t.inject({ ack: 1461 });
        t.write(1460);
        t.expect({ length: 960 });
      }
    });
  }

  it('IP_PMTUDISC_DO: DF stays when the router names no MTU', async () => {
    const t = await established({ setup: discovering(IP_PMTUDISC_DO) });
    t.write(1460);
    tooLarge(t, t.expect(), 0);
    expect(dontFragment(t.expect({ length: 512 }))).to.equal(true);
  });

  it('IP_PMTUDISC_DO: if nothing gets through at all, EMSGSIZE is what the user is told', async () => {
    const t = await established({ setup: discovering(IP_PMTUDISC_DO) });
    t.write(1460);
    tooLarge(t, t.expect(), 0);
    t.drain();
    await t.advance(1_200_000);
    expect(t.socket.takeError()).to.equal(EMSGSIZE);
  });

  it('IP_MTU without a connection: ENOTCONN; IP_MTU_DISCOVER has six values', () => {
    const socket = new WirePeer().newSocket();
    expect(socket.getsockopt(IPPROTO_IP, IP_MTU)).to.equal(-ENOTCONN);
    for (const mode of [-1, 6]) expect(socket.setsockopt(IPPROTO_IP, IP_MTU_DISCOVER, mode)).to.equal(-EINVAL);
  });

  it('the MSS to send with is at least tcp_min_snd_mss, whatever the peer says', async () => {
    const t = await established({ options: { mss: 20 } });
    t.write(100);
    t.expect({ length: 48 });
    const other = await established({ options: { mss: 200 }, sysctl: { tcp_min_snd_mss: 300 } });
    other.write(400);
    other.expect({ length: 300 });
  });

  it("a link's MTU that changes while it runs counts from then on, in both directions", async () => {
    const t = await established();
    const { capabilities } = t.link;
    const change = (mtu: number) => Object.assign(t.link, { capabilities: { ...capabilities, mtu } });
    change(1000);
    t.write(1460);
    expect(t.drain().map(({ length }) => length)).to.deep.equal([960, 500]);
    t.inject({ ack: 1461 });
    expect(pathMtu(t)).to.equal(1000);
    change(1400);
    t.write(1460);
    expect(t.drain().map(({ length }) => length)).to.deep.equal([1360, 100]);
  });

  it('half of the largest window is the most to send at once, and a window below 536 is taken whole (Linux)', async () => {
    const t = await established({ win: 1000 });
    t.write(2000);
    expect(t.drain().map(({ length }) => length)).to.deep.equal([500, 500]);
    t.inject({ ack: 1001, win: 4000 });
    t.expect({ length: 1000 });
    const small = await established({ win: 536 });
    small.write(1000);
    small.expect({ length: 536 });
  });

  it('the MSS to advertise is at least min_adv_mss', () => {
    const t = new WirePeer({ mtu: 200 });
    t.connect();
    expect(t.expect({ flags: 'S' }).options.mss).to.equal(256);
  });
});
