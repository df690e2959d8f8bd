/** Metrics of routes: over the host's settings, under the socket's options; for connections that are made, or come. */
import { expect } from 'chai';
import {
  IP_MTU,
  IPPROTO_IP,
  IPPROTO_TCP,
  TCP_CONGESTION,
  TCP_MAXSEG,
  TCP_WINDOW_CLAMP,
} from '../../src/socket/constants.ts';
import type { PathMetrics } from '../../src/tcp/path.ts';
import { IPV4_ANY, IPV6_ANY } from '../../src/wire/address.ts';
import { itIpv4, MORE_HEADER } from '../support/wire-family.ts';
import { info } from '../support/wire-info.ts';
import { dontFragment, tooLarge } from '../support/wire-mtu.ts';
import { PEER, type PeerOptions, SERVICE, WirePeer } from '../support/wire-peer.ts';

/** A DUT whose route to the peer has these metrics. */
function over(metrics: PathMetrics, options: PeerOptions = {}): WirePeer {
  const t = new WirePeer(options);
  route(t, metrics);
  return t;
}

/** `mtu` is as IPv4 counts. */
function route(t: WirePeer, asked: PathMetrics): void {
  const [only] = t.stack.interfaces;
  const metrics = asked.mtu === undefined ? asked : { ...asked, mtu: asked.mtu + MORE_HEADER };
  t.stack.replaceRoute({ destination: PEER, bits: PEER.family === 4 ? 32 : 128, interface: only as never, metrics });
}

/** Opens it, `active` or not. @returns the MSS that it advertised, and the window */
function open(t: WirePeer, active: boolean): { mss: number | undefined; win: number } {
  if (active) {
    t.connect();
    const { options, win } = t.expect({ flags: 'S' });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: t.synOptions });
    t.expect({ flags: 'A' });
    return { mss: options.mss, win };
  }
  t.listen();
  const { options, win } = t.handshake();
  t.accept();
  return { mss: options.mss, win };
}

for (const active of [true, false]) {
  describe(`metrics of a route: a connection that ${active ? 'is made' : 'comes'}`, () => {
    it('mtu: for what is sent, and what is advertised', () => {
      const t = over({ mtu: 1200 });
      expect(open(t, active).mss).to.equal(1160);
      expect(info(t)).to.include({ tcpi_pmtu: 1200 + MORE_HEADER, tcpi_snd_mss: 1160 });
      t.write(1460);
      expect(dontFragment(t.expect({ length: 1160 }))).to.equal(true);
    });

    itIpv4('mtu lock: nothing is discovered, and DF is clear', () => {
      const t = over({ mtu: 1200, mtuLocked: true });
      open(t, active);
      t.write(1160);
      const sent = t.expect({ length: 1160 });
      expect(dontFragment(sent)).to.equal(false);
      tooLarge(t, sent, 800);
      t.expectNothing();
      expect(t.socket.getsockopt(IPPROTO_IP, IP_MTU)).to.equal(1200);
      expect(t.stack.network.mtus.size).to.equal(0);
    });

    it('a larger mtu than the link has does not count', () => {
      const t = over({ mtu: 9000 });
      open(t, active);
      expect(info(t).tcpi_snd_mss).to.equal(1460);
    });

    it('advmss: advertised, in both directions; what is sent is the path', () => {
      const t = over({ advmss: 1000 });
      expect(open(t, active).mss).to.equal(1000);
      expect(info(t)).to.include({ tcpi_advmss: 1000, tcpi_snd_mss: 1460 });
    });

    it('advmss, and TCP_MAXSEG under it', () => {
      const setup = (socket: { setsockopt(level: number, option: number, value: number): number }) =>
        void socket.setsockopt(IPPROTO_TCP, TCP_MAXSEG, 700);
      const t = over({ advmss: 1000 }, { setup });
      expect(open(t, active).mss).to.equal(700);
      expect(info(t).tcpi_snd_mss).to.equal(700);
      expect(open(over({ advmss: 600 }, { setup }), active).mss).to.equal(600);
    });

    it('initcwnd: over tcp_init_cwnd', () => {
      const t = over({ initcwnd: 4 }, { sysctl: { tcp_init_cwnd: 7 } });
      open(t, active);
      expect(info(t).tcpi_snd_cwnd).to.equal(4);
      t.write(14_600);
      expect(t.drain().length).to.equal(4);
    });

    it('initrwnd: what the SYN offers, in segments', () => {
      const t = over({ initrwnd: 5 });
      expect(open(t, active).win).to.equal(5 * 1460);
    });

    it('window: bounds what is offered, and with it the shift; TCP_WINDOW_CLAMP goes before it', () => {
      const t = over({ window: 5000 }, { options: { mss: 1460, wscale: 0 } });
      expect(open(t, active).win).to.equal(4380);
      expect(info(t)).to.include({ tcpi_rcv_wscale: 0 });
      expect(t.socket.getsockopt(IPPROTO_TCP, TCP_WINDOW_CLAMP)).to.be.at.most(5000);
      const setup = (socket: { setsockopt(level: number, option: number, value: number): number }) =>
        void socket.setsockopt(IPPROTO_TCP, TCP_WINDOW_CLAMP, 3000);
      expect(open(over({ window: 5000 }, { setup }), active).win).to.equal(2920);
    });

    it('reordering: over tcp_reordering', () => {
      const t = over({ reordering: 7 }, { sysctl: { tcp_reordering: 5 } });
      open(t, active);
      expect(info(t).tcpi_reordering).to.equal(7);
    });

    it('rto_min: over tcp_rto_min_us', () => {
      const t = over({ rtoMin: 500 });
      open(t, active);
      expect(info(t).tcpi_rto).to.be.within(500_000, 502_000);
    });

    it('congctl: over tcp_congestion_control, under TCP_CONGESTION', () => {
      const t = over({ congctl: 'cubic' }, { sysctl: { tcp_congestion_control: 'reno' } });
      open(t, active);
      expect(t.socket.getsockopt(IPPROTO_TCP, TCP_CONGESTION)).to.equal('cubic');
      const setup: PeerOptions['setup'] = (socket) => void socket.setsockopt(IPPROTO_TCP, TCP_CONGESTION, 'reno');
      const chosen = over({ congctl: 'cubic' }, { setup });
      open(chosen, active);
      expect(chosen.socket.getsockopt(IPPROTO_TCP, TCP_CONGESTION)).to.equal('reno');
    });

    it('quickack: no acknowledgment waits, even in a conversation', async () => {
      for (const quickack of [true, false]) {
        const t = over({ quickack });
        open(t, active);
        t.inject({ data: 'question' });
        t.expect({ flags: 'A' });
        t.write('answer');
        t.expect({ data: 'answer' });
        t.inject({ ack: 7, data: 'more' });
        if (quickack) t.expect({ flags: 'A', ack: 13 });
        else t.expectNothing();
        await t.advance(300);
        t.drain();
      }
    });
  });
}

describe('metrics of a route', () => {
  it('that changes: open connections follow', () => {
    const t = over({});
    open(t, true);
    t.write(1460);
    t.expect({ length: 1460 });
    route(t, { mtu: 1000 });
    t.inject({ ack: 1461 });
    t.write(1460);
    t.expect({ length: 960 });
  });

  it('are those of the longest prefix alone', () => {
    const t = over({ mtu: 1200 });
    const [only] = t.stack.interfaces;
    t.stack.addRoute({
      destination: PEER.family === 4 ? IPV4_ANY : IPV6_ANY,
      bits: 0,
      interface: only as never,
      metrics: { initcwnd: 3, mtu: 700 },
    });
    open(t, true);
    expect(info(t)).to.include({ tcpi_snd_cwnd: 10, tcpi_pmtu: 1200 + MORE_HEADER });
  });

  it('do not concern the host itself', () => {
    const t = over({ mtu: 1200 });
    const socket = t.newSocket();
    socket.connect({ address: PEER.family === 4 ? IPV4_ANY : IPV6_ANY, port: SERVICE });
    expect(socket.getsockopt(IPPROTO_IP, IP_MTU)).to.equal(65_535);
  });
});
