import { expect } from 'chai';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPIDLE,
  TCP_MAXSEG,
  TCP_MD5SIG,
  TCP_MD5SIG_EXT,
} from '../../../src/socket/constants.ts';
import type { TraceEvent } from '../../../src/trace/events.ts';
import { IpAddress } from '../../../src/wire/address.ts';
import { FAMILY, inFamily, itIpv4, MORE_PREFIX } from '../../support/wire-family.ts';
import { setMd5Key, withMd5 } from '../../support/wire-keys.ts';
import { connecting, established, listening, SERVICE, type WirePeer } from '../../support/wire-peer.ts';

const KEY = 'a secret of two';
const FULL = { mss: 1460, sackOk: true, ts: [7000, 0], wscale: 7 } as const;

/** The fixture checks the signature of every segment of the DUT's. */
function dropped(t: WirePeer, reasons: string[]): void {
  t.expectNothing();
  expect(reasons).to.have.length(1);
  reasons.length = 0;
}

function watched(reasons: string[]) {
  return (event: TraceEvent) => {
    if (event.type === 'drop') reasons.push(event.reason);
  };
}

describe('RFC 2385: TCP MD5 signatures', () => {
  describe('RFC 2385 2.0, 3.0: every segment sent on a connection is protected', () => {
    it('of a passive open: SYN-ACK and its repetition, data and its repetition, ACKs, FIN, in TIME-WAIT', async () => {
      const t = listening(withMd5(KEY));
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460 } });
      t.expect({ flags: 'SA' });
      await t.advance(1000);
      t.expect({ flags: 'SA' });
      t.inject({ seq: 1, ack: 1 });
      t.accept();
      t.inject({ data: 'ping', flags: 'PA' });
      expect(t.read()).to.equal('ping');
      t.expect({ flags: 'A', ack: 5 });
      t.write('pong');
      t.expect({ data: 'pong' });
      await t.advance(3500);
      t.expect({ data: 'pong' });
      t.inject({ ack: 5 });
      t.socket.shutdown(1);
      t.expect({ flags: 'FA' });
      t.inject({ ack: 6, flags: 'FA' });
      t.expect({ flags: 'A', ack: 6 });
      expect(t.state()).to.equal('TIME-WAIT');
      t.inject({ seq: 5, ack: 6, flags: 'FA' });
      t.expect({ flags: 'A', ack: 6 });
    });

    it('of an active open: SYN and its repetition, data in segments of one each, a RST', async () => {
      const t = connecting(withMd5(KEY, { offload: true }));
      await t.advance(1000);
      t.expect({ flags: 'S' });
      t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
      t.expect({ flags: 'A' });
      t.write(4 * 1440);
      for (let i = 0; i < 4; i++) t.expect({ seq: 1 + 1440 * i, length: 1440 });
      t.inject({ length: 10 });
      t.drain();
      t.socket.close();
      t.expect({ flags: 'RA' });
    });

    it('probes of a closed window, keepalive probes, answers to what is outside the window', async () => {
      const t = await established(withMd5(KEY));
      t.inject({ seq: -5, ack: 1 });
      t.expect({ flags: 'A' });
      t.inject({ ack: 1, seq: 1, win: 0 });
      t.write('held');
      await t.advance(700);
      expect(t.drain().length).to.be.above(0);
      t.inject({ seq: 1, win: 1000 });
      t.expect({ data: 'held' });
      t.inject({ seq: 1, ack: 5 });
      t.socket.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, 5);
      t.socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
      await t.advance(6000);
      t.expect({ seq: 4, length: 0 });
    });

    it('the numbers of an ACK that the handshake does not expect: the RST is signed', () => {
      const t = listening(withMd5(KEY));
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460 } });
      t.expect({ flags: 'SA' });
      t.inject({ seq: 1, ack: 100 });
      t.expect({ seq: 100, flags: 'R' });
      const active = connecting(withMd5(KEY));
      active.inject({ seq: 0, ack: 100, flags: 'SA' });
      active.expect({ seq: 100, flags: 'R' });
    });
  });

  describe('RFC 2385 2.0: a segment that does not match is dropped without an answer', () => {
    it('on a listener: unsigned, with another key, and changed on the way', () => {
      const reasons: string[] = [];
      const t = listening(withMd5(KEY, { trace: watched(reasons) }));
      t.inject({ seq: 0, flags: 'S', md5: undefined });
      expect(reasons[0]).to.equal('tcp-md5-not-found');
      dropped(t, reasons);
      t.inject({ seq: 0, flags: 'S', md5: 'guessed' });
      expect(reasons[0]).to.equal('tcp-md5-failure');
      dropped(t, reasons);
      t.inject({ seq: 0, flags: 'S', badSignature: true });
      dropped(t, reasons);
      expect(t.counters).to.include({ TCPMD5NotFound: 1, TCPMD5Failure: 2, TCPMD5Unexpected: 0 });
      expect(t.state()).to.equal('LISTEN');
    });

    it('on a listener: an unsigned ACK is not reset, a signed one is, with a signature', () => {
      const t = listening(withMd5(KEY));
      t.inject({ seq: 1, ack: 77, md5: undefined });
      t.expectNothing();
      t.inject({ seq: 1, ack: 77 });
      t.expect({ flags: 'R', seq: 77 });
    });

    it('during the handshake', () => {
      const t = listening(withMd5(KEY));
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460 } });
      t.expect({ flags: 'SA' });
      for (const md5 of [undefined, 'guessed']) t.inject({ seq: 1, ack: 1, md5 });
      t.inject({ seq: 1, flags: 'R', md5: undefined });
      t.expectNothing();
      expect(t.state()).to.equal('SYN-RECEIVED');
      expect(t.listener?.accept()).to.equal(-11);
      t.inject({ seq: 1, ack: 1 });
      t.accept();
    });

    it('on a connection: data, a RST, a SYN; and nothing of it counts', async () => {
      const t = await established(withMd5(KEY));
      for (const md5 of [undefined, 'guessed']) {
        t.inject({ seq: 1, ack: 1, data: 'forged', md5 });
        t.inject({ seq: 1, ack: 1, flags: 'RA', md5 });
        t.inject({ seq: 1, flags: 'S', md5 });
      }
      t.expectNothing();
      expect(t.state()).to.equal('ESTABLISHED');
      expect(t.read()).to.equal(-11);
      expect(t.counters).to.include({ TCPMD5NotFound: 3, TCPMD5Failure: 3, TCPChallengeACK: 0, TCPSYNChallenge: 0 });
      t.inject({ seq: 1, ack: 1, flags: 'RA' });
      expect(t.state()).to.equal('CLOSED');
    });

    it('in SYN-SENT: a SYN-ACK without (RFC 2385 2.0: the connection is never made), a RST', () => {
      const t = connecting(withMd5(KEY));
      t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 }, md5: undefined });
      t.inject({ seq: 0, ack: 1, flags: 'RA', md5: undefined });
      t.expectNothing();
      expect(t.state()).to.equal('SYN-SENT');
    });

    it('in TIME-WAIT: a RST, a FIN', async () => {
      const t = await established(withMd5(KEY));
      t.socket.shutdown(1);
      t.expect({ flags: 'FA' });
      t.inject({ ack: 2, flags: 'FA' });
      t.expect({ flags: 'A' });
      t.inject({ seq: 2, ack: 2, flags: 'RA', md5: undefined });
      t.inject({ seq: 1, ack: 2, flags: 'FA', md5: 'guessed' });
      t.expectNothing();
      expect(t.state()).to.equal('TIME-WAIT');
      t.inject({ seq: 2, ack: 2, flags: 'RA' });
      expect(t.state()).to.not.equal('TIME-WAIT');
    });

    it('in TIME-WAIT: a SYN for a new connection is judged by the key that the listener has now', async () => {
      const t = await established(withMd5(KEY));
      t.socket.shutdown(1);
      t.inject({ ack: 2, flags: 'FA' });
      t.drain();
      expect(setMd5Key(t.listener as never, 'another')).to.equal(0);
      t.inject({ seq: 100_000, flags: 'S' });
      t.expectNothing();
      expect(t.state()).to.equal('TIME-WAIT');
      t.md5 = 'another';
      t.setPeerIsn(0x7ffff000 + 200_000);
      t.inject({ seq: 0, flags: 'S' });
      t.expect({ flags: 'SA' });
    });

    it('in TIME-WAIT of a connection without a key: a SYN, since the listener has one', async () => {
      const t = await established();
      t.socket.shutdown(1);
      t.inject({ ack: 2, flags: 'FA' });
      t.drain();
      expect(setMd5Key(t.listener as never, KEY)).to.equal(0);
      t.setPeerIsn(0x7ffff000 + 200_000);
      t.inject({ seq: 0, flags: 'S' });
      t.expectNothing();
      expect(t.state()).to.equal('TIME-WAIT');
      t.md5 = KEY;
      t.inject({ seq: 0, flags: 'S' });
      t.expect({ flags: 'SA' });
    });

    it('two signatures in one segment are none, and neither is looked at', async () => {
      const raw = [19, 18, ...Array<number>(16).fill(1)];
      const t = listening(withMd5(KEY));
      t.inject({ seq: 0, flags: 'S', options: { raw } });
      t.expectNothing();
      const open = await established(withMd5(KEY));
      open.inject({ seq: 1, ack: 1, data: 'x', options: { raw } });
      open.expectNothing();
      expect([t.counters.TCPMD5Failure, open.counters.TCPMD5Failure]).to.deep.equal([0, 0]);
    });
  });

  describe('Linux, where RFC 2385 is silent: a signed segment for whom there is no key', () => {
    it('is dropped by a listener and a connection, which go on with who does not sign', async () => {
      const reasons: string[] = [];
      const t = listening({ trace: watched(reasons) });
      t.inject({ seq: 0, flags: 'S', md5: KEY });
      expect(reasons[0]).to.equal('tcp-md5-unexpected');
      dropped(t, reasons);
      t.handshake();
      t.accept();
      t.inject({ seq: 1, ack: 1, data: 'x', md5: KEY });
      dropped(t, reasons);
      expect(t.counters.TCPMD5Unexpected).to.equal(2);
      t.inject({ seq: 1, ack: 1, data: 'y' });
      expect(t.read()).to.equal('y');
    });

    it('an ACK with a signature does not end the handshake of a SYN without', () => {
      const t = listening();
      t.inject({ seq: 0, flags: 'S' });
      t.expect({ flags: 'SA', options: { md5: undefined } });
      t.inject({ seq: 1, ack: 1, md5: KEY });
      t.expectNothing();
      t.inject({ seq: 1, ack: 1 });
      t.accept();
    });

    it('without a hasher the option is unknown, and ignored [MUST-6]; there is none to be set', () => {
      const t = listening({ withoutHasher: true });
      t.inject({ seq: 0, flags: 'S', md5: KEY });
      t.expect({ flags: 'SA' });
      t.inject({ seq: 1, ack: 1, md5: 'another' });
      t.accept();
      expect(setMd5Key(t.newSocket(), KEY)).to.equal(-92);
    });
  });

  it('RFC 2385 2.0: peers without a key are spoken to without signatures, by the same listener', () => {
    const t = listening({ setup: (socket) => void setMd5Key(socket, KEY, inFamily('10.0.0.77')) });
    t.inject({ seq: 0, flags: 'S', options: FULL });
    t.expect({ flags: 'SA', options: { md5: undefined, sackOk: true, ts: [1000, 7000] } });
    t.inject({ seq: 1, ack: 1 });
    t.accept();
    t.inject({ seq: 1, ack: 1, data: 'x' });
    t.expect({ options: { md5: undefined } });
  });

  describe('RFC 2385 4.1: connectionless resets', () => {
    it('for a port that nobody listens on: not for a signed segment, unless the key is found at the port that it came from', () => {
      const t = listening(withMd5(KEY));
      t.inject({ seq: 5, ack: 9, to: 9999 });
      t.expectNothing();
      t.inject({ seq: 5, ack: 9, to: 9999, from: SERVICE });
      t.expect({ flags: 'R', seq: 9 });
      t.inject({ seq: 5, ack: 9, to: 9999, from: SERVICE, md5: 'guessed' });
      t.expectNothing();
    });

    it('an unsigned segment is reset as ever', () => {
      const t = listening();
      t.inject({ seq: 5, ack: 9, to: 9999 });
      t.expect({ flags: 'R', options: { md5: undefined } });
    });
  });

  describe('RFC 2385 4.3: the header is 20 bytes longer', () => {
    it('our segments are that much shorter, the MSS that we offer is not (RFC 6691 2)', async () => {
      const t = listening(withMd5(KEY));
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460 } });
      t.expect({ flags: 'SA', options: { mss: 1460 } });
      t.inject({ seq: 1, ack: 1 });
      t.accept();
      expect(t.socket.getsockopt(IPPROTO_TCP, TCP_MAXSEG)).to.equal(1440);
      t.write(3000);
      t.expect({ length: 1440 });
      t.expect({ length: 1440 });
    });

    it('our SYN has no room for timestamps', () => {
      const t = listening(withMd5(KEY));
      t.connect();
      [t.dutPort, t.peerPort] = [40_000, SERVICE];
      const syn = t.expect({ flags: 'S' });
      expect(syn.options).to.have.keys('md5', 'mss', 'sackOk', 'wscale');
    });

    it('our SYN-ACK prefers SACK to timestamps, and takes up timestamps without SACK', () => {
      const t = listening(withMd5(KEY));
      t.inject({ seq: 0, flags: 'S', options: FULL });
      expect(t.expect({ flags: 'SA' }).options).to.have.keys('md5', 'mss', 'sackOk', 'wscale');
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460, ts: [7000, 0], wscale: 7 }, from: 1234 });
      expect(t.expect({ flags: 'SA' }).options).to.have.keys('md5', 'mss', 'ts', 'wscale');
      t.inject({ seq: 1, ack: 1, from: 1234 });
      t.accept();
      t.socket.send(new Uint8Array(3000));
      t.expect({ to: 1234, length: 1428 });
    });

    it('SACK reports two blocks at most, and leaves room for data', async () => {
      const t = await established(withMd5(KEY, { options: { mss: 1460, sackOk: true } }));
      for (const seq of [101, 301, 501]) t.inject({ seq, ack: 1, length: 10 });
      const acks = t.drain();
      expect(acks[2]?.options.sack).to.deep.equal([
        [501, 511],
        [301, 311],
      ]);
      t.write(2000);
      t.expect({ length: 1420 });
    });
  });

  describe('keys, as Linux has them', () => {
    it('a key that is set on a connection signs from then on; one that is removed does not', async () => {
      const t = await established();
      expect(setMd5Key(t.socket, KEY)).to.equal(0);
      t.md5 = KEY;
      t.write('a');
      t.expect({ data: 'a' });
      expect(t.socket.getsockopt(IPPROTO_TCP, TCP_MAXSEG)).to.equal(1440);
      t.inject({ ack: 2, seq: 1 });
      expect(setMd5Key(t.socket, '')).to.equal(0);
      t.md5 = undefined;
      t.write('b');
      t.expect({ data: 'b', options: { md5: undefined } });
      t.inject({ ack: 3, seq: 1 });
    });

    it('a key that is changed counts for both directions', async () => {
      const t = await established(withMd5(KEY));
      expect(setMd5Key(t.socket, 'new')).to.equal(0);
      t.inject({ seq: 1, ack: 1, data: 'x' });
      t.expectNothing();
      t.md5 = 'new';
      t.inject({ seq: 1, ack: 1, data: 'x' });
      t.expect({ ack: 2 });
    });

    it('an accepted connection has its own: the listener may lose it', async () => {
      const t = await established(withMd5(KEY));
      expect(setMd5Key(t.listener as never, '')).to.equal(0);
      t.inject({ seq: 1, ack: 1, data: 'x' });
      t.expect({ ack: 2 });
      expect(setMd5Key(t.socket, '')).to.equal(0);
      t.md5 = undefined;
      t.inject({ seq: 2, ack: 1, data: 'y' });
      t.expect({ ack: 3, options: { md5: undefined } });
    });

    it('TCP_MD5SIG_EXT: a prefix of peers, of which the longest counts', () => {
      const setup = (prefixes: readonly (readonly [string, number, string])[]) => (socket: WirePeer['socket']) => {
        for (const [text, prefixlen, key] of prefixes) {
          const value = { address: inFamily(text), prefixlen: prefixlen + MORE_PREFIX, key: Buffer.from(key) };
          expect(socket.setsockopt(IPPROTO_TCP, TCP_MD5SIG_EXT, value)).to.equal(0);
        }
      };
      const t = listening({
        md5: KEY,
        setup: setup([
          ['10.0.0.0', 24, KEY],
          ['0.0.0.0', 0, 'of all'],
          ['10.0.0.0', 8, 'of many'],
        ]),
      });
      t.handshake();
      const other = listening({ md5: 'of all', setup: setup([['0.0.0.0', 0, 'of all']]) });
      other.handshake();
    });

    itIpv4('errors: no such key, too long a key, no IPv4 address, a prefix where there is none', () => {
      const t = listening();
      const socket = t.newSocket();
      const address = IpAddress.parse('10.0.0.2') as IpAddress;
      const set = (option: number, value: unknown) => socket.setsockopt(IPPROTO_TCP, option, value as never);
      expect(setMd5Key(socket, '')).to.equal(-2);
      expect(setMd5Key(socket, 'x'.repeat(81))).to.equal(-22);
      expect(setMd5Key(socket, 'x'.repeat(80))).to.equal(0);
      expect(setMd5Key(socket, '', IpAddress.parse('10.0.0.3'))).to.equal(-2);
      expect(setMd5Key(socket, '')).to.equal(0);
      expect(setMd5Key(socket, '')).to.equal(-2);
      if (FAMILY === '4') expect(setMd5Key(socket, 'x', IpAddress.parse('::1'))).to.equal(-22);
      const key = Buffer.from('x');
      expect(set(TCP_MD5SIG, { address, prefixlen: 8, key })).to.equal(-22);
      expect(set(TCP_MD5SIG_EXT, { address, prefixlen: 33, key })).to.equal(-22);
      for (const value of [1, undefined, null, 'x', {}, { address }, { address, key: 'text' }]) {
        expect(set(TCP_MD5SIG, value)).to.equal(-22);
      }
      expect(socket.getsockopt(IPPROTO_TCP, TCP_MD5SIG)).to.equal(-92);
    });
  });

  it('RFC 4987 3.6: a SYN cookie is signed, and its ACK; with timestamps, which hold what it remembers', () => {
    const t = listening(withMd5(KEY, { sysctl: { tcp_syncookies: 2 } }));
    t.inject({ seq: 0, flags: 'S', options: FULL });
    const synAck = t.expect({ flags: 'SA' });
    expect(synAck.options).to.have.keys('md5', 'mss', 'sackOk', 'ts', 'wscale');
    t.inject({ seq: 1, ack: 1, md5: undefined });
    t.inject({ seq: 1, ack: 1, md5: 'guessed' });
    expect(t.listener?.accept()).to.equal(-11);
    t.inject({ seq: 1, ack: 1 });
    t.accept();
    t.inject({ seq: 1, data: 'x' });
    t.expect({ ack: 2 });
  });
});
