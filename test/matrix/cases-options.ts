/** Extensions that both ends have to agree on, or that look at addresses. */
import { expect } from 'chai';
import type { TestSocket } from '../../src/packetdrill/target.ts';
import {
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_TCLASS,
  MSG_FASTOPEN,
  TCP_AO_ADD_KEY,
  TCP_FASTOPEN,
  TCP_INFO,
  TCP_MAXSEG,
  TCP_MD5SIG,
} from '../../src/socket/constants.ts';
import { EINPROGRESS } from '../../src/socket/errno.ts';
import type { TcpInfo } from '../../src/tcp/info.ts';
import { accept, bytes, connected, listen, nameOf, ok, pair, receive, Stream, send, withSysctl } from './acts.ts';
import type { Case } from './cases.ts';
import type { Ground, Side } from './ground.ts';

const TCPI_OPT_ECN = 8;
const KEY = bytes('a key of nobody else');

export const cases: readonly Case[] = [
  {
    title: 'without SACK, timestamps and window scaling',
    both: true,
    play: (g, who) =>
      withSysctl(g, { tcp_sack: false, tcp_timestamps: false, tcp_window_scaling: false }, async () => {
        const { ours, peers } = await pair(g, who);
        const info = ours.getsockopt(IPPROTO_TCP, TCP_INFO) as TcpInfo;
        expect(info.tcpi_options & 7).to.equal(0);
        expect(info.tcpi_snd_mss).to.equal(g.family === 4 ? 1460 : 1440);
        const stream = new Stream(peers, ours, 50_000);
        await g.until('the stream', () => stream.turn());
        stream.verify();
      }),
  },
  {
    title: 'ECN is agreed on, where the link shows marks',
    play: (g) =>
      withSysctl(g, { tcp_ecn: 1 }, async () => {
        const { ours, peers } = await pair(g, 'ours');
        const { tcpi_options } = ours.getsockopt(IPPROTO_TCP, TCP_INFO) as TcpInfo;
        expect(tcpi_options & TCPI_OPT_ECN).to.equal(g.hidesMarks ? 0 : TCPI_OPT_ECN);
        await send(g, ours, 'capable');
        expect(await receive(g, peers, 7)).to.equal('capable');
      }),
  },
  {
    title: 'TCP_MAXSEG bounds what is sent',
    both: true,
    async play(g, who) {
      const { ours, peers } = await pair(g, who, {
        dial: (socket) => void ok(socket.setsockopt(IPPROTO_TCP, TCP_MAXSEG, 700), 'TCP_MAXSEG'),
      });
      expect((ours.getsockopt(IPPROTO_TCP, TCP_INFO) as TcpInfo).tcpi_snd_mss).to.be.within(600, 700);
      const stream = new Stream(ours, peers, 20_000);
      await g.until('the stream', () => stream.turn());
      stream.verify();
    },
  },
  {
    title: 'the type of service of the family',
    async play(g) {
      const [level, option] = g.family === 4 ? [IPPROTO_IP, IP_TOS] : [IPPROTO_IPV6, IPV6_TCLASS];
      const { ours, peers } = await pair(g, 'ours', {
        dial: (socket) => void ok(socket.setsockopt(level as number, option as number, 0x20), 'tos'),
      });
      expect(ours.getsockopt(level as number, option as number)).to.equal(0x20);
      await send(g, ours, 'class');
      expect(await receive(g, peers, 5)).to.equal('class');
    },
  },
  {
    title: 'Fast Open carries data in the SYN, once there is a cookie, dialled',
    both: true,
    play: (g, who) =>
      withSysctl(g, { tcp_fastopen: 3 }, async () => {
        const [from, to] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
        const listener = listen(
          to,
          8,
          (socket) => void ok(socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN, 8), 'fast open'),
        );
        const before = fastOpens(g);
        await fastOpen(g, from, to, listener);
        await fastOpen(g, from, to, listener);
        // A client that knew its cookie from before has done it twice.
        expect(fastOpens(g) - before).to.be.within(1, 2);
      }),
  },
  {
    title: 'TCP-MD5 signs what goes between the two, dialled',
    both: true,
    async play(g, who) {
      const key = (address: Side['address']) => (socket: TestSocket) =>
        void ok(socket.setsockopt(IPPROTO_TCP, TCP_MD5SIG, { address, key: KEY }), 'TCP_MD5SIG');
      const [dialling, listening] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
      const options = { dial: key(listening.address), listen: key(dialling.address) };
      const { ours, peers } = await pair(g, who, options);
      const stream = new Stream(ours, peers, 20_000);
      await g.until('the stream', () => stream.turn());
      stream.verify();
    },
  },
  {
    title: 'TCP-AO signs what goes between the two, dialled',
    both: true,
    needs: 'virtual time',
    async play(g, who) {
      const key = (addr: Side['address']) => (socket: TestSocket) => {
        const prefix = addr.family === 4 ? 32 : 128;
        const added = { addr, prefix, alg_name: 'hmac(sha1)', sndid: 100, rcvid: 100, key: KEY } as const;
        ok(socket.setsockopt(IPPROTO_TCP, TCP_AO_ADD_KEY, added), 'TCP_AO_ADD_KEY');
      };
      const [dialling, listening] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
      const options = { dial: key(listening.address), listen: key(dialling.address) };
      const { ours, peers } = await pair(g, who, options);
      const stream = new Stream(ours, peers, 20_000);
      await g.until('the stream', () => stream.turn());
      stream.verify();
    },
  },
];

/** Of our stack, as a client or as a server. */
function fastOpens({ stack: { counters } }: Ground): number {
  return counters.TCPFastOpenActive + counters.TCPFastOpenPassive;
}

async function fastOpen(g: Ground, from: Side, to: Side, listener: TestSocket): Promise<void> {
  const socket = from.socket(from.domain);
  const sent = socket.send(bytes('in the SYN'), MSG_FASTOPEN, { address: to.address, port: nameOf(listener).port });
  if (sent === -EINPROGRESS) {
    expect(await connected(g, socket)).to.equal(0);
    await send(g, socket, 'in the SYN');
  } else expect(ok(sent, 'send')).to.equal(10);
  const accepted = await accept(g, listener);
  expect(await receive(g, accepted, 10)).to.equal('in the SYN');
  // Accepted and read may be before the SYN-ACK has come.
  expect(await connected(g, socket)).to.equal(0);
  g.close(accepted);
  g.close(socket);
}
