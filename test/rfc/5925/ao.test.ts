import { expect } from 'chai';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_AO_INFO,
  TCP_KEEPIDLE,
  TCP_MAXSEG,
  TCP_NODELAY,
} from '../../../src/socket/constants.ts';
import type { AoInfoStatus } from '../../../src/socket/key-values.ts';
import { update16 } from '../../../src/wire/checksum.ts';
import { FAMILY, inFamily, itIpv4, MORE_PREFIX } from '../../support/wire-family.ts';
import { AO_KEY, AO_NEXT, addAoKey, withAo } from '../../support/wire-keys.ts';
import {
  type AoSpec,
  connecting,
  DUT,
  established,
  listening,
  PEER,
  type PeerOptions,
  WirePeer,
} from '../../support/wire-peer.ts';
import { buildSegment } from '../../support/wire-segment.ts';

const FULL = { mss: 1460, sackOk: true, ts: [7000, 0], wscale: 7 } as const;
const KINDS: readonly (readonly [string, PeerOptions])[] = [
  ['HMAC-SHA-1', withAo([AO_KEY])],
  ['AES-128-CMAC', withAo([AO_NEXT])],
  ['a MAC of 4 bytes', withAo([{ ...AO_KEY, macLength: 4 }])],
  ['a MAC of 14 bytes, which is padded', withAo([{ ...AO_KEY, macLength: 14 }])],
  ['the other options left out', withAo([{ ...AO_KEY, excludeOptions: true }])],
];

function status(t: WirePeer): AoInfoStatus {
  return t.socket.getsockopt(IPPROTO_TCP, TCP_AO_INFO) as AoInfoStatus;
}

describe('RFC 5925: the TCP authentication option', () => {
  // The fixture checks the MAC of every segment of the DUT's.
  for (const [kind, options] of KINDS) {
    it(`RFC 5925 7.4: every segment is signed: a passive open, ${kind}`, async () => {
      const t = listening({ ...options });
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460 } });
      t.expect({ flags: 'SA' });
      await t.advance(1000);
      t.expect({ flags: 'SA' });
      t.inject({ seq: 0, flags: 'S', options: { mss: 1460 } });
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
      t.inject({ seq: 5, ack: 6, flags: 'FA' });
      t.expect({ flags: 'A', ack: 6 });
      expect(t.counters.TCPAOBad).to.equal(0);
    });

    it(`RFC 5925 7.4: every segment is signed: an active open, ${kind}`, async () => {
      const t = connecting({ ...options, offload: true, options: { mss: 1460, sackOk: true } });
      await t.advance(1000);
      t.expect({ flags: 'S' });
      t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
      t.expect({ flags: 'A' });
      const mss = t.socket.getsockopt(IPPROTO_TCP, TCP_MAXSEG) as number;
      t.write(3 * mss);
      for (let i = 0; i < 3; i++) t.expect({ seq: 1 + mss * i, length: mss });
      t.inject({ length: 10 });
      t.drain();
      t.socket.close();
      t.expect({ flags: 'RA' });
    });
  }

  it('RFC 5925 7.4: simultaneous open, keepalive probes', async () => {
    const t = connecting(withAo([AO_KEY]));
    t.inject({ seq: 0, flags: 'S', options: { mss: 1460 } });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
    t.expect({ flags: 'A' });
    expect(t.state()).to.equal('ESTABLISHED');
    t.socket.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, 5);
    t.socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
    await t.advance(6000);
    t.expect({ seq: 0, length: 0 });
  });

  describe('RFC 5925 7.3: segments that do not validate are silently discarded', () => {
    it('on a listener: unsigned, of another key, changed, with an unknown KeyID', () => {
      const reasons: string[] = [];
      const trace: PeerOptions['trace'] = (event) => void (event.type === 'drop' && reasons.push(event.reason));
      const t = listening(withAo([AO_KEY], { trace }));
      t.inject({ seq: 0, flags: 'S', ao: undefined });
      t.inject({ seq: 0, flags: 'S', ao: { ...AO_KEY, key: 'guessed' } });
      t.inject({ seq: 0, flags: 'S', badSignature: true });
      t.inject({ seq: 0, flags: 'S', ao: { ...AO_KEY, rcvid: 7 } });
      t.inject({ seq: 0, flags: 'S', ao: { ...AO_KEY, macLength: 8 } });
      // The MAC is right, as far as the key has it.
      t.inject({ seq: 0, flags: 'S', ao: { ...AO_KEY, macLength: 16 } });
      t.expectNothing();
      expect(reasons).to.deep.equal([
        'tcp-ao-required',
        'tcp-ao-bad',
        'tcp-ao-bad',
        'tcp-ao-key-not-found',
        'tcp-ao-bad',
        'tcp-ao-bad',
      ]);
      expect(t.counters).to.include({ TCPAORequired: 1, TCPAOBad: 4, TCPAOKeyNotFound: 1, TCPAOGood: 0 });
    });

    it('during the handshake: what began signed goes on signed, and the other way round', () => {
      const t = listening(withAo([AO_KEY]));
      t.inject({ seq: 0, flags: 'S' });
      t.expect({ flags: 'SA' });
      t.inject({ seq: 1, ack: 1, ao: undefined });
      t.inject({ seq: 1, flags: 'R', ao: undefined });
      t.inject({ seq: 1, ack: 1, badSignature: true });
      expect(t.counters.TCPAOBad).to.equal(3);
      expect(t.state()).to.equal('SYN-RECEIVED');
      const open = listening();
      open.inject({ seq: 0, flags: 'S' });
      open.expect({ flags: 'SA' });
      open.inject({ seq: 1, ack: 1, ao: AO_KEY });
      expect(open.counters.TCPAOBad).to.equal(1);
      open.inject({ seq: 1, ack: 1 });
      open.accept();
    });

    it('on a connection: data, RST, SYN; a RST that is signed ends it', async () => {
      const t = await established(withAo([AO_KEY]));
      t.inject({ seq: 1, ack: 1, data: 'forged', ao: undefined });
      t.inject({ seq: 1, ack: 1, data: 'forged', badSignature: true });
      t.inject({ seq: 1, ack: 1, flags: 'RA', ao: undefined });
      t.inject({ seq: 1, flags: 'S', ao: undefined });
      t.expectNothing();
      expect(t.read()).to.equal(-11);
      expect(status(t)).to.include({ pkt_ao_required: 3, pkt_bad: 1, pkt_good: 0 });
      t.inject({ seq: 1, ack: 1, flags: 'RA' });
      expect(t.state()).to.equal('CLOSED');
    });

    it('in SYN-SENT, and in TIME-WAIT', async () => {
      const t = connecting(withAo([AO_KEY]));
      t.inject({ seq: 0, ack: 1, flags: 'SA', ao: undefined });
      t.inject({ seq: 0, ack: 1, flags: 'RA', ao: undefined });
      t.inject({ seq: 0, ack: 1, flags: 'SA', badSignature: true });
      t.expectNothing();
      expect(t.state()).to.equal('SYN-SENT');
      t.inject({ seq: 0, ack: 1, flags: 'SA' });
      t.expect({ flags: 'A' });
      t.socket.shutdown(1);
      t.inject({ ack: 2, flags: 'FA' });
      t.drain();
      expect(t.state()).to.equal('TIME-WAIT');
      t.inject({ seq: 2, ack: 2, flags: 'RA', ao: undefined });
      t.expectNothing();
      expect(t.state()).to.equal('TIME-WAIT');
    });

    it('deviation, as Linux: a signed segment to a socket without any key is discarded, rather than accepted', () => {
      const t = listening();
      t.inject({ seq: 0, flags: 'S', ao: AO_KEY });
      t.expectNothing();
      expect(t.counters.TCPAOKeyNotFound).to.equal(1);
      const unaware = listening({ withoutHasher: true });
      unaware.inject({ seq: 0, flags: 'S', ao: AO_KEY });
      unaware.expect({ flags: 'SA', options: { ao: undefined } });
    });

    it('other peers need no key, unless the listener requires one', () => {
      const setup = (required: boolean) => (socket: WirePeer['socket']) => {
        const addr = inFamily('10.0.1.0');
        expect(addAoKey(socket, AO_KEY, { addr, prefix: 24 + MORE_PREFIX })).to.equal(0);
        expect(socket.setsockopt(IPPROTO_TCP, TCP_AO_INFO, { ao_required: required })).to.equal(0);
      };
      const t = listening({ setup: setup(false) });
      t.inject({ seq: 0, flags: 'S' });
      t.expect({ flags: 'SA', options: { ao: undefined } });
      const strict = listening({ setup: setup(true) });
      strict.inject({ seq: 0, flags: 'S' });
      strict.expectNothing();
      expect(strict.counters.TCPAORequired).to.equal(1);
    });
  });

  describe('RFC 5925 5.1: what the MAC covers', () => {
    it('the other options: changed ones are noticed', async () => {
      const t = await established(withAo([AO_KEY], { options: { mss: 1460 } }));
      t.injectBytes(withAnotherOption(t, AO_KEY));
      t.expectNothing();
      expect(t.counters.TCPAOBad).to.equal(1);
    });

    it('or not, with TCP_AO_KEYF_EXCLUDE_OPT', async () => {
      const key = { ...AO_KEY, excludeOptions: true };
      const t = await established(withAo([key], { options: { mss: 1460 } }));
      t.injectBytes(withAnotherOption(t, key));
      expect(t.counters.TCPAOBad).to.equal(0);
      expect(t.read()).to.equal('x');
    });
  });

  describe('RFC 5925 6.1: coordinated keys', () => {
    it('RFC 5925 7.5 2.e: the peer asks by RNextKeyID, and we change when we have the key', async () => {
      const t = await established(withAo([AO_KEY, AO_NEXT]));
      expect(t.write('a')).to.equal(1);
      t.expect({ options: {} });
      expect(status(t).current_key).to.equal(AO_KEY.sndid);
      t.aoWanted = AO_NEXT;
      t.inject({ ack: 2 });
      t.write('b');
      const { ao } = t.expect({ data: 'b' }).options;
      expect(ao).to.include({ keyId: AO_NEXT.sndid, rnextKeyId: AO_KEY.rcvid });
      t.aoWanted = { ...AO_NEXT, sndid: 77 };
      t.inject({ ack: 3 });
      expect(status(t)).to.include({ current_key: AO_NEXT.sndid, rnext: AO_KEY.rcvid });
    });

    it('segments of any of our keys are taken; we ask for another with TCP_AO_INFO', async () => {
      const t = await established(withAo([AO_KEY, AO_NEXT]));
      t.inject({ data: 'x', ao: AO_NEXT });
      expect(t.read()).to.equal('x');
      t.drain();
      expect(t.socket.setsockopt(IPPROTO_TCP, TCP_AO_INFO, { set_rnext: true, rnext: AO_NEXT.rcvid })).to.equal(0);
      t.write('y');
      const { ao } = t.expect({ data: 'y' }).options;
      expect(ao).to.include({ keyId: AO_KEY.sndid, rnextKeyId: AO_NEXT.rcvid });
    });

    it('a forged request changes nothing', async () => {
      const t = await established(withAo([AO_KEY, AO_NEXT]));
      t.aoWanted = AO_NEXT;
      t.inject({ seq: 1, ack: 1, badSignature: true });
      expect(status(t).current_key).to.equal(AO_KEY.sndid);
    });

    it('a SYN-ACK is signed with the key that the SYN asks for, or there is none', () => {
      const t = listening(withAo([AO_KEY, AO_NEXT]));
      t.aoWanted = AO_NEXT;
      t.inject({ seq: 0, flags: 'S' });
      const { ao } = t.expect({ flags: 'SA' }).options;
      expect(ao).to.include({ keyId: AO_NEXT.sndid, rnextKeyId: AO_KEY.rcvid });
      t.inject({ seq: 1, ack: 1 });
      t.accept();
      expect(status(t)).to.include({ current_key: AO_NEXT.sndid, rnext: AO_KEY.rcvid });
      const without = listening(withAo([AO_KEY]));
      without.aoWanted = AO_NEXT;
      without.inject({ seq: 0, flags: 'S' });
      without.expectNothing();
    });

    it('a key with a longer MAC leaves less room for data from then on', async () => {
      const longer = { ...AO_NEXT, macLength: 16 };
      const t = await established(withAo([AO_KEY, longer]));
      expect(t.socket.getsockopt(IPPROTO_TCP, TCP_MAXSEG)).to.equal(1444);
      t.aoWanted = longer;
      t.inject({ seq: 1, ack: 1 });
      expect(t.socket.getsockopt(IPPROTO_TCP, TCP_MAXSEG)).to.equal(1440);
      t.write(2000);
      t.expect({ length: 1440 });
    });
  });

  describe('RFC 5925 6.2: sequence number extensions', () => {
    it('of the peer: its numbers turn over, in data that is lost and comes again', async () => {
      const t = await established(withAo([AO_KEY], { isn: -4 }));
      t.inject({ seq: 5, ack: 1, data: 'ef' });
      t.inject({ seq: 1, ack: 1, data: 'abcd' });
      expect(t.read()).to.equal('abcdef');
      t.inject({ seq: 7, ack: 1, data: 'gh' });
      t.inject({ seq: 1, ack: 1, data: 'ab' });
      expect(t.read()).to.equal('gh');
      expect(t.counters.TCPAOBad).to.equal(0);
    });

    it('of the peer: a SYN with the very last number', async () => {
      const t = await established(withAo([AO_KEY], { isn: -1 }));
      t.inject({ seq: 1, ack: 1, data: 'x' });
      expect(t.read()).to.equal('x');
    });

    it('of ours: they turn over, in data that is lost and sent again, and acknowledged', async () => {
      for (const active of [false, true]) {
        for (const isn of [-4, -1]) {
          const setup: PeerOptions['setup'] = ({ stack }) => {
            stack.tcp.numbers.isn = () => isn;
          };
          const t = await established(withAo([AO_KEY], { active, setup }));
          expect(t.dutIsn()).to.equal(isn);
          t.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
          t.write('abc');
          t.expect({ data: 'abc', seq: 1 });
          // Beyond the turn, while nothing before it is acknowledged.
          t.write('def');
          t.expect({ data: 'def', seq: 4 });
          await t.advance(1000);
          expect(t.drain().length).to.be.above(0);
          t.inject({ ack: 3 });
          await t.advance(4000);
          expect(t.drain().length).to.be.above(0);
          t.inject({ ack: 7 });
          t.write('g');
          t.expect({ data: 'g' });
          expect(t.counters.TCPAOBad).to.equal(0);
        }
      }
    });
  });

  describe('RFC 5925 7.6: option space', () => {
    it('16 bytes of every header; a SYN has room for timestamps', async () => {
      const t = connecting(withAo([AO_KEY]));
      const [syn] = [t.ladder()];
      expect(syn).to.include('TS');
      t.inject({ seq: 0, ack: 1, flags: 'SA', options: FULL });
      t.expect({ flags: 'A' });
      t.write(3000);
      t.expect({ length: 1460 - 16 - 12 });
    });

    it('our SYN-ACK prefers SACK to timestamps (Linux)', () => {
      const t = listening(withAo([AO_KEY]));
      t.inject({ seq: 0, flags: 'S', options: FULL });
      expect(t.expect({ flags: 'SA' }).options).to.have.keys('ao', 'mss', 'sackOk', 'wscale');
    });

    it('SACK has what is left: one block beside timestamps', async () => {
      const t = connecting(withAo([AO_KEY]));
      t.inject({ seq: 0, ack: 1, flags: 'SA', options: FULL });
      t.expect({ flags: 'A' });
      t.inject({ seq: 101, length: 10 });
      t.inject({ seq: 301, length: 10 });
      const [, second] = t.drain();
      expect(second?.options.sack).to.deep.equal([[301, 311]]);
    });
  });

  it('RFC 5925 7.7: there is no reset for a connection that is not there', () => {
    const t = listening(withAo([AO_KEY]));
    t.inject({ seq: 5, ack: 9, to: 9999 });
    t.expectNothing();
  });

  it('RFC 5925 7.7: a reset that the handshake asks for is signed', async () => {
    const t = listening(withAo([AO_KEY]));
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1, ack: 100 });
    t.expect({ seq: 100, flags: 'R' });
    const active = connecting(withAo([AO_KEY]));
    active.inject({ seq: 0, ack: 100, flags: 'SA' });
    active.expect({ seq: 100, flags: 'R' });
    // The SYN goes again, with the keys of a SYN.
    await active.advance(10);
    active.expect({ seq: 0, flags: 'S' });
  });

  it('RFC 4987 3.6: a SYN cookie', () => {
    const t = listening(withAo([AO_KEY], { sysctl: { tcp_syncookies: 2 } }));
    t.inject({ seq: 0, flags: 'S', options: FULL });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1, ack: 1, ao: undefined });
    t.inject({ seq: 1, ack: 1, badSignature: true });
    expect(t.listener?.accept()).to.equal(-11);
    t.inject({ seq: 1, ack: 1 });
    t.accept();
    t.inject({ seq: 1, data: 'x' });
    t.expect({ ack: 2 });
  });

  describe('RFC 5925 7.8: ICMP', () => {
    const unreachable = (t: WirePeer, code: number) => {
      t.write('x');
      const { bytes } = t.expect({ data: 'x' });
      t.injectIcmp({ type: 3, code, body: bytes.slice(0, 28) });
    };

    it('hard errors about a synchronized connection are ignored, and counted', async () => {
      // Of ICMPv6 it is "administratively prohibited" and "port unreachable" (Linux).
      for (const code of FAMILY === '6' ? [3, 13] : [2, 3, 4]) {
        const t = await established(withAo([AO_KEY]));
        unreachable(t, code);
        expect(t.counters.TCPAODroppedIcmps, `code ${code}`).to.equal(1);
        expect(status(t).pkt_dropped_icmp).to.equal(1);
        expect(t.socket.getsockopt(IPPROTO_TCP, TCP_MAXSEG)).to.equal(1444);
      }
    });

    itIpv4('unless accept_icmps is set; others are not ignored', async () => {
      const t = await established(withAo([AO_KEY]));
      unreachable(t, 1);
      expect(t.counters.TCPAODroppedIcmps).to.equal(0);
      expect(t.socket.setsockopt(IPPROTO_TCP, TCP_AO_INFO, { accept_icmps: true })).to.equal(0);
      t.inject({ ack: 2 });
      unreachable(t, 4);
      expect(t.counters.TCPAODroppedIcmps).to.equal(0);
      expect(t.socket.getsockopt(IPPROTO_TCP, TCP_MAXSEG)).to.be.below(1444);
    });

    it('while it connects they count', () => {
      const t = new WirePeer(withAo([AO_KEY]));
      t.connect();
      const { bytes } = t.expect({ flags: 'S' });
      expect(t.state()).to.equal('SYN-SENT');
      t.injectIcmp({ type: 3, code: 3, body: bytes.slice(0, 28) });
      expect(t.state()).to.equal('CLOSED');
    });
  });
});

/** A segment of the peer's with one byte and a user timeout option, which somebody has changed on the way. */
function withAnotherOption(t: WirePeer, ao: AoSpec): Uint8Array {
  const peerIsn = 0x7ffff000;
  const isns = [peerIsn, t.dutIsn()] as const;
  const bytes = buildSegment({
    source: PEER.w3,
    destination: DUT.w3,
    sourcePort: t.peerPort,
    destinationPort: t.dutPort,
    seq: peerIsn + 1,
    ack: (t.dutIsn() + 1) | 0,
    flags: 'A',
    win: 65_535,
    urg: 0,
    data: Uint8Array.of(120),
    options: { raw: [28, 4, 0, 5] },
    signature: { ao, keyId: ao.rcvid, rnextKeyId: ao.sndid, isns, sne: 0 },
  });
  const view = new DataView(bytes.buffer);
  const at = 20 + 20 + 16 + 2;
  view.setUint16(36, update16(view.getUint16(36), view.getUint16(at), 6));
  view.setUint16(at, 6);
  return bytes;
}
